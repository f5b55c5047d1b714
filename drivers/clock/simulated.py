"""Simulated time: whenever no registered thread is runnable, it jumps to the next due time.

A thread is *runnable* from the moment it is started or woken until it waits on the clock. The thread that wakes
another one increments the count of runnable threads first. Waiters that are due wake one at a time, in
(due, sequence) order, so a run is repeatable.
"""

from __future__ import annotations

import contextlib
import datetime
import faulthandler
import heapq
import itertools
import math
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ..errors import Cancelled
from .protocol import CancelToken, ClockThread, Condition, wait_for_predicate

EPOCH = datetime.datetime(2026, 1, 5, 6, 0, tzinfo=datetime.UTC)
"""Wall time at which every simulated clock starts."""


@dataclass(slots=True, eq=False)
class _Waiter:
    """One waiting thread, blocked on ``gate``; waking it releases the gate. ``counted``: it is registered."""

    due: float
    counted: bool
    gate: threading.Lock = field(default_factory=threading.Lock)
    is_woken: bool = False
    timed_out: bool = False


class _SimulatedToken:
    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self._cancelled = False
        self.waiters: set[_Waiter] = set()
        self._children: list[_SimulatedToken] = []

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled

    def child(self) -> CancelToken:
        token = _SimulatedToken(self._clock)
        with self._clock.master:
            self._children.append(token)
            if self._cancelled:
                token.cancel()
        return token

    def cancel(self) -> None:
        with self._clock.master:
            self._cancelled = True
            for child in self._children:
                child.cancel()
            for waiter in list(self.waiters):
                self._clock.wake(waiter)

    def check(self) -> None:
        if self._cancelled:
            raise Cancelled("stopped on request")


class _SimulatedCondition:
    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._waiters: list[_Waiter] = []

    def __enter__(self) -> object:
        return self._lock.__enter__()

    def __exit__(self, *exc: object) -> None:
        self._lock.release()

    def wait(self, timeout_s: float | None = None, cancel: CancelToken | None = None) -> bool:
        clock = self._clock
        waiter = clock.enter_wait(timeout_s, cancel, self._waiters)
        self._lock.release()
        try:
            clock.finish_wait(waiter, cancel)
        finally:
            self._lock.acquire()
            with clock.master:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
        if cancel is not None:
            cancel.check()
        return not waiter.timed_out

    def wait_for(
        self, predicate: Callable[[], bool], timeout_s: float | None = None, cancel: CancelToken | None = None
    ) -> bool:
        return wait_for_predicate(self, self._clock, predicate, timeout_s, cancel)

    def notify_all(self) -> None:
        with self._clock.master:
            for waiter in self._waiters:
                self._clock.wake(waiter)
            self._waiters.clear()


class _SimulatedThread:
    def __init__(self, name: str, target: Callable[[], None], clock: SimulatedClock) -> None:
        self._done = clock.condition()
        self._alive = True
        self._target, self._clock = target, clock
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        clock.count_in()
        self._thread.start()

    def _run(self) -> None:
        self._clock.mark_registered(True)
        try:
            self._target()
        finally:
            with self._done:
                self._alive = False
                self._done.notify_all()
            self._clock.count_out()

    @property
    def name(self) -> str:
        return self._thread.name

    @property
    def is_alive(self) -> bool:
        return self._alive

    def join(self, timeout_s: float | None = None) -> bool:
        with self._done:
            return self._done.wait_for(lambda: not self._alive, timeout_s)


class SimulatedClock:
    """A clock that jumps, see the module docstring. ``epoch``: wall time at its start.

    ``stall_s``: wall-clock seconds a thread may stay runnable before all stacks are written to
    stderr once (a thread blocked outside the clock would otherwise hang a test silently).
    """

    speed: float | None = None

    def __init__(self, *, stall_s: float = 30.0, epoch: datetime.datetime = EPOCH) -> None:
        self.master = threading.RLock()
        self._now = 0.0
        self._runnable = 0
        self._sequence = itertools.count()
        self._heap: list[tuple[float, int, _Waiter]] = []
        self._local = threading.local()
        self._jumps = 0
        self._stall_s = stall_s
        self._epoch = epoch
        self._watchdog: threading.Thread | None = None

    def now(self) -> float:
        return self._now

    def utc(self) -> datetime.datetime:
        return self._epoch + datetime.timedelta(seconds=self._now)

    def sleep(self, seconds: float, cancel: CancelToken | None = None) -> None:
        """Wait as `Clock.sleep` does, in simulated seconds, which take no real time."""
        if cancel is not None:
            cancel.check()
        waiter = self.enter_wait(max(0.0, seconds), cancel, None)
        self.finish_wait(waiter, cancel)
        if cancel is not None:
            cancel.check()

    def condition(self) -> Condition:
        return _SimulatedCondition(self)

    def token(self) -> CancelToken:
        return _SimulatedToken(self)

    def thread(self, name: str, target: Callable[[], None]) -> ClockThread:
        self._watch()
        return _SimulatedThread(name, target, self)

    @contextlib.contextmanager
    def registered(self) -> Iterator[None]:
        """Register the calling thread for the ``with`` block: time stands still while it runs."""
        self.count_in()
        self.mark_registered(True)
        try:
            yield
        finally:
            self.mark_registered(False)
            self.count_out()

    @contextlib.contextmanager
    def standing_in(self) -> Iterator[None]:
        """Let the calling thread wait on the clock during the block for another one, which is counted already."""
        self.mark_registered(True)
        try:
            yield
        finally:
            self.mark_registered(False)

    # --- used by the waiting objects of this module only ---

    def mark_registered(self, registered: bool) -> None:
        """Set whether waits of the calling thread lower the count of runnable threads."""
        self._local.registered = registered

    def count_in(self) -> None:
        """Count one more runnable thread, before it runs."""
        with self.master:
            self._runnable += 1

    def count_out(self) -> None:
        """Count one runnable thread less; time may jump before this returns."""
        with self.master:
            self._runnable -= 1
            self._advance()

    def enter_wait(self, timeout_s: float | None, cancel: CancelToken | None, room: list[_Waiter] | None) -> _Waiter:
        """Record that the calling thread waits; time may jump before this returns."""
        due = math.inf if timeout_s is None else self._now + max(0.0, timeout_s)
        waiter = _Waiter(due, counted=getattr(self._local, "registered", False))
        waiter.gate.acquire()
        with self.master:
            if room is not None:
                room.append(waiter)
            if due != math.inf:
                heapq.heappush(self._heap, (due, next(self._sequence), waiter))
            if isinstance(cancel, _SimulatedToken):
                cancel.waiters.add(waiter)
                if cancel.is_cancelled:
                    waiter.is_woken = True
                    waiter.gate.release()
                    return waiter
            if waiter.counted:
                self._runnable -= 1
            self._advance()
        return waiter

    def finish_wait(self, waiter: _Waiter, cancel: CancelToken | None) -> None:
        """Block until ``waiter`` is woken."""
        waiter.gate.acquire()
        if isinstance(cancel, _SimulatedToken):
            with self.master:
                cancel.waiters.discard(waiter)

    def wake(self, waiter: _Waiter) -> None:
        """Make a waiting thread runnable, and count it before it can run. Master lock held."""
        if waiter.is_woken:
            return
        waiter.is_woken = True
        if waiter.counted:
            self._runnable += 1
        waiter.gate.release()

    def _advance(self) -> None:
        """Jump to the next due waiter if no thread is runnable. Master lock held."""
        while self._runnable == 0 and self._heap:
            due, _, waiter = heapq.heappop(self._heap)
            if waiter.is_woken:
                continue
            self._now = max(self._now, due)
            self._jumps += 1
            waiter.timed_out = True
            self.wake(waiter)  # an unregistered thread does not stop time: it may never wait on the clock again

    def _watch(self) -> None:
        if self._watchdog is None:
            self._watchdog = threading.Thread(
                target=_watch_loop, args=(weakref.ref(self),), name="clock-watchdog", daemon=True
            )
            self._watchdog.start()


def _watch_loop(watched: weakref.ref[SimulatedClock]) -> None:
    """Dump all stacks once a thread of the clock stays runnable; end with the clock, which nothing here keeps alive."""
    seen, since = -1, time.monotonic()
    while True:
        time.sleep(1.0)
        clock = watched()
        if clock is None:
            return
        if clock._jumps != seen or clock._runnable == 0:
            seen, since = clock._jumps, time.monotonic()
        elif time.monotonic() - since > clock._stall_s:
            sys.stderr.write(f"simulated clock: a thread has been runnable for {clock._stall_s:.0f} s\n")
            faulthandler.dump_traceback(file=sys.stderr)
            since = time.monotonic() + 3600
        del clock
