"""Ports and slots that are no business of the station: what is plugged in there starts nothing and counts nowhere."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from drivers.hotplug import Attached
from drivers.identity import PortPath

from ..model import OffSlot


class ClosedPlaces:
    """Excluded ports, slots out of service, and the units that wait in such slots. Thread-safe.

    ``ignored``: ports by their path, with what sits there.
    """

    def __init__(self, ignored: Mapping[str, str], off: Iterable[OffSlot]) -> None:
        self._ignored = ignored
        self._lock = threading.Lock()
        self._off = {slot.number: slot for slot in off}
        self._shelved: dict[PortPath, tuple[int, Attached]] = {}

    @property
    def off(self) -> tuple[OffSlot, ...]:
        with self._lock:
            return tuple(self._off.values())

    def ignores(self, port: PortPath) -> bool:
        """Return whether the port is excluded, by its controller or by its bus."""
        return port.value in self._ignored or port.on_bus in self._ignored

    def is_off(self, number: int) -> bool:
        with self._lock:
            return number in self._off

    def shelve(self, number: int, event: Attached) -> bool:
        """Keep an arrival in slot ``number`` for later if that is out of service; return whether it is."""
        with self._lock:
            if number not in self._off:
                return False
            self._shelved[event.candidate.port_path] = (number, event)
            return True

    def left(self, port: PortPath) -> bool:
        """Forget the unit kept on ``port``; return whether there was one."""
        with self._lock:
            return self._shelved.pop(port, None) is not None

    def take_out(self, slot: OffSlot) -> None:
        with self._lock:
            self._off[slot.number] = slot

    def put_back(self, number: int) -> Attached | None:
        """Put slot ``number`` into service; return the arrival kept for it, if any."""
        with self._lock:
            self._off.pop(number, None)
            found = next((port for port, (slot, _) in self._shelved.items() if slot == number), None)
            return None if found is None else self._shelved.pop(found)[1]
