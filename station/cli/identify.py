"""Implements ``station identify``: print every identity of every unit plugged in, each with its source."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator

from drivers.clock import Clock, SimulatedClock, SystemClock
from drivers.errors import BadIdentity, DriverError, UnknownPlatform
from drivers.platforms import OsVersion, platform_by_slug
from drivers.transport import SerialHost, UsbCandidate, UsbHost
from drivers.transport.serialport import PyserialHost, real_serial_host
from drivers.transport.usb import PyusbHost, real_host
from drivers.virtual import synthetic
from drivers.virtual.backend import VirtualBackend
from drivers.virtual.bus import VirtualBus
from drivers.virtual.factory import make_spec
from drivers.virtual.serial_side import VirtualPorts
from drivers.virtual.unit import VirtualUnit

from ..errors import BadInput, UnitRejected
from ..model import IdentityFact
from .looking import looked_at, wait_candidates
from .telling import standard_output, tell_all

DEFAULT_OS = "6.3.4"
VIRTUAL_OS = synthetic.ALL_VERSIONS
"""Device OS versions some virtual unit can hold."""
usual_version = synthetic.usual_version


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = parsers.add_parser("identify", help="show every identity of every unit plugged in, with its source")
    parser.add_argument(
        "--virtual", action="append", default=[], metavar="PLATFORM[@OSVERSION]", help="look at a virtual unit instead"
    )
    parser.add_argument("--json", action="store_true", help="one unit a line as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print all that is plugged in; returns 0 when all of it are units that tell who they are, tools aside."""
    with _place(arguments.virtual) as (usb_host, serial_host, clock):
        found = wait_candidates(usb_host, clock, len(arguments.virtual))
        good = [show(candidate, serial_host, clock, arguments.json) for candidate in found]
    if not found:
        sys.stderr.write("no Particle unit is plugged in; see: station doctor\n")
    return 0 if good and all(good) else 1


@contextlib.contextmanager
def _place(virtual: list[str]) -> Iterator[tuple[UsbHost, SerialHost, Clock]]:
    if not virtual:
        yield real_host(), real_serial_host(), SystemClock()
        return
    with virtual_place(virtual) as place:
        yield place


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


def parse_virtual(text: str) -> tuple[str, str]:
    """Parse ``"boron@5.8.0"`` into platform slug and Device OS, by default 6.3.4 or the newest. Raises `BadInput`."""
    slug, _, version = text.partition("@")
    try:
        made = synthetic.versions(platform_by_slug(slug).id)
        version = version or (DEFAULT_OS if DEFAULT_OS in made else made[-1])
        OsVersion.parse(version)
    except (BadIdentity, DriverError) as error:
        raise BadInput(f"--virtual {text}: {error}") from error
    try:
        synthetic.bootloader(platform_by_slug(slug).id, version)
    except KeyError as error:
        raise BadInput(f"--virtual {text}: virtual units of that platform hold one of {', '.join(made)}") from error
    return slug, version


def show(candidate: UsbCandidate, serial_host: SerialHost, clock: Clock, as_json: bool) -> bool:
    """Print what is known of one device; returns False for one that should not be there or could not be read."""
    port, other = candidate.port_path.value, candidate.usb_id.other_device
    try:
        if other is not None:
            raise UnknownPlatform(other.sentence)
        with looked_at(candidate, serial_host, clock) as unit:
            facts, name, fault = list(unit.known.facts), unit.known.platform.name, ""
    except (DriverError, UnitRejected) as error:
        facts, name, fault = [], other.name if other else str(candidate.usb_id), str(error)
    if as_json:
        rows = [{"name": fact.name, "value": fact.value, "source": fact.source} for fact in facts]
        with standard_output() as file:
            file.write(json.dumps({"port": port, "platform": name, "facts": rows, "fault": fault}) + "\n")
    else:
        tell_all(_lines(port, name, facts, fault))
    return not fault or (other is not None and other.is_tool)


def _lines(port: str, name: str, facts: list[IdentityFact], fault: str) -> Iterator[str]:
    yield f"port {port}  {name}"
    for fact in facts:
        yield f"  {fact.name:12} {fact.value:28} {fact.source}"
    if fault:
        yield f"  {fault}"
