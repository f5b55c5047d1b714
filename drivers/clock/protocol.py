"""The Protocols a clock implements, and `Deadline`."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..errors import DeadlineExceeded


class CancelToken(Protocol):
    """Stops a thread: once set, every wait it was passed to raises `Cancelled`. Cannot be reset."""

    @property
    def is_cancelled(self) -> bool: ...
    def cancel(self) -> None:
        """Set the token and its children, from any thread; wakes everybody who waits with one of them."""
        ...

    def child(self) -> CancelToken:
        """Return a token that is set with this one, and can also be set alone."""
        ...

    def check(self) -> None:
        """Raise `Cancelled` if the token is set."""


class Condition(Protocol):
    """A condition variable bound to one clock. Hold its lock (``with``) to wait or notify."""

    def __enter__(self) -> object: ...
    def __exit__(self, *exc: object) -> None: ...
    def wait(self, timeout_s: float | None = None, cancel: CancelToken | None = None) -> bool:
        """Release the lock and wait; return False when ``timeout_s`` has passed. Raises `Cancelled`."""
        ...

    def wait_for(
        self, predicate: Callable[[], bool], timeout_s: float | None = None, cancel: CancelToken | None = None
    ) -> bool:
        """Wait until ``predicate()`` is true or ``timeout_s`` has passed; return its last value. Raises `Cancelled`."""
        ...

    def notify_all(self) -> None: ...


class ClockThread(Protocol):
    """A thread registered with the clock."""

    @property
    def name(self) -> str: ...
    @property
    def is_alive(self) -> bool: ...
    def join(self, timeout_s: float | None = None) -> bool:
        """Wait, in clock time, until the thread has ended; return False when ``timeout_s`` has passed first."""
        ...


class Clock(Protocol):
    """Source of monotonic and wall time, and of everything a thread may block on."""

    @property
    def speed(self) -> float | None:
        """Return how many clock seconds pass per real second; None where time is simulated and jumps."""
        ...

    def now(self) -> float:
        """Return the seconds since an arbitrary moment; never decreases."""
        ...

    def utc(self) -> datetime.datetime:
        """Return the wall time, timezone-aware UTC."""
        ...

    def sleep(self, seconds: float, cancel: CancelToken | None = None) -> None:
        """Wait ``seconds`` (a negative number counts as 0); raises `Cancelled` at once when ``cancel`` is set."""
        ...

    def condition(self) -> Condition:
        """Return a new condition whose waits run on this clock."""
        ...

    def token(self) -> CancelToken:
        """Return a new cancel token, not set, for waits on this clock only."""
        ...

    def thread(self, name: str, target: Callable[[], None]) -> ClockThread:
        """Start ``target`` on a daemon thread registered with the clock."""
        ...

    def registered(self) -> contextlib.AbstractContextManager[None]:
        """Register the calling thread (a test's main thread) for the ``with`` block."""
        ...

    def standing_in(self) -> contextlib.AbstractContextManager[None]:
        """Let the calling thread wait on behalf of a registered thread that is blocked on it.

        For a loopback HTTP handler: its client thread is blocked in a socket and still counted as
        runnable, so the handler's waits must give that count back.
        """
        ...


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point in time on a clock: ``Deadline.after(clock, 5.0)``."""

    clock: Clock
    at: float

    @classmethod
    def after(cls, clock: Clock, seconds: float) -> Deadline:
        """Return the deadline ``seconds`` from now."""
        return cls(clock, clock.now() + seconds)

    @property
    def remaining(self) -> float:
        """Return the seconds left, never negative."""
        return max(0.0, self.at - self.clock.now())

    @property
    def expired(self) -> bool:
        return self.clock.now() >= self.at

    def sooner(self, seconds: float) -> Deadline:
        """Return the earlier of this deadline and ``seconds`` from now."""
        return Deadline(self.clock, min(self.at, self.clock.now() + seconds))

    def check(self, what: str) -> None:
        """Raise `DeadlineExceeded` naming ``what`` if the deadline has passed."""
        if self.expired:
            raise DeadlineExceeded(f"{what}: no end within its deadline; try another cable or port, then retry")


def wait_for_predicate(
    condition: Condition,
    clock: Clock,
    predicate: Callable[[], bool],
    timeout_s: float | None,
    cancel: CancelToken | None,
) -> bool:
    """Implement `Condition.wait_for` for both clocks; the lock of ``condition`` is held."""
    due = None if timeout_s is None else clock.now() + timeout_s
    while not (result := predicate()):
        left = None if due is None else due - clock.now()
        if left is not None and left <= 0:
            break
        condition.wait(left, cancel)
    return result
