'use strict';
// What the Node programs share: best of five, resident memory, the result line.

const fs = require('fs');

const ROUNDS = 5;

const now = () => Number(process.hrtime.bigint()) / 1e9;

function cpu() {
  const used = process.cpuUsage();
  return (used.user + used.system) / 1e6;
}

function result(name, value, unit) {
  console.log(`RESULT ${name} ${Number(value.toPrecision(6))} ${unit}`);
}

/** Resident memory of this process in bytes. */
function resident() {
  const status = fs.readFileSync('/proc/self/status', 'latin1');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)[1]) * 1024;
}

/** Awaits work() once to warm up, then ROUNDS times; least wall and CPU seconds. */
async function best(work) {
  await work();
  const least = { wall: Infinity, cpu: Infinity };
  for (let i = 0; i < ROUNDS; i++) {
    const wallStart = now();
    const cpuStart = cpu();
    await work();
    least.wall = Math.min(least.wall, now() - wallStart);
    least.cpu = Math.min(least.cpu, cpu() - cpuStart);
  }
  return least;
}

module.exports = { now, result, resident, best };
