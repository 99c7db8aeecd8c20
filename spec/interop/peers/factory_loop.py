"""Components of a circuit in Python, as strobe's sketches are in Lua: `setup` once, `loop` for each message,
whose result is sent back as the acknowledgement; 'n/a' when there is none. All is text on a WebSocket, whose
path is the name of who sends: ws://HOST:PORT/clock."""

import argparse
import asyncio

import websockets


def arguments(text):
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("-s", "--host", default="127.0.0.1", help="where the other listens, or it itself")
    parser.add_argument("-p", "--port", type=int, default=8765)
    parser.add_argument("-t", "--tacks", type=int, default=0, help="ends after so many; 0: never")
    parser.add_argument("-d", "--delay", type=float, default=1.0, help="seconds from one tack to the next")
    return parser.parse_args()


class FactoryLoop:
    def __init__(self, *args):
        self.setup(*args)

    def setup(self):
        pass

    def loop(self, channel, message):
        pass

    def out(self, text):
        print(f"[ {type(self).__name__} ] {text}", flush=True)

    async def handle(self, ws):
        path = ws.path if hasattr(ws, "path") else ws.request.path  # before version 13, and since
        channel = path[1:]
        self.out(f"the {channel} is here")
        async for message in ws:
            acknowledgement = self.loop(channel, message)
            await ws.send("n/a" if acknowledgement is None else str(acknowledgement))
        self.out(f"the {channel} has gone: {ws.close_code}")

    async def serve(self, host, port):
        """Until `ended` is set, which is an event of the loop."""
        self.ended = asyncio.Event()
        async with websockets.serve(self.handle, host, port) as server:
            self.out("listening on port %d" % server.sockets[0].getsockname()[1])
            await self.ended.wait()

    def run(self, host, port):
        asyncio.run(self.serve(host, port))
