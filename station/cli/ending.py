"""Ends a run once, whether everything is through or a signal says so."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from types import FrameType

from drivers.clock import Clock

from ..engine.events import BatchSummary

Over = SimpleQueue[str]
"""Receives why a run is over. Its `put` takes no lock, as a signal may interrupt a thread that holds one."""
POLL_S = 0.5
INSISTS_S = 2.0
"""The same signal may arrive twice, from the terminal and from the parent that passes it on; a later one insists."""

WAYS_TO_END = {
    signal.SIGINT: "interrupted from the keyboard",
    signal.SIGTERM: "told to end by the system (SIGTERM)",
    signal.SIGHUP: "the terminal was closed (SIGHUP)",
}


@contextlib.contextmanager
def told_to_end(over: Over) -> Iterator[None]:
    """Turn Ctrl-C, SIGTERM and SIGHUP into a reason in ``over``; a second one raises `KeyboardInterrupt`.

    Behind the block a program that was told so is ending: SIGTERM and SIGHUP that arrive again, however late, end it no
    other way.
    """
    first: list[float] = []

    def tell(number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if first and now - first[0] > INSISTS_S and number != signal.SIGHUP:
            signal.default_int_handler(number, frame)
        if not first:
            first.append(now)
            over.put(WAYS_TO_END[signal.Signals(number)])

    before = {number: signal.signal(number, tell) for number in WAYS_TO_END}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if first and number != signal.SIGINT else handler)


def wait_over(over: Over) -> str:
    """Wait for a reason in ``over``. Polls: a signal just before the wait would not wake it."""
    while True:
        with contextlib.suppress(Empty):
            return over.get(timeout=POLL_S)


class Ending:
    """Calls ``stop`` once, after the last unit (with an empty reason) or on a signal, whichever is first.

    The main thread waits off the clock: an interrupt inside one of the clock's waits would leave the thread counted
    as waiting, and simulated time would stand still.
    """

    def __init__(self, over: Over, stop: Callable[[str], BatchSummary]) -> None:
        self._over, self._stop = over, stop
        self._turn = threading.Lock()
        self._summary: Future[BatchSummary] = Future()

    def reached(self) -> None:
        """Stop now, before time goes on: all units are done. Called on a thread of the clock."""
        if self._turn.acquire(blocking=False):
            self._settle("")
            self._over.put("")

    def wait(self, clock: Clock) -> BatchSummary:
        """Wait until the run is over; return or raise what ``stop`` did. Called off the clock."""
        why = wait_over(self._over)
        if self._turn.acquire(blocking=False):
            with clock.registered():
                self._settle(why)
        return self._summary.result()

    def _settle(self, why: str) -> None:
        try:
            self._summary.set_result(self._stop(why))
        except Exception as error:
            self._summary.set_exception(error)
