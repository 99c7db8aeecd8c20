"""A clock: sends "tack" every so often, and waits for each acknowledgement.

usage: circuit_clock.py [-s HOST] [-p PORT] [-t TACKS] [-d DELAY]
"""

import asyncio

import websockets
from factory_loop import FactoryLoop, arguments


class Clock(FactoryLoop):
    async def tick(self, host, port, tacks, delay):
        number = 0
        async with websockets.connect(f"ws://{host}:{port}/clock") as ws:
            while tacks == 0 or number < tacks:
                number += 1
                await ws.send("tack")
                self.out(f"tack {number}: {await ws.recv()}")
                await asyncio.sleep(delay)


options = arguments("a clock")
asyncio.run(Clock().tick(options.host, options.port, options.tacks, options.delay))
