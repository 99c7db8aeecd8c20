"""Start /bin/true COUNT times and wait for its end: one after another, and 16 at a time.

usage: asyncio_subprocess.py [--loop uvloop] [COUNT]
"""

import asyncio

import measure

AT_ONCE = 16


async def start_and_wait():
    process = await asyncio.create_subprocess_exec("/bin/true")
    await process.wait()


async def main(count=160):
    async def one_by_one():
        for _ in range(count):
            await start_and_wait()

    async def in_batches():
        for _ in range(count // AT_ONCE):
            await asyncio.gather(*[start_and_wait() for _ in range(AT_ONCE)])

    wall, _ = await measure.best(one_by_one)
    measure.result("subprocess_per_s", count / wall, "/s")
    wall, _ = await measure.best(in_batches)
    measure.result("subprocess_batch_per_s", count // AT_ONCE * AT_ONCE / wall, "/s")


measure.run(main)
