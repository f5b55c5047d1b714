"""Time, waiting and cancelling: every wait in drivers and station goes through a `Clock`.

`SystemClock` is the machine's monotonic clock (optionally running faster, for a demo).
`SimulatedClock` jumps to the next due moment whenever no registered thread is runnable: a
thread is *runnable* from the moment it is started or woken until it waits through the clock.
Waiters wake one at a time, in (due, sequence) order, so a run is repeatable.

It deliberately knows nothing of devices, and offers no way to wait without a clock.
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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from .errors import Cancelled, DeadlineExceeded

EPOCH = datetime.datetime(2026, 1, 5, 6, 0, tzinfo=datetime.UTC)
"""Wall time at which every simulated clock starts."""


class CancelToken(Protocol):
    """Set once by whoever wants a thread to stop; every wait that was given it then raises `Cancelled`."""

    @property
    def is_cancelled(self) -> bool: ...
    def cancel(self) -> None: ...
    def child(self) -> CancelToken:
        """A token of its own that is also set when this one is."""
        ...

    def check(self) -> None:
        """Raise `Cancelled` if the token is set."""


class Condition(Protocol):
    """A lock with a waiting room, bound to one clock. Hold the lock (``with``) to wait or notify."""

    def __enter__(self) -> object: ...
    def __exit__(self, *exc: object) -> None: ...
    def wait(self, timeout_s: float | None = None, cancel: CancelToken | None = None) -> bool:
        """Release the lock and wait; return False when ``timeout_s`` passed. Raises `Cancelled`."""
        ...

    def wait_for(
        self, predicate: Callable[[], bool], timeout_s: float | None = None, cancel: CancelToken | None = None
    ) -> bool:
        """Wait until ``predicate()`` is true; return its last value."""
        ...

    def notify_all(self) -> None: ...


class ClockThread(Protocol):
    """A thread the clock knows of."""

    @property
    def name(self) -> str: ...
    @property
    def is_alive(self) -> bool: ...
    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for its end through the clock; False when ``timeout_s`` passed first."""
        ...


class Clock(Protocol):
    """Monotonic seconds, wall time, and everything that can block."""

    def now(self) -> float:
        """Seconds since an arbitrary moment; never goes back."""
        ...

    def utc(self) -> datetime.datetime:
        """Wall time, timezone-aware UTC."""
        ...

    def sleep(self, seconds: float, cancel: CancelToken | None = None) -> None:
        """Wait ``seconds``; raises `Cancelled` at once when ``cancel`` is or becomes set."""
        ...

    def condition(self) -> Condition: ...
    def token(self) -> CancelToken: ...
    def thread(self, name: str, target: Callable[[], None]) -> ClockThread:
        """Start ``target`` on a daemon thread the clock counts."""
        ...

    def registered(self) -> contextlib.AbstractContextManager[None]:
        """Count the calling thread (a test's main thread) as one of the clock's for the ``with`` block."""
        ...

    def standing_in(self) -> contextlib.AbstractContextManager[None]:
        """Let the calling thread wait on behalf of a registered one that is blocked on it.

        For a loopback HTTP handler: its client thread is blocked in a socket and still counted as
        runnable, so the handler's waits must hand that count back.
        """
        ...


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on a clock. ``Deadline.after(clock, 5.0)``."""

    clock: Clock
    at: float

    @classmethod
    def after(cls, clock: Clock, seconds: float) -> Deadline:
        return cls(clock, clock.now() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - self.clock.now())

    @property
    def expired(self) -> bool:
        return self.clock.now() >= self.at

    def sooner(self, seconds: float) -> Deadline:
        """The earlier of this deadline and ``seconds`` from now."""
        return Deadline(self.clock, min(self.at, self.clock.now() + seconds))

    def check(self, what: str) -> None:
        """Raise `DeadlineExceeded` naming ``what`` if the moment has passed."""
        if self.expired:
            raise DeadlineExceeded(f"{what}: no end within its deadline; try another cable or port, then retry")


def _wait_for(
    condition: Condition,
    clock: Clock,
    predicate: Callable[[], bool],
    timeout_s: float | None,
    cancel: CancelToken | None,
) -> bool:
    due = None if timeout_s is None else clock.now() + timeout_s
    while not (result := predicate()):
        left = None if due is None else due - clock.now()
        if left is not None and left <= 0:
            break
        condition.wait(left, cancel)
    return result


# --- the machine's clock ---------------------------------------------------------------------


class _SystemToken:
    def __init__(self) -> None:
        self._cancelled = False
        self._room = threading.Condition()
        self._conditions: list[threading.Condition] = []
        self._children: list[_SystemToken] = []

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled

    def child(self) -> CancelToken:
        token = _SystemToken()
        with self._room:
            self._children.append(token)
            is_late = self._cancelled
        if is_late:
            token.cancel()
        return token

    def cancel(self) -> None:
        with self._room:
            self._cancelled = True
            waiting, children = list(self._conditions), list(self._children)
            self._room.notify_all()
        for child in children:
            child.cancel()
        for condition in waiting:
            with condition:
                condition.notify_all()

    def check(self) -> None:
        if self._cancelled:
            raise Cancelled("stopped on request")

    @contextlib.contextmanager
    def wakes(self, condition: threading.Condition) -> Iterator[None]:
        with self._room:
            self._conditions.append(condition)
        try:
            yield
        finally:
            with self._room:
                self._conditions.remove(condition)


class _SystemCondition:
    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock
        self._condition = threading.Condition()

    def __enter__(self) -> object:
        return self._condition.__enter__()

    def __exit__(self, *exc: object) -> None:
        self._condition.release()

    def wait(self, timeout_s: float | None = None, cancel: CancelToken | None = None) -> bool:
        real_s = None if timeout_s is None else timeout_s / self._clock.speed
        if cancel is None:
            return self._condition.wait(real_s)
        cancel.check()
        assert isinstance(cancel, _SystemToken)
        with cancel.wakes(self._condition):
            woken = self._condition.wait(real_s)
        cancel.check()
        return woken

    def wait_for(
        self, predicate: Callable[[], bool], timeout_s: float | None = None, cancel: CancelToken | None = None
    ) -> bool:
        return _wait_for(self, self._clock, predicate, timeout_s, cancel)

    def notify_all(self) -> None:
        self._condition.notify_all()


class _SystemThread:
    def __init__(self, name: str, target: Callable[[], None], clock: SystemClock) -> None:
        self._clock = clock
        self._thread = threading.Thread(target=target, name=name, daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        return self._thread.name

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def join(self, timeout_s: float | None = None) -> bool:
        self._thread.join(None if timeout_s is None else timeout_s / self._clock.speed)
        return not self._thread.is_alive()


class SystemClock:
    """The machine's monotonic clock, ``speed`` times as fast (1.0 = real time)."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._start = time.monotonic()
        self._start_utc = datetime.datetime.now(datetime.UTC)

    def now(self) -> float:
        return (time.monotonic() - self._start) * self.speed

    def utc(self) -> datetime.datetime:
        if self.speed == 1.0:
            return datetime.datetime.now(datetime.UTC)
        return self._start_utc + datetime.timedelta(seconds=self.now())

    def sleep(self, seconds: float, cancel: CancelToken | None = None) -> None:
        if cancel is None:
            time.sleep(max(0.0, seconds) / self.speed)
            return
        condition = self.condition()
        with condition:
            condition.wait_for(lambda: False, seconds, cancel)
        cancel.check()

    def condition(self) -> Condition:
        return _SystemCondition(self)

    def token(self) -> CancelToken:
        return _SystemToken()

    def thread(self, name: str, target: Callable[[], None]) -> ClockThread:
        return _SystemThread(name, target, self)

    def registered(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def standing_in(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


# --- the simulated clock ---------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class _Waiter:
    """One waiting thread: its gate is a locked lock, opened by whoever wakes it."""

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
        return _wait_for(self, self._clock, predicate, timeout_s, cancel)

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
    """Time that jumps: see the module docstring. ``epoch``: wall time at its start.

    ``stall_s``: wall-clock seconds a thread may stay runnable before all stacks are written to
    stderr once (a thread blocked outside the clock would otherwise hang a test silently).
    """

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
        self.count_in()
        self.mark_registered(True)
        try:
            yield
        finally:
            self.mark_registered(False)
            self.count_out()

    @contextlib.contextmanager
    def standing_in(self) -> Iterator[None]:
        self.mark_registered(True)
        try:
            yield
        finally:
            self.mark_registered(False)

    # --- used by the waiting objects of this module only ---

    def mark_registered(self, registered: bool) -> None:
        self._local.registered = registered

    def count_in(self) -> None:
        with self.master:
            self._runnable += 1

    def count_out(self) -> None:
        with self.master:
            self._runnable -= 1
            self._advance()

    def enter_wait(self, timeout_s: float | None, cancel: CancelToken | None, room: list[_Waiter] | None) -> _Waiter:
        """Register the calling thread as waiting; time may jump before this returns."""
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
        waiter.gate.acquire()
        if isinstance(cancel, _SimulatedToken):
            with self.master:
                cancel.waiters.discard(waiter)

    def wake(self, waiter: _Waiter) -> None:
        """Make a waiting thread runnable; the count is raised before it can run. Master lock held."""
        if waiter.is_woken:
            return
        waiter.is_woken = True
        if waiter.counted:
            self._runnable += 1
        waiter.gate.release()

    def _advance(self) -> None:
        """Jump to the next due waiter if nobody is runnable. Master lock held."""
        while self._runnable == 0 and self._heap:
            due, _, waiter = heapq.heappop(self._heap)
            if waiter.is_woken:
                continue
            self._now = max(self._now, due)
            self._jumps += 1
            waiter.timed_out = True
            self.wake(waiter)
            if not waiter.counted:
                break

    def _watch(self) -> None:
        if self._watchdog is None:
            self._watchdog = threading.Thread(target=self._watch_loop, name="clock-watchdog", daemon=True)
            self._watchdog.start()

    def _watch_loop(self) -> None:
        seen, since = -1, time.monotonic()
        while True:
            time.sleep(1.0)
            if self._jumps != seen or self._runnable == 0:
                seen, since = self._jumps, time.monotonic()
            elif time.monotonic() - since > self._stall_s:
                sys.stderr.write(f"simulated clock: a thread has been runnable for {self._stall_s:.0f} s\n")
                faulthandler.dump_traceback(file=sys.stderr)
                since = time.monotonic() + 3600
