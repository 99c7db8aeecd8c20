'use strict';
// HTTP client: Node's own http, on an agent that keeps its connections. Prints what the story
// has to say. The stories:
//
// echo       posts bodies of many sizes, which have to come back
// chunked    the same in chunks
// through    the same, while the answer comes back already
// expect     the same after a 100
// download   gets a large body by its length, and one in chunks
// streamed   reads the begin of an answer before its end exists
// reuse      asks 100 times on one connection
// pool       asks 200 times on a pool of 10
// empty      HEAD, 204, 304 and OPTIONS, and after each something with a body
// refused    posts to who does not want it
// idle       asks again after the server has closed
//
// usage: http_client.js BASE STORY [CA]

const assert = require('assert');
const fs = require('fs');
const { once } = require('events');
const { setTimeout: sleep } = require('timers/promises');

const SIZES = [0, 1, 100, 16384, 65535, 65536, 1000000];
const [base, story, ca] = process.argv.slice(2);
const http = require(base.startsWith('https') ? 'https' : 'http');
const agent = new http.Agent({
  keepAlive: true,
  maxSockets: { pool: 10, streamed: 2 }[story] || 1,
  ca: ca && fs.readFileSync(ca),
});

function numbered(size) {
  const parts = [];
  for (let i = 0; i <= size / 64; i++) parts.push(String(i).padStart(8, '0') + '<>'.repeat(28));
  return Buffer.from(parts.join('').slice(0, size));
}

async function whole(response) {
  const pieces = [];
  for await (const piece of response) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function finish(request, body) {
  request.end(body);
  const [response] = await once(request, 'response');
  return [response.statusCode, await whole(response), response.headers];
}

function ask(method, path, body, options = {}) {
  return finish(http.request(base + path, { method, agent, ...options }), body);
}

function expect(status, body, answer) {
  assert.strictEqual(answer[0], status);
  assert.ok(Buffer.from(body).equals(answer[1]), `${answer[1].length} bytes`);
}

async function hello() {
  expect(200, 'hello', await ask('GET', '/hello'));
}

async function echoed(post) {
  for (const size of SIZES) expect(200, numbered(size), await post(numbered(size)));
  console.log('echoed', SIZES.length);
}

async function inPieces(path, body) {
  const request = http.request(base + path, { method: 'PUT', agent });
  for (let at = 0; at < body.length; at += 5000) {
    if (!request.write(body.subarray(at, at + 5000))) await once(request, 'drain');
  }
  return finish(request);
}

const stories = {
  echo: () => echoed((body) => ask('POST', '/echo', body)),
  chunked: () => echoed((body) => inPieces('/echo', body)),
  through: () => echoed((body) => {
    const request = http.request(base + '/through', { method: 'PUT', agent });
    request.flushHeaders();
    request.write(body);
    return finish(request);
  }),
  expect: () => echoed(async (body) => {
    const headers = { Expect: '100-continue' };
    const request = http.request(base + '/echo', { method: 'POST', agent, headers });
    request.flushHeaders();
    await once(request, 'continue');
    return finish(request, body);
  }),
  async download() {
    expect(200, numbered(20000000), await ask('GET', '/bytes/20000000'));
    expect(200, numbered(1000).toString().repeat(3000), await ask('GET', '/pieces/3000/1000'));
    console.log('downloaded');
  },
  async streamed() {
    const request = http.get(base + '/waits', { agent });
    const [response] = await once(request, 'response');
    const [first] = await once(response, 'data');
    assert.strictEqual(first.toString(), 'one');
    const rest = whole(response);
    expect(204, '', await ask('GET', '/go'));
    assert.strictEqual((await rest).toString(), 'two');
    console.log('streamed');
  },
  async reuse() {
    for (let i = 0; i < 100; i++) await hello();
    console.log('asked 100');
  },
  async pool() {
    await Promise.all(Array.from({ length: 200 }, hello));
    console.log('asked 200');
  },
  async empty() {
    const head = await ask('HEAD', '/bytes/5000');
    expect(200, '', head);
    assert.strictEqual(head[2]['content-length'], '5000');
    for (const status of [204, 304, 200]) {
      await hello();
      expect(status, '', await ask('OPTIONS', `/status/${status}`));
    }
    await hello();
    console.log('empty');
  },
  async refused() {
    expect(403, 'refused', await ask('POST', '/refused', numbered(50000)));
    await hello();
    console.log('refused');
  },
  async idle() {
    for (let i = 0; i < 3; i++) {
      await hello();
      await sleep(300);
    }
    console.log('asked 3');
  },
};

stories[story]().then(() => agent.destroy(), (error) => {
  console.error(error);
  process.exit(1);
});
