"""TectonicDB poll loop: subscribe, then COUNT updates, one round trip for each.

usage: asyncio_poll.py [--loop uvloop] PORT COUNT
"""

import asyncio
import json
import struct

import measure

HEADER = struct.Struct(">?Q")


class Tectonic:
    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    async def command(self, line):
        self.writer.write(line + b"\n")
        await self.writer.drain()
        success, length = HEADER.unpack(await self.reader.readexactly(HEADER.size))
        return success, await self.reader.readexactly(length)

    async def poll(self):
        return await self.command(b"")


async def main(port, count):
    db = Tectonic(*await asyncio.open_connection("127.0.0.1", port))
    assert await db.command(b"PING") == (True, b"PONG")
    assert (await db.command(b"SUBSCRIBE book"))[0]

    async def work():
        volume = 0.0
        for _ in range(count):
            success, text = await db.poll()
            assert success and text != b"NONE"
            volume += json.loads(text)["size"]

    wall, cpu = await measure.best(work)
    db.writer.close()
    measure.result("polls_per_s", count / wall, "polls/s")
    measure.result("polls_per_cpu_s", count / cpu, "polls/cpu-s")


measure.run(main)
