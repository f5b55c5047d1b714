"""Finds the one unit a verb is about: by Device ID, port or slot, or because it is the only one."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

from drivers.clock import Deadline
from drivers.errors import BadIdentity, DriverError
from drivers.identity import DeviceId, SerialNumber
from drivers.platforms import platform
from drivers.transport import UsbCandidate

from ..errors import BadInput, StationError
from ..settings.config import load_config
from ..steps.shared.knowledge import UnitKnowledge
from .identify import NO_UNIT, add_place
from .looking import Ports, look
from .outside import make_unit

LIST_S = 30.0
"""How long one unit may take to say who it is, in a list."""


def add_units(parser: argparse.ArgumentParser) -> None:
    """Declare where units are, and how what is said of them is written."""
    add_place(parser)
    parser.add_argument("--config", type=Path, metavar="FILE", help="the station's config file, for its slots")
    parser.add_argument("--json", action="store_true", help="write JSON")


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Declare which unit is meant, besides `add_units`."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--device", metavar="ID", help="the unit with this Device ID or serial number")
    which.add_argument("--port", metavar="PATH", help="the unit on this USB port")
    which.add_argument("--slot", type=int, metavar="N", help="the unit in this slot of the config file")
    add_units(parser)


def slots_of(arguments: argparse.Namespace) -> dict[str, int]:
    """Return the slots of the config file by port path; none where there is no such file."""
    config = load_config(arguments.config)
    return {slot.port_path: slot.number for slot in config.slots if slot.port_path is not None}


class NoUnit(StationError):
    """There is nothing to command."""


def answered(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Return ``run`` with exit status 1 for a computer without units: that is no bad usage, nor its failure."""

    def answered(arguments: argparse.Namespace) -> int:
        try:
            return run(arguments)
        except NoUnit as none:
            sys.stderr.write(f"station: {none}\n")
            return 1

    return answered


def choose(ports: Ports, arguments: argparse.Namespace, by: str = "--device") -> UsbCandidate:
    """Find the one unit that is meant; raises `BadInput` where that is none, or more than one, and `NoUnit`.

    ``by``: how a verb has it named besides ``--port`` and ``--slot``.
    """
    units = [one for one in ports.wait(len(arguments.virtual)) if one.usb_id.other_device is None]
    if not units:
        raise NoUnit(NO_UNIT)
    meant, what = units, ""
    if arguments.port:
        meant, what = [one for one in units if one.port_path.value == arguments.port], f"on port {arguments.port}"
    elif arguments.slot is not None:
        slots, what = slots_of(arguments), f"in slot {arguments.slot}"
        if arguments.slot not in slots.values():
            raise BadInput(f"slot {arguments.slot} has no port in the config file; name the unit with --port")
        meant = [one for one in units if slots.get(one.port_path.value) == arguments.slot]
    elif arguments.device:
        wanted = _parsed(arguments.device)
        what = f"with {'Device ID' if isinstance(wanted, DeviceId) else 'serial number'} {wanted}"
        meant = [one for one in units if _has_number(ports, one, wanted)]
    there = ", ".join(one.port_path.value for one in units)
    if not meant:
        raise BadInput(f"no unit {what}; there are units on port {there}")
    if len(meant) > 1:
        raise BadInput(f"{len(meant)} units are plugged in, on ports {there}; name one with --port, --slot or {by}")
    return meant[0]


def _parsed(text: str) -> DeviceId | SerialNumber:
    for kind in (DeviceId, SerialNumber):
        with contextlib.suppress(BadIdentity):
            return kind.parse(text)
    raise BadInput(f"{text[:24]!r} is no Device ID (24 hexadecimal digits) or serial number; check its label")


def _has_number(ports: Ports, candidate: UsbCandidate, wanted: DeviceId | SerialNumber) -> bool:
    """Return whether the unit says that number, as far as that needs no hands."""
    if isinstance(wanted, DeviceId):
        return device_id(ports, candidate)[0] == str(wanted)
    known = UnitKnowledge(platform(candidate.usb_id.platform_id or 0))
    with contextlib.suppress(DriverError, StationError):
        look(ports, candidate, known)
    return known.serial == wanted


def device_id(ports: Ports, candidate: UsbCandidate) -> tuple[str, str]:
    """Read the Device ID as far as that needs no hands; "" and why where it does, or the unit does not answer."""
    if candidate.usb_id.other_device is not None:
        return "", ""
    try:
        with contextlib.closing(make_unit(ports, candidate).device) as device:
            return str(device.identify(Deadline.after(ports.place.clock, LIST_S))), ""
    except DriverError as error:
        return "", str(error)
