"""Delivers every event to every observer. One that fails is dropped; what must not be lost is in the journal."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from .events import Event

log = logging.getLogger(__name__)

Observer = Callable[[Event], None]


class Bus:
    """Publishes events, thread-safe. Observers run on the publisher's thread and must not block."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._observers: tuple[Observer, ...] = ()

    def subscribe(self, observer: Observer) -> None:
        """Call ``observer`` with every event from now on, until it raises."""
        with self._lock:
            self._observers = (*self._observers, observer)

    def publish(self, event: Event) -> None:
        """Give ``event`` to every observer, in the order they subscribed."""
        for observer in self._observers:
            try:
                observer(event)
            except Exception:
                log.exception("an observer failed on %s and is dropped", event.kind)
                self._drop(observer)

    def _drop(self, observer: Observer) -> None:
        with self._lock:
            self._observers = tuple(kept for kept in self._observers if kept is not observer)
