"""Shows on the screen that a thread waits for the journal (`JournalPort.waiting_as`)."""

from __future__ import annotations

from collections.abc import Callable

from drivers.clock import CancelToken, Clock, Deadline

from ..words.say import Say
from .events import Head, StepHeld, StepResumed
from .step import Emit, StepContext


class Waiting:
    """Publishes `StepHeld` and `StepResumed` in the slot of ``head``; slot 0 is the whole station.

    With ``context`` the waiting step can be cancelled and its limit moves. Without, the wait ends early only
    by ``cancel``, if given.
    """

    def __init__(
        self,
        publish: Emit,
        head: Callable[[], Head],
        step: str = "",
        context: StepContext | None = None,
        cancel: CancelToken | None = None,
    ) -> None:
        self._publish, self._head, self._step, self._context = publish, head, step, context
        self.cancel = context.cancel if context is not None else cancel

    @classmethod
    def of_station(cls, publish: Emit, clock: Clock, cancel: CancelToken | None = None) -> Waiting:
        """Make a waiter for work outside of all slots: owed work, commands."""
        return cls(publish, lambda: {"at": clock.utc(), "slot": 0, "device_id": None, "attempt": None}, cancel=cancel)

    def held(self, say: Say) -> None:
        """Implement `JournalWaiter.held`."""
        self._publish(StepHeld(step=self._step, say=say, **self._head()))

    def resumed(self) -> None:
        """Implement `JournalWaiter.resumed`."""
        self._publish(StepResumed(step=self._step, **self._head()))

    def waited(self, seconds: float) -> None:
        """Move the step's deadline by the time it waited."""
        if self._context is not None:
            deadline = self._context.deadline
            self._context.deadline = Deadline(deadline.clock, deadline.at + seconds)
