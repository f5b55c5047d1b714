"""Makes the tables of a new journal, and brings an older file up to them without changing one character of its chain.

Files of schema 1 to 4 held every entry as it was hashed, with two hashes in hex, and the same head in each body: their
entries are taken over one by one. Those of schema 5 stay where they are. The chain is followed in both; projections
are dropped and made again.
"""

from __future__ import annotations

import collections
import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator

from ..errors import JournalError
from .chain import Row, Tail, flaw
from .schema import ENTRIES_SINCE, NEWEST, VERSIONS, atomic, version
from .stored import rows, store
from .tables import JOURNAL, PROJECTION_TABLES, SECRETS

Rebuild = Callable[[sqlite3.Connection], None]

CACHE_KIB = 32_000
"""Memory that a replay may take, whatever the size of the journal."""
_LIST = "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, at TEXT NOT NULL)"


def migrate(db: sqlite3.Connection, now: str, rebuild: Rebuild) -> None:
    """Bring the file to the newest schema in one transaction. ``now``: the time noted for each migration.

    ``rebuild`` fills the projections inside it, so that no crash can leave them empty. Raises `JournalError` when the
    file was written by a newer station, is no journal, or holds a broken chain: then it is left as it was.
    """
    have = version(db)
    if have > NEWEST:
        raise JournalError(
            f"the journal has schema {have}, this station knows {NEWEST}; update the station's software, or put"
            " back the copy of the data directory from before the update"
        )
    if have == NEWEST:
        return
    with atomic(db):
        db.execute(_LIST)
        if have >= ENTRIES_SINCE:
            collections.deque(_followed(rows(db)), maxlen=0)
            _drop_projections(db)
            _make(db, *PROJECTION_TABLES)
        else:
            if have:
                _set_aside(db)
            _make(db, *JOURNAL, SECRETS, *PROJECTION_TABLES)
            if have:
                _take_over(db)
        if have:
            rebuild(db)
        db.executemany(
            "INSERT INTO migrations VALUES (?, ?, ?)",
            [(one.number, one.name, now) for one in VERSIONS if one.number > have],
        )
    if 0 < have < ENTRIES_SINCE:
        with contextlib.suppress(sqlite3.Error):  # gives back what the older tables took; a full disk may refuse it
            db.execute("VACUUM")


@contextlib.contextmanager
def fresh() -> Iterator[sqlite3.Connection]:
    """Open an empty journal that is gone when the block ends, for a replay.

    It stays in memory up to `CACHE_KIB`, a journal of some 10,000 units; beyond that SQLite keeps the rest in a file
    without a name, of mode 0600. A disk too full for it raises what `schema.held_by` knows.
    """
    with contextlib.closing(sqlite3.connect("", isolation_level=None)) as db:
        db.row_factory = sqlite3.Row
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIB}"):
            db.execute(f"PRAGMA {pragma}")
        db.execute(_LIST)
        _make(db, *JOURNAL, SECRETS, *PROJECTION_TABLES)
        db.execute("BEGIN")  # one for all that is done in it: nothing of it is to last
        yield db


def _make(db: sqlite3.Connection, *statements: str) -> None:
    for statement in statements:
        db.execute(statement)


def _set_aside(db: sqlite3.Connection) -> None:
    """Drop all but the journal and the secrets, and move the journal out of the way of the new one."""
    older = db.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall()
    for kind in ("trigger", "index"):
        for name in [row["name"] for row in older if row["type"] == kind]:
            db.execute(f"DROP {kind} IF EXISTS {name}")
    _drop_projections(db)
    db.execute("ALTER TABLE journal RENAME TO journal_before")


def _drop_projections(db: sqlite3.Connection) -> None:
    found = db.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
    )
    tables = [row["name"] for row in found if row["name"] not in _KEPT]
    tables.reverse()  # those made later refer to these: a row nobody refers to any more goes without a search for it
    db.execute("PRAGMA defer_foreign_keys = ON")
    for name in tables:
        db.execute(f"DELETE FROM {name}")
    for name in tables:
        db.execute(f"DROP TABLE {name}")


_KEPT = frozenset({"journal", "names", "secrets", "migrations"})


def _take_over(db: sqlite3.Connection) -> None:
    held = db.execute("SELECT station_id, seq, at, kind, body, prev_hash, hash FROM journal_before ORDER BY seq")
    for row in _followed(Row(*one) for one in held):
        store(db, row, row.values())
    db.execute("DROP TABLE journal_before")


def _followed(entries: Iterable[Row]) -> Iterator[Row]:
    """Yield ``entries`` while they continue the chain; raises `JournalError` at the first that does not."""
    tail = Tail()
    for row in entries:
        if (wrong := flaw(tail, row)) is not None:
            raise JournalError(
                f"the journal was tampered with or damaged: {wrong}; it stays as the older station left it: keep the"
                " file and report it"
            )
        yield row
        tail = Tail(row.seq, row.hash)
