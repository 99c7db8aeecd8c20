"""HTTP server on 127.0.0.1 by `aiohttp` that answers as load/http_hello.lua does. Prints
`PORT n` and serves until it is ended.

usage: aiohttp_hello.py [--loop uvloop]
"""

import asyncio
import gc

import measure
from aiohttp import web

BIG = "b" * (1024 * 1024)


async def hello(request):
    if request.path == "/heap":
        gc.collect()
        return web.Response(text="0")  # Python cannot tell
    if request.path == "/big":
        return web.Response(text=BIG)
    return web.Response(text="hello " + request.path)


async def main():
    app = web.Application()
    app.router.add_get("/{path:.*}", hello)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print("PORT", runner.addresses[0][1], flush=True)
    await asyncio.Future()


measure.run(main)
