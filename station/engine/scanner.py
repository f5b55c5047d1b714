"""Shares the bench's one scanner among slots: whose turn it is, and the scans queued for each slot."""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Callable, Iterator

from drivers.clock import CancelToken, Clock

from ..scan.reading import Reading
from .turn import Turn


class ScannerTurn(Turn):
    """Grants the scanner in the order of asking.

    If several slots asked at once, a label would go to the unit it names, and two units with swapped labels
    would both pass (A5).
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.desks: list[SlotDesk] = []


class SlotDesk:
    """Queues the scans for one slot until its step reads them.

    ``names``: every identity known of the unit in this slot, by which other slots recognize its label.
    """

    def __init__(
        self, clock: Clock, turn: ScannerTurn, slot: int = 0, names: Callable[[], frozenset[str]] = frozenset
    ) -> None:
        self._condition, self._turn = clock.condition(), turn
        self._scans: collections.deque[Reading] = collections.deque(maxlen=4)
        self.slot, self.names = slot, names
        self.is_waiting = False
        turn.desks.append(self)

    def put(self, read: Reading) -> None:
        """Queue a scan; of more than four the oldest is dropped. Callable from any thread."""
        with self._condition:
            self._scans.append(read)
            self._condition.notify_all()

    def clear(self) -> None:
        """Drop all queued scans."""
        with self._condition:
            self._scans.clear()

    @contextlib.contextmanager
    def my_turn(self, cancel: CancelToken, waits: Callable[[int], None]) -> Iterator[None]:
        """Hold the scanner for this slot; ``waits`` and `Cancelled` as in `Turn.hold`."""
        with self._turn.hold(cancel, waits):
            self.is_waiting = True
            try:
                yield
            finally:
                self.is_waiting = False

    def wait_scan(self, timeout_s: float, cancel: CancelToken) -> Reading | None:
        """Return the next scan for this slot, also one queued before the call; None after ``timeout_s``."""
        with self._condition:
            arrived = self._condition.wait_for(lambda: bool(self._scans), timeout_s, cancel)
            return self._scans.popleft() if arrived else None

    def neighbour(self, number: str) -> int:
        """Return the other slot whose unit has that number; 0 if none has."""
        return next((desk.slot for desk in self._turn.desks if desk is not self and number in desk.names()), 0)

    @property
    def nameless_neighbour(self) -> int:
        """Return another slot with a unit of which only the Device ID is known, as in DFU mode; 0 if there is none."""
        return next((desk.slot for desk in self._turn.desks if desk is not self and len(desk.names()) == 1), 0)
