"""Identifies the one unit plugged in, as `station identify` does, and prints in JSON the milliseconds that took.

A process of its own as the vendor's are: what it loads counts in the time of the process only.
"""

from __future__ import annotations

import json
import sys
import time

from drivers.clock import SystemClock
from drivers.platforms import platforms
from drivers.transport.serialport import real_serial_host
from drivers.transport.usb import real_host
from station.cli.identify import as_object, identified
from station.cli.looking import Place, Ports


def main() -> None:
    platforms()  # the vendor's programs have read their tables once they are loaded, too
    begin = time.perf_counter()
    with Ports(Place(real_host(), real_serial_host(), SystemClock())) as ports:
        (document,) = identified(ports, ports.wait(0), lambda _: None)
    took_ms = (time.perf_counter() - begin) * 1000
    assert document.is_good, document.fault
    sys.stdout.write(json.dumps({"ms": took_ms, "told": as_object(document)}) + "\n")


if __name__ == "__main__":
    main()
