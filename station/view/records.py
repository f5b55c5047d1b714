"""What the supervisor's screens ask of the records, and the answers as frozen values. Pure.

Whoever puts a station together hands a `Records` in; the screens ask it on threads of their own, so that reading never
holds a paint. Texts come as recorded: whoever shows them cleans them.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from ..figures import Figures
from ..model import Batch, Mender, StepRecord, Verdict

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """Rows of a long list, from the one with the number ``start`` (0 is the first) on, and how many there are."""

    rows: tuple[T, ...] = ()
    start: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One batch. ``closed_at`` None: it is open."""

    batch: Batch
    title: str
    figures: Figures
    opened_at: datetime.datetime
    closed_at: datetime.datetime | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """Attempts that ended alike: with one verdict, in one step, at one slot, for one reason (a key of the catalogue).

    ``example``: the reason of the last of them, in full.
    """

    verdict: Verdict
    step: str
    slot: int
    sentence: str
    example: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Hour:
    """Units judged for the first time within an hour, and how many of them passed."""

    at: datetime.datetime
    judged: int
    first_passed: int


@dataclass(frozen=True, slots=True)
class Expected:
    """The list of units that a batch was opened with: how many it names, how many came, and some that did not."""

    listed: int
    came: int
    missing: tuple[str, ...] = ()

    @property
    def never_came(self) -> int:
        return self.listed - self.came


@dataclass(frozen=True, slots=True)
class BatchStory:
    """How a batch goes. ``takt_s``: `station.figures.takt`; None without two verdicts in a slot.

    ``on_no_unit``: attempts that ended before their unit told its Device ID, which no figure of units counts.
    ``worked_on``: units whose PASS or PENDING, though counted, is not proven any more: worked on by hand since.
    """

    row: BatchRow
    takt_s: float | None = None
    causes: tuple[Cause, ...] = ()  # the most frequent first
    hours: tuple[Hour, ...] = ()
    expected: Expected | None = None
    on_no_unit: int = 0
    worked_on: int = 0


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit as a line of a list; ``verdict`` None: no attempt of it ended. ``label``: what people call it.

    ``is_by_hand``: its verdict is not proven any more, as somebody worked on it by hand.
    """

    device_id: str
    label: str
    platform: str
    at: datetime.datetime | None
    batch: str = ""
    slot: int = 0
    verdict: Verdict | None = None
    step: str = ""
    reason: str = ""
    is_by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """One identity of a unit: its value, where that was read, and the earlier ones."""

    name: str
    value: str
    source: str
    former: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Walk:
    """One attempt on a unit, with every try of a step."""

    row: UnitRow
    operator: str
    station: str
    seconds: float | None
    steps: tuple[StepRecord, ...]
    wire: tuple[str, ...] = ()  # the last exchanges before a FAIL or an ERROR
    is_wire_lost: bool = False  # the station was stopped before it could keep them


@dataclass(frozen=True, slots=True)
class OwedRow:
    """Cloud work a unit owes. ``reason``: what is in its way, which ``mender`` can mend; ``next_try`` None: at once.

    ``steps``: all steps that are owed, the one that is tried first.
    """

    unit: UnitRow
    attempt: str
    steps: tuple[str, ...]
    reason: str
    mender: Mender
    tries: int = 0
    next_try: datetime.datetime | None = None


@dataclass(frozen=True, slots=True)
class Life:
    """All that is known of one unit: identities, attempts (the newest first), and what it owes."""

    unit: UnitRow
    first_seen: datetime.datetime
    identities: tuple[Identity, ...] = ()
    walks: tuple[Walk, ...] = ()
    owed: tuple[OwedRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Format:
    """A format that a batch can be exported in."""

    name: str
    about: str


@dataclass(frozen=True, slots=True)
class Exported:
    """Where an export lies, and how many rows it has."""

    path: str
    rows: int


class Records(Protocol):
    """Answers from the journal. Any thread; each may take as long as a disk does, and raise `StationError`."""

    def closed(self, start: int, count: int) -> Part[BatchRow]:
        """Return closed batches, the one closed last first."""
        ...

    def story(self, batch: str) -> BatchStory | None:
        """Return how ``batch`` goes; None where nobody opened it."""
        ...

    def find(self, wanted: str, start: int, count: int) -> Part[UnitRow]:
        """Return units with an identity that is ``wanted``, or ends like it, last seen first; all of them for "".

        Else what ``wanted`` may mean otherwise: a batch, lot, verdict, day, hash or reason.
        """
        ...

    def life(self, device_id: str) -> Life | None:
        """Return all that is known of one unit."""
        ...

    def owed(self, start: int, count: int) -> Part[OwedRow]:
        """Return units that owe cloud work: those with the same trouble together, the longest waiting first."""
        ...

    def to_rework(self, start: int, count: int) -> Part[UnitRow]:
        """Return units whose last attempt failed, the newest first."""
        ...

    @property
    def formats(self) -> tuple[Format, ...]:
        """The formats of an export, the usual one first."""
        ...

    @property
    def folder(self) -> str:
        """The folder exports go to unless somebody names another."""
        ...

    def export(self, batch: str, name: str, folder: str, went: Callable[[int], None]) -> Exported:
        """Write the log of ``batch`` in the format ``name`` into ``folder``.

        ``went`` hears how many units were written so far; if it raises, nothing is left behind.
        """
        ...


class NoRecords:
    """The records of a screen without a journal, as when recorded events are played."""

    formats: tuple[Format, ...] = ()
    folder = ""

    def closed(self, start: int, _count: int) -> Part[BatchRow]:
        return Part(start=start)

    def story(self, _batch: str) -> BatchStory | None:
        return None

    def find(self, _wanted: str, start: int, _count: int) -> Part[UnitRow]:
        return Part(start=start)

    def life(self, _device_id: str) -> Life | None:
        return None

    def owed(self, start: int, _count: int) -> Part[OwedRow]:
        return Part(start=start)

    def to_rework(self, start: int, _count: int) -> Part[UnitRow]:
        return Part(start=start)

    def export(self, _batch: str, _name: str, folder: str, _went: Callable[[int], None]) -> Exported:
        return Exported(folder, 0)
