"""WebSocket client. Prints `open SUBPROTOCOL, EXTENSIONS extensions`, what the story has to
say, and at last `closed CODE REASON`. The stories:

echo            sends messages of many sizes, which have to come back
fragments       the same in fragments, with pings in between
ping            pings twice and tells each answer
burst           sends 10,000 messages and counts the echoes
send N          sends a text of N bytes and waits for the end
recv            prints what comes, as `text TEXT` or `binary HEX`
close CODE TEXT closes
hang            does nothing, and answers no Close either

usage: websockets_client.py URI SUBPROTOCOL,…|- STORY [WORD…]
"""

import asyncio
import os
import sys

import websockets

SIZES = [0, 1, 2, 125, 126, 127, 128, 65535, 65536, 65537, 1024 * 1024]
BURST = 10000


def messages():
    for size in SIZES:
        yield "x" * size
        yield os.urandom(size)
    yield "ünïcode €, \U0001f600 and \0"


def say(*words):
    print(*words, flush=True)


async def expect(ws, message):
    back = await ws.recv()
    if back != message:
        sys.exit(f"sent {type(message)} of {len(message)}, got {type(back)} of {len(back)}")


async def echo(ws):
    count = 0
    for message in messages():
        await ws.send(message)
        await expect(ws, message)
        count += 1
    say("echoed", count)
    await ws.close()


async def pieces(ws, message):
    third = len(message) // 3
    yield message[:third]
    await ws.ping(os.urandom(125))
    yield message[third:third]
    yield message[third:-1]
    yield message[-1:]


async def fragments(ws):
    count = 0
    for message in messages():
        await ws.send(pieces(ws, message))
        await expect(ws, message)
        count += 1
    say("echoed", count)
    await ws.close()


async def ping(ws):
    first = await ws.ping(b"one")
    await first
    say("pong one")
    await (await ws.ping(b""))
    say("pong")
    await ws.close()


async def burst(ws):
    async def send():
        for i in range(BURST):
            await ws.send(f"message {i}")

    sending = asyncio.create_task(send())
    for i in range(BURST):
        await expect(ws, f"message {i}")
    await sending
    say("echoed", BURST)
    await ws.close()


async def send(ws, size):
    await ws.send("x" * int(size))
    await ws.wait_closed()


async def recv(ws):
    async for message in ws:
        say("text " + message if isinstance(message, str) else "binary " + message.hex())


async def close(ws, code, reason=""):
    await ws.close(int(code), reason)


async def hang(ws):
    ws.transport.pause_reading()
    await asyncio.sleep(3600)


stories = {f.__name__: f for f in (echo, fragments, ping, burst, send, recv, close, hang)}


async def main(uri, subprotocols, story, *words):
    offered = None if subprotocols == "-" else subprotocols.split(",")
    async with websockets.connect(uri, subprotocols=offered) as ws:
        agreed = ws if hasattr(ws, "extensions") else ws.protocol  # before version 13, and since
        say("open", f"{ws.subprotocol},", len(agreed.extensions), "extensions, PID", os.getpid())
        try:
            await stories[story](ws, *words)
        except websockets.ConnectionClosed:
            pass
        await ws.wait_closed()
        say("closed", ws.close_code, ws.close_reason)


asyncio.run(main(*sys.argv[1:]))
