"""HTTP client: COUNT requests GET over kept-alive connections, 16 at a time.

usage: aiohttp_client.py [--loop uvloop] PORT COUNT
"""

import asyncio

import aiohttp

import measure

AT_ONCE = 16


async def main(port, count):
    url = f"http://127.0.0.1:{port}/"
    async with aiohttp.ClientSession() as session:

        async def ask():
            for _ in range(count // AT_ONCE):
                async with session.get(url) as response:
                    assert response.status == 200 and len(await response.read()) == 13

        async def work():
            await asyncio.gather(*(ask() for _ in range(AT_ONCE)))

        wall, cpu = await measure.best(work)
    measure.result("gets_per_s", count / wall, "gets/s")
    measure.result("gets_per_cpu_s", count / cpu, "gets/cpu-s")


measure.run(main)
