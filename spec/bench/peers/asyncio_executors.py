"""Jobs through an executor of concurrent.futures, work on all processors, memory of a worker.

usage: asyncio_executors.py thread|process [JOBS [FIB]]

What is passed to a process is pickled; threads copy nothing, and take turns.
"""

import asyncio
import concurrent.futures
import os
import pickle
import time

import measure

WORKERS, AT_ONCE, RECORDS = 16, 100, 10000


def tick():
    return {"symbol": "btc_usd", "price": 42000.25, "size": 0.5, "seq": 12345, "is_bid": True, "ts": 1700000000.125}


def nothing(*_):
    pass


def identity(value):
    return value


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def pool(kind, workers):
    if kind == "thread":
        return concurrent.futures.ThreadPoolExecutor(workers)
    return concurrent.futures.ProcessPoolExecutor(workers)


def resident_of(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
            for line in lines:
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


async def report_jobs(executor, kind, jobs):
    loop = asyncio.get_running_loop()
    some = jobs if kind == "thread" else jobs // 4

    async def in_a_row(function, *arguments):
        async def work():
            for _ in range(some):
                await loop.run_in_executor(executor, function, *arguments)
        wall, _ = await measure.best(work)
        return wall / some

    async def at_once():
        for _ in range(some // AT_ONCE):
            await asyncio.gather(*[loop.run_in_executor(executor, nothing) for _ in range(AT_ONCE)])

    async def in_chunks():
        assert sum(1 for _ in executor.map(identity, range(jobs), chunksize=100)) == jobs

    measure.result("to_thread_us", await in_a_row(nothing) * 1e6, "us")
    measure.result("to_thread_table_us", await in_a_row(identity, tick()) * 1e6, "us")
    wall, _ = await measure.best(at_once)
    measure.result("jobs_per_s", some / wall, "jobs/s")
    wall, _ = await measure.best(in_chunks)
    measure.result("map_calls_per_s", jobs / wall, "calls/s")


async def report_speed_up(executor, size):
    cores = len(os.sched_getaffinity(0))
    sizes = [size] * (4 * cores)

    async def alone():
        for n in sizes:
            fib(n)

    async def together():
        list(executor.map(fib, sizes))

    alone_wall, _ = await measure.best(alone)
    wall, _ = await measure.best(together)
    measure.result("cpu_jobs_per_s", len(sizes) / wall, "jobs/s")
    measure.result("speed_up", alone_wall / wall, "x")


async def report_copies(jobs):
    small, text, records = tick(), b"x" * (1 << 20), [tick() for _ in range(RECORDS)]

    def copy(value):
        return pickle.loads(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))

    async def small_ones():
        for _ in range(jobs):
            copy(small)

    async def many():
        copy(records)

    async def texts():
        for _ in range(20):
            copy(text)

    wall, _ = await measure.best(small_ones)
    measure.result("copy_table_us", wall / jobs * 1e6, "us")
    wall, _ = await measure.best(many)
    measure.result("copy_records_per_s", RECORDS / wall, "records/s")
    wall, _ = await measure.best(texts)
    measure.result("copy_mb_per_s", 20 * len(text) / 1e6 / wall, "MB/s")


def report_memory(kind):
    before = measure.resident()
    with pool(kind, WORKERS) as executor:
        list(executor.map(time.sleep, [0.2] * WORKERS))
        if kind == "thread":
            size = (measure.resident() - before) / WORKERS
        else:
            size = resident_of(executor._processes) / WORKERS
    measure.result("worker_bytes", size, "bytes")


async def main(kind, jobs=10000, size=27):
    report_memory(kind)
    with pool(kind, len(os.sched_getaffinity(0))) as executor:
        await report_jobs(executor, kind, jobs)
        await report_speed_up(executor, size)
    if kind == "process":
        await report_copies(jobs)


if __name__ == "__main__":
    measure.run(main)
