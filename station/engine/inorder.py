"""Does what several threads ask for one after the other, without a thread of its own and holding no lock meanwhile."""

from __future__ import annotations

import collections
import threading
from collections.abc import Callable


class InOrder:
    """Whoever comes while nobody is at it does all that is asked, until nothing is left; the others go on at once.

    For callers that must not wait, and whose work calls out to anybody: a lock held meanwhile might meet itself.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: collections.deque[Callable[[], None]] = collections.deque()
        self._is_busy = False

    def do(self, act: Callable[[], None]) -> None:
        """Call ``act`` after all that was asked before: now, or on the thread that is at it."""
        with self._lock:
            self._asked.append(act)
            if self._is_busy:
                return
            self._is_busy = True
        try:
            while (following := self._next()) is not None:
                following()
        except BaseException:
            with self._lock:
                self._is_busy = False  # the next one to come does what is left
            raise

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            self._is_busy = bool(self._asked)
            return self._asked.popleft() if self._asked else None
