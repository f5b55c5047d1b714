"""Plugs one unit again and again, and prints in JSON after how many milliseconds each arrival was seen.

Needs a process with umockdev's library preloaded (`bench_hotplug.py` starts one): pyudev and libusb run as on a real
machine, on a pretended kernel.
"""

from __future__ import annotations

import json
import queue
import statistics
import sys
import time

from conformance.inside import real_hosts

from drivers.host.hotplug_events import UdevChanges
from drivers.hotplug import Attached, Enumerator, HotplugEvent
from drivers.virtual.factory import make_spec
from drivers.virtual.unit import VirtualUnit

ROUNDS = 5
SPEED = 1.0


def delays_ms(changes: UdevChanges | None) -> list[float]:
    """From the moment the kernel shows the unit until the enumerator says so."""
    seen: queue.SimpleQueue[float] = queue.SimpleQueue()
    shown: queue.SimpleQueue[float] = queue.SimpleQueue()

    def note(event: HotplugEvent) -> None:
        if isinstance(event, Attached):
            seen.put(time.perf_counter())

    with real_hosts(SPEED) as real:
        unit = VirtualUnit(make_spec("boron", 7, 1, "6.3.4", setup_done=True), real.clock)
        enumerator = Enumerator(real.host, real.clock, note, changes)
        enumerator.start()
        real.bus.listen(lambda _: shown.put(time.perf_counter()) if unit.presence is not None else None)
        took = []
        for number in range(ROUNDS):
            real.bus.plug("1-1", unit)
            took.append(max(0.0, seen.get() - shown.get()) * 1000)
            real.bus.unplug("1-1")
            real.clock.sleep(1.0 + 0.07 * number)  # no moment a poll falls on by chance
        enumerator.stop()
    return took


def main() -> None:
    found = {name: delays_ms(changes) for name, changes in (("events", UdevChanges()), ("polls", None))}
    told = {name: {"median": statistics.median(took), "worst": max(took)} for name, took in found.items()}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
