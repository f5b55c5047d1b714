"""A bounded queue of events from any thread to the app's: progress is coalesced, verdicts never are."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ..engine.events import Event, Measured, StepProgress, WireTraced

MAX_WAITING = 4096
"""Above this number, events shown only in the technician's view are dropped; all others never are."""

_DROPPABLE = (WireTraced, Measured)
_PATIENT = (StepProgress, *_DROPPABLE)
"""What nobody waits for: drawn at most ten times a second."""


class EventPump:
    """Queues events and wakes the reader once, however many are queued. Thread-safe.

    ``wake`` is called on the thread of `put`, until the next `take` at most once, and once more for the first event
    that somebody waits for.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._waiting: list[Event] = []
        self._progress: dict[tuple[int, str], int] = {}
        self._is_awake = self._is_urgent = False
        self._is_closed = False

    @property
    def is_urgent(self) -> bool:
        """Return whether more is queued than progress, measurements and traces."""
        with self._lock:
            return self._is_urgent

    def put(self, event: Event) -> None:
        """Queue ``event`` and wake the reader unless that was done already. Never blocks; ignored after `close`."""
        with self._lock:
            if self._is_closed or not self._admit(event):
                return
            is_urgent = not isinstance(event, _PATIENT)
            if self._is_awake and (self._is_urgent or not is_urgent):
                return
            self._is_awake, self._is_urgent = True, self._is_urgent or is_urgent
        self._wake()

    def take(self) -> tuple[Event, ...]:
        """Return everything queued, in order. Called on the reader's thread only."""
        with self._lock:
            taken, self._waiting = tuple(self._waiting), []
            self._progress.clear()
            self._is_awake = self._is_urgent = False
        return taken

    def close(self) -> None:
        """Discard what is queued, and all later events."""
        with self._lock:
            self._is_closed = True
            self._waiting.clear()

    def _admit(self, event: Event) -> bool:
        if isinstance(event, StepProgress):
            return self._coalesce(event)
        if isinstance(event, _DROPPABLE) and len(self._waiting) >= MAX_WAITING:
            return False
        for key in [key for key in self._progress if key[0] == event.slot]:
            del self._progress[key]  # later progress must stay behind this event
        self._waiting.append(event)
        return True

    def _coalesce(self, event: StepProgress) -> bool:
        key = (event.slot, event.step)
        place = self._progress.get(key)
        if place is None:
            self._progress[key] = len(self._waiting)
            self._waiting.append(event)
        else:
            self._waiting[place] = event
        return True
