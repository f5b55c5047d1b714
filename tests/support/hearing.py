"""Keeps what a station tells and lets threads wait for an event, at the price of one change of threads a wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from drivers.clock import CancelToken, Clock, Condition
from station.engine.events import Event

Wanted = Callable[[Event], bool]


@dataclass(slots=True, eq=False)
class _Ear:
    """A thread that waits: ``news`` tells it that ``place`` or ``trouble`` is there."""

    wanted: Wanted
    news: Condition
    place: int | None = None
    trouble: Exception | None = None  # of `wanted`, raised where it was asked for

    @property
    def is_served(self) -> bool:
        return self.place is not None or self.trouble is not None

    def hears(self, event: Event, place: int) -> bool:
        """Take note of an event; return whether the wait is over by it."""
        if self.is_served:
            return False
        try:
            if self.wanted(event):
                self.place = place
        except Exception as trouble:
            self.trouble = trouble
        return self.is_served


class Hearing:
    """``events``: all that was told, each with its simulated second. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.events: list[tuple[float, Event]] = []
        self._lock, self._ears = threading.RLock(), list[_Ear]()

    def saw(self, event: Event) -> None:
        """Keep ``event`` and wake whoever waits for it."""
        with self._lock:
            self.events.append((self._clock.now(), event))
            served = [ear for ear in self._ears if ear.hears(event, len(self.events) - 1)]
        for ear in served:
            with ear.news:
                ear.news.notify_all()

    def find(self, wanted: Wanted, *, since: int, within: float, cancel: CancelToken | None = None) -> int | None:
        """Return the place of the first event from ``since`` on that is ``wanted``, awaited ``within`` clock seconds.

        None when they have passed. ``wanted`` is asked on the thread that tells: a waiting thread woken by each of the
        400 events of a walk would double its changes of threads, which are a good part of what a walk costs.
        """
        ear = _Ear(wanted, self._clock.condition())
        with self._lock:
            for place in range(since, len(self.events)):
                if wanted(self.events[place][1]):
                    return place
            self._ears.append(ear)
        try:
            with ear.news:
                ear.news.wait_for(lambda: ear.is_served, within, cancel)
        finally:
            with self._lock:
                self._ears.remove(ear)
        if ear.trouble is not None:
            raise ear.trouble
        return ear.place
