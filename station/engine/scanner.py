"""One scanner, one question at a time: whose turn it is, what has been scanned for whom, and whose label it is."""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Callable, Iterator

from drivers.clock import CancelToken, Clock

from ..scan.reading import Reading


class ScannerTurn:
    """The turn of the bench's scanner, in the order of asking.

    Were several slots to ask at once, a label would be handed to the unit it names, and two units
    with swapped labels would both pass (A5).
    """

    def __init__(self, clock: Clock) -> None:
        self._condition = clock.condition()
        self._queue: collections.deque[object] = collections.deque()
        self.desks: list[SlotDesk] = []

    @contextlib.contextmanager
    def hold(self, cancel: CancelToken, waits: Callable[[int], None]) -> Iterator[None]:
        """Wait until everybody who asked before is through; raises `Cancelled`.

        ``waits`` hears how many are before, first and whenever it changes; it is called off the lock.
        """
        me = object()
        with self._condition:
            self._queue.append(me)
        try:
            before = -1
            while (before := self._moved(me, before, cancel)) > 0:
                waits(before)
            yield
        finally:
            with self._condition:
                self._queue.remove(me)
                self._condition.notify_all()

    def _moved(self, me: object, before: int, cancel: CancelToken) -> int:
        """How many are before ``me``, as soon as it is another number than ``before``."""
        with self._condition:
            self._condition.wait_for(lambda: self._queue.index(me) != before, None, cancel)
            return self._queue.index(me)


class SlotDesk:
    """Scans bound to one slot, waiting for the step that asked.

    ``names``: every identity known of the unit in this slot, for the slots that wonder whose label they were shown.
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
        with self._condition:
            self._scans.append(read)
            self._condition.notify_all()

    def clear(self) -> None:
        with self._condition:
            self._scans.clear()

    @contextlib.contextmanager
    def my_turn(self, cancel: CancelToken, waits: Callable[[int], None]) -> Iterator[None]:
        """Have the scanner for this slot alone; ``waits`` and `Cancelled` as `ScannerTurn.hold`."""
        with self._turn.hold(cancel, waits):
            self.is_waiting = True
            try:
                yield
            finally:
                self.is_waiting = False

    def wait_scan(self, timeout_s: float, cancel: CancelToken) -> Reading | None:
        """The next scan for this slot, one that came before it asked included; None after ``timeout_s``."""
        with self._condition:
            arrived = self._condition.wait_for(lambda: bool(self._scans), timeout_s, cancel)
            return self._scans.popleft() if arrived else None

    def neighbour(self, number: str) -> int:
        """Return the other slot that holds the unit with that number; 0 if none does."""
        return next((desk.slot for desk in self._turn.desks if desk is not self and number in desk.names()), 0)

    @property
    def has_nameless_neighbour(self) -> bool:
        """Another slot holds a unit that has told its Device ID only, as one in DFU does."""
        return any(len(desk.names()) == 1 for desk in self._turn.desks if desk is not self)
