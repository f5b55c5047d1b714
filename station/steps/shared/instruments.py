"""What the programs of this computer measured on the units before: one that finds every unit bad is doubted.

The burden of proof: a power meter with a broken lead measures every unit alike, and good ones would fill the red bin.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

from .values import Judged

IN_A_ROW = 3
"""Units out of the same limit by the same program, none between them within it: from this one on it is the program
that has to prove itself. A line that fails one unit in twenty sees that by chance once in 8,000 units."""


class Instruments:
    """Values out of their limits, of all slots, since the last unit within them. Thread-safe.

    What was measured before the station started is asked for once a value, when it is measured again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._out: dict[tuple[tuple[str, ...], str], list[str]] = {}  # program and value -> Device IDs

    def doubted(
        self, command: Sequence[str], judged: Iterable[Judged], device_id: str, before: Callable[[str], Iterable[str]]
    ) -> frozenset[str]:
        """Note what a program measured on a unit; return the names of values that `IN_A_ROW` units are out with.

        A unit that is measured again counts once. One that is within the limit proves the instrument, and itself.
        ``before``: the Device IDs of those out with a value of that name, by the record.
        """
        with self._lock:
            return frozenset(one.name for one in judged if self._noted(tuple(command), one, device_id, before))

    def _noted(
        self, command: tuple[str, ...], one: Judged, device_id: str, before: Callable[[str], Iterable[str]]
    ) -> bool:
        if (command, one.name) not in self._out:
            self._out[command, one.name] = list(before(one.name))
        units = self._out[command, one.name]
        if not one.is_out:
            units.clear()
        elif device_id not in units:
            units.append(device_id)
        return len(units) >= IN_A_ROW
