"""TCP echo server on 127.0.0.1, by streams (a coroutine for each connection) or by a
Protocol (callbacks). Prints `PORT n` and serves until it is ended.

usage: asyncio_echo.py [--loop uvloop] [streams|protocol]
"""

import asyncio

import measure


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

    def pause_writing(self):
        self.transport.pause_reading()

    def resume_writing(self):
        self.transport.resume_reading()


async def main(style="streams"):
    if style == "streams":
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
    else:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Echo, "127.0.0.1", 0)
    print("PORT", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


measure.run(main)
