'use strict';
// WebSocket server on 127.0.0.1. Prints `PORT n PID p`, then `open SUBPROTOCOL` and
// `closed CODE REASON` for each connection. What a connection does, its target says:
//
// /echo          sends back what comes
// /fragments     the same in fragments, with a ping after the first
// /ping          pings, and tells in a text that the answer has come
// /count         counts until the text "end", and answers how many messages and bytes
// /burst         sends 10,000 messages, then the text "end"
// /close/C/R     closes with code C and reason R once a message has come
//
// usage: ws_server.js

const WebSocket = require('ws');

const BURST = 10000;

const stories = {
  echo(ws) {
    ws.on('message', (data, binary) => ws.send(data, { binary }));
  },
  // The pieces are cut anywhere, in the midst of a character too.
  fragments(ws) {
    ws.on('message', (data, binary) => {
      const third = Math.floor(data.length / 3);
      ws.send(data.subarray(0, third), { binary, fin: false });
      ws.ping('between');
      ws.send(Buffer.alloc(0), { binary, fin: false });
      ws.send(data.subarray(third), { binary, fin: true });
    });
  },
  ping(ws) {
    ws.on('pong', (data) => ws.send(data.toString() === 'are you there?' ? 'answered' : 'wrong'));
    ws.ping('are you there?');
  },
  count(ws) {
    let messages = 0;
    let size = 0;
    ws.on('message', (data, binary) => {
      if (!binary && data.toString() === 'end') ws.send(`${messages} ${size}`);
      messages += 1;
      size += data.length;
    });
  },
  burst(ws) {
    for (let i = 0; i < BURST; i++) ws.send(`message ${i}`);
    ws.send('end');
  },
  close(ws, code, reason = '') {
    ws.once('message', () => ws.close(Number(code), reason));
  },
};

const server = new WebSocket.Server({
  host: '127.0.0.1',
  port: 0,
  perMessageDeflate: true,
  maxPayload: 1024 * 1024,
  handleProtocols: (offered) => ['v2', 'v1'].find((name) => offered.has(name)) || false,
});

server.on('connection', (ws, request) => {
  const [story, ...words] = request.url.slice(1).split('/');
  console.log('open', ws.protocol || 'None');
  ws.on('error', () => {});
  ws.on('close', (code, reason) => console.log('closed', code, reason.toString()));
  stories[story](ws, ...words);
});
server.on('listening', () => console.log('PORT', server.address().port, 'PID', process.pid));
