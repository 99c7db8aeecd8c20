'use strict';
// COUNT async functions sleep until one deadline, SECONDS after the start: bytes each,
// and the time from the deadline to the last wake. All have to be created before it.
//
// usage: node_sleepers.js [COUNT [SECONDS]]

const measure = require('./measure');

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Starts `count` sleepers; their `done` resolves to the seconds the last one was late.
 * Node counts a delay from the begin of the loop's turn, so one delay is one deadline. */
async function start(count, seconds) {
  await sleep(1);
  let left = count;
  const sleepers = { deadline: measure.now() + seconds };
  sleepers.done = new Promise((resolve) => {
    const sleeper = async () => {
      await sleep(seconds * 1000);
      if (--left === 0) resolve(measure.now() - sleepers.deadline);
    };
    sleepers.tasks = Array.from({ length: count }, () => sleeper());
  });
  return sleepers;
}

async function main(count, seconds) {
  await (await start(1000, 0.1)).done;
  const before = measure.resident();
  const sleepers = await start(count, seconds);
  if (measure.now() >= sleepers.deadline) {
    throw new Error('the deadline passed before all were created: give more seconds');
  }
  const used = measure.resident() - before;
  const late = await sleepers.done;
  measure.result('sleeper_bytes', used / count, 'B');
  measure.result('wake_all_s', late, 's');
  measure.result('wake_each_us', (late / count) * 1e6, 'us');
}

main(Number(process.argv[2] || 1000000), Number(process.argv[3] || 15));
