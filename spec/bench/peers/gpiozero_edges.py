"""Edges of gpiozero's mock pins: to a callback, and back and forth between two threads.

usage: gpiozero_edges.py [COUNT]      edges of each
"""

import sys
import threading
import time

from gpiozero import Button, Device
from gpiozero.pins.mock import MockFactory

import measure

ROUNDS = 3


def best(work):
    """Runs work() once to warm up, then some times; the least wall seconds."""
    work()
    wall = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        wall.append(time.perf_counter() - start)
    return min(wall)


def to_callback(count):
    seen = 0

    def edge():
        nonlocal seen
        seen += 1

    with Button(17, pull_up=False) as button:
        button.when_pressed = button.when_released = edge

        def work():
            for _ in range(count // 2):
                button.pin.drive_high()
                button.pin.drive_low()

        wall = best(work)
    assert seen == count // 2 * 2 * (ROUNDS + 1), seen
    measure.result("callback_edges_per_s", count / wall, "edges/s")


def answer(count, ping, pong):
    for _ in range(count // 4):
        ping.wait_for_press()
        pong.pin.drive_high()
        ping.wait_for_release()
        pong.pin.drive_low()


def to_and_fro(count):
    with Button(17, pull_up=False) as ping, Button(27, pull_up=False) as pong:

        def work():
            thread = threading.Thread(target=answer, args=(count, ping, pong))
            thread.start()
            for _ in range(count // 4):
                ping.pin.drive_high()
                pong.wait_for_press()
                ping.pin.drive_low()
                pong.wait_for_release()
            thread.join()

        wall = best(work)
    measure.result("answered_edges_per_s", count / wall, "edges/s")


Device.pin_factory = MockFactory()
edges = int(sys.argv[1]) if len(sys.argv) > 1 else 20000
to_callback(edges)
to_and_fro(edges)
