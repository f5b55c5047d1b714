"""Implements ``station identify``: print every identity of every unit plugged in, each with its source."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator

from drivers.clock import Clock, SystemClock
from drivers.errors import DriverError, UnknownPlatform
from drivers.transport import SerialHost, UsbCandidate, UsbHost
from drivers.transport.serialport import real_serial_host
from drivers.transport.usb import real_host

from ..errors import BadInput, UnitRejected
from ..model import IdentityFact
from ..settings.usb_source import add_usb, parse_url
from .looking import looked_at, wait_candidates
from .telling import standard_output, tell_all


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = parsers.add_parser("identify", help="show every identity of every unit plugged in, with its source")
    parser.add_argument(
        "--virtual", action="append", default=[], metavar="PLATFORM[@OSVERSION]", help="look at a virtual unit instead"
    )
    add_usb(parser)
    parser.add_argument("--json", action="store_true", help="one unit a line as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print all that is plugged in; returns 0 when all of it are units that tell who they are, tools aside."""
    if arguments.virtual and arguments.usb:
        raise BadInput("--virtual and --usb: name one of them, they are different places")
    with _place(arguments) as (usb_host, serial_host, clock):
        found = wait_candidates(usb_host, clock, len(arguments.virtual))
        good = [show(candidate, serial_host, clock, arguments.json) for candidate in found]
    if not found:
        sys.stderr.write("no Particle unit is plugged in; see: station doctor\n")
    return 0 if good and all(good) else 1


@contextlib.contextmanager
def _place(arguments: argparse.Namespace) -> Iterator[tuple[UsbHost, SerialHost, Clock]]:
    if arguments.virtual:
        from .virtual import virtual_place  # most of the time nobody asks for it, and it takes long to load

        with virtual_place(arguments.virtual) as place:
            yield place
    elif arguments.usb:
        yield *parse_url(arguments.usb).remote_hosts(), SystemClock()
    else:
        yield real_host(), real_serial_host(), SystemClock()


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
