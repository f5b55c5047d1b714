"""Implements ``station rework``: units that are not what a batch can use, mended in the cloud, without a walk.

What will happen is shown first, and nothing is done before somebody said yes: on the terminal, or by ``--yes``.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from drivers.clock import SystemClock
from drivers.errors import BadIdentity
from drivers.host.plain_file import read_plain
from drivers.identity import DeviceId, Iccid, SerialNumber

from ..errors import BadInput, UnitRejected
from ..line.rework.case import Case, Foreseen, Rework, Target, Wishes
from ..line.rework.desk import ReworkDesk
from ..line.rework.kinds import REWORKS
from ..scan.lists import MAX_BYTES, ListLine, read_list, units_of
from ..settings.profile import Profile
from ..steps.shared.cloud_sections import NameTemplate
from . import rework_retire
from .rework_desk import add_usual, open_desk, profile_of
from .rework_session import Session
from .telling import sub_verbs

_OPTIONS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    # by kind: option, the wish it sets, help
    "remove": (
        ("--release-sim", "releases_sim", "release its SIM, too: else it stays active and billed"),
        ("--slow-too", "slow_too", "release also a SIM that may take days to be active again"),
        ("--leave-firmware", "leaves_firmware", "remove it although it runs its product's firmware"),
    ),
    "transfer": (
        ("--claim", "claims", "of a unit in a product: claim it for the token's account"),
        ("--again", "again", "send one more e-mail to its owner"),
    ),
    "sim": (
        ("--off", "off", "deactivate it"),
        ("--slow-too", "slow_too", "also a SIM that may take days to be active again"),
    ),
    "release": (("--slow-too", "slow_too", "also a SIM that may take days to be active again"),),
}


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb and its kinds."""
    verbs = sub_verbs(parsers.add_parser("rework", help=HELP), "kind", "KIND")
    for kind, rework in REWORKS.items():
        parser = verbs.add_parser(kind, help=rework.about)
        what = "Device ID, serial number or ICCID" if rework.takes_sims else "Device ID or serial number"
        parser.add_argument("device", nargs="*", metavar="DEVICE", help=what)
        parser.add_argument("--file", type=Path, metavar="LIST", help="a list with one unit a line")
        for option, wish, words in _OPTIONS.get(kind, ()):
            parser.add_argument(option, dest=wish, action="store_true", help=words)
        if kind == "rename":
            parser.add_argument("--name", metavar="TEXT", help="the new name; {serial}, {platform}, {id}, {id6}")
        add_usual(parser)
        parser.set_defaults(run=run)
    rework_retire.add(verbs)


HELP = "mend units in the cloud: unclaim, approve, transfer, remove, retire, SIMs, marks, names ..."


def run(arguments: argparse.Namespace) -> int:
    """Look, show, ask, do; returns 0 if every unit is as wanted, 1 if some is not or somebody declined."""
    rework, targets, profile = REWORKS[arguments.kind], targets_of(arguments), profile_of(arguments)
    wishes = _wishes(arguments, profile)
    with open_desk(arguments, profile, SystemClock()) as opened:
        opened.desk.expect([one.target for one in targets.values()], SystemClock().token())
        looks = {name: partial(_look, opened.desk, one, rework, wishes) for name, one in targets.items()}
        return Session(opened.desk, arguments.kind, as_json=arguments.json, is_agreed=arguments.yes).run(looks)


def _look(desk: ReworkDesk, named: Named, rework: Rework, wishes: Wishes) -> tuple[Case, Foreseen]:
    case = desk.look(named.target, rework, wishes, SystemClock().token())
    if named.line is not None:
        _check_line(named.line, case, rework)
    return case, rework.foresee(case)


def _check_line(line: ListLine, case: Case, rework: Rework) -> None:
    """Raise `UnitRejected` where a line of a list and the cloud's record are not of one unit."""
    record, iccid = case.record, case.cloud.job.iccid
    rows: list[tuple[str, object, str]] = [
        ("serial number", line.serial, record.serial_number if record is not None else "")
    ]
    rows += [("ICCID", line.iccid, iccid)] if rework.takes_sims and record is not None else []
    for name, told, known in rows:
        if told is not None and known and str(told) != known:
            raise UnitRejected(
                f"line {line.number} names it with {name} {told}, the cloud knows it with {known}; "
                "ask who made the list"
            )


@dataclass(frozen=True, slots=True)
class Named:
    """What is to be reworked, and the line of a list that names it."""

    target: Target
    line: ListLine | None = None


def targets_of(arguments: argparse.Namespace) -> dict[str, Named]:
    """Return what the command line and the list name, each once, in their order; raises `BadInput`."""
    named = {str(target): Named(target) for target in map(_target, arguments.device)}
    for line in _lines_of(arguments.file) if arguments.file is not None else ():
        target = _target(line.numbers[0])
        named.setdefault(str(target), Named(target, line))
    if not named:
        raise BadInput("name units by Device ID or serial number, or a list of them with --file")
    return named


def _lines_of(path: Path) -> tuple[ListLine, ...]:
    """Read a list of units, each once; raises `BadInput` for one with a line that names none, or parts of two."""
    try:
        lines = read_list(read_plain(path, MAX_BYTES + 1))
    except OSError as error:
        raise BadInput(f"--file {path} cannot be read: {error.strerror}; give its path") from error
    except BadInput as error:
        raise BadInput(f"--file {path} {error}") from error
    units = units_of(lines)
    faults = [f"--file {path} line {one.number}: {one.fault}" for one in lines if one.fault]
    faults += [f"--file {path} line {one.number} names no unit" for one in lines if not one.numbers]
    faults += [f"--file {path} line {number}: {why}" for number, why in units.crossed.items()]
    if faults:
        raise BadInput(*faults)
    return units.firsts


def _target(text: str) -> Target:
    for kind in (DeviceId, Iccid, SerialNumber):
        with contextlib.suppress(BadIdentity):
            return kind.parse(text)
    raise BadInput(f"{text[:24]!r} is no Device ID (24 hexadecimal digits), serial number or ICCID; check its label")


def _wishes(arguments: argparse.Namespace, profile: Profile | None) -> Wishes:
    template = profile.section(NameTemplate) if profile is not None else NameTemplate()
    if getattr(arguments, "name", None):
        try:
            template = NameTemplate(template=arguments.name)
        except ValueError as error:
            raise BadInput(
                f"--name {arguments.name!r}: expected 1 to 100 printable ASCII characters with {{serial}}, {{id}} or "
                "{id6} in them, as names have to differ from unit to unit, and with no other field but {platform}"
            ) from error
    flags = {wish: getattr(arguments, wish) for _, wish, _ in _OPTIONS.get(arguments.kind, ())}
    return Wishes(template=template, **flags)
