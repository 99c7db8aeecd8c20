'use strict';
// WebSocket echo server on 127.0.0.1, by `ws`. Prints `PORT n` and serves until it is ended.
//
// usage: NODE_PATH=… ws_echo.js

const { Server } = require('ws');

const server = new Server({ host: '127.0.0.1', port: 0 });

server.on('connection', (socket) => {
  socket.on('message', (data, binary) => socket.send(data, { binary }));
  socket.on('error', () => socket.terminate());
});
server.on('listening', () => console.log(`PORT ${server.address().port}`));
