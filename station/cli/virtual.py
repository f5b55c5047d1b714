"""Virtual units for the verbs: in this process for ``--virtual``, or served to others by ``station virtual serve``."""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from drivers.clock import Clock, SimulatedClock, SystemClock
from drivers.errors import BadIdentity, DriverError
from drivers.platforms import OsVersion, platform_by_slug
from drivers.transport import SerialHost, UsbHost
from drivers.transport.serialport import PyserialHost
from drivers.transport.usb import PyusbHost
from drivers.virtual import synthetic
from drivers.virtual.backend import VirtualBackend
from drivers.virtual.bus import VirtualBus
from drivers.virtual.factory import UnitSpec, make_spec
from drivers.virtual.faults import BadFault, Fault, parse_fault
from drivers.virtual.serial_side import VirtualPorts
from drivers.virtual.unit import VirtualUnit
from drivers.virtual.usbip_bench import ActiveSims, served
from drivers.virtual.world import World

from ..errors import BadInput
from ..settings.usb_source import LISTEN, UsbSource
from .ending import Over, told_to_end, wait_over
from .places import made_dir
from .telling import standard_output, sub_verbs

DEFAULT_OS = "6.3.4"
VIRTUAL_OS = synthetic.ALL_VERSIONS
"""Device OS versions some virtual unit can hold."""
usual_version = synthetic.usual_version
LOOPBACK = "127.0.0.1"
USBIP_PORT = "3240"
"""The port of USB/IP."""


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    verbs = sub_verbs(parsers.add_parser("virtual", help="serve virtual units to other programs"), "what", "WHAT")
    parser = verbs.add_parser("serve", help="serve virtual units over USB/IP until interrupted")
    parser.add_argument(
        "--unit", action="append", required=True, metavar="PLATFORM[@OSVERSION]", help="one unit; repeat for more"
    )
    parser.add_argument(
        "--usbip", default=USBIP_PORT, metavar="[HOST:]PORT",
        help=f"where to listen ({LOOPBACK}:{USBIP_PORT}); everybody who reaches it owns the units",
    )  # fmt: skip
    parser.add_argument(
        "--consoles", type=Path, metavar="D", help="folder for links to the serial consoles (a new one)"
    )
    parser.add_argument("--data-dir", type=Path, metavar="D", help="folder that keeps the units for the next time")
    parser.add_argument("--fault", action="append", default=[], metavar="SPEC", help="as in station demo")
    parser.add_argument("--json", action="store_true", help="say in one line of JSON what is served")
    parser.set_defaults(run=serve)


def serve(arguments: argparse.Namespace) -> int:
    """Serve until a signal arrives; returns 0."""
    found = re.fullmatch(LISTEN, arguments.usbip)
    if found is None:
        raise BadInput(f"--usbip {arguments.usbip}: write a port, or HOST:PORT")
    host, port = (found[1] or LOOPBACK).strip("[]"), int(found[2])
    named = [(text, *parse_virtual(text, "--unit")) for text in arguments.unit]
    specs = [make_spec(slug, 1, number, version, setup_done=True) for number, (_, slug, version) in enumerate(named, 1)]
    keeps = made_dir(arguments.data_dir) if arguments.data_dir else None
    over = Over()
    with contextlib.ExitStack() as stack:
        stack.enter_context(told_to_end(over))
        folder = arguments.consoles or stack.enter_context(tempfile.TemporaryDirectory(prefix="station-consoles-"))
        consoles = made_dir(Path(folder), "--consoles").absolute()
        faults = _faults(arguments.fault)
        world = World(sims=ActiveSims())
        try:
            address = stack.enter_context(served(specs, SystemClock(), (host, port), consoles, world, keeps, faults))
        except OSError as error:
            if error.filename:  # a unit's own files
                raise
            raise BadInput(f"--usbip {arguments.usbip}: {error.strerror or error}; name another port") from error
        _say(specs, [version for _, _, version in named], UsbSource(*address, consoles).url, as_json=arguments.json)
        wait_over(over)
    return 0


def _faults(texts: list[str]) -> list[Fault]:
    try:
        return [parse_fault(text) for text in texts]
    except BadFault as error:
        raise BadInput(f"--fault: {error}") from error


def _say(specs: list[UnitSpec], versions: list[str], url: str, *, as_json: bool) -> None:
    rows = [
        {"port": f"1-{number}", "platform": spec.platform.slug, "device_os": version, "device_id": str(spec.device_id)}
        for number, (spec, version) in enumerate(zip(specs, versions, strict=True), 1)
    ]
    with standard_output() as file:
        if as_json:
            file.write(json.dumps({"usb": url, "units": rows}) + "\n")
        else:
            file.writelines(f"{'  '.join(row.values())}\n" for row in rows)
            file.write(f"served until Ctrl-C; see them with: station identify --usb {url}\n")
        file.flush()


@contextlib.contextmanager
def virtual_place(units: list[str]) -> Iterator[tuple[UsbHost, SerialHost, Clock]]:
    """Run a bus in simulated time with one virtual unit per text such as ``boron@6.3.4``. Raises `BadInput`."""
    clock = SimulatedClock()
    with clock.registered(), VirtualBus(clock) as bus:
        for number, text in enumerate(units, 1):
            slug, device_os = parse_virtual(text)
            bus.plug(f"1-{number}", VirtualUnit(make_spec(slug, 1, number, device_os, setup_done=True), clock))
        ports = VirtualPorts(bus)
        yield PyusbHost(VirtualBackend(bus)), PyserialHost(ports.list, ports.open), clock


def parse_virtual(text: str, option: str = "--virtual") -> tuple[str, str]:
    """Parse ``"boron@5.8.0"`` into platform slug and Device OS, by default 6.3.4 or the newest. Raises `BadInput`."""
    slug, _, version = text.partition("@")
    try:
        made = synthetic.versions(platform_by_slug(slug).id)
        version = version or (DEFAULT_OS if DEFAULT_OS in made else made[-1])
        OsVersion.parse(version)
    except (BadIdentity, DriverError) as error:
        raise BadInput(f"{option} {text}: {error}") from error
    try:
        synthetic.bootloader(platform_by_slug(slug).id, version)
    except KeyError as error:
        raise BadInput(f"{option} {text}: virtual units of that platform hold one of {', '.join(made)}") from error
    return slug, version
