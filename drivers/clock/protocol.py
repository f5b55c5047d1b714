"""What a clock is: the Protocols every waiting thread speaks to, and `Deadline`."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..errors import DeadlineExceeded


class CancelToken(Protocol):
    """Set once by whoever wants a thread to stop; every wait that was given it then raises `Cancelled`."""

    @property
    def is_cancelled(self) -> bool: ...
    def cancel(self) -> None: ...
    def child(self) -> CancelToken:
        """Return a token of its own that is also set when this one is."""
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

    @property
    def speed(self) -> float | None:
        """How many times as fast as real time it runs; None where time is simulated and jumps."""
        ...

    def now(self) -> float:
        """Return the seconds since an arbitrary moment; never goes back."""
        ...

    def utc(self) -> datetime.datetime:
        """Return the wall time, timezone-aware UTC."""
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
        """Return the earlier of this deadline and ``seconds`` from now."""
        return Deadline(self.clock, min(self.at, self.clock.now() + seconds))

    def check(self, what: str) -> None:
        """Raise `DeadlineExceeded` naming ``what`` if the moment has passed."""
        if self.expired:
            raise DeadlineExceeded(f"{what}: no end within its deadline; try another cable or port, then retry")


def wait_for_predicate(
    condition: Condition,
    clock: Clock,
    predicate: Callable[[], bool],
    timeout_s: float | None,
    cancel: CancelToken | None,
) -> bool:
    """Wait on ``condition`` (held) until ``predicate()`` or the time is up; shared by both clocks' conditions."""
    due = None if timeout_s is None else clock.now() + timeout_s
    while not (result := predicate()):
        left = None if due is None else due - clock.now()
        if left is not None and left <= 0:
            break
        condition.wait(left, cancel)
    return result
