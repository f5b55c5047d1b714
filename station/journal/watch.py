"""Looks at what a person should know before it costs units: a disk that fills, a slot, cable or batch that drifts."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from .drift import drifts, recent
from .reader import JournalReader

LOW_BYTES = 500 << 20
"""Free space below which the disk is told of: some 50,000 units."""


def free_bytes(directory: Path) -> int:
    """Return how many bytes can still be written below ``directory``. Raises `OSError`."""
    return shutil.disk_usage(directory).free


EVERY = 8
"""Looks for one at drift, which takes some hundredths of a second: verdicts come every second, drift takes hours."""


class Watch:
    """Tells each thing once; again only after it was over in between. ``free`` as `free_bytes`. Any thread."""

    def __init__(self, journal: JournalReader, free: Callable[[Path], int] = free_bytes) -> None:
        self._journal, self._free = journal, free
        self._lock = threading.Lock()
        self._told: frozenset[str] = frozenset()
        self._looks, self._drifting = 0, dict[str, str]()

    def look(self) -> tuple[str, ...]:
        """Return what is new to tell, a sentence each. Raises `JournalError` while the journal cannot be read."""
        with self._lock:
            is_due, self._looks = self._looks % EVERY == 0, self._looks + 1
        drifting = dict(self._drift()) if is_due else self._drifting
        found = dict(self._disk()) | drifting
        with self._lock:
            self._drifting = drifting
            told, self._told = self._told, frozenset(found)
        return tuple(sentence for key, sentence in found.items() if key not in told)

    def _disk(self) -> Iterator[tuple[str, str]]:
        directory = self._journal.directory
        try:
            free = self._free(directory)
        except OSError:  # who cannot tell how full it is will say so when something is written
            return
        if free < LOW_BYTES:
            told = f"only {free >> 20} MB are left on the disk of {directory}; free some before slots wait for it"
            yield "disk", told

    def _drift(self) -> Iterator[tuple[str, str]]:
        with self._journal.snapshot() as db:
            walked = recent(db)
        yield from ((f"{one.where} {one.step}", str(one)) for one in drifts(walked))
