"""Serializes calls from several threads, without a thread of its own and without holding a lock during a call."""

from __future__ import annotations

import collections
import threading
from collections.abc import Callable


class InOrder:
    """The first caller drains the queue; later callers enqueue and return.

    For callers that must not wait and whose work calls other rooms, where a held lock could deadlock.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: collections.deque[Callable[[], None]] = collections.deque()
        self._is_busy = False

    def do(self, act: Callable[[], None]) -> None:
        """Call ``act`` after everything enqueued before it: now, or on the thread that is draining the queue."""
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
                self._is_busy = False  # the next caller drains the rest
            raise

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            self._is_busy = bool(self._asked)
            return self._asked.popleft() if self._asked else None
