"""Runs the wire's pure dialogues on a transport: time, cancelling and the trace are added here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..clock import CancelToken, Clock, Deadline
from ..errors import Stalled, TransferTimeout
from ..transport import TRANSFER_TIMEOUT_S, UsbTransport
from ..wire.actions import Answer, Operation, Reply, Transfer, Wait

T = TypeVar("T")

Trace = Callable[[str], None]
"""Takes one line per exchange for the technician's view. Secrets are masked before they get here."""

Progress = Callable[[float], None]
"""Takes the share that is done, 0.0 to 1.0."""


def no_trace(_line: str) -> None:
    """Drops the line."""


def no_progress(_share: float) -> None:
    """Drops the share."""


class Runner:
    """Runs operations on one transport. One owner thread, like the transport."""

    def __init__(self, transport: UsbTransport, clock: Clock) -> None:
        self.transport = transport
        self._clock = clock

    def run(self, operation: Operation[T], what: str, deadline: Deadline, cancel: CancelToken | None = None) -> T:
        """Run ``operation`` to its end and return its value.

        A stalled transfer is an answer; a repeatable one that times out is sent again while the deadline
        lasts; any other failed one raises its `LinkError`. Between two
        transfers ``deadline`` and ``cancel`` are looked at (`DeadlineExceeded` naming ``what``,
        `Cancelled`); no transfer waits longer than the deadline leaves.
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
        if cancel is not None:
            cancel.check()
        deadline.check(what)
        if isinstance(action, Wait):
            self._clock.sleep(min(action.seconds, deadline.remaining), cancel)
            return b""
        try:
            return self._transfer(action, deadline)
        except Stalled:
            return Answer.STALL
        except TransferTimeout:
            if not action.is_repeatable or deadline.expired:
                raise
            return self._perform(action, what, deadline, cancel)

    def _transfer(self, action: Transfer, deadline: Deadline) -> bytes:
        timeout_s = min(TRANSFER_TIMEOUT_S, deadline.remaining)
        return self.transport.control(action.setup, action.data, timeout_s=timeout_s)
