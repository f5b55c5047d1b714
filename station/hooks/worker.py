"""Tells one hook what the journal has for it, in order, each at least once: one thread a hook, off the line.

How far it has come stands in a small file beside the journal, written after the other side took the message: a station
that is killed in between tells it again, under the same key. A message that is not taken holds up those behind it, and
is tried again for as long as it takes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

from drivers.clock import Clock, ClockThread
from drivers.errors import Cancelled
from drivers.host.plain_file import written_whole

from ..engine.events import Event, StationFault, StationNote
from ..engine.step import Emit
from ..errors import JournalError
from .channel import Hook, HookTrouble, body_of
from .messages import EVENT_OF, About, Entry, key_of, message_of

RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Pauses while a message is not taken; the last one repeats."""
AT_ONCE = 100
"""Entries read at a time."""


class HookJournal(About, Protocol):
    """What is read of the journal."""

    def following(self, seq: int, kinds: Collection[str], most: int) -> tuple[Sequence[Entry], int]:
        """Return the first ``most`` entries of ``kinds`` behind ``seq``, and the number of the last entry of all."""
        ...


class HookWorker:
    """The thread of one hook. ``folder``: where it remembers how far it has come."""

    def __init__(self, hook: Hook, journal: HookJournal, clock: Clock, folder: Path, publish: Emit) -> None:
        self._hook, self._journal, self._clock, self._publish = hook, journal, clock, publish
        self._kinds = frozenset(kind for kind, event in EVENT_OF.items() if event in hook.events)
        self._place = folder / f"hook-{hook.name}"
        self._condition, self._token = clock.condition(), clock.token()
        self._has_news = True
        self._seq = self._failures = 0
        self._thread: ClockThread | None = None

    def start(self) -> None:
        """Start the thread; a hook that is new begins with what happens from now on."""
        if self._kinds:
            self._seq = self._begin()
            with contextlib.suppress(OSError):  # the first message that cannot be noted is told of
                self._keep(self._seq)
            self._thread = self._clock.thread(f"hook-{self._hook.name}", self._loop)

    def stop(self) -> None:
        """End the thread; what was not told is told after the next start."""
        self._token.cancel()
        if self._thread is not None:
            self._thread.join()

    def saw(self, event: Event) -> None:
        """Wake up for an event that is to be told; it is committed already."""
        if event.kind in self._kinds:
            with self._condition:
                self._has_news = True
                self._condition.notify_all()

    def _begin(self) -> int:
        _, last = self._journal.following(0, (), 0)
        try:
            return min(int(self._place.read_text("ascii")), last)  # the journal may be an older copy, put back
        except (OSError, ValueError):
            return last

    def _keep(self, seq: int) -> None:
        self._seq = seq
        with written_whole(self._place) as file:
            file.write(b"%d\n" % seq)

    def _loop(self) -> None:
        with contextlib.suppress(Cancelled):
            while True:
                if self._failures:
                    self._clock.sleep(RETRY_S[min(self._failures, len(RETRY_S)) - 1], self._token)
                else:
                    with self._condition:
                        self._condition.wait_for(lambda: self._has_news, None, self._token)
                self._has_news = False
                self._guarded_round()

    def _guarded_round(self) -> None:
        try:
            while self._tell_some():
                self._token.check()
        except (HookTrouble, JournalError, OSError) as error:
            self._failures += 1
            if self._failures == 1:
                reason = f"hook {self._hook.name}: {error}; it is told again until it takes it"
                self._publish(StationFault(at=self._clock.utc(), reason=reason))

    def _tell_some(self) -> bool:
        """Tell what there is, at most `AT_ONCE`; False when there is no more."""
        entries, last = self._journal.following(self._seq, self._kinds, AT_ONCE)
        for entry in entries:
            message = message_of(entry, self._journal)
            if message is not None:
                self._hook.channel.send(body_of(message), key_of(entry), self._hook.timeout_s, self._token)
            self._keep(entry.seq)
            if self._failures:
                self._failures = 0
                reason = f"hook {self._hook.name}: it takes what happened again"
                self._publish(StationNote(at=self._clock.utc(), reason=reason))
        if len(entries) == AT_ONCE:
            return True
        self._seq = max(self._seq, last)  # nothing for this hook is left before it; the file may lag behind
        self._failures = 0
        return False
