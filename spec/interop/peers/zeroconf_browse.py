"""Browses on the loopback until its input ends: prints `added NAME ADDRESS PORT KEY=VALUE...`, `updated …` and
`removed NAME`.

usage: zeroconf_browse.py
"""

import sys

from zeroconf import ServiceBrowser, ServiceListener, Zeroconf

KIND = "_strobe._tcp.local."


def say(*words):
    print(*words, flush=True)


class Listener(ServiceListener):
    def tell(self, event, zeroconf, name):
        info = zeroconf.get_service_info(KIND, name, 3000)
        texts = [f"{k.decode()}={v.decode() if v is not None else True}" for k, v in sorted(info.properties.items())]
        say(event, name, *info.parsed_addresses(), info.port, *texts)

    def add_service(self, zeroconf, kind, name):
        self.tell("added", zeroconf, name)

    def update_service(self, zeroconf, kind, name):
        self.tell("updated", zeroconf, name)

    def remove_service(self, zeroconf, kind, name):
        say("removed", name)


def main():
    zeroconf = Zeroconf(interfaces=["127.0.0.1"])
    ServiceBrowser(zeroconf, KIND, Listener())
    say("browsing")
    sys.stdin.read()
    zeroconf.close()


main()
