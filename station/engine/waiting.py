"""How the engine's threads wait while the journal is locked or its disk is full (`JournalPort.waiting_as`)."""

from __future__ import annotations

from collections.abc import Callable

from drivers.clock import CancelToken, Clock, Deadline

from ..words.say import Say
from .events import Head, StepHeld, StepResumed
from .step import Emit, StepContext


class Waiting:
    """Says so on the screen: in the slot of ``head``, or for the whole station if that is slot 0.

    With ``context`` a step waits: it can be stopped, and its limit moves. Without, what ended already is
    recorded all the same, unless ``cancel`` says otherwise.
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
        """For what is done in no slot: owed work, commands."""
        return cls(publish, lambda: {"at": clock.utc(), "slot": 0, "device_id": None, "attempt": None}, cancel=cancel)

    def held(self, say: Say) -> None:
        self._publish(StepHeld(step=self._step, say=say, **self._head()))

    def resumed(self) -> None:
        self._publish(StepResumed(step=self._step, **self._head()))

    def waited(self, seconds: float) -> None:
        if self._context is not None:
            deadline = self._context.deadline
            self._context.deadline = Deadline(deadline.clock, deadline.at + seconds)
