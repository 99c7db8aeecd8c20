"""WebSocket server on 127.0.0.1. Prints `PORT n PID p`, then `open SUBPROTOCOL` and
`closed CODE REASON` for each connection. What a connection does, its target says:

/echo          sends back what comes
/fragments     the same in three fragments, with a ping after the first
/ping          pings, and tells in a text that the answer has come
/count         counts until the text "end", and answers how many messages and bytes
/burst         sends 10,000 messages, then the text "end"
/close/C/R     closes with code C and reason R once a message has come

usage: websockets_server.py
"""

import asyncio
import os

import websockets

BURST = 10000
OURS = ["v2", "v1"]


async def echo(ws):
    async for message in ws:
        await ws.send(message)


async def pieces(ws, message):
    third = len(message) // 3
    yield message[:third]
    await ws.ping(b"between")
    yield message[third:third]
    yield message[third:]


async def fragments(ws):
    async for message in ws:
        await ws.send(pieces(ws, message))


async def ping(ws):
    await (await ws.ping(b"are you there?"))
    await ws.send("answered")
    await ws.wait_closed()


async def count(ws):
    messages = size = 0
    async for message in ws:
        if message == "end":
            await ws.send(f"{messages} {size}")
        messages += 1
        size += len(message)


async def burst(ws):
    for i in range(BURST):
        await ws.send(f"message {i}")
    await ws.send("end")
    await ws.wait_closed()


async def close(ws, code, reason=""):
    await ws.recv()
    await ws.close(int(code), reason)


stories = {story.__name__: story for story in (echo, fragments, ping, count, burst, close)}


async def handle(ws):
    path = ws.path if hasattr(ws, "path") else ws.request.path  # before version 13, and since
    story, *words = path[1:].split("/")
    print("open", ws.subprotocol, flush=True)
    try:
        await stories[story](ws, *words)
    except websockets.ConnectionClosed:
        pass
    await ws.wait_closed()
    print("closed", ws.close_code, ws.close_reason, flush=True)


def choose(first, second):
    """What the client offers is `first` before version 13, and `second` since."""
    offered = first if isinstance(first, list) else second
    return next((name for name in OURS if name in offered), None)


async def main():
    async with websockets.serve(handle, "127.0.0.1", 0, subprotocols=OURS,
                                select_subprotocol=choose) as server:
        print("PORT", server.sockets[0].getsockname()[1], "PID", os.getpid(), flush=True)
        await asyncio.Future()


asyncio.run(main())
