"""What the asyncio programs share: the choice of the loop, best of five, the result line."""

import argparse
import asyncio
import time

ROUNDS = 5


def result(name, value, unit):
    print(f"RESULT {name} {value:.6g} {unit}", flush=True)


def resident():
    """Resident memory of this process in bytes."""
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    raise RuntimeError("no VmRSS in /proc/self/status")


async def best(work):
    """Awaits work() once to warm up, then ROUNDS times; least wall and CPU seconds."""
    await work()
    wall, cpu = [], []
    for _ in range(ROUNDS):
        wall_start, cpu_start = time.perf_counter(), time.process_time()
        await work()
        wall.append(time.perf_counter() - wall_start)
        cpu.append(time.process_time() - cpu_start)
    return min(wall), min(cpu)


def run(main):
    """Runs main(*arguments) under the loop named by --loop; numbers arrive as int."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio")
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args()
    factory = asyncio.new_event_loop
    if options.loop == "uvloop":
        import uvloop
        factory = uvloop.new_event_loop
    arguments = [int(a) if a.isdigit() else a for a in options.arguments]
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main(*arguments))
