"""WebSocket echo server on 127.0.0.1, by `websockets`. Prints `PORT n` and serves until it
is ended.

usage: websockets_echo.py [--loop uvloop]
"""

import asyncio

import measure

try:
    from websockets.asyncio.server import serve
except ImportError:  # before version 13
    from websockets import serve


async def echo(ws):
    async for message in ws:
        await ws.send(message)


async def main():
    async with serve(echo, "127.0.0.1", 0) as server:
        for socket in server.sockets:
            print("PORT", socket.getsockname()[1], flush=True)
        await asyncio.Future()


measure.run(main)
