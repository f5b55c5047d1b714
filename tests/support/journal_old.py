"""A journal as the station of schema 4 made it: every entry as it was hashed, the hashes in hex, its tables empty."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

_MADE_BY = (
    (
        "CREATE TABLE journal (station_id TEXT NOT NULL, seq INTEGER NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL,"
        " body TEXT NOT NULL, prev_hash TEXT NOT NULL, hash TEXT NOT NULL,"
        " PRIMARY KEY (station_id, seq)) WITHOUT ROWID",
        "CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal"
        " BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
        "CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal"
        " BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
        "CREATE TRIGGER journal_in_order BEFORE INSERT ON journal"
        " WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM journal WHERE station_id = NEW.station_id)"
        " BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
    ),
    (
        "CREATE TABLE batches (batch TEXT NOT NULL PRIMARY KEY, title TEXT NOT NULL)",
        "CREATE TABLE units (device_id TEXT NOT NULL PRIMARY KEY, platform TEXT NOT NULL)",
        "CREATE TABLE attempts (attempt TEXT NOT NULL PRIMARY KEY, batch TEXT REFERENCES batches (batch))",
        "CREATE INDEX attempts_by_batch ON attempts (batch)",
        "CREATE TABLE steps (attempt TEXT NOT NULL REFERENCES attempts (attempt), number INTEGER NOT NULL)",
        "INSERT INTO batches VALUES ('B0', 'not trusted')",
        "INSERT INTO attempts VALUES ('a-0', 'B0')",
        "INSERT INTO steps VALUES ('a-0', 1)",
    ),
    ("CREATE TABLE secrets (device_id TEXT NOT NULL PRIMARY KEY, secret TEXT NOT NULL, at TEXT NOT NULL)",),
    (
        "CREATE INDEX journal_by_attempt ON journal (json_extract(body, '$.attempt'))",
        "CREATE INDEX journal_by_unit ON journal (json_extract(body, '$.device_id'))",
    ),
)
VERSIONS = len(_MADE_BY)
"""Schemas that held entries as they were hashed; later ones are kept as files."""
_NAMES = (
    "the journal", "projections: batches, units, attempts, steps, measurements, outbox, digests",
    "mobile secrets, outside the journal", "the entries of a unit can be found",
)  # fmt: skip


def older_journal(directory: Path, entries: Iterable[Sequence[object]], version: int = VERSIONS) -> None:
    """Make one with ``entries`` (station, seq, at, kind, body, hash before, hash) in ``directory``."""
    directory.mkdir(mode=0o700)
    path = directory / "journal.db"
    path.touch(mode=0o600)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, at TEXT NOT NULL)")
        for number in range(version):
            for statement in _MADE_BY[number]:
                db.execute(statement)
            db.execute("INSERT INTO migrations VALUES (?, ?, '2026-01-01')", (number + 1, _NAMES[number]))
        db.executemany("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)", entries)
