"""What happens to a journal's file on a bench: another program locks it, the disk fills up and is freed.

For tests and for the simulation. Nothing is patched: the lock is one of SQLite's own from a second connection,
and a full disk is SQLite's own error at the page limit that `Journal.limit_pages` sets. Every method returns at
once and may be called at any moment of simulated time; what meets the trouble waits through the clock.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from station.journal import JOURNAL_FILE, Journal


class JournalTrouble:
    """Troubles of ``journal``; `free` ends them all, and must be called before the station stops."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._other: sqlite3.Connection | None = None

    def lock(self) -> None:
        """Another program holds the write lock, as a viewer with an open change does."""
        if self._other is None:
            path = self._journal.directory / JOURNAL_FILE
            self._other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._other.execute("BEGIN IMMEDIATE")

    def fill(self) -> None:
        """The disk is full from now on, but for the little room the last pages have."""
        self._journal.limit_pages(1)

    def free(self) -> None:
        """The other program ends, the disk has room again."""
        self._journal.limit_pages(None)
        if self._other is not None:
            self._other.rollback()
            self._other.close()
            self._other = None


@contextmanager
def troubled(journal: Journal) -> Iterator[JournalTrouble]:
    """Troubles that are over at the end of the block."""
    trouble = JournalTrouble(journal)
    try:
        yield trouble
    finally:
        trouble.free()
