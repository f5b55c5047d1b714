"""Queues commands and carries them out on one thread, so that the sender never waits."""

from __future__ import annotations

import collections
from collections.abc import Callable

from drivers.clock import Clock, ClockThread

from .commands import Command


class Inbox:
    """Calls ``carry_out`` with one command after the other, in the order sent. ``carry_out`` must not raise."""

    def __init__(self, clock: Clock, carry_out: Callable[[Command], None]) -> None:
        self._clock, self._carry_out = clock, carry_out
        self._condition = clock.condition()
        self._waiting: collections.deque[Command] = collections.deque()
        self._is_stopping = False
        self._thread: ClockThread | None = None

    def start(self) -> None:
        """Start the thread; commands put before now are carried out first."""
        self._thread = self._clock.thread("commands", self._run)

    def put(self, command: Command) -> None:
        """Queue ``command`` and return at once. Callable from any thread; ignored after `stop`."""
        with self._condition:
            self._waiting.append(command)
            self._condition.notify_all()

    def stop(self) -> None:
        """Carry out what is queued, then end the thread."""
        with self._condition:
            self._is_stopping = True
            self._condition.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while (command := self._next()) is not None:
            self._carry_out(command)

    def _next(self) -> Command | None:
        with self._condition:
            self._condition.wait_for(lambda: bool(self._waiting) or self._is_stopping)
            return self._waiting.popleft() if self._waiting else None
