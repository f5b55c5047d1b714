"""Implements ``station rework``: units that are not what a batch can use, mended in the cloud, without a walk.

What will happen is shown first, and nothing is done before somebody said yes: on the terminal, or by ``--yes``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from drivers.clock import SystemClock
from drivers.errors import BadIdentity
from drivers.host.plain_file import read_plain
from drivers.identity import DeviceId, Iccid, SerialNumber

from ..engine.step import StepResult
from ..errors import BadInput, CloudError, UnitRejected
from ..journal import Journal
from ..line.releases import is_badge
from ..line.rework.case import Case, Foreseen, Rework, Target, Wishes
from ..line.rework.desk import ReworkDesk
from ..line.rework.kinds import ASKED, REWORKS
from ..model import Outcome
from ..paths import find_profile
from ..scan.lists import MAX_BYTES, read_list
from ..settings.config import load_config
from ..settings.profile import Profile, load_profile
from ..steps.product_add import Product
from ..steps.shared.cloud_sections import NameTemplate
from ..steps.table import StepTable
from .account import cloud_client, token_source
from .batch import own_journal
from .places import add_data_dir, journal_dir
from .telling import standard_output, sub_verbs, tell

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
        _add_usual(parser)
        parser.set_defaults(run=run)


HELP = "mend units in the cloud: " + ", ".join(REWORKS)


def _add_usual(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--product", metavar="N", help="the product they are in, by number or slug")
    where.add_argument("--profile", metavar="P", help="the profile whose product they are in")
    parser.add_argument("--by", default="", metavar="BADGE", help="who does it, for the journal")
    parser.add_argument("--yes", action="store_true", help="do it without asking")
    parser.add_argument("--json", action="store_true", help="one unit a line as JSON")
    add_data_dir(parser)


@dataclass(slots=True)
class _Unit:
    """One unit on its way through a rework."""

    name: str  # as it was named
    case: Case | None = None
    foreseen: Foreseen | None = None
    result: StepResult | None = None

    @property
    def will_change(self) -> bool:
        return self.result is None and self.foreseen is not None and bool(self.foreseen.parts)


def run(arguments: argparse.Namespace) -> int:
    """Look, show, ask, do; returns 0 if every unit is as wanted, 1 if some is not, 2 if nobody agreed."""
    if arguments.by and not is_badge(arguments.by):
        raise BadInput(f"--by {arguments.by[:60]!r}: expected a badge of letters, digits, dots and dashes, at most 40")
    rework = REWORKS[arguments.kind]
    targets = targets_of(arguments)
    profile = load_profile(find_profile(arguments.profile), StepTable.found().rules) if arguments.profile else None
    wishes = _wishes(arguments, profile)
    with _desk(arguments, profile) as desk:
        return _Session(desk, arguments.kind, rework, arguments).run(targets, wishes)


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


@contextlib.contextmanager
def _desk(arguments: argparse.Namespace, profile: Profile | None) -> Iterator[ReworkDesk]:
    config = load_config(arguments.config)
    token = token_source(config)
    token()
    product = profile.section(Product) if profile is not None else None
    if profile is not None and product is None:
        raise BadInput(f"profile {profile.id} names no product; leave --profile out for units in none")
    clock = SystemClock()
    journal = own_journal(arguments, journal_dir(arguments, make=True))
    client = cloud_client(config, token, clock)
    try:
        yield ReworkDesk(
            client, clock, journal.record, product=arguments.product or (product.ref if product is not None else None),
            by=arguments.by, asked=lambda device: _was_asked_for(journal, device),
        )  # fmt: skip
    finally:
        client.close()
        journal.close()


def _was_asked_for(journal: Journal, device_id: str) -> bool:
    """Whether its owner got an e-mail by this desk, perhaps: only the journal tells (reference cloud-api 5.2)."""
    unit = journal.unit(device_id) if device_id else None
    told = [fact.value for fact in unit.facts if fact.name == "rework"] if unit is not None else []
    asked = [write.what for write in journal.unconfirmed_writes(device_id)] if device_id else []
    return any(one.startswith(ASKED) for one in told) or any(one.startswith("ask the owner") for one in asked)


class _Session:
    """One run of the verb."""

    def __init__(self, desk: ReworkDesk, kind: str, rework: Rework, arguments: argparse.Namespace) -> None:
        self._desk, self._kind, self._rework = desk, kind, rework
        self._as_json, self._is_agreed = arguments.json, arguments.yes
        self._cancel = SystemClock().token()
        self._stopped = ""  # what keeps the cloud from answering for any unit

    def run(self, targets: Mapping[str, Target], wishes: Wishes) -> int:
        units = [self._looked(name, target, wishes) for name, target in targets.items()]
        changing = [one for one in units if one.will_change]
        if changing and not self._as_json:
            tell(*(line for one in changing for line in _plan(one)))
        agreed = self._agreed(changing) if changing else []
        for one in agreed:
            self._do(one)
        if self._as_json:
            with standard_output() as file:
                file.writelines(json.dumps(_as_object(self._kind, one)) + "\n" for one in units)
        if self._stopped:
            sys.stderr.write(f"station: {self._stopped}; say it again, the rest is done then\n")
            return 3
        if changing and not agreed and not self._is_agreed:
            sys.stderr.write("station: nothing was done\n" if self._asks else f"station: {_SAY_YES}\n")
            return 2
        good = (Outcome.ALREADY, Outcome.DONE, Outcome.DEFERRED)
        return 0 if all(one.result is not None and one.result.outcome in good for one in units) else 1

    @property
    def _asks(self) -> bool:
        return not (self._is_agreed or self._as_json) and sys.stdin.isatty()

    def _looked(self, name: str, target: Target, wishes: Wishes) -> _Unit:
        unit = _Unit(name)
        if self._stopped:
            return unit
        try:
            unit.case = self._desk.look(target, self._rework, wishes, self._cancel)
            unit.foreseen = self._rework.foresee(unit.case)
        except UnitRejected as refused:
            self._ended(unit, StepResult(Outcome.FAILED, reason=str(refused)))
        except CloudError as error:
            self._give_up(unit, error)
        if unit.foreseen is not None and not unit.foreseen.parts:
            self._ended(unit, StepResult(Outcome.ALREADY, proof=unit.foreseen.already))
        return unit

    def _ended(self, unit: _Unit, result: StepResult) -> None:
        unit.result = result
        if not self._as_json:
            tell(_line(unit))

    def _give_up(self, unit: _Unit, error: CloudError) -> None:
        """What is not about a unit keeps all others waiting, too."""
        self._ended(unit, StepResult(Outcome.ERROR, reason=error.told))
        self._stopped = error.told

    def _agreed(self, units: Sequence[_Unit]) -> list[_Unit]:
        """Return the units somebody said yes to; those with a warning need a yes of their own."""
        plain, warned = (
            [one for one in units if one.foreseen and bool(one.foreseen.warns) is w] for w in (False, True)
        )
        agreed = [*plain] if self._yes(f"{self._kind} {_count(plain)}?", plain) else []
        for one in warned:
            assert one.foreseen is not None
            if self._asks and self._yes(f"{one.name}: {one.foreseen.warns}. {self._kind} it all the same?", [one]):
                agreed.append(one)
            elif self._is_agreed:
                why = f"not done: {one.foreseen.warns}; say {one.foreseen.option} if it is meant"
                self._ended(one, StepResult(Outcome.FAILED, reason=why))
        return agreed

    def _yes(self, question: str, units: Sequence[_Unit]) -> bool:
        if not units or self._is_agreed or not self._asks:
            return bool(units) and self._is_agreed
        sys.stderr.write(f"{question} [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def _do(self, unit: _Unit) -> None:
        assert unit.case is not None
        assert unit.foreseen is not None
        if self._stopped:
            return
        try:
            self._ended(unit, self._desk.act(unit.case, unit.foreseen.parts))
        except CloudError as error:
            self._give_up(unit, error)


_SAY_YES = "nothing was done; this is what would happen, say --yes to have it done"


def _count(units: Sequence[object]) -> str:
    return "this unit" if len(units) == 1 else f"these {len(units)} units"


def _plan(unit: _Unit) -> Iterator[str]:
    assert unit.case is not None
    assert unit.foreseen is not None
    yield unit.case.number
    yield f"  now: {unit.case.shown}"
    yield from (f"  {number}. {part.says}" for number, part in enumerate(unit.foreseen.parts, 1))
    yield from (f"  note: {note}" for note in unit.foreseen.notes)
    if unit.foreseen.warns:
        yield f"  WARNING: {unit.foreseen.warns}"


def _line(unit: _Unit) -> str:
    number = unit.case.number if unit.case is not None else unit.name
    assert unit.result is not None
    return f"{_WORDS[unit.result.outcome]:9} {number}  {unit.result.proof or unit.result.reason}"


_WORDS = {
    Outcome.ALREADY: "already", Outcome.DONE: "done", Outcome.DEFERRED: "under way", Outcome.FAILED: "NOT DONE",
    Outcome.ERROR: "NOT KNOWN", Outcome.SKIPPED: "NOT DONE", Outcome.ABORTED: "NOT DONE",
}  # fmt: skip


def _as_object(kind: str, unit: _Unit) -> dict[str, object]:
    job, foreseen, result = unit.case and unit.case.cloud.job, unit.foreseen, unit.result
    return {
        "rework": kind, "unit": unit.name,
        "device_id": job.device_id if job else "", "serial": job.serial if job else "",
        "now": unit.case.shown if unit.case else "", "parts": [one.says for one in foreseen.parts] if foreseen else [],
        "notes": list(foreseen.notes) if foreseen else [], "warning": foreseen.warns if foreseen else "",
        "outcome": result.outcome.value if result else "not tried",
        "text": (result.proof or result.reason) if result else "",
    }  # fmt: skip
