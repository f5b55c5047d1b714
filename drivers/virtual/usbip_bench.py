"""A set of virtual units in a separate process, served over USB/IP, with their consoles as links.

See ``python -m drivers.virtual.usbip_bench --help``. Stops on SIGTERM or SIGINT, and when its parent process has
exited, as a killed parent cannot stop it. Prints one line of JSON when it is ready: host, port, Device IDs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..clock import Deadline, SystemClock
from ..errors import DriverError
from ..host.process import StopRequest
from ..identity import Secret
from .bus import VirtualBus
from .consoles import ConsoleLinks
from .factory import UnitSpec
from .faults import ACTIONS, MOMENTS, Fault, parse_fault
from .starts import GRAMMAR, NamedUnit
from .unit import UnitMode, VirtualUnit
from .usbip import UsbIpServer
from .world import AccessPoint, World

_COME_UP_S, _LOOK_S = 10.0, 0.05  # how long units may take until they are waited for no longer, and how often we look


USUAL_OS = "3.3.1"


@dataclass(frozen=True, slots=True)
class Served:
    """Where units are served, and the units on ports 1-1, 1-2 ..."""

    host: str
    port: int
    units: tuple[VirtualUnit, ...]


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
        named = [NamedUnit.parse(text, USUAL_OS) for text in options.unit or ["boron"]]
    except DriverError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    specs = [one.spec(options.seed, number) for number, one in enumerate(named, 1)]
    clock = SystemClock(options.speed)
    points = [AccessPoint(ssid, Secret(password)) for ssid, _, password in (a.partition(":") for a in options.ap)]
    world = World(points, sims=ActiveSims())
    address = (options.host, options.port)
    with served(specs, clock, address, options.consoles, world, options.data_dir, faults) as bench:
        ready = {"host": bench.host, "port": bench.port, "units": [unit.device_id for unit in bench.units]}
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        stop.wait()
    return 0


@contextlib.contextmanager
def served(
    specs: Sequence[UnitSpec],
    clock: SystemClock,
    address: tuple[str, int],
    consoles: Path | None = None,
    world: World | None = None,
    data_dir: Path | None = None,
    faults: Sequence[Fault] = (),
) -> Iterator[Served]:
    """Plug units into a bus on ports 1-1, 1-2 ... and serve it; yields what is served when they have come up.

    ``consoles`` and ``data_dir``: folders for console links and the units' memories. Raises `OSError` where nothing
    can be served on ``address``.
    """
    units: list[VirtualUnit] = []
    with VirtualBus(clock) as bus, contextlib.ExitStack() as stack:
        server = UsbIpServer(bus, *address)
        stack.callback(server.close)
        if consoles is not None:
            stack.callback(ConsoleLinks(bus, consoles).close)
        for number, spec in enumerate(specs, 1):
            home = data_dir / str(spec.device_id) if data_dir else None
            if home is not None:
                home.mkdir(parents=True, exist_ok=True)
            unit = VirtualUnit(spec, clock, world, home)
            unit.order(*(fault for fault in faults if fault.applies_to(number, unit.device_id)))
            bus.plug(f"1-{number}", unit)
            units.append(unit)
        soon = Deadline.after(clock, _COME_UP_S)
        while any(unit.mode is UnitMode.STARTING for unit in units) and not soon.expired:
            clock.sleep(_LOOK_S)
        yield Served(*server.address, tuple(units))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m drivers.virtual.usbip_bench",
        description="Serve virtual units over USB/IP.",
        epilog=f"Fault moments: {', '.join(MOMENTS)}. Fault actions: {', '.join(ACTIONS)}.",
    )
    add = parser.add_argument
    add("--unit", action="append", metavar=GRAMMAR, help="one unit; repeat for more (boron@3.3.1)")
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
