'use strict';
// TCP echo server on 127.0.0.1. Prints `PORT n` and serves until it is ended.
//
// usage: node_echo.js

const net = require('net');

const server = net.createServer({ noDelay: true }, (socket) => {
  socket.on('data', (data) => {
    if (!socket.write(data)) socket.pause();
  });
  socket.on('drain', () => socket.resume());
  socket.on('error', () => socket.destroy());
});

server.listen(0, '127.0.0.1', () => console.log(`PORT ${server.address().port}`));
