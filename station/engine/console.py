"""A person at the console of the unit in one slot: what is typed goes out, what the unit prints becomes events.

The slot's own thread speaks to the unit; the others only queue what was typed and say when it ends.
"""

from __future__ import annotations

import threading
from collections import deque

from drivers.clock import CancelToken, Clock

from .commands import OpenConsole
from .console_events import ConsoleClosed, ConsoleEnd, ConsoleLine, ConsoleOpened, HandWorkBegun
from .events import Event, Head
from .ports import Printed, Session, Terminal
from .step import Emit

SLICE_S = 0.2
"""A line that has not ended is shown after so long a silence: it is a prompt."""
IDLE_S = 900.0
"""Seconds without anything typed after which the console is closed: nobody is there any more."""
MAX_WAITING = 32  # lines typed and not sent yet
MAX_LINES_S = 50.0
"""Lines a second shown of a unit that prints without end; the others are counted."""


class Conversation:
    """One use of a console. `type` and `end` may be called from any thread.

    ``record`` makes its beginning durable before anything is typed, and raises if it cannot.
    """

    def __init__(self, command: OpenConsole, clock: Clock, cancel: CancelToken, publish: Emit, record: Emit) -> None:
        self._command, self._clock, self._cancel = command, clock, cancel
        self._publish, self._record = publish, record
        self._device_id = command.device_id
        self._lock = threading.Lock()
        self._typed: deque[str] = deque()
        self._why: ConsoleEnd | None = None
        self._room, self._filled_at, self._skipped = MAX_LINES_S, 0.0, 0

    def type(self, text: str) -> None:
        """Queue what a person typed; what comes while `MAX_WAITING` lines wait is dropped."""
        with self._lock:
            if len(self._typed) < MAX_WAITING:
                self._typed.append(text)

    def end(self, why: ConsoleEnd) -> None:
        """End it, and all that is still asked of the unit for it; the first reason counts."""
        with self._lock:
            self._why = self._why or why
        self._cancel.cancel()

    def ended(self, reason: str = "") -> ConsoleClosed:
        """Return the event that says why it ended; ``reason``: what went wrong, if nobody ended it."""
        with self._lock:
            why = self._why or ("failed" if reason else "stopping")
        return ConsoleClosed(why=why, reason=reason if why == "failed" else "", **self.head())

    def hold(self, session: Session) -> None:
        """Open the console and go on until it ends. Raises `Cancelled`, `DriverError` and `JournalError`."""
        with session.console(self._command.device_id, self._begins) as terminal:
            self._tell(ConsoleOpened(**self.head()))
            self._filled_at = last = self._clock.now()
            while self._clock.now() - last < IDLE_S:
                self._cancel.check()
                if self._sent(terminal):
                    last = self._clock.now()
                for line in terminal.hear(SLICE_S):
                    self._show(line)
        self.end("idle")

    def head(self) -> Head:
        """Return the head of every event of it."""
        return {
            "at": self._clock.utc(), "slot": self._command.slot, "device_id": self._device_id or None,
            "attempt": self._command.attempt or None,
        }  # fmt: skip

    def _begins(self, device_id: str) -> None:
        self._device_id = device_id
        self._tell(HandWorkBegun(what="console", **self.head()))

    def _tell(self, event: Event) -> None:
        self._record(event)
        self._publish(event)

    def _sent(self, terminal: Terminal) -> bool:
        """Send what was typed first; one at a time, as a unit throws away what comes before its next prompt."""
        with self._lock:
            text = self._typed.popleft() if self._typed else None
        if text is None:
            return False
        terminal.type(text)
        return True

    def _show(self, line: Printed) -> None:
        now = self._clock.now()
        self._room = min(MAX_LINES_S, self._room + (now - self._filled_at) * MAX_LINES_S)
        self._filled_at = now
        if self._room < 1.0:
            self._skipped += 1
            return
        self._room -= 1.0
        skipped, self._skipped = self._skipped, 0
        self._publish(
            ConsoleLine(
                text=line.text, is_open=line.is_open, asks_secret=line.asks_secret, skipped=skipped, **self.head()
            )
        )
