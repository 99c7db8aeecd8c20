// An HTTP/2 server over TLS for spec/interop/http2_client_spec.lua; prints "PORT n".
// GET /big is 8 MiB, GET /slow two pieces with 300 ms between; a POST is told its size; all else
// says who was asked for what. Ends by itself after 30 s.
// usage: http2_server.js KEY CERTIFICATE

const fs = require('fs');
const http2 = require('http2');

const [key, cert] = process.argv.slice(2).map((path) => fs.readFileSync(path));
const server = http2.createSecureServer({ key, cert });

function tellSize(stream) {
  let size = 0;
  stream.on('data', (piece) => { size += piece.length; });
  stream.on('end', () => {
    stream.respond({ ':status': 200, 'x-size': String(size) });
    stream.end('thanks');
  });
}

server.on('stream', (stream, headers) => {
  const path = headers[':path'];
  stream.on('error', () => {}); // the client has left
  if (headers[':method'] === 'POST') {
    tellSize(stream);
    return;
  }
  stream.respond({ ':status': 200, 'set-cookie': ['a=1', 'b=2'] });
  if (path === '/big') {
    stream.end(Buffer.alloc(8 * 1024 * 1024, 'x'));
  } else if (path === '/slow') {
    stream.write('a');
    setTimeout(() => stream.end('b'), 300);
  } else {
    stream.end(`${headers[':authority']}${path}`);
  }
});

server.listen(0, '127.0.0.1', () => console.log(`PORT ${server.address().port}`));
setTimeout(() => process.exit(0), 30000);
