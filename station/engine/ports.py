"""What the engine needs from the rest of the house, by protocol: the journal, the work bench, the bus of events."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from drivers.clock import CancelToken
from drivers.hotplug import PortWatch

from ..model import OutboxItem, Outcome, SlotInfo
from ..words.say import Say
from .events import BatchProgress, Event
from .step import Step, StepResult
from .walk import StepPlan


class JournalWaiter(Protocol):
    """Somebody whose calls wait while the journal is locked or its disk is full."""

    @property
    def cancel(self) -> CancelToken | None:
        """Ends the wait with `Cancelled`; None: only its patience does."""
        ...

    def held(self, say: Say) -> None:
        """The wait takes a while; ``say`` tells for what. May come again."""
        ...

    def resumed(self) -> None:
        """It goes on, or gives up. Only after `held`."""
        ...

    def waited(self, seconds: float) -> None:
        """A wait is over, however short, that was no time of the work's own."""
        ...


class JournalPort(Protocol):
    """Where facts become durable. Every method may raise `station.errors.JournalError`.

    A lock or a full disk raises nothing for a while: the call waits (`waiting_as`).
    """

    def waiting_as(self, waiter: JournalWaiter) -> contextlib.AbstractContextManager[None]:
        """What the calling thread asks of the journal inside the block waits as ``waiter``."""
        ...

    def record(self, *events: Event) -> None:
        """Commit all of ``events`` in one transaction; return only after the commit."""
        ...

    def progress(self, batch: str, at: datetime.datetime) -> BatchProgress: ...
    def due(self, now: datetime.datetime) -> tuple[OutboxItem, ...]:
        """Owed cloud work whose time has come, in the order it was queued."""
        ...

    def owed_since(self, item: OutboxItem) -> datetime.datetime | None:
        """When ``item`` was queued; None when it is not owed."""
        ...

    def waiting(self) -> int:
        """How many items are owed in all."""
        ...

    def settle(self, item: OutboxItem, outcome: Outcome, reason: str, proof: str) -> tuple[Event, ...]:
        """Take an item off the books; the events that follow from it (`OutboxSettled`, `VerdictRevised`)."""
        ...

    def postpone(self, item: OutboxItem, retry_at: datetime.datetime, error: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Seat:
    """Where an attempt takes place: slot, port and the token that ends it."""

    slot: SlotInfo
    port: PortWatch
    attempt: str
    cancel: CancelToken


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
        """Lower-case Device ID as soon as it is known."""
        ...

    @property
    def names(self) -> frozenset[str]:
        """Every identity known of the unit, as a scan of its label or card would show it."""
        ...

    @property
    def held_back(self) -> Mapping[str, frozenset[str]]:
        """Predecessors found during the walk (see `walk.ready`)."""
        ...

    def signal(self, on: bool) -> None:
        """Let the unit's LED shout, best effort."""
        ...

    def close(self) -> None: ...


class SessionOpener(Protocol):
    """Chooses the batch for a unit and sets its work up."""

    def open(self, seat: Seat) -> Session:
        """Raises `station.errors.UnitRejected` when no open profile fits, `Disconnected` when the unit left."""
        ...


class OutboxDesk(Protocol):
    """Finishes one owed item without the unit. Raises `station.errors.CloudError` to try again later."""

    def finish(self, item: OutboxItem, cancel: CancelToken) -> StepResult: ...
