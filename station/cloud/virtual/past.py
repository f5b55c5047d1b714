"""What was stored before recent writes: a cloud of many machines shows a write late (`Quirks.lag_s`)."""

from __future__ import annotations

import collections
import datetime

from .store import Store


class Past:
    """Copies of the store, each from just before a write. To be used while the store is locked."""

    def __init__(self) -> None:
        self._copies: collections.deque[tuple[datetime.datetime, Store]] = collections.deque()

    def keep(self, store: Store, now: datetime.datetime) -> None:
        self._copies.append((now, store.copy()))

    def as_of(self, moment: datetime.datetime) -> Store | None:
        """Return the store as it was at ``moment``; None if nothing was written since. Forgets what was before."""
        while self._copies and self._copies[0][0] < moment:
            self._copies.popleft()[1].close()
        return self._copies[0][1] if self._copies else None

    def close(self) -> None:
        while self._copies:
            self._copies.popleft()[1].close()
