"""examples/tasks.lua as a Python program, on a loop whose time jumps: what ours must print."""

import asyncio
import selectors


class JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting, moves the loop's time."""

    loop = None

    def select(self, timeout=None):
        if timeout:
            self.loop.now += timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        self.now = 0.0
        selector = JumpingSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self):
        return self.now


start = 0.0


def now():
    return asyncio.get_running_loop().time()


def say(text):
    print(f"{now() - start:4.1f} s  {text}")


async def lets_wait(seconds):
    began = now()
    say(f"Waiting for {seconds}")
    await asyncio.sleep(seconds)
    say(f"Waited for {seconds}")
    await asyncio.sleep(seconds)
    say(f"Waited for {seconds}")
    return now() - began


async def one_after_another():
    await lets_wait(2)
    await lets_wait(1)


async def three_tasks():
    tasks = [asyncio.create_task(lets_wait(seconds)) for seconds in (5, 10, 4)]
    for task in tasks:
        await task


async def gather():
    times = await asyncio.gather(lets_wait(2), lets_wait(1), lets_wait(4), lets_wait(3))
    say("gathered " + ", ".join(f"{time:g}" for time in times))


async def too_long():
    try:
        await asyncio.wait_for(lets_wait(4), 4)
    except asyncio.TimeoutError:
        say("Timeout")


async def main():
    global start
    for title, lesson in (
        ("one after another", one_after_another),
        ("three tasks", three_tasks),
        ("gather", gather),
        ("a job of 4 s, given 4 s", too_long),
    ):
        print("-- " + title)
        start = now()
        await lesson()


loop = VirtualLoop()
loop.run_until_complete(main())
