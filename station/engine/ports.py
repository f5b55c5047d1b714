"""Protocols of what the engine needs from other rooms: journal, sessions with units, owed cloud work."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from drivers.clock import CancelToken
from drivers.hotplug import PortWatch

from ..model import Mender, OutboxItem, Outcome, SlotInfo
from ..words.say import Say
from .commands import Mode
from .events import AttemptFinished, BatchProgress, Event
from .step import Step, StepResult
from .walk import StepPlan


class JournalWaiter(Protocol):
    """A caller that waits while the journal is locked or its disk is full, and is told so."""

    @property
    def cancel(self) -> CancelToken | None:
        """Token that ends the wait with `Cancelled`; None: the wait ends only when patience runs out."""
        ...

    def held(self, say: Say) -> None:
        """Report that the wait takes long; ``say`` tells for what. May be called again."""
        ...

    def resumed(self) -> None:
        """Report that a wait reported by `held` ended, or was given up."""
        ...

    def waited(self, seconds: float) -> None:
        """Report the length of a wait, however short, so that it does not count against the step's limit."""
        ...


class JournalPort(Protocol):
    """Makes facts durable. Every method may raise `station.errors.JournalError`.

    While the journal is locked or its disk is full, calls wait (`waiting_as`) before they raise.
    """

    def waiting_as(self, waiter: JournalWaiter) -> contextlib.AbstractContextManager[None]:
        """Make this thread's journal calls inside the block wait as ``waiter``."""
        ...

    def record(self, *events: Event) -> None:
        """Commit all of ``events`` in one transaction; return only after the commit."""
        ...

    def progress(self, batch: str, at: datetime.datetime) -> BatchProgress:
        """Return where the batch stands."""
        ...

    def due(self, now: datetime.datetime) -> tuple[OutboxItem, ...]:
        """Return the owed cloud work that is due, in the order it was queued."""
        ...

    def next_due(self, now: datetime.datetime) -> datetime.datetime:
        """Return when the first owed item comes due: ``now`` or later."""
        ...

    def owed_since(self, item: OutboxItem) -> datetime.datetime | None:
        """Return when ``item`` was queued, None when it is not owed."""
        ...

    def waiting(self) -> int:
        """Count the items owed."""
        ...

    def settle(self, item: OutboxItem, outcome: Outcome, reason: str, proof: str) -> tuple[Event, ...]:
        """Remove an item; return the events this causes (`OutboxSettled`, `VerdictRevised`)."""
        ...

    def postpone(
        self, item: OutboxItem, retry_at: datetime.datetime, error: str, mender: Mender = Mender.NOBODY, scope: str = ""
    ) -> None:
        """Keep ``item`` owed, not due before ``retry_at``. ``scope``: what else would fare no better; "": nothing."""
        ...

    def tries(self) -> Mapping[OutboxItem, int]:
        """Return the owed items that were tried and wait for something of their own, with how often."""
        ...

    def make_due(self, attempts: Collection[str]) -> int:
        """Let what is owed of ``attempts`` be tried at once; return how many items that is."""
        ...

    def drop(self, attempts: Collection[str], reason: str) -> tuple[Event, ...]:
        """Give up what is owed of ``attempts``; return the events this causes."""
        ...


@dataclass(frozen=True, slots=True)
class Seat:
    """Where an attempt takes place: slot, port, attempt id and the token that ends it."""

    slot: SlotInfo
    port: PortWatch
    attempt: str
    cancel: CancelToken


class Printed(Protocol):
    """One line that a unit printed, fit to be shown: bounded, printable, secrets masked."""

    @property
    def text(self) -> str: ...
    @property
    def is_open(self) -> bool:
        """Whether the line may go on; the next one takes its place."""
        ...

    @property
    def asks_secret(self) -> bool:
        """Whether the unit waits for a password or code."""
        ...


class Terminal(Protocol):
    """The opened console of a unit. Raises `DriverError`."""

    def hear(self, timeout_s: float) -> Sequence[Printed]:
        """Return what the unit printed, as soon as there is some, or nothing after ``timeout_s``."""
        ...

    def type(self, text: str) -> None:
        """Send a command of one character, or a line."""
        ...


class Session(Protocol):
    """One unit on one port, with the steps bound to it. Made by a `SessionOpener`, closed by the attempt."""

    @property
    def batch(self) -> str: ...
    @property
    def profile(self) -> str: ...
    @property
    def plans(self) -> tuple[StepPlan, ...]: ...
    @property
    def steps(self) -> Mapping[str, Step]: ...
    @property
    def device_id(self) -> str | None:
        """Lower-case Device ID, None until it is known."""
        ...

    @property
    def names(self) -> frozenset[str]:
        """Every identity known of the unit, spelled as a scan of its label or SIM card gives it."""
        ...

    @property
    def held_back(self) -> Mapping[str, frozenset[str]]:
        """Additional predecessors found during the walk (see `walk.ready`)."""
        ...

    def wire(self) -> tuple[str, ...]:
        """Return the last exchanges with the unit in words, oldest first, secrets masked; some kilobytes at most."""
        ...

    def follows(self, finished: AttemptFinished) -> tuple[Event, ...]:
        """Return what is committed together with that verdict, besides owed cloud work."""
        ...

    def signal(self, on: bool) -> bool:
        """Make the unit's LED signal, or stop it; best effort: False where the unit did not do it."""
        ...

    def enter(self, mode: Mode, expected: str, begins: Callable[[str], None]) -> None:
        """Bring the unit into ``mode``. Raises `DriverError`; nobody's hands are asked for.

        ``begins`` is told its Device ID, ``expected`` or "" if it is unknown, before it may be left other than it was.
        """
        ...

    def console(
        self, expected: str, begins: Callable[[str], None]
    ) -> contextlib.AbstractContextManager[Terminal]:  # fmt: skip
        """Open the unit's console. Raises `DriverError`; nobody's hands are asked for.

        ``begins`` is told its Device ID, which has to be ``expected`` unless that is "", before anything is changed.
        """
        ...

    def close(self) -> None:
        """Release the device."""
        ...


class SessionOpener(Protocol):
    """Chooses the batch for a unit and opens a session with it."""

    def open(self, seat: Seat) -> Session:
        """Open a session.

        Raises `NoBatchOpen` when no open batch takes the unit, `Disconnected` when it left.
        """
        ...


Finish = Callable[[OutboxItem], StepResult]
"""Carries out one item. Raises `station.errors.CloudError` if it should be tried again later."""


class OutboxDesk(Protocol):
    """Carries out owed cloud work without the unit."""

    def together(self, items: Sequence[OutboxItem], again: Collection[OutboxItem], cancel: CancelToken) -> Finish:
        """Prepare ``items`` of one step and return what carries out each. Raises as that does.

        ``again``: those that were tried before.
        """
        ...
