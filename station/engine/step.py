"""What a step is: a callable that observes, acts and verifies, and what it is given to do so.

The engine knows steps only by this protocol. A step never touches the journal or the screen:
it speaks through its `StepContext`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from drivers.clock import CancelToken, Clock, Deadline

from ..model import Measurement, Outcome
from ..scan.reading import Reading
from ..words.say import NOTHING, Say
from .events import Event, HandsDone, HandsNeeded, Head, Measured, StepHeld, StepProgress, StepResumed
from .records import WriteConfirmed, WriteIntended

Emit = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step answers. ``proof`` says what was read back; ``reason`` why it was skipped, deferred or failed.

    ``say`` is for the operator. ``is_unit_gone``: it left its port, or another one took its place.
    """

    outcome: Outcome
    proof: str = ""
    reason: str = ""
    say: Say = NOTHING
    owed: str = ""  # deferred only: JSON the outbox needs to finish the work without the unit
    is_unit_gone: bool = False


def already(proof: str) -> StepResult:
    """The goal was observed; nothing was written."""
    return StepResult(Outcome.ALREADY, proof=proof)


def done(proof: str) -> StepResult:
    """Acted, and ``proof`` was read back."""
    return StepResult(Outcome.DONE, proof=proof)


def skipped(reason: str) -> StepResult:
    """Not applicable: ``reason`` names the rule or the plan."""
    return StepResult(Outcome.SKIPPED, reason=reason)


def deferred(reason: str, owed: str) -> StepResult:
    """Owed to the cloud; ``owed`` is the JSON body of the outbox item, without secrets."""
    return StepResult(Outcome.DEFERRED, reason=reason, owed=owed)


class ScanDesk(Protocol):
    """Where scans for one slot arrive."""

    def my_turn(self, cancel: CancelToken, waits: Callable[[int], None]) -> contextlib.AbstractContextManager[None]:
        """Wait until no other slot asks for a scan, and keep the scanner for the ``with`` block.

        ``waits`` is called with the number of slots before this one, first and whenever it changes.
        """
        ...

    def wait_scan(self, timeout_s: float, cancel: CancelToken) -> Reading | None:
        """The next scan bound to this slot (it may hold a secret), or None when ``timeout_s`` passed."""
        ...

    def neighbour(self, number: str) -> int:
        """The other slot that holds the unit with that serial number, Device ID, ICCID or IMEI; 0 if none does."""
        ...

    @property
    def has_nameless_neighbour(self) -> bool:
        """Another slot holds a unit that has told its Device ID only: any label may be its own."""
        ...


class NoScanner:
    """The desk of work that asks nobody for a scan."""

    def my_turn(self, cancel: CancelToken, waits: Callable[[int], None]) -> contextlib.AbstractContextManager[None]:
        raise NotImplementedError("this work asks nobody for a scan")

    def wait_scan(self, timeout_s: float, cancel: CancelToken) -> Reading | None:
        raise NotImplementedError("this work asks nobody for a scan")

    def neighbour(self, number: str) -> int:
        raise NotImplementedError("this work asks nobody for a scan")

    @property
    def has_nameless_neighbour(self) -> bool:
        raise NotImplementedError("this work asks nobody for a scan")


@dataclass(frozen=True, slots=True)
class Cut:
    """What a unit that is gone now is left as: for the operator, and for the record."""

    say: Say
    reason: str


PACE_SHARE = 0.05
"""From this much progress on, the pace so far tells how long the rest takes."""


@dataclass(slots=True)
class StepContext:
    """One step's window to the engine. Lives as long as the step runs."""

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
    deadline: Deadline = field(init=False)  # ``limit_s`` from the start; waiting for people or the cloud moves it
    cut: Cut | None = None  # set while a unit that vanishes would stay dark
    _begun: tuple[float, float] | None = None  # clock and share at the first report of progress

    def __post_init__(self) -> None:
        self.deadline = Deadline.after(self.clock, self.limit_s)

    def head(self) -> Head:
        """What every event of this attempt begins with, now."""
        return {"at": self.clock.utc(), "slot": self.slot, "device_id": self.device_id, "attempt": self.attempt}

    def progress(
        self, share: float, *, seconds_left: float | None = None, writing: bool = False, note: str = "",
        say: Say = NOTHING,
    ) -> None:  # fmt: skip
        """Report how far the step is, 0.0-1.0; ``writing``: do not unplug, ``say``: what to say then, if more.

        ``seconds_left`` None: reckoned from the pace so far, once there is one.
        """
        left = self._estimate_remaining(share) if seconds_left is None else seconds_left
        self.announce(
            StepProgress(
                step=self.step, share=share, seconds_left=left, writing=writing, note=note, say=say,
                **self.head(),
            )
        )  # fmt: skip

    def _estimate_remaining(self, share: float) -> float | None:
        """Seconds left at the pace since the first report; None as long as that says little, and at the end."""
        if self._begun is None:
            self._begun = (self.clock.now(), share)
        seconds, gained = self.clock.now() - self._begun[0], share - self._begun[1]
        return seconds * (1.0 - share) / gained if gained >= PACE_SHARE and share < 1.0 else None

    def measure(
        self, name: str, value: float | str, unit: str = "", low: float | None = None, high: float | None = None,
        *, wanted: str = "", is_out: bool = False,
    ) -> None:  # fmt: skip
        """Keep one measured value with the step's record. A number outside ``low`` to ``high`` is out by itself."""
        if not isinstance(value, str):
            is_out = is_out or (low is not None and value < low) or (high is not None and value > high)
        measurement = Measurement(name, value, unit, low, high, wanted, is_out)
        self.measurements.append(measurement)
        self.announce(Measured(step=self.step, measurement=measurement, **self.head()))

    @contextlib.contextmanager
    def write(self, target: str, what: str) -> Iterator[None]:
        """Journal one line before and one after a write (N1). ``target`` is "unit" or "cloud"."""
        self.record(WriteIntended(step=self.step, target=target, what=what, **self.head()))
        yield
        self.record(WriteConfirmed(step=self.step, target=target, what=what, **self.head()))

    @contextlib.contextmanager
    def hands(self, say: Say, led: str = "", *, waits_for_scan: bool = False) -> Iterator[None]:
        """Ask the operator for one action for as long as the block runs."""
        self.announce(HandsNeeded(step=self.step, say=say, led=led, waits_for_scan=waits_for_scan, **self.head()))
        try:
            yield
        finally:
            self.announce(HandsDone(step=self.step, **self.head()))

    @contextlib.contextmanager
    def held(self, say: Say) -> Iterator[None]:
        """Say that the unit has to stay for as long as the block runs, though nobody can do anything."""
        self.announce(StepHeld(step=self.step, say=say, **self.head()))
        try:
            yield
        finally:
            self.announce(StepResumed(step=self.step, **self.head()))

    def scan(self, ask: Say, timeout_s: float, judge: Callable[[Reading], Say | None]) -> bool:
        """Ask for a scan until ``judge`` asks for no other one; False when ``timeout_s`` passed without a scan.

        Waiting until the scanner is free, and until a hand has found it, is no time of the step.
        """
        left = self.deadline.remaining
        with self._scanner_turn(), self.hands(ask, waits_for_scan=True):
            again: Say | None = ask
            while (read := self.desk.wait_scan(timeout_s, self.cancel)) is not None:
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
    def _scanner_turn(self) -> Iterator[None]:
        """The scanner, for the block; while others have it this step says how many are before it."""
        told: list[int] = []

        def waits(before: int) -> None:
            told.append(before)
            self.announce(StepHeld(step=self.step, say=Say("scanner_busy"), before=before, **self.head()))

        with self.desk.my_turn(self.cancel, waits):
            if told:
                self.announce(StepResumed(step=self.step, **self.head()))
            yield


class Step(Protocol):
    """Observe, act only if the goal is not true yet, verify by reading back.

    Raises `station.errors.UnitRejected` (FAIL), other errors as the table behind
    `station.errors.classify_error` says.
    """

    def __call__(self, ctx: StepContext) -> StepResult: ...
