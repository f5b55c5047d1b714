"""Runs the pure operations of `drivers.wire` on a transport; adds time, cancellation and the trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..clock import CancelToken, Clock, Deadline
from ..errors import Stalled, TransferFailed, TransferTimeout
from ..transport import UsbTransport
from ..wire.actions import Answer, Operation, Reply, Transfer, Wait
from ..wire.patience import Kind, kind_of
from .repeating import Repeater, Trace, no_trace

__all__ = ["Progress", "Runner", "Trace", "no_progress", "no_trace"]

T = TypeVar("T")

Progress = Callable[[float], None]
"""Receives the completed fraction, 0.0 to 1.0."""


def no_progress(_share: float) -> None:
    """Ignore progress."""


class Runner:
    """Runs operations on one transport. One owner thread, like the transport."""

    def __init__(self, transport: UsbTransport, clock: Clock, trace: Trace = no_trace) -> None:
        self._repeater = Repeater(transport, clock, trace)
        self._clock = clock

    def run(self, operation: Operation[T], what: str, deadline: Deadline, cancel: CancelToken | None = None) -> T:
        """Run ``operation`` to its end and return its value.

        What is safe to repeat is repeated (`Repeater`). The operation itself handles a STALL that persists and a
        step that was lost: it reads the unit's state. Any other failure raises its `LinkError`.
        ``deadline`` and ``cancel`` are checked between transfers (`DeadlineExceeded` naming ``what``,
        `Cancelled`); no transfer waits past the deadline.
        """
        try:
            action = next(operation)
            while True:
                action = operation.send(self._perform(action, what, deadline, cancel))
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            operation.close()

    def _perform(self, action: Transfer | Wait, what: str, deadline: Deadline, cancel: CancelToken | None) -> Reply:
        if isinstance(action, Wait):
            deadline.check(what)
            self._clock.sleep(min(action.seconds, deadline.remaining), cancel)
            return b""
        try:
            return self._repeater.transfer(action.setup, action.data, what, deadline, cancel)
        except Stalled:
            return Answer.STALL
        except (TransferFailed, TransferTimeout):
            if kind_of(action.setup) is not Kind.STEP:
                raise
            return Answer.LOST
