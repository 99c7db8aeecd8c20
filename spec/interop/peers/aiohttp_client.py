"""HTTP client: aiohttp. Prints what the story has to say. The stories:

echo       posts bodies of many sizes, which have to come back
chunked    the same in chunks
through    the same, while the answer comes back already
expect     the same after a 100
download   gets a large body by its length, and one in chunks
streamed   reads the begin of an answer before its end exists
reuse      asks 100 times on one connection
pool       asks 200 times on a pool of 10
empty      HEAD, 204, 304 and OPTIONS, and after each something with a body
refused    posts to who does not want it
idle       asks again after the server has closed
websocket  asks for pages and a WebSocket, whose messages have to come back, and pings

usage: aiohttp_client.py BASE STORY [CA]
"""

import asyncio
import os
import ssl
import sys

import aiohttp

SIZES = [0, 1, 100, 16384, 65535, 65536, 1000000]


def numbered(size):
    return b"".join(b"%08d" % i + b"<>" * 28 for i in range(size // 64 + 1))[:size]


def expect(expected, got):
    if expected != got:
        sys.exit(f"expected {expected!r:.100}, got {got!r:.100}")


async def ask(session, method, path, **options):
    async with session.request(method, path, **options) as response:
        return response.status, await response.read()


async def echo(session):
    for size in SIZES:
        body = numbered(size)
        expect((200, body), await ask(session, "POST", "/echo", data=body))
    print("echoed", len(SIZES))


async def expect_100(session):
    # Not the empty one: aiohttp 3.14 waits with that for ever, on a connection which it then closes.
    for size in SIZES[1:] * 2:
        body = numbered(size)
        expect((200, body), await ask(session, "POST", "/echo", data=body, expect100=True))
    print("echoed", len(SIZES))


async def pieces(body):
    for at in range(0, len(body), 5000):
        yield body[at:at + 5000]


async def chunked(session, path="/echo"):
    for size in SIZES:
        body = numbered(size)
        expect((200, body), await ask(session, "PUT", path, data=pieces(body)))
    print("echoed", len(SIZES))


async def through(session):
    await chunked(session, "/through")


async def download(session):
    expect((200, numbered(20000000)), await ask(session, "GET", "/bytes/20000000"))
    expect((200, numbered(1000) * 3000), await ask(session, "GET", "/pieces/3000/1000"))
    print("downloaded")


async def streamed(session):
    async with session.get("/waits") as response:
        expect(b"one", await response.content.readexactly(3))
        expect((204, b""), await ask(session, "GET", "/go"))
        expect(b"two", await response.read())
    print("streamed")


async def reuse(session):
    for _ in range(100):
        expect((200, b"hello"), await ask(session, "GET", "/hello"))
    print("asked 100")


async def pool(session):
    answers = await asyncio.gather(*(ask(session, "GET", "/hello") for _ in range(200)))
    expect([(200, b"hello")] * 200, answers)
    print("asked 200")


async def empty(session):
    async with session.head("/bytes/5000") as response:
        expect(("5000", b""), (response.headers["Content-Length"], await response.read()))
    for status in 204, 304, 200:
        expect((200, b"hello"), await ask(session, "GET", "/hello"))
        expect((status, b""), await ask(session, "OPTIONS", f"/status/{status}"))
    expect((200, b"hello"), await ask(session, "GET", "/hello"))
    print("empty")


async def refused(session):
    expect((403, b"refused"), await ask(session, "POST", "/refused", data=numbered(50000)))
    expect((200, b"hello"), await ask(session, "GET", "/hello"))
    print("refused")


async def idle(session):
    for _ in range(3):
        expect((200, b"hello"), await ask(session, "GET", "/hello"))
        await asyncio.sleep(0.3)
    print("asked 3")


async def websocket(session):
    expect((200, b"hello"), await ask(session, "GET", "/hello"))
    async with session.ws_connect("/ws", compress=15, max_msg_size=0) as ws:
        for size in 0, 1, 125, 126, 65535, 65536, 1000000:
            await ws.send_str("x" * size)
            expect("x" * size, await ws.receive_str())
            data = os.urandom(size)
            await ws.send_bytes(data)
            expect(data, await ws.receive_bytes())
        await ws.ping(b"?")
        expect((200, b"hello"), await ask(session, "GET", "/hello"))
        await ws.close(code=4000, message=b"bye")
        expect(4000, ws.close_code)
    expect((400, True), ((await ask(session, "GET", "/ws"))[0] // 100 * 100, True))
    print("echoed 14")


stories = {f.__name__: f for f in (echo, chunked, through, download, streamed, reuse, pool, empty,
                                   refused, idle, websocket)}
stories["expect"] = expect_100


async def main(base, story, ca=None):
    context = ssl.create_default_context(cafile=ca) if ca else None
    most = {"pool": 10, "streamed": 2, "websocket": 2}
    connector = aiohttp.TCPConnector(limit=most.get(story, 1), ssl=context)
    limit = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(base, connector=connector, timeout=limit) as session:
        await stories[story](session)


asyncio.run(main(*sys.argv[1:]))
