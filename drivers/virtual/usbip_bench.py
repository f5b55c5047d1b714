"""A set of virtual units in a separate process, served over USB/IP, with their consoles as links.

See ``python -m drivers.virtual.usbip_bench --help``. Stops on SIGTERM or SIGINT, and when its parent process has
exited, as a killed parent cannot stop it. Prints one line of JSON when it is ready: host, port, Device IDs.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ..clock import SystemClock
from ..errors import DriverError
from ..host.process import StopRequest
from ..identity import Secret
from .bus import VirtualBus
from .consoles import ConsoleLinks
from .factory import UnitSpec, make_spec
from .faults import ACTIONS, MOMENTS, parse_fault
from .unit import VirtualUnit
from .usbip import UsbIpServer
from .world import AccessPoint, World


class ActiveSims:
    """A registry in which every SIM is active."""

    def is_active(self, iccid: str) -> bool:
        return bool(iccid)


def main(argv: list[str] | None = None) -> int:
    """Run until a signal arrives or the parent process exits. Exit status 2: bad arguments."""
    stop = StopRequest()
    options = _parser().parse_args(argv)
    try:
        faults = [parse_fault(spec) for spec in options.fault]
        specs = [_spec(text, options.seed, number) for number, text in enumerate(options.unit or ["boron"], 1)]
    except DriverError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    clock = SystemClock(options.speed)
    points = [AccessPoint(ssid, Secret(password)) for ssid, _, password in (a.partition(":") for a in options.ap)]
    world = World(points, sims=ActiveSims())
    with VirtualBus(clock) as bus:
        server = UsbIpServer(bus, options.host, options.port)
        links = ConsoleLinks(bus, options.consoles) if options.consoles else None
        for number, spec in enumerate(specs, 1):
            home = options.data_dir / str(spec.device_id) if options.data_dir else None
            if home is not None:
                home.mkdir(parents=True, exist_ok=True)
            unit = VirtualUnit(spec, clock, world, home)
            unit.order(*(fault for fault in faults if fault.applies_to(number, unit.device_id)))
            bus.plug(f"1-{number}", unit)
        host, port = server.address
        ready = {"host": host, "port": port, "units": [str(spec.device_id) for spec in specs]}
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        stop.wait()
        server.close()
        if links is not None:
            links.close()
    return 0


def _spec(text: str, seed: int, number: int) -> UnitSpec:
    platform, _, device_os = text.partition("@")
    return make_spec(platform, seed, number, device_os or "3.3.1")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m drivers.virtual.usbip_bench",
        description="Serve virtual units over USB/IP.",
        epilog=f"Fault moments: {', '.join(MOMENTS)}. Fault actions: {', '.join(ACTIONS)}.",
    )
    add = parser.add_argument
    add("--unit", action="append", metavar="PLATFORM[@OSVERSION]", help="one unit; repeat for more (boron@3.3.1)")
    add("--seed", type=int, default=1, help="seed of the units' identities (1)")
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=0, help="0: any free one, printed when ready")
    add("--consoles", type=Path, help="directory for links to the consoles")
    add("--data-dir", type=Path, help="directory that stores the units between runs")
    add(
        "--ap", action="append", default=[], metavar="SSID:PASSWORD", help="an access point in range (test values only)"
    )
    add("--fault", action="append", default=[], metavar="SPEC", help="see drivers/virtual/faults.py")
    add("--speed", type=float, default=1.0, help="times as fast as real time (1.0)")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
