"""Keeps the last exchanges of one attempt with its unit in words, for the record of an attempt that went wrong."""

from __future__ import annotations

import collections

from drivers.clock import Clock
from drivers.devices import Trace
from drivers.plain_text import printable

MOST_LINES = 40
MOST_BYTES = 4096
MOST_CHARACTERS = 240
"""Of one line; a unit decides how long some answers are."""


class WireTail:
    """Keeps the end of a wire trace, at most `MOST_LINES` and `MOST_BYTES`. ``also``: who takes the whole of it."""

    def __init__(self, clock: Clock, also: Trace | None = None) -> None:
        self._clock, self._also = clock, also
        self._lines: collections.deque[str] = collections.deque(maxlen=MOST_LINES)

    def add(self, line: str) -> None:
        """Keep the words of ``line``, a `Trace`, behind the time (UTC), without its bytes."""
        at, words = self._clock.utc(), printable(line.partition("\n")[0])[:MOST_CHARACTERS]
        self._lines.append(f"{at:%H:%M:%S}.{at.microsecond // 1000:03}Z {words}")
        if self._also is not None:
            self._also(line)

    def lines(self) -> tuple[str, ...]:
        """Return what was kept, oldest first: ``10:14:03.120Z request 21 SERIAL_NUMBER: P044AB1234501, 3 ms``."""
        kept: list[str] = []
        room = MOST_BYTES
        for line in reversed(self._lines):
            room -= len(line.encode())
            if room < 0:
                break
            kept.append(line)
        return tuple(reversed(kept))
