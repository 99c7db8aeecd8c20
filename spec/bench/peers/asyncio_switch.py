"""Task switch: 100 tasks each do sleep(0) COUNT times.

usage: asyncio_switch.py [--loop uvloop] [COUNT]
"""

import asyncio

import measure

TASKS = 100


async def switcher(count):
    for _ in range(count):
        await asyncio.sleep(0)


async def main(count=5000):
    async def work():
        await asyncio.gather(*[switcher(count) for _ in range(TASKS)])

    wall, _ = await measure.best(work)
    measure.result("switch_ns", wall / (TASKS * count) * 1e9, "ns")


measure.run(main)
