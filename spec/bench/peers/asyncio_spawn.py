"""Spawn and join an empty task COUNT times: one after another, and in batches of 100.

usage: asyncio_spawn.py [--loop uvloop] [COUNT]
"""

import asyncio

import measure

BATCH = 100


async def empty():
    pass


async def main(count=50000):
    async def one_by_one():
        for _ in range(count):
            await asyncio.create_task(empty())

    async def in_batches():
        for _ in range(count // BATCH):
            await asyncio.gather(*[asyncio.create_task(empty()) for _ in range(BATCH)])

    wall, _ = await measure.best(one_by_one)
    measure.result("spawn_ns", wall / count * 1e9, "ns")
    wall, _ = await measure.best(in_batches)
    measure.result("spawn_batch_ns", wall / count * 1e9, "ns")


measure.run(main)
