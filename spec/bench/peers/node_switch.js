'use strict';
// Task switch: 100 async functions each give way COUNT times, by a microtask
// (`await null`) or by a turn of the event loop (setImmediate).
//
// usage: node_switch.js microtask|immediate [COUNT]

const measure = require('./measure');

const TASKS = 100;
const immediate = () => new Promise((resolve) => setImmediate(resolve));

async function byMicrotask(count) {
  for (let i = 0; i < count; i++) await null;
}

async function byImmediate(count) {
  for (let i = 0; i < count; i++) await immediate();
}

async function main(style, count) {
  const switcher = style === 'immediate' ? byImmediate : byMicrotask;
  const { wall } = await measure.best(async () => {
    const tasks = [];
    for (let i = 0; i < TASKS; i++) tasks.push(switcher(count));
    await Promise.all(tasks);
  });
  measure.result('switch_ns', (wall / (TASKS * count)) * 1e9, 'ns');
}

main(process.argv[2], Number(process.argv[3] || 5000));
