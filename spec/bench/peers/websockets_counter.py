"""WebSocket echo server on 127.0.0.1 that counts, by `websockets`; see load/counter.h. Prints
`PORT n` and serves until it is ended.

usage: websockets_counter.py [--loop uvloop]
"""

import asyncio
import gc

import measure
from websockets.asyncio.server import broadcast, serve
from websockets.exceptions import ConnectionClosed

DIGITS = 10
PAUSE = 0.001  # seconds between broadcasts


class Counter:
    def __init__(self):
        self.messages = self.sum = self.wrong = 0
        self.subscribers = []

    def take(self, message, last):
        digits = message[:DIGITS]
        number = int(digits) if digits.isdigit() else 0
        self.messages += 1
        self.sum += number
        self.wrong += number != last + 1
        return number

    async def broadcast(self, count, size):
        text = "b" * size
        for _ in range(count):
            broadcast(self.subscribers, text)
            await asyncio.sleep(PAUSE)
        sent = count * len(self.subscribers)
        self.subscribers = []
        return f"{sent} 0"

    async def obey(self, ws, order):
        name, *numbers = order[1:].split()
        if name == "counts":
            return f"{self.messages} {self.sum} {self.wrong}"
        if name == "heap":
            gc.collect()
            return "0"  # Python cannot tell
        if name == "subscribe":
            self.subscribers.append(ws)
            return "subscribed"
        return await self.broadcast(*map(int, numbers))

    async def serve(self, ws):
        last = 0
        try:
            async for message in ws:
                if isinstance(message, bytes):
                    await ws.send(message)
                elif message.startswith("?"):
                    await ws.send(await self.obey(ws, message))
                else:
                    last = self.take(message, last)
                    await ws.send(message)
        except ConnectionClosed:
            pass


async def main():
    async with serve(Counter().serve, "127.0.0.1", 0, compression=None) as server:
        for socket in server.sockets:
            print("PORT", socket.getsockname()[1], flush=True)
        await asyncio.Future()


measure.run(main)
