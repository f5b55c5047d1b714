"""Defines a step: a callable that observes, acts and verifies, with a `StepContext` to work through.

The engine knows steps only by this protocol. A step never touches the journal or the screen itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from drivers.clock import CancelToken, Clock, Deadline

from ..model import Measurement, Mender, Outcome
from ..scan.reading import Reading
from ..words.say import NOTHING, Say
from .events import Event, HandsDone, HandsNeeded, Head, Measured, StepHeld, StepProgress, StepResumed
from .records import WriteConfirmed, WriteIntended

Emit = Callable[[Event], None]
Hold = Callable[[CancelToken, Callable[[int], None]], contextlib.AbstractContextManager[None]]
"""Waits for a turn, as `turn.Turn.hold`."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step returns. ``proof``: what was read back; ``reason``: why it was skipped, deferred or failed.

    ``say`` is for the operator. ``is_unit_gone``: the unit was unplugged, or swapped for another one.
    """

    outcome: Outcome
    proof: str = ""
    reason: str = ""
    say: Say = NOTHING
    owed: str = ""  # deferred only: JSON the outbox needs to finish the work without the unit
    mender: Mender = Mender.NOBODY  # deferred only: who can mend what keeps it
    is_unit_gone: bool = False


def already(proof: str) -> StepResult:
    """Return the result of a step whose goal was observed and which wrote nothing."""
    return StepResult(Outcome.ALREADY, proof=proof)


def done(proof: str) -> StepResult:
    """Return the result of a step that acted and read ``proof`` back."""
    return StepResult(Outcome.DONE, proof=proof)


def skipped(reason: str) -> StepResult:
    """Return the result of a step that does not apply; ``reason`` names the rule or the plan."""
    return StepResult(Outcome.SKIPPED, reason=reason)


def deferred(reason: str, owed: str) -> StepResult:
    """Return the result of a step owed to the cloud; ``owed``: JSON body of its outbox item, without secrets."""
    return StepResult(Outcome.DEFERRED, reason=reason, owed=owed)


class ScanDesk(Protocol):
    """Receives the scans for one slot."""

    def my_turn(self, cancel: CancelToken, waits: Callable[[int], None]) -> contextlib.AbstractContextManager[None]:
        """Wait until no earlier slot needs the scanner, and hold it for the ``with`` block.

        ``waits`` is called with the number of slots ahead of this one, at first and whenever it changes.
        """
        ...

    def wait_scan(self, timeout_s: float, cancel: CancelToken) -> Reading | None:
        """Return the next scan for this slot (it may hold a secret), None after ``timeout_s``."""
        ...

    def neighbour(self, number: str) -> int:
        """Return the other slot whose unit has that serial number, Device ID, ICCID or IMEI; 0 if none has."""
        ...

    @property
    def nameless_neighbour(self) -> int:
        """Return another slot with a unit of which only the Device ID is known, whose label any may be; 0 if none."""
        ...


class NoScanner:
    """Desk for work that never asks for a scan."""

    def my_turn(self, cancel: CancelToken, waits: Callable[[int], None]) -> contextlib.AbstractContextManager[None]:
        raise NotImplementedError("this work asks nobody for a scan")

    def wait_scan(self, timeout_s: float, cancel: CancelToken) -> Reading | None:
        raise NotImplementedError("this work asks nobody for a scan")

    def neighbour(self, number: str) -> int:
        raise NotImplementedError("this work asks nobody for a scan")

    @property
    def nameless_neighbour(self) -> int:
        raise NotImplementedError("this work asks nobody for a scan")


@dataclass(frozen=True, slots=True)
class Cut:
    """State in which a unit is left if it vanishes now: for the operator, and for the record."""

    say: Say
    reason: str


PACE_SHARE = 0.05
"""Share of progress from which the pace so far is good enough to estimate the rest."""


@dataclass(slots=True)
class StepContext:
    """Everything a step may use of the engine. Lives as long as the step runs."""

    step: str
    slot: int
    attempt: str
    clock: Clock
    limit_s: float
    cancel: CancelToken
    announce: Emit  # to the screen only
    record: Emit  # into the journal first, then to the screen
    desk: ScanDesk
    device_id: str | None = None
    measurements: list[Measurement] = field(default_factory=list)
    deadline: Deadline = field(init=False)  # ``limit_s`` from the start; moved by waits for people or the cloud
    cut: Cut | None = None  # set while a unit unplugged now would stay dark
    _begun: tuple[float, float] | None = None  # clock and share at the first report of progress
    _is_held: bool = False

    def __post_init__(self) -> None:
        self.deadline = Deadline.after(self.clock, self.limit_s)

    def head(self) -> Head:
        """Return the fields every event of this attempt starts with, as of now."""
        return {"at": self.clock.utc(), "slot": self.slot, "device_id": self.device_id, "attempt": self.attempt}

    def progress(
        self, share: float, *, seconds_left: float | None = None, writing: bool = False, note: str = "",
        say: Say = NOTHING,
    ) -> None:  # fmt: skip
        """Report progress, 0.0 to 1.0. ``writing``: the unit must not be unplugged; ``say``: a warning beyond that.

        ``seconds_left`` None: estimated from the pace so far.
        """
        left = self._estimate_remaining(share) if seconds_left is None else seconds_left
        self.announce(
            StepProgress(
                step=self.step, share=share, seconds_left=left, writing=writing, note=note, say=say,
                **self.head(),
            )
        )  # fmt: skip

    def _estimate_remaining(self, share: float) -> float | None:
        """Estimate the seconds left from the pace since the first report; None when too early, and at the end."""
        if self._begun is None:
            self._begun = (self.clock.now(), share)
        seconds, gained = self.clock.now() - self._begun[0], share - self._begun[1]
        return seconds * (1.0 - share) / gained if gained >= PACE_SHARE and share < 1.0 else None

    def measure(
        self, name: str, value: float | str, unit: str = "", low: float | None = None, high: float | None = None,
        *, wanted: str = "", is_out: bool = False,
    ) -> None:  # fmt: skip
        """Add a measured value to the step's record. A number outside ``low`` to ``high`` counts as out."""
        if not isinstance(value, str):
            is_out = is_out or (low is not None and value < low) or (high is not None and value > high)
        measurement = Measurement(name, value, unit, low, high, wanted, is_out)
        self.measurements.append(measurement)
        self.announce(Measured(step=self.step, measurement=measurement, **self.head()))

    @contextlib.contextmanager
    def write(self, target: str, what: str) -> Iterator[None]:
        """Record the intention before and the confirmation after a write (N1). ``target`` is "unit" or "cloud"."""
        self.record(WriteIntended(step=self.step, target=target, what=what, **self.head()))
        yield
        self.record(WriteConfirmed(step=self.step, target=target, what=what, **self.head()))

    @contextlib.contextmanager
    def hands(self, say: Say, led: str = "", *, waits_for_scan: bool = False) -> Iterator[None]:
        """Ask the operator for one action while the block runs. ``led``: name of the light to look for."""
        self.announce(HandsNeeded(step=self.step, say=say, led=led, waits_for_scan=waits_for_scan, **self.head()))
        try:
            yield
        finally:
            self.announce(HandsDone(step=self.step, **self.head()))

    @contextlib.contextmanager
    def held(self, say: Say) -> Iterator[None]:
        """Say that the step waits for something the operator cannot change, while the block runs.

        Inside such a block nothing else is said.
        """
        if self._is_held:
            yield
            return
        self._is_held = True
        self.announce(StepHeld(step=self.step, say=say, **self.head()))
        try:
            yield
        finally:
            self._is_held = False
            self.announce(StepResumed(step=self.step, **self.head()))

    def scan(
        self, ask: Say, timeout_s: float, judge: Callable[[Reading], Say | None], cancel: CancelToken | None = None,
        *, renews: bool = True,
    ) -> bool:  # fmt: skip
        """Ask for scans until ``judge`` returns None; False when ``timeout_s`` passed without a scan.

        ``renews`` False: when it passed, however many came.

        The time until the scanner is free and used does not count against the step's limit. ``cancel``: a child of the
        step's token that ends the question alone.
        """
        left, cancel = self.deadline.remaining, cancel or self.cancel
        with self.in_turn(self.desk.my_turn, Say("scanner_busy"), cancel), self.hands(ask, waits_for_scan=True):
            again: Say | None = ask
            until = Deadline.after(self.clock, timeout_s)
            while (read := self.desk.wait_scan(timeout_s if renews else until.remaining, cancel)) is not None:
                again = judge(read)
                if again is None:
                    break
                self.announce(
                    HandsNeeded(
                        step=self.step, say=again, waits_for_scan=True, **self.head()
                    )
                )  # fmt: skip
        self.deadline = Deadline.after(self.clock, left)
        return again is None

    @contextlib.contextmanager
    def in_turn(self, hold: Hold, busy: Say, cancel: CancelToken | None = None) -> Iterator[None]:
        """Hold something all slots share for the block; until then say ``busy`` and how many slots are ahead.

        The time until it is free does not count against the step's limit.
        """
        told: list[int] = []
        left = self.deadline.remaining

        def waits(before: int) -> None:
            told.append(before)
            self.announce(StepHeld(step=self.step, say=busy, before=before, **self.head()))

        with hold(cancel or self.cancel, waits):
            self.deadline = Deadline.after(self.clock, left)
            if told:
                self.announce(StepResumed(step=self.step, **self.head()))
            yield


class Step(Protocol):
    """Observes, acts only if the goal is not true yet, verifies by reading back.

    Raises `UnitRejected` (FAIL); other errors are judged by the table of `station.errors.classify_error`.
    """

    def __call__(self, ctx: StepContext) -> StepResult: ...
