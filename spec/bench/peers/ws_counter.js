'use strict';
// WebSocket echo server on 127.0.0.1 that counts, by `ws`; see load/counter.h. Prints `PORT n`
// and serves until it is ended.
//
// usage: NODE_PATH=… node --expose-gc ws_counter.js

const { Server } = require('ws');

const DIGITS = 10;
const PAUSE = 1; // milliseconds between broadcasts

const counts = { messages: 0, sum: 0, wrong: 0 };
let subscribers = [];

async function broadcast(count, size) {
  const text = 'b'.repeat(size);
  for (let i = 0; i < count; i++) {
    for (const socket of subscribers) socket.send(text);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  const sent = count * subscribers.length;
  subscribers = [];
  return `${sent} 0`;
}

const orders = {
  counts: () => `${counts.messages} ${counts.sum} ${counts.wrong}`,
  heap: () => {
    global.gc();
    return String(process.memoryUsage().heapUsed);
  },
  subscribe: (socket) => {
    subscribers.push(socket);
    return 'subscribed';
  },
  broadcast: (socket, count, size) => broadcast(Number(count), Number(size)),
};

function take(text, last) {
  const number = Number(text.slice(0, DIGITS)) || 0;
  counts.messages++;
  counts.sum += number;
  if (number !== last + 1) counts.wrong++;
  return number;
}

async function obey(socket, text) {
  const [name, ...numbers] = text.slice(1).split(' ');
  socket.send(await orders[name](socket, ...numbers));
}

const server = new Server({ host: '127.0.0.1', port: 0 });

server.on('connection', (socket) => {
  let last = 0;
  socket.on('message', (data, binary) => {
    const text = data.toString();
    if (binary) {
      socket.send(data);
    } else if (text[0] === '?') {
      obey(socket, text);
    } else {
      last = take(text, last);
      socket.send(text);
    }
  });
  socket.on('error', () => socket.terminate());
});
server.on('listening', () => console.log(`PORT ${server.address().port}`));
