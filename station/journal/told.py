"""Everything the journal was told of one attempt, in order: what a report of it is made from."""

from __future__ import annotations

import json
import sqlite3

from .chain import Row
from .reader import JournalReader
from .stored import some_rows

_OF_ATTEMPT = "WHERE seq IN (SELECT seq FROM journal WHERE attempt = (SELECT number FROM names WHERE name = ?))"
_ENDED = "WHERE seq = (SELECT finished_seq FROM attempts WHERE attempt = ?)"
_ABANDONED = """SELECT 1 FROM attempts JOIN journal ON journal.seq = finished_seq WHERE attempts.attempt = ?
    AND kind = (SELECT number FROM names WHERE name = 'AttemptAbandoned')"""
_STARTED_BEFORE = """WHERE seq = (SELECT max(seq) FROM journal WHERE unit IS NULL AND attempt IS NULL
    AND kind = (SELECT number FROM names WHERE name = 'StationStarted')
    AND seq < (SELECT started_seq FROM attempts WHERE attempt = ?))"""


def told_of_attempt(journal: JournalReader, attempt: str) -> tuple[Row, ...]:
    """Return every entry of ``attempt`` in order, those that came after its end too; none of an unknown one."""
    with journal.snapshot() as db:
        return tuple(some_rows(db, _OF_ATTEMPT, attempt))


def wire_of_attempt(journal: JournalReader, attempt: str) -> tuple[str, ...]:
    """Return the last exchanges with the unit, as `AttemptFinished` has them; none where none were recorded."""
    with journal.snapshot() as db:
        return wire_in(db, attempt)


def lost_its_wire(journal: JournalReader, attempt: str) -> bool:
    """Tell whether the station was stopped during ``attempt``: the wire is kept with an end, and that one has none."""
    with journal.snapshot() as db:
        return db.execute(_ABANDONED, (attempt,)).fetchone() is not None


def wire_in(db: sqlite3.Connection, attempt: str) -> tuple[str, ...]:
    """Return the same as `wire_of_attempt` from a snapshot."""
    row = next(some_rows(db, _ENDED, attempt), None)
    return () if row is None else tuple(map(str, row.values().get("wire", ())))


def program_of_attempt(journal: JournalReader, attempt: str) -> str:
    """Return the version of the station that made ``attempt``, "" where no record tells."""
    with journal.snapshot() as db:
        row = next(some_rows(db, _STARTED_BEFORE, attempt), None)
    return "" if row is None else str(json.loads(row.body).get("program", ""))
