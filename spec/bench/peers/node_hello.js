'use strict';
// HTTP server on 127.0.0.1 that answers as load/http_hello.lua does. Prints `PORT n` and serves
// until it is ended.
//
// usage: node --expose-gc node_hello.js

const http = require('http');

const big = 'b'.repeat(1024 * 1024);

function answer(path) {
  if (path === '/heap') {
    global.gc();
    return String(process.memoryUsage().heapUsed);
  }
  return path === '/big' ? big : `hello ${path}`;
}

const server = http.createServer({ keepAliveTimeout: 60000 }, (request, response) => {
  const body = answer(request.url);
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': body.length });
  response.end(body);
});

server.listen(0, '127.0.0.1', () => console.log(`PORT ${server.address().port}`));
