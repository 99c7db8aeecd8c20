'use strict';
// Spawn and join an empty async function COUNT times: one after another, and in
// batches of 100.
//
// usage: node_spawn.js [COUNT]

const measure = require('./measure');

const BATCH = 100;
let empty = async () => {}; // a variable, so that the call is a real one

async function main(count) {
  const one = await measure.best(async () => {
    for (let i = 0; i < count; i++) await empty();
  });
  measure.result('spawn_ns', (one.wall / count) * 1e9, 'ns');
  const batch = await measure.best(async () => {
    for (let i = 0; i < count / BATCH; i++) {
      const tasks = [];
      for (let k = 0; k < BATCH; k++) tasks.push(empty());
      await Promise.all(tasks);
    }
  });
  measure.result('spawn_batch_ns', (batch.wall / count) * 1e9, 'ns');
}

main(Number(process.argv[2] || 50000));
