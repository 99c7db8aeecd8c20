"""Lines of standard input: reads all COUNT of them, by asyncio's StreamReader or, with `blocking`, by `for line in
sys.stdin`. asyncio takes pipes, not files.

usage: asyncio_stdin.py [--loop uvloop] [--blocking] pipe|file COUNT <INPUT
"""

import asyncio
import sys
import time

import measure


def blocking():
    lines = size = 0
    for line in sys.stdin:
        lines += 1
        size += len(line)
    return lines, size


async def streaming():
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    lines = size = 0
    while line := await reader.readline():
        lines += 1
        size += len(line)
    return lines, size


async def main(kind, count):
    wall, cpu = time.perf_counter(), time.process_time()
    lines, size = blocking() if BLOCKING else await streaming()
    assert lines == count and size > 0, f"{lines} lines of {count}"
    measure.result(f"{kind}_lines_per_s", count / (time.perf_counter() - wall), "lines/s")
    measure.result(f"{kind}_lines_per_cpu_s", count / (time.process_time() - cpu), "lines/cpu-s")


BLOCKING = "--blocking" in sys.argv
if BLOCKING:
    sys.argv.remove("--blocking")
measure.run(main)
