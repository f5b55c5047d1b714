"""Implements ``station rework``: units that are not what a batch can use, mended in the cloud, without a walk.

What will happen is shown first, and nothing is done before somebody said yes: on the terminal, or by ``--yes``.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from drivers.clock import SystemClock
from drivers.errors import BadIdentity
from drivers.host.plain_file import read_plain
from drivers.identity import DeviceId, Iccid, SerialNumber

from ..errors import BadInput
from ..line.rework.case import Case, Foreseen, Rework, Target, Wishes
from ..line.rework.desk import ReworkDesk
from ..line.rework.kinds import REWORKS
from ..scan.lists import MAX_BYTES, read_list
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
    """Look, show, ask, do; returns 0 if every unit is as wanted, 1 if some is not, 2 if nobody agreed."""
    rework, targets, profile = REWORKS[arguments.kind], targets_of(arguments), profile_of(arguments)
    wishes = _wishes(arguments, profile)
    with open_desk(arguments, profile, SystemClock()) as opened:
        opened.desk.expect(targets.values(), SystemClock().token())
        looks = {name: partial(_look, opened.desk, target, rework, wishes) for name, target in targets.items()}
        return Session(opened.desk, arguments.kind, as_json=arguments.json, is_agreed=arguments.yes).run(looks)


def _look(desk: ReworkDesk, target: Target, rework: Rework, wishes: Wishes) -> tuple[Case, Foreseen]:
    case = desk.look(target, rework, wishes, SystemClock().token())
    return case, rework.foresee(case)


def targets_of(arguments: argparse.Namespace) -> dict[str, Target]:
    """Return what the command line and the list name, each once, in their order; raises `BadInput`."""
    named = [(text, text) for text in arguments.device]
    if arguments.file is not None:
        try:
            lines = read_list(read_plain(arguments.file, MAX_BYTES + 1))
        except OSError as error:
            raise BadInput(f"--file {arguments.file} cannot be read: {error.strerror}; give its path") from error
        except BadInput as error:
            raise BadInput(f"--file {arguments.file} {error}") from error
        faults = [f"--file {arguments.file} line {one.number}: {one.fault}" for one in lines if one.fault]
        faults += [f"--file {arguments.file} line {one.number} names no unit" for one in lines if not one.numbers]
        if faults:
            raise BadInput(*faults)
        named += [(one.numbers[0], f"line {one.number}") for one in lines]
    if not named:
        raise BadInput("name units by Device ID or serial number, or a list of them with --file")
    return {str(target): target for target in (_target(text) for text, _ in named)}


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
                f"--name {arguments.name!r}: expected a text with {{serial}}, {{id}} or {{id6}} in it"
            ) from error
    flags = {wish: getattr(arguments, wish) for _, wish, _ in _OPTIONS.get(arguments.kind, ())}
    return Wishes(template=template, **flags)
