"""Two request budgets: a token bucket for the whole station, and a window for the scarce serial look-up.

Both make callers wait on the clock; neither depends on HTTP.
"""

from __future__ import annotations

from collections import deque

from drivers.clock import CancelToken, Clock, Deadline

_EPSILON_S = 1e-6


class TokenBucket:
    """At most ``rate`` requests a second on average, ``burst`` at once; `pause` stops all of them (N3).

    Background requests have lower priority: they wait behind all requests for units in slots, and leave half
    a burst for the next unit that is plugged in.
    """

    def __init__(self, clock: Clock, rate: float, burst: int) -> None:
        self._clock = clock
        self._room = clock.condition()
        self._rate, self._burst = rate, float(burst)
        self._tokens, self._stamp = float(burst), clock.now()
        self._paused_until = clock.now()
        self._foreground_waiting = 0

    def take(self, deadline: Deadline | None, cancel: CancelToken | None, *, is_background: bool = False) -> bool:
        """Wait for a token; return False at once when there will be none before ``deadline``. Raises `Cancelled`."""
        with self._room:
            self._foreground_waiting += not is_background
            try:
                while (wait_s := self._wait_s(is_background)) > _EPSILON_S:
                    if deadline is not None and wait_s > deadline.remaining:
                        return False
                    self._room.wait(wait_s, cancel)
                self._tokens -= 1.0
                return True
            finally:
                self._foreground_waiting -= not is_background

    def pause(self, seconds: float) -> None:
        """Block all requests for ``seconds``, including those already waiting."""
        with self._room:
            self._paused_until = max(self._paused_until, self._clock.now() + seconds)

    def _wait_s(self, is_background: bool) -> float:
        now = self._clock.now()
        self._tokens = min(self._burst, self._tokens + (now - self._stamp) * self._rate)
        self._stamp = now
        reserved = self._foreground_waiting + (self._burst - 1.0) / 2 if is_background else 0.0
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
