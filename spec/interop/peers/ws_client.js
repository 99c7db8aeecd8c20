'use strict';
// WebSocket client. Prints `open SUBPROTOCOL, EXTENSIONS extensions`, what the story has to
// say, and at last `closed CODE REASON`. The stories:
//
// echo            sends messages of many sizes, which have to come back
// fragments       the same in fragments, with pings in between
// ping            pings twice and tells each answer
// burst           sends 10,000 messages and counts the echoes
// send N          sends a text of N bytes and waits for the end
// recv            prints what comes, as `text TEXT` or `binary HEX`
// close CODE TEXT closes
// hang            does nothing, and answers no Close either
//
// usage: ws_client.js URI SUBPROTOCOL,…|- STORY [WORD…]

const crypto = require('crypto');
const { once } = require('events');
const WebSocket = require('ws');

const SIZES = [0, 1, 2, 125, 126, 127, 128, 65535, 65536, 65537, 1024 * 1024];
const BURST = 10000;

function* messages() {
  for (const size of SIZES) {
    yield [Buffer.alloc(size, 'x'), false];
    yield [crypto.randomBytes(size), true];
  }
  yield [Buffer.from('ünïcode €, \u{1f600} and \0'), false];
}

async function echoed(ws, send) {
  let count = 0;
  for (const [message, binary] of messages()) {
    send(message, binary);
    const [back, wasBinary] = await once(ws, 'message');
    if (!back.equals(message) || wasBinary !== binary) {
      console.error(`sent ${message.length} ${binary}, got ${back.length} ${wasBinary}`);
      process.exit(1);
    }
    count += 1;
  }
  console.log('echoed', count);
  ws.close(1000);
}

const stories = {
  echo(ws) {
    return echoed(ws, (message, binary) => ws.send(message, { binary }));
  },
  // The pieces are cut anywhere, in the midst of a character too.
  fragments(ws) {
    return echoed(ws, (message, binary) => {
      const third = Math.floor(message.length / 3);
      ws.send(message.subarray(0, third), { binary, fin: false });
      ws.ping(crypto.randomBytes(125));
      ws.send(Buffer.alloc(0), { binary, fin: false });
      ws.send(message.subarray(third, -1), { binary, fin: false });
      ws.send(message.subarray(Math.max(third, message.length - 1)), { binary, fin: true });
    });
  },
  async ping(ws) {
    for (const text of ['one', '']) {
      ws.ping(text);
      const [data] = await once(ws, 'pong');
      console.log(`pong ${data}`.trim());
    }
    ws.close(1000);
  },
  burst(ws) {
    let count = 0;
    ws.on('message', (data) => {
      if (data.toString() !== `message ${count}`) process.exit(1);
      count += 1;
      if (count === BURST) {
        console.log('echoed', count);
        ws.close(1000);
      }
    });
    for (let i = 0; i < BURST; i++) ws.send(`message ${i}`);
  },
  send(ws, size) {
    ws.send('x'.repeat(Number(size)));
  },
  recv(ws) {
    ws.on('message', (data, binary) => {
      console.log(binary ? `binary ${data.toString('hex')}` : `text ${data}`);
    });
  },
  close(ws, code, reason = '') {
    ws.close(Number(code), reason);
  },
  hang(ws) {
    ws._socket.pause();
    setInterval(() => {}, 1000);
  },
};

const [uri, subprotocols, story, ...words] = process.argv.slice(2);
const ws = new WebSocket(uri, subprotocols === '-' ? [] : subprotocols.split(','));

ws.on('error', (error) => console.error(error.message));
ws.on('close', (code, reason) => console.log('closed', code, reason.toString()));
ws.on('open', () => {
  const extensions = ws.extensions === '' ? 0 : 1;
  console.log('open', `${ws.protocol || 'None'},`, extensions, 'extensions, PID', process.pid);
  stories[story](ws, ...words);
});
