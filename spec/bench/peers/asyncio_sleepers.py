"""COUNT tasks sleep until one deadline, SECONDS after the start: bytes each, and the time
from the deadline to the last wake. All have to be created before the deadline.

usage: asyncio_sleepers.py [--loop uvloop] [COUNT [SECONDS]]
"""

import asyncio
import gc
import sys
import time

import measure


class Sleepers:
    def __init__(self, count, deadline):
        self.loop = asyncio.get_running_loop()
        self.deadline = deadline
        self.left = count
        self.done = self.loop.create_future()
        self.tasks = [asyncio.create_task(self.sleeper()) for _ in range(count)]

    async def sleeper(self):
        await asyncio.sleep(self.deadline - self.loop.time())
        self.left -= 1
        if self.left == 0:  # uvloop's time() stands still during a turn
            self.done.set_result(time.monotonic() - self.deadline)


async def main(count=1000000, seconds=15):
    loop = asyncio.get_running_loop()
    await Sleepers(1000, loop.time() + 0.1).done
    gc.collect()
    before = measure.resident()
    sleepers = Sleepers(count, loop.time() + seconds)
    await asyncio.sleep(0)  # all of them have started to sleep
    if time.monotonic() >= sleepers.deadline:
        sys.exit("the deadline passed before all were created: give more seconds")
    used = measure.resident() - before
    late = await sleepers.done
    measure.result("sleeper_bytes", used / count, "B")
    measure.result("wake_all_s", late, "s")
    measure.result("wake_each_us", late / count * 1e6, "us")


measure.run(main)
