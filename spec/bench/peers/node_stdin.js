// Lines of standard input: reads all COUNT of them, by `for await` over node:readline.
// usage: node_stdin.js pipe|file COUNT <INPUT
'use strict';
const readline = require('node:readline');
const measure = require('./measure.js');

async function main(kind, expected) {
  const wall = process.hrtime.bigint(), cpu = process.cpuUsage();
  let lines = 0, size = 0;
  for await (const line of readline.createInterface({input: process.stdin})) {
    lines += 1;
    size += line.length;
  }
  if (lines !== expected || size === 0) throw new Error(`${lines} lines of ${expected}`);
  const seconds = Number(process.hrtime.bigint() - wall) / 1e9, used = process.cpuUsage(cpu);
  measure.result(`${kind}_lines_per_s`, lines / seconds, 'lines/s');
  measure.result(`${kind}_lines_per_cpu_s`, lines / ((used.user + used.system) / 1e6), 'lines/cpu-s');
}

main(process.argv[2], Number(process.argv[3]));
