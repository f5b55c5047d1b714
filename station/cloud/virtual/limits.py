"""What an address and an account may ask for in what time (reference cloud-api 9), counted with the cloud's clock."""

from __future__ import annotations

import collections
import threading
from dataclasses import dataclass

from .refusals import Refusal


@dataclass(frozen=True, slots=True)
class Limit:
    """``count`` uses within ``window_s`` seconds; more are refused until the oldest is that old."""

    count: int
    window_s: float
    refusal: Refusal = Refusal.TOO_MANY


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits. ``says_when``: a refusal has a ``Retry-After`` header, which nobody has confirmed of the real one."""

    calls: Limit = Limit(10_000, 300)
    tokens: Limit = Limit(100, 300)
    lookups: Limit = Limit(50, 3600, Refusal.TOO_MANY_LOOKUPS)
    streams: Limit = Limit(100, 300, Refusal.TOO_MANY_STREAMS)
    open_streams: int = 100
    bad_logins: int = 10
    login_lock_s: float = 1800.0
    says_when: bool = True


class Meter:
    """Counts uses by what and who. Thread-safe. Knows no clock: every call says what time it is, in seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uses: dict[tuple[str, str], collections.deque[float]] = collections.defaultdict(collections.deque)
        self._strikes: collections.Counter[str] = collections.Counter()
        self._locked_until: dict[str, float] = {}

    def use(self, what: str, who: str, limit: Limit, now: float) -> float:
        """Count one use; return 0, or after how many seconds the next one is free when the limit is reached."""
        with self._lock:
            uses = self._uses[what, who]
            while uses and uses[0] <= now - limit.window_s:
                uses.popleft()
            if len(uses) >= limit.count:
                return max(1.0, uses[0] + limit.window_s - now)
            uses.append(now)
            return 0.0

    def used(self, what: str, who: str) -> int:
        """Return how many uses are on record."""
        with self._lock:
            return len(self._uses[what, who])

    def locked_for(self, who: str, now: float) -> float:
        """Return for how many seconds more nobody at an address may log in; 0 if they may."""
        with self._lock:
            return max(0.0, self._locked_until.get(who, 0.0) - now)

    def strike(self, who: str, limits: Limits, now: float) -> None:
        """Count a failed login; enough of them in a row lock the address."""
        with self._lock:
            self._strikes[who] += 1
            if self._strikes[who] >= limits.bad_logins:
                self._locked_until[who] = now + limits.login_lock_s
                del self._strikes[who]

    def forgive(self, who: str) -> None:
        """Forget failed logins after a good one."""
        with self._lock:
            self._strikes.pop(who, None)
