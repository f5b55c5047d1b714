"""What the slots of a bench share: whose turn it is."""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from drivers.clock import CancelToken, Clock


@dataclass(frozen=True, slots=True, eq=False)
class _Caller:
    rank: int


class Turn:
    """Grants something there is one of at the station, or ``places`` of, in the order of asking."""

    def __init__(self, clock: Clock, places: int = 1) -> None:
        self._condition, self._places = clock.condition(), places
        self._queue: collections.deque[_Caller] = collections.deque()

    @contextlib.contextmanager
    def hold(self, cancel: CancelToken, waits: Callable[[int], None], rank: int = 0) -> Iterator[None]:
        """Wait until it is free of earlier callers, then hold it for the block. Raises `Cancelled`.

        ``waits`` is called with the number of callers that have to be done first, at first and whenever it changes,
        without the lock. Of those that wait, the ones of a lower ``rank`` come first.
        """
        me = _Caller(rank)
        with self._condition:
            behind = (at for at, one in enumerate(self._queue) if at >= self._places and one.rank > rank)
            self._queue.insert(next(behind, len(self._queue)), me)
            self._condition.notify_all()
        try:
            before = -1
            while (before := self._moved(me, before, cancel)) >= self._places:
                waits(before - self._places + 1)
            yield
        finally:
            with self._condition:
                self._queue.remove(me)
                self._condition.notify_all()

    def _moved(self, me: _Caller, before: int, cancel: CancelToken) -> int:
        """Wait until the number of callers ahead of ``me`` is no longer ``before``; return it."""
        with self._condition:
            self._condition.wait_for(lambda: self._queue.index(me) != before, None, cancel)
            return self._queue.index(me)
