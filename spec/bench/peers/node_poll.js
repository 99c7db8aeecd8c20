'use strict';
// TectonicDB poll loop: subscribe, then COUNT updates, one round trip for each.
//
// usage: node_poll.js PORT COUNT

const net = require('net');
const measure = require('./measure');

const HEADER = 9;

class Tectonic {
  constructor(socket) {
    this.socket = socket;
    this.buffer = Buffer.alloc(0);
    this.answer = null;
    socket.on('data', (chunk) => this.feed(chunk));
  }

  /** Hands the reply to whoever asked, once it is complete. */
  feed(chunk) {
    this.buffer = this.buffer.length ? Buffer.concat([this.buffer, chunk]) : chunk;
    if (this.buffer.length < HEADER) return;
    const length = this.buffer.readUInt32BE(1) * 2 ** 32 + this.buffer.readUInt32BE(5);
    if (this.buffer.length < HEADER + length) return;
    const reply = {
      success: this.buffer[0] === 1,
      text: this.buffer.toString('utf8', HEADER, HEADER + length),
    };
    this.buffer = this.buffer.subarray(HEADER + length);
    this.answer(reply);
  }

  command(line) {
    return new Promise((resolve) => {
      this.answer = resolve;
      this.socket.write(line + '\n');
    });
  }

  poll() {
    return this.command('');
  }
}

async function main(port, count) {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  const db = new Tectonic(socket);
  if ((await db.command('PING')).text !== 'PONG') throw new Error('no PONG');
  await db.command('SUBSCRIBE book');
  const { wall, cpu } = await measure.best(async () => {
    let volume = 0;
    for (let i = 0; i < count; i++) {
      const { success, text } = await db.poll();
      if (!success || text === 'NONE') throw new Error(`no update: ${text}`);
      volume += JSON.parse(text).size;
    }
    return volume;
  });
  socket.end();
  measure.result('polls_per_s', count / wall, 'polls/s');
  measure.result('polls_per_cpu_s', count / cpu, 'polls/cpu-s');
}

main(Number(process.argv[2]), Number(process.argv[3]));
