"""An IO pin: each tack flips it, and it acknowledges with its state, 0 or 1.

usage: circuit_iopin.py [-s HOST] [-p PORT] [-t TACKS]
"""

from factory_loop import FactoryLoop, arguments


class IOPin(FactoryLoop):
    def setup(self, tacks=0):
        self.state, self.left = 0, tacks

    def loop(self, channel, message):
        if message != "tack":
            return self.out(f"{message!r} from the {channel}?")
        self.state = 1 - self.state
        self.out(self.state)
        self.left -= 1
        if self.left == 0:
            self.ended.set()
        return self.state


options = arguments("an IO pin")
IOPin(options.tacks).run(options.host, options.port)
