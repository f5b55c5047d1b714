"""Waits while the journal is locked or its disk is full, and tells who waits, for what.

A caller's thread polls through the clock; nothing is queued, so what was refused is asked again by the
caller that still knows it, and is recorded once or not at all.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from drivers.clock import CancelToken, Clock

from ..engine.ports import JournalWaiter
from ..errors import JournalHeld
from ..words.say import NOTHING

log = logging.getLogger(__name__)

T = TypeVar("T")

PAUSES_S = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Between two tries; the last one repeats."""
QUIET_S = 1.0
"""A lock of another program's short look is not worth a word."""
CLOSING_S = 3.0
"""How much longer a closing station waits: the end of an attempt is lost to the record, not the shift to the clock."""


class Patience:
    """Runs what touches the journal until it can. ``limit_s``: of one trouble, however many calls meet it.

    ``host``: the clock of whatever locks the file or fills the disk, where the station's own runs faster or jumps.
    Such a wait passes on the host's; time that jumps stands still meanwhile.
    """

    def __init__(self, clock: Clock, limit_s: float, host: Clock | None = None) -> None:
        self._clock, self._host, self._limit_s = clock, host or clock, limit_s
        self._waiters = threading.local()
        self._is_told_of = False  # until then a station starts, or a verb is at work: there is only standard error
        self._since: float | None = None  # when the trouble began that is not over yet
        self._closes_at: float | None = None

    @contextlib.contextmanager
    def waiting_as(self, waiter: JournalWaiter) -> Iterator[None]:
        """What the calling thread asks inside the block waits as ``waiter``."""
        self._is_told_of = True
        before = getattr(self._waiters, "current", None)
        self._waiters.current = waiter
        try:
            yield
        finally:
            self._waiters.current = before

    def hurry(self) -> None:
        """The station closes: who waits now, or comes to wait, gives up after a few seconds."""
        self._closes_at = self._host.now() + CLOSING_S

    def run(self, act: Callable[[], T]) -> T:
        """What ``act`` returns, once the journal lets it. Raises `Cancelled`, or `JournalHeld` after the limit."""
        try:
            result = act()
        except JournalHeld as error:
            return self._wait(act, error)
        self._since = None
        return result

    def _wait(self, act: Callable[[], T], error: JournalHeld) -> T:
        waiter: JournalWaiter | None = getattr(self._waiters, "current", None)
        entered = self._clock.now()
        began, pauses, told = self._host.now(), iter(PAUSES_S), NOTHING
        self._since = began if self._since is None else self._since
        try:
            while True:
                self._check(error)
                if told != error.say and self._host.now() - began >= QUIET_S:
                    told = error.say
                    if waiter is not None:
                        waiter.held(error.say)
                    elif not self._is_told_of:
                        log.warning("%s; waiting up to %.0f s for that", error, self._limit_s)
                self._sleep(next(pauses, PAUSES_S[-1]), waiter.cancel if waiter is not None else None)
                try:
                    result = act()
                except JournalHeld as again:
                    error = again
                    continue
                self._since = None
                return result
        finally:
            if waiter is not None:
                waiter.waited(self._clock.now() - entered)
                if told:
                    waiter.resumed()

    def _sleep(self, seconds: float, cancel: CancelToken | None) -> None:
        if self._host is self._clock:
            self._clock.sleep(seconds, cancel)
            return
        self._host.sleep(seconds)  # it knows no token of the other clock's
        if cancel is not None:
            cancel.check()

    def _check(self, error: JournalHeld) -> None:
        """Raise ``error`` when there is no more time for it."""
        now, since = self._host.now(), self._since
        ends = self._limit_s + (now if since is None else since)
        if now >= ends or (self._closes_at is not None and now >= self._closes_at):
            raise error
