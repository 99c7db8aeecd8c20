"""Newline JSON ticks: reads a connection's COUNT ticks to its end, decodes and batches them.
`chunks` reads 64 KiB at a time and splits, `lines` takes the stream line by line.

usage: asyncio_ticks.py [--loop uvloop] PORT COUNT [chunks|lines]
"""

import asyncio
import json

import measure

BATCH = 1000


class Batcher:
    """Counts ticks into batches of (count, sum of size, volume-weighted price)."""

    def __init__(self):
        self.total = 0
        self.batches = []
        self.begin()

    def begin(self):
        self.count, self.size, self.turnover = 0, 0.0, 0.0

    def take(self, tick):
        self.count += 1
        self.size += tick["size"]
        self.turnover += tick["price"] * tick["size"]
        if self.count == BATCH:
            self.flush()

    def flush(self):
        self.total += self.count
        vwap = self.turnover / self.size if self.size else 0.0
        self.batches.append((self.count, self.size, vwap))
        self.begin()


async def by_chunks(reader, batcher):
    rest = b""
    while chunk := await reader.read(65536):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            batcher.take(json.loads(line))


async def by_lines(reader, batcher):
    async for line in reader:
        batcher.take(json.loads(line))


async def main(port, count, style="chunks"):
    read = by_lines if style == "lines" else by_chunks

    async def work():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        batcher = Batcher()
        await read(reader, batcher)
        batcher.flush()
        writer.close()
        assert batcher.total == count, f"{batcher.total} ticks of {count}"

    wall, cpu = await measure.best(work)
    measure.result("ticks_per_s", count / wall, "ticks/s")
    measure.result("ticks_per_cpu_s", count / cpu, "ticks/cpu-s")


measure.run(main)
