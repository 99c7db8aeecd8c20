"""Announces a service on the loopback until its input ends. Prints `announced NAME`.

usage: zeroconf_announce.py NAME PORT [KEY=VALUE...]
"""

import socket
import sys

from zeroconf import ServiceInfo, Zeroconf

KIND = "_strobe._tcp.local."


def main(name, port, *words):
    zeroconf = Zeroconf(interfaces=["127.0.0.1"])
    info = ServiceInfo(
        KIND,
        f"{name}.{KIND}",
        addresses=[socket.inet_aton("127.0.0.1")],
        port=int(port),
        properties=dict(word.split("=", 1) for word in words),
        server="python.local.",
    )
    zeroconf.register_service(info, allow_name_change=True)
    print("announced", info.name, flush=True)
    sys.stdin.read()
    zeroconf.close()
    print("closed", flush=True)


main(*sys.argv[1:])
