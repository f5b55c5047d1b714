"""A simulated clock that keeps account of who waited, for how long, and in which step of a walk."""

from __future__ import annotations

import sys
import threading
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from drivers.clock import CancelToken, SimulatedClock

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Site:
    """Where a thread waited. ``step``: of the walk it was in, "" outside one."""

    step: str
    kind: str  # a key of `KINDS`
    place: str  # module and function


KINDS = {"unit": "the unit's own time: transfers, flash, radio", "bus": "the unit is off the bus", "ours": "our waits"}
_KIND_OF = (("drivers/virtual/", "unit"), ("drivers/hotplug/", "bus"))


class WatchedClock(SimulatedClock):
    """Sums up the simulated seconds of every wait by `Site`. What nobody waits for takes no simulated time."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: defaultdict[Site, list[float]] = defaultdict(list)
        self._began = threading.local()

    def enter_wait(self, timeout_s: float | None, cancel: CancelToken | None, room: Any) -> Any:
        """Begin a wait; time may jump before this returns."""
        self._began.at = self.now()
        return super().enter_wait(timeout_s, cancel, room)

    def finish_wait(self, waiter: Any, cancel: CancelToken | None) -> None:
        """Wait, and note how long it took since it began."""
        super().finish_wait(waiter, cancel)
        seconds = self.now() - self._began.at
        if seconds > 0:
            site = _site(sys._getframe(1))
            with self.master:
                self.waits[site].append(seconds)


def _site(frame: FrameType | None) -> Site:
    kind, place, step = "", "", ""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(str(ROOT)):
            name = name[len(str(ROOT)) + 1 :]
            if not place and name.startswith(("drivers/", "station/")) and not name.startswith("drivers/clock/"):
                kind = next((kind for start, kind in _KIND_OF if name.startswith(start)), "ours")
                place = f"{name.removesuffix('.py').replace('/', '.')}.{frame.f_code.co_qualname}"
            if name == "station/engine/attempt.py" and "context" in frame.f_locals:
                step = frame.f_locals["context"].step
                break
        frame = frame.f_back
    return Site(step, kind, place)
