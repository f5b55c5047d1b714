"""Two request budgets: a token bucket for the whole station, and a window for the scarce serial look-up.

Both make callers wait on the clock; neither depends on HTTP.
"""

from __future__ import annotations

import enum
from collections import deque

from drivers.clock import CancelToken, Clock, Deadline

_EPSILON_S = 1e-6


class Priority(enum.IntEnum):
    """Who waits for the answer. A class waits behind all requests of those before it."""

    UNIT = 0  # a unit on the bench
    OWED = 1  # owed work
    POLL = 2  # owed work that was tried before and waits for something

    @property
    def leaves(self) -> float:
        """Return the share of a burst that is left for the classes before it."""
        return (0.0, 0.5, 0.75)[self]


class TokenBucket:
    """At most ``rate`` requests a second on average, ``burst`` at once; `pause` stops all of them (N3)."""

    def __init__(self, clock: Clock, rate: float, burst: int) -> None:
        self._clock = clock
        self._room = clock.condition()
        self._rate, self._burst = rate, float(burst)
        self._tokens, self._stamp = float(burst), clock.now()
        self._paused_until = clock.now()
        self._waiting = [0] * len(Priority)

    def take(self, deadline: Deadline | None, cancel: CancelToken | None, priority: Priority = Priority.UNIT) -> bool:
        """Wait for a token; return False at once when there will be none before ``deadline``. Raises `Cancelled`."""
        with self._room:
            self._waiting[priority] += 1
            try:
                while (wait_s := self._wait_s(priority)) > _EPSILON_S:
                    if deadline is not None and wait_s > deadline.remaining:
                        return False
                    self._room.wait(wait_s, cancel)
                self._tokens -= 1.0
                return True
            finally:
                self._waiting[priority] -= 1

    def pause(self, seconds: float) -> None:
        """Block all requests for ``seconds``, including those already waiting."""
        with self._room:
            self._paused_until = max(self._paused_until, self._clock.now() + seconds)

    def _wait_s(self, priority: Priority) -> float:
        now = self._clock.now()
        self._tokens = min(self._burst, self._tokens + (now - self._stamp) * self._rate)
        self._stamp = now
        reserved = sum(self._waiting[:priority]) + (self._burst - 1.0) * priority.leaves
        return max(self._paused_until - now, (1.0 + reserved - self._tokens) / self._rate, 0.0)


class Window:
    """At most ``limit`` requests in any ``seconds``; further ones wait until the oldest has expired (A15)."""

    def __init__(self, clock: Clock, limit: int, seconds: float) -> None:
        self._clock = clock
        self._room = clock.condition()
        self._limit, self._seconds = limit, seconds
        self._sent: deque[float] = deque()

    def take(self, deadline: Deadline | None, cancel: CancelToken | None) -> bool:
        """Wait for a request to be allowed, as `TokenBucket.take` does."""
        with self._room:
            while (wait_s := self._wait_s()) > _EPSILON_S:
                if deadline is not None and wait_s > deadline.remaining:
                    return False
                self._room.wait(wait_s, cancel)
            self._sent.append(self._clock.now())
            return True

    def _wait_s(self) -> float:
        now = self._clock.now()
        while self._sent and now - self._sent[0] >= self._seconds - _EPSILON_S:
            self._sent.popleft()
        return self._sent[0] + self._seconds - now if len(self._sent) >= self._limit else 0.0
