"""The state of the screen, as frozen values. `reduce.py` makes them from events; nothing here draws.

Replaying the same events gives an equal `BenchState`, and equal states draw the same screen.
Every string in it has been sanitized with `clean`, so it can be shown as it is.
"""

from __future__ import annotations

import datetime
import functools
import operator
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ..figures import Figures
from ..model import CHANGING_FACTS, Batch, IdentityFact, Measurement, OffSlot, Outcome, SeenBefore, SlotInfo, Verdict
from ..words.catalogue import Words
from ..words.say import NOTHING, Say
from .look import VERDICT_LOOK, Look

LABEL_STEP = "label"
LOG_LINES = 10
HISTORY_LINES = 500
TRACE_LINES = 500
CONSOLE_LINES = 300


@dataclass(frozen=True, slots=True)
class Held:
    """What a step waits for that the operator cannot do, and how many are ahead of it in the queue."""

    say: Say
    before: int = 0


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step of an attempt; several may run at once. ``title``: the engine's, for a step not in the catalogue."""

    step: str
    title: str = ""
    is_running: bool = False
    outcome: Outcome | None = None
    share: float | None = None  # 0.0-1.0
    seconds_left: float | None = None
    writing: bool = False
    warning: Say = NOTHING  # shown while it writes
    note: str = ""
    held: Held | None = None
    seconds: float = 0.0
    reason: str = ""
    proof: str = ""
    measurements: tuple[Measurement, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """One action the operator has to take."""

    step: str
    say: Say
    led: str = ""
    since: datetime.datetime | None = None


@dataclass(frozen=True, slots=True)
class IdentityRow:
    """One identity with its sources. ``former``: its earlier values, oldest first."""

    name: str
    sources: tuple[tuple[str, str], ...]  # (value, source)
    former: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        return len({value for value, _ in self.sources}) == 1

    @property
    def value(self) -> str:
        return self.sources[0][0]


def _row(name: str, read: list[IdentityFact], later: list[IdentityFact]) -> IdentityRow:
    """Make a row of facts ``read`` at identification, which are compared, and ``later`` ones, which replace them."""
    facts = [*read, *later]
    if not later and name not in CHANGING_FACTS:
        return IdentityRow(name, tuple((fact.value, fact.source) for fact in facts))
    newest = facts[-1].value
    sources = dict.fromkeys(fact.source for fact in facts if fact.value == newest)
    former = dict.fromkeys(fact.value for fact in facts if fact.value != newest)
    return IdentityRow(name, tuple((newest, source) for source in sources), tuple(former))


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One exchange with a unit in words; ``raw``: its bytes, where they are known and no secret."""

    text: str
    raw: str = ""
    at: datetime.datetime | None = None


@dataclass(frozen=True, slots=True)
class ConsoleText:
    """What the unit printed on its console, oldest first. ``is_open``: its last line may go on.

    ``closed``: why it is, a `ConsoleEnd`; "" while it is open. ``reason``: what went wrong.
    """

    lines: tuple[str, ...] = ()
    is_open: bool = False
    asks_secret: bool = False
    closed: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SlotState:
    """State of one slot. Everything except number, port and ``off`` is dropped when the unit leaves."""

    number: int
    port_path: str | None = None
    off: OffSlot | None = None  # out of service
    is_present: bool = False
    is_walking: bool = False  # an attempt is in progress
    device_id: str | None = None
    attempt: str | None = None
    label: str = ""
    platform: str = ""
    mode: str = ""
    batch: str = ""
    profile: str = ""
    steps: tuple[StepLine, ...] = ()
    profile_steps: tuple[str, ...] = ()  # what a whole walk has, when a part of it is run
    asks: tuple[Ask, ...] = ()
    """At most one a step, oldest first: both lanes may need hands at once. Of no step: outside of an attempt; after a
    good verdict it is that the unit is not proven any more, as somebody worked on it by hand."""
    verdict: Verdict | None = None
    say: Say = NOTHING
    reason: str = ""
    failed_step: str = ""
    seconds: float = 0.0
    seen: SeenBefore | None = None
    held: Held | None = None  # the journal waits, and with it every step
    facts: tuple[IdentityFact, ...] = ()
    updates: tuple[IdentityFact, ...] = ()  # new values during the walk, oldest first
    modules: tuple[tuple[str, str, str], ...] = ()
    trace: tuple[TraceLine, ...] = ()
    light_seen: str = ""  # what a person said its light does
    is_lit: bool = False  # its light is a rainbow, because somebody asked which unit it is
    console: ConsoleText | None = None  # the last one a technician opened

    @property
    def look(self) -> Look:
        """Return the state to show: off, else an action of the operator, else a verdict, else progress, else a wait."""
        if self.off is not None:
            return Look.OFF
        if self.ask is not None:
            return Look.HANDS
        if self.verdict is not None:
            return VERDICT_LOOK[self.verdict]
        if self.waits_for is not None:
            return Look.WAITS
        return Look.RUNNING if self.is_walking or self.is_present else Look.EMPTY

    @property
    def is_unjudged(self) -> bool:
        """Return whether an attempt is at work that has no verdict yet."""
        return self.is_walking and self.verdict is None

    @property
    def ask(self) -> Ask | None:
        """Return the action to take now; the next one follows when it is done."""
        return self.asks[0] if self.asks else None

    @property
    def name(self) -> str:
        """Return the name of the unit for people: its label, else its Device ID."""
        return self.label or self.device_id or ""

    @property
    def current(self) -> StepLine | None:
        """Return the running step to show: a writing one first, then one that does not wait, then one with progress."""
        running = [line for line in self.steps if line.is_running]
        return max(running, key=lambda line: (line.writing, not line.held, line.share is not None), default=None)

    @property
    def waits_for(self) -> Held | None:
        """Return what the unit waits for, if none of its steps proceeds."""
        return self.held or (self.current.held if self.current is not None else None)

    @property
    def is_writing(self) -> bool:
        return any(line.writing for line in self.steps if line.is_running)

    @property
    def steps_done(self) -> int:
        return sum(line.outcome is not None for line in self.steps)

    @property
    def has_label(self) -> bool:
        """Whether a label was printed for the unit, in this attempt or before, or is asked for now."""
        line = self.step(LABEL_STEP)
        is_asked_for = any(ask.step == LABEL_STEP for ask in self.asks)
        return is_asked_for or (line is not None and line.outcome in (Outcome.DONE, Outcome.ALREADY))

    @property
    def has_bytes(self) -> bool:
        """Return whether the bytes of some exchange are known; the journal keeps only words of the last ones."""
        return any(one.raw for one in self.trace)

    @property
    def all_steps(self) -> tuple[StepLine, ...]:
        """Return the steps of this attempt and, if it runs a part, those of a whole walk around them."""
        return tuple(self.step(name) or StepLine(name) for name in self.profile_steps) or self.steps

    @property
    def identities(self) -> tuple[IdentityRow, ...]:
        """Return a row for each identity that was read, with its sources and whether they agree."""
        names = dict.fromkeys(fact.name for fact in (*self.facts, *self.updates))
        return tuple(
            _row(name, *([fact for fact in facts if fact.name == name] for facts in (self.facts, self.updates)))
            for name in names
        )

    def step(self, name: str) -> StepLine | None:
        return next((line for line in self.steps if line.step == name), None)

    def with_step(self, line: StepLine) -> SlotState:
        """Replace the step of that name, or append it."""
        if self.step(line.step) is None:
            return replace(self, steps=(*self.steps, line))
        return replace(self, steps=tuple(line if old.step == line.step else old for old in self.steps))


def off_say(off: OffSlot) -> Say:
    """Say why a slot is out of service, and since when."""
    return Say("slot_off", why=off.why, at=off.since.isoformat(timespec="seconds") if off.since else "?")


@dataclass(frozen=True, slots=True)
class BatchLine:
    """An open batch and its figures after the last commit."""

    batch: Batch
    title: str = ""
    figures: Figures = field(default_factory=Figures)
    target: int | None = None


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log. ``look`` determines its shape."""

    at: datetime.datetime
    text: str
    slot: int = 0
    name: str = ""
    look: Look | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """One finished attempt, as seen on this screen. ``is_by_hand``: its unit was worked on by hand since."""

    attempt: str
    device_id: str
    label: str
    verdict: Verdict
    is_by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the last command was refused. Compared by identity: the same text again is a new refusal."""

    text: str


@dataclass(frozen=True, slots=True)
class FieldScan:
    """A scan for a field of the open screen: its text, or why there is none. Compared by identity."""

    field: str
    text: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What the station says of the seal over a batch. Compared by identity."""

    say: Say


@dataclass(frozen=True, slots=True)
class BenchState:
    """State of the whole screen. ``words``: the language of its log and notices, and of the screen itself."""

    slots: tuple[SlotState, ...]
    words: Words
    station_id: str = ""
    is_virtual: bool = False
    speed: float | None = 1.0  # clock seconds per real second; None: simulated
    operator: str = ""
    batches: tuple[BatchLine, ...] = ()
    is_cloud_up: bool | None = None
    outbox: int = 0
    log: tuple[LogLine, ...] = ()  # newest first
    history: tuple[Past, ...] = ()  # newest first
    notice: str = ""  # one message of the station itself, until the next event
    refusal: Refusal | None = None  # the last one, until the next
    field_scan: FieldScan | None = None  # the last one, until the next
    sealed: Sealed | None = None  # the last batch that was closed
    unknown_ports: tuple[str, ...] = ()  # units on ports without a slot, oldest first

    @classmethod
    def of(cls, slots: Iterable[SlotInfo], words: Words) -> BenchState:
        return cls(tuple(SlotState(slot.number, slot.port_path) for slot in slots), words)

    def slot(self, number: int) -> SlotState | None:
        return next((slot for slot in self.slots if slot.number == number), None)

    def slot_of(self, attempt: str | None) -> SlotState | None:
        """Return the slot whose last attempt it is; None if there is another unit or none in it."""
        return next((slot for slot in self.slots if attempt and slot.attempt == attempt), None)

    def with_slot(self, slot: SlotState) -> BenchState:
        return replace(self, slots=tuple(slot if old.number == slot.number else old for old in self.slots))

    @property
    def stranger(self) -> Say:
        """Return what to do about a unit on an unknown port; `NOTHING` if there is none."""
        if not self.unknown_ports:
            return NOTHING
        has_room = any(slot.port_path is None for slot in self.slots)
        return Say("unknown_port") if has_room else Say("no_free_slot")

    @property
    def only_unit(self) -> int | None:
        """Return the number of the only slot that holds a unit; None if there are several or none."""
        present = [slot.number for slot in self.slots if slot.is_present]
        return present[0] if len(present) == 1 else None

    @property
    def is_mixed(self) -> bool:
        """Return whether a slot has to say what kind of unit is in it; a batch may end before its units have left."""
        return len(self.batches) > 1 or len({slot.platform for slot in self.slots if slot.platform}) > 1

    @property
    def is_writing(self) -> bool:
        return any(slot.is_writing for slot in self.slots)

    @property
    def is_busy(self) -> bool:
        return any(slot.is_unjudged for slot in self.slots)

    @property
    def figures(self) -> Figures:
        """Return the sum of the figures of all open batches."""
        return functools.reduce(operator.add, (batch.figures for batch in self.batches), Figures())

    @property
    def target(self) -> int | None:
        """Return the units ordered in all open batches together; None if any has no target."""
        targets = [batch.target for batch in self.batches]
        return sum(t for t in targets if t is not None) if targets and None not in targets else None
