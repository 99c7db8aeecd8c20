'use strict';
// Newline JSON ticks: reads a connection's COUNT ticks to its end, decodes and batches them.
//
// usage: node_ticks.js PORT COUNT

const net = require('net');
const measure = require('./measure');

const BATCH = 1000;

/** Counts ticks into batches of {count, size, vwap}. */
class Batcher {
  constructor() {
    this.total = 0;
    this.batches = [];
    this.begin();
  }

  begin() {
    this.count = 0;
    this.size = 0;
    this.turnover = 0;
  }

  take(tick) {
    this.count++;
    this.size += tick.size;
    this.turnover += tick.price * tick.size;
    if (this.count === BATCH) this.flush();
  }

  flush() {
    this.total += this.count;
    const vwap = this.size ? this.turnover / this.size : 0;
    this.batches.push({ count: this.count, size: this.size, vwap });
    this.begin();
  }
}

function receive(port, batcher) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1');
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      for (const line of lines) batcher.take(JSON.parse(line));
    });
    socket.on('end', resolve);
    socket.on('error', reject);
  });
}

async function main(port, count) {
  const { wall, cpu } = await measure.best(async () => {
    const batcher = new Batcher();
    await receive(port, batcher);
    batcher.flush();
    if (batcher.total !== count) throw new Error(`${batcher.total} ticks of ${count}`);
  });
  measure.result('ticks_per_s', count / wall, 'ticks/s');
  measure.result('ticks_per_cpu_s', count / cpu, 'ticks/cpu-s');
}

main(Number(process.argv[2]), Number(process.argv[3]));
