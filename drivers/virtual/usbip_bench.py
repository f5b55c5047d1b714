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
from pathlib import Path

from ..clock import Deadline, SystemClock
from ..errors import DriverError
from ..host.process import StopRequest
from ..identity import Secret
from .bus import VirtualBus
from .consoles import ConsoleLinks
from .factory import UnitSpec, make_spec
from .faults import ACTIONS, MOMENTS, Fault, parse_fault
from .unit import UnitMode, VirtualUnit
from .usbip import UsbIpServer
from .world import AccessPoint, World

_COME_UP_S, _LOOK_S = 10.0, 0.05  # how long units may take until they are waited for no longer, and how often we look


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
    address = (options.host, options.port)
    with served(specs, clock, address, options.consoles, world, options.data_dir, faults) as (host, port):
        ready = {"host": host, "port": port, "units": [str(spec.device_id) for spec in specs]}
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
) -> Iterator[tuple[str, int]]:
    """Plug units into a bus on ports 1-1, 1-2 ... and serve it; yields host and port when they have come up.

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
        yield server.address


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
