"""Asks for a scan of the unit's label, and decides whose label was scanned. Rules A5 A7 A9, design 2.1.

A scan never judges by itself. What is not this unit's label is asked for again with what was read; only the same valid
label twice, of no unit known in this building, is a mismatch. Nothing here writes to the unit.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from drivers.clock import CancelToken

from ...engine.events import ScanRead
from ...engine.step import StepContext
from ...errors import StepFault, UnitRejected
from ...model import IdentityFact, KnownUnit, Verdict
from ...scan.grammar import Scanned, ScannedSerial
from ...scan.reading import Reading, identity_of, may_be_label, thing_of
from ...words.say import Say
from .beside import Beside, beside
from .holding import Asker
from .knowledge import UnitKnowledge
from .unit import Unit

Owner = int | KnownUnit | None
"""Whose a number is besides the unit at work: the slot it stands in, a unit of the journal, or nobody known."""


class Finding(enum.Enum):
    """What a scan is to the unit that waits for its label; the value is what is asked next (a key of the catalogue)."""

    OWN = ""
    NEIGHBOUR = "label_of_slot"  # {0}: the slot
    PASSED = "label_of_passed"  # {0}: when
    FAILED = "label_of_failed"  # {0}: when
    KNOWN = "label_of_other"  # a unit of the journal that was not judged
    LAYOUT = "keyboard_layout"  # {0}: the layout under which it is a label known here
    NO_LABEL = "no_label"  # {0}: what was read
    THING = "not_the_label"  # {0}: what it is: an order code, a SIM number
    STRANGER = "label_differs"  # {0}: what was read; a valid label of no unit known here
    OLD = "old_label"  # the one it came with, where the one just printed is to be scanned
    OTHER_SECRET = "label_half_differs"  # this unit's serial number with another unit's secret


@dataclass(frozen=True, slots=True)
class Judged:
    """``values`` fill the sentence in; ``why`` says the same for the record."""

    finding: Finding
    why: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def say(self) -> Say:
        """What is asked next."""
        return Say(self.finding.value, **self.values)


def judge(read: Reading, known: UnitKnowledge, owner_of: Callable[[str], Owner]) -> Judged:
    """Decide whose label was scanned.

    Another reading of the keys counts only if it makes the scan the label of a unit known here.
    """
    own = _is_own(read.scanned, known)
    if own:
        return Judged(Finding.OWN)
    if (owned := _owned(read.scanned, owner_of)) is not None:
        return owned
    for layout, scanned in read.otherwise:
        if _is_own(scanned, known) or _owned(scanned, owner_of) is not None:
            return Judged(Finding.LAYOUT, f"keyboard is {layout}", {"layout": layout})
    if own is False:
        return Judged(Finding.OTHER_SECRET, "second half differs")
    name, _ = identity_of(read.scanned)
    if may_be_label(read.scanned, str(known.serial or "")) and getattr(known, name) is not None:
        return Judged(Finding.STRANGER, f"not {known.label}", {"label": read.shown})
    thing = thing_of(read.scanned)
    if thing == _NO_LABEL:
        return Judged(Finding.NO_LABEL, read.why or thing, {"read": read.shown})
    return Judged(Finding.THING, thing, {"thing": thing})


_NO_LABEL = thing_of(None)


def _is_own(scanned: Scanned | None, known: UnitKnowledge) -> bool | None:
    """Whether it is this unit's label; None: it is not. False: its serial number is, its secret is another's (A7)."""
    name, number = identity_of(scanned)
    if not name or str(getattr(known, name) or "") != number:
        return None
    secret = scanned.secret if isinstance(scanned, ScannedSerial) else None
    return secret is None or known.secret is None or secret == known.secret


def _owned(scanned: Scanned | None, owner_of: Callable[[str], Owner]) -> Judged | None:
    _, number = identity_of(scanned)
    owner = owner_of(number) if number else None
    if owner is None:
        return None
    if isinstance(owner, int):
        return Judged(Finding.NEIGHBOUR, f"label of slot {owner}", {"slot": str(owner)})
    seen = owner.seen
    finding = _OF_A_KNOWN_UNIT.get(seen.verdict) if seen is not None else None
    if seen is None or finding is None:
        return Judged(Finding.KNOWN, f"label of {owner.label}")
    return Judged(finding, f"label of {owner.label}", {"at": seen.at.isoformat(timespec="seconds")})


def owned(scanned: Scanned | None, unit: Unit, ctx: StepContext) -> Judged | None:
    """Say whose number was scanned, if it is that of another unit known here."""
    return _owned(scanned, lambda number: _owner_of(number, unit, ctx))


def _owner_of(number: str, unit: Unit, ctx: StepContext) -> Owner:
    return ctx.desk.neighbour(number) or unit.memory.whose(number, str(unit.known.device_id))


_OF_A_KNOWN_UNIT = {Verdict.PASS: Finding.PASSED, Verdict.FAIL: Finding.FAILED}
_DOUBTED = frozenset({Finding.STRANGER, Finding.OTHER_SECRET})
"""Findings that speak against the unit, if the same label is scanned twice."""
_NO_LABELS = frozenset({Finding.LAYOUT, Finding.NO_LABEL, Finding.THING})


def read_label(unit: Unit, ctx: StepContext) -> None:
    """Wait for a scan of the unit's label, if the profile expects one, and note what it said.

    Raises `UnitRejected` for a label that differs, `StepFault` when none was scanned in time.
    """
    if unit.label.is_expected:
        _ask_for(unit, ctx, None)


def read_label_beside(unit: Unit, ctx: StepContext, read_rest: Callable[[Asker], None]) -> None:
    """Wait for the scan while ``read_rest`` reads what the unit takes longer to tell; raises as `read_label`.

    A label that differs from what was told meanwhile, its second half, is asked for again.
    """
    with beside(ctx, read_rest) as rest:
        scanned = _ask_for(unit, ctx, rest)
    if not _is_own(scanned, unit.known):
        read_label(unit, ctx)


def _ask_for(unit: Unit, ctx: StepContext, rest: Beside | None) -> Scanned | None:
    question = _Question(unit, ctx, rest)
    ask, cancel = Say("scan_label", unit=unit.known.label), rest.failed if rest is not None else None
    if not ctx.scan(ask, unit.label.timeout_s, question.look, cancel):
        raise StepFault(
            f"no label of {unit.known.label} was scanned within {unit.label.timeout_s:.0f} s"
            f"{question.last_read}; scan the label, then retry",
            say=Say("label_not_scanned"),
        )
    return question.own


def read_back(
    unit: Unit, ctx: StepContext, ask: Say, timeout_s: float, cancel: CancelToken, *, is_new: bool
) -> bool:  # fmt: skip
    """Ask for a scan of the label that was printed; False when none came in time. Raises as `read_label`.

    ``is_new``: it has a code with the Device ID, which no label of the maker has, so that one does not count.
    ``cancel``: a child of the step's token that ends the question alone.
    """
    question = _Question(unit, ctx, None, "device_id" if is_new else "")
    return ctx.scan(ask, timeout_s, question.look, cancel, renews=False)  # a code printed wrong is read wrong for ever


class _Question:
    """One slot's wait for one label, with what it was shown so far. ``wants``: the identity its code has, "" any."""

    def __init__(self, unit: Unit, ctx: StepContext, rest: Beside | None, wants: str = "") -> None:
        self._unit, self._ctx, self._rest, self._wants = unit, ctx, rest, wants
        self._doubted: Scanned | None = None
        self.own: Scanned | None = None  # the scan that is this unit's label
        self.last_read = ""

    def look(self, read: Reading) -> Say | None:
        """What to ask next; None when the scan is this unit's label."""
        if self._rest is not None and self._is_untold(read):
            self._rest.wait()
        judged = judge(read, self._unit.known, lambda number: _owner_of(number, self._unit, self._ctx))
        if judged.finding is Finding.OWN and self._wants and identity_of(read.scanned)[0] != self._wants:
            judged = Judged(Finding.OLD, "the maker's label, not the new one")
        is_own = judged.finding is Finding.OWN
        self._ctx.announce(
            ScanRead(
                shown=read.shown, accepted=is_own, reason=judged.why,
                say=judged.say, **self._ctx.head(),
            )
        )  # fmt: skip
        if is_own:
            self.own = read.scanned
            name, number = identity_of(read.scanned)
            self._unit.known.facts.append(IdentityFact(name, number, "label"))
            return None
        is_second = judged.finding in _DOUBTED and read.scanned == self._doubted
        nameless = self._ctx.desk.nameless_neighbour if is_second else 0
        if is_second and not nameless:
            raise self._mismatch(read)
        if judged.finding not in _NO_LABELS:  # another label in between makes it two first looks
            self._doubted = read.scanned if judged.finding in _DOUBTED else None
        self.last_read = f", the last scan was {read.shown}: {judged.why}"
        return Say("label_of_nameless", slot=str(nameless)) if nameless else judged.say

    def _is_untold(self, read: Reading) -> bool:
        """Whether it is a number of a kind that the unit has not told yet, as that of its SIM."""
        name, _ = identity_of(read.scanned)
        return bool(name) and getattr(self._unit.known, name) is None

    def _mismatch(self, read: Reading) -> UnitRejected:
        name, _ = identity_of(read.scanned)
        label = self._unit.known.label
        what = f"{name} {read.shown}" if read.number not in (label, "") else "another mobile secret"
        return UnitRejected(
            f"the label says {what}, scanned twice, the unit is {label}, and no other unit known here has that label;"
            " hand the unit to the technician",
            say=Say("wrong_label"),
        )
