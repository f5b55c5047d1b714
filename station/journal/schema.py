"""The tables, as ordered migrations, and the one place that opens connections and writes BEGIN.

A migration runs in one transaction together with the row that says it ran. The journal table is the
truth and is never altered; all other tables but ``secrets`` are projections, rebuilt after any
migration, so a later migration may simply drop and create them.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import JournalError, JournalHeld
from ..words.say import Say

BUSY_S = 5.0
"""How long SQLite itself waits for a lock another process holds for a moment (a reader recovering the log)."""

_PASSING: dict[int, str] = {
    sqlite3.SQLITE_BUSY: "journal_locked",
    sqlite3.SQLITE_LOCKED: "journal_locked",
    sqlite3.SQLITE_PROTOCOL: "journal_locked",
    sqlite3.SQLITE_FULL: "disk_full",
    sqlite3.SQLITE_IOERR: "disk_fails",
    sqlite3.SQLITE_CANTOPEN: "disk_fails",
    sqlite3.SQLITE_READONLY: "disk_fails",
    sqlite3.SQLITE_PERM: "disk_fails",
    sqlite3.SQLITE_NOMEM: "disk_fails",
}
"""Primary result codes of SQLite that may pass by themselves, with what is waited for."""
_NO_LOG = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY})
"""What SQLite answers when it cannot make the files it keeps beside a database."""
_DAMAGED = frozenset({sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS})
"""Extended codes of pages that cannot be read back: what they held is lost, however long one waits."""


DAMAGE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, MemoryError)
"""What values raise that no station wrote: bytes where text was, half a JSON text, a date that is none,
a length of more than there is."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema; ``number`` rises by one."""

    number: int
    name: str
    run: Callable[[sqlite3.Connection], None]


def _journal(db: sqlite3.Connection) -> None:
    """The truth. The triggers stop our own bugs; against a hand with an editor stands the hash chain."""
    db.execute("""
        CREATE TABLE journal (
            station_id TEXT NOT NULL, seq INTEGER NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL,
            body TEXT NOT NULL, prev_hash TEXT NOT NULL, hash TEXT NOT NULL,
            PRIMARY KEY (station_id, seq)
        ) WITHOUT ROWID""")
    for verb in ("UPDATE", "DELETE"):
        db.execute(f"""
            CREATE TRIGGER journal_no_{verb.lower()} BEFORE {verb} ON journal
            BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""")
    # also stops INSERT OR REPLACE, which would delete without asking the trigger above
    db.execute("""
        CREATE TRIGGER journal_in_order BEFORE INSERT ON journal
        WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM journal WHERE station_id = NEW.station_id)
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""")


def _projections(db: sqlite3.Connection) -> None:
    """What people ask for; every row can be made again from the journal."""
    for statement in _PROJECTION_TABLES:
        db.execute(statement)


_PROJECTION_TABLES = (
    "CREATE TABLE operators (station_id TEXT NOT NULL PRIMARY KEY, operator TEXT NOT NULL)",
    """CREATE TABLE batches (
        batch TEXT NOT NULL PRIMARY KEY, title TEXT NOT NULL, profile_id TEXT NOT NULL,
        profile_revision INTEGER NOT NULL, profile_sha256 TEXT NOT NULL, target INTEGER,
        opened_at TEXT NOT NULL, closed_at TEXT)""",
    """CREATE TABLE units (
        device_id TEXT NOT NULL PRIMARY KEY, platform TEXT NOT NULL, label TEXT NOT NULL,
        first_seen TEXT NOT NULL, last_seen TEXT NOT NULL)""",
    """CREATE TABLE attempts (
        attempt TEXT NOT NULL PRIMARY KEY, station_id TEXT NOT NULL, batch TEXT REFERENCES batches (batch),
        device_id TEXT REFERENCES units (device_id), slot INTEGER NOT NULL, port_path TEXT NOT NULL,
        profile TEXT NOT NULL, planned TEXT NOT NULL, operator TEXT NOT NULL,
        started_seq INTEGER NOT NULL, started_at TEXT NOT NULL, finished_seq INTEGER, finished_at TEXT, seconds REAL,
        verdict TEXT, failed_step TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX attempts_by_batch ON attempts (batch, started_seq)",
    "CREATE INDEX attempts_by_unit ON attempts (device_id, started_seq)",
    "CREATE INDEX attempts_running ON attempts (attempt) WHERE verdict IS NULL",
    # one row per change of a value: the newest undisputed row of a name is what the unit is now
    """CREATE TABLE facts (
        device_id TEXT NOT NULL REFERENCES units (device_id), name TEXT NOT NULL, seq INTEGER NOT NULL,
        number INTEGER NOT NULL, value TEXT NOT NULL, key TEXT NOT NULL, source TEXT NOT NULL, at TEXT NOT NULL,
        attempt TEXT, disputed INTEGER NOT NULL, PRIMARY KEY (device_id, name, seq, number))""",
    "CREATE INDEX facts_by_key ON facts (key)",
    """CREATE TABLE steps (
        attempt TEXT NOT NULL REFERENCES attempts (attempt), number INTEGER NOT NULL, step TEXT NOT NULL,
        outcome TEXT NOT NULL, reason TEXT NOT NULL, proof TEXT NOT NULL, seconds REAL NOT NULL, at TEXT NOT NULL,
        PRIMARY KEY (attempt, number))""",
    """CREATE TABLE measurements (
        attempt TEXT NOT NULL, step_number INTEGER NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,
        value, unit TEXT NOT NULL, low REAL, high REAL, PRIMARY KEY (attempt, step_number, number),
        FOREIGN KEY (attempt, step_number) REFERENCES steps (attempt, number))""",
    """CREATE TABLE writes (
        seq INTEGER PRIMARY KEY, attempt TEXT, device_id TEXT, step TEXT NOT NULL, target TEXT NOT NULL,
        what TEXT NOT NULL, at TEXT NOT NULL, confirmed_seq INTEGER)""",
    "CREATE INDEX writes_unconfirmed ON writes (attempt, step) WHERE confirmed_seq IS NULL",
    """CREATE TABLE outbox (
        attempt TEXT NOT NULL REFERENCES attempts (attempt), action TEXT NOT NULL, queued_seq INTEGER NOT NULL,
        number INTEGER NOT NULL, device_id TEXT NOT NULL REFERENCES units (device_id), body TEXT NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0, retry_at TEXT, last_error TEXT NOT NULL DEFAULT '',
        settled_at TEXT, outcome TEXT, reason TEXT NOT NULL DEFAULT '', PRIMARY KEY (attempt, action))""",
    "CREATE INDEX outbox_waiting ON outbox (queued_seq, number) WHERE settled_at IS NULL",
    """CREATE TABLE digests (
        device_id TEXT NOT NULL PRIMARY KEY, ssid TEXT NOT NULL, digest TEXT NOT NULL,
        attempt TEXT, at TEXT NOT NULL)""",
    """CREATE TABLE products (
        product_id INTEGER PRIMARY KEY, slug TEXT NOT NULL, ref TEXT NOT NULL, name TEXT NOT NULL,
        platform_id INTEGER NOT NULL, at TEXT NOT NULL)""",
    """CREATE TABLE serials (
        serial TEXT NOT NULL PRIMARY KEY, device_id TEXT NOT NULL, iccid TEXT NOT NULL, at TEXT NOT NULL)""",
)

PROJECTIONS = (
    "measurements", "steps", "writes", "outbox", "digests", "products", "serials", "facts",
    "attempts", "units", "batches", "operators",
)  # fmt: skip
"""Tables that `rebuild` empties, in an order the foreign keys allow."""


def _secrets(db: sqlite3.Connection) -> None:
    """Mobile secrets a label needs. Not a projection, not in the chain: they can be forgotten for good."""
    db.execute("CREATE TABLE secrets (device_id TEXT NOT NULL PRIMARY KEY, secret TEXT NOT NULL, at TEXT NOT NULL)")


def _entries_by_unit(db: sqlite3.Connection) -> None:
    """To compare what is told of one unit with its entries, without reading all of them."""
    for name, field in (("journal_by_attempt", "attempt"), ("journal_by_unit", "device_id")):
        db.execute(f"CREATE INDEX {name} ON journal (json_extract(body, '$.{field}'))")


MIGRATIONS = (
    Migration(1, "the journal", _journal),
    Migration(2, "projections: batches, units, attempts, steps, measurements, outbox, digests", _projections),
    Migration(3, "mobile secrets, outside the journal", _secrets),
    Migration(4, "the entries of a unit can be found", _entries_by_unit),
)


# --- connections and transactions ------------------------------------------------------------


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """Any error of SQLite, or of what a damaged file holds, becomes a `JournalError` that names ``what``."""
    try:
        yield
    except sqlite3.Error as error:
        raise told(what, error) from error
    except DAMAGE as error:
        found = f"{type(error).__name__} {str(error)[:100]}".rstrip()
        raise JournalError(f"{what}: it is damaged ({found}); keep the file, and go on with a copy of it") from error


def told(what: str, error: sqlite3.Error) -> JournalError:
    """The error of SQLite as ours: `JournalHeld` when waiting may help."""
    code, name = getattr(error, "sqlite_errorcode", None), getattr(error, "sqlite_errorname", "")
    said = f"{error} ({name or type(error).__name__})"
    say = held_by(error)
    if say is not None:
        return JournalHeld(f"{what}: {said}; {_REMEDIES[say.key]}", say=say)
    if code in _DAMAGED:
        return JournalError(f"{what}: the disk does not give it back, {said}; check the disk, {_RESTORE}")
    if code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return JournalError(f"{what}: its file is damaged, {said}; {_RESTORE}")
    return JournalError(f"{what}: {said}; keep the file and report it")


_RESTORE = "keep the file, put back a copy of the whole data directory, and report it"
_REMEDIES = {
    "journal_locked": "close the program that holds the file journal.db open for writing",
    "disk_full": "free disk space",
    "disk_fails": "check the disk and the rights on the data directory",
}


def held_by(error: BaseException) -> Say | None:
    """What to wait for, for the operator; None when waiting does not help."""
    code = getattr(error, "sqlite_errorcode", None)
    if not isinstance(error, sqlite3.Error) or code is None or code in _DAMAGED:
        return None
    return Say(_PASSING[code & 0xFF]) if code & 0xFF in _PASSING else None


def connect_writer(path: Path) -> sqlite3.Connection:
    """The one connection that writes: write-ahead log, every commit flushed to the disk, keys enforced.

    Raises `JournalError`, the file untouched, when it is no journal (`version`).
    """
    db = _connect(
        f"{path.resolve().as_uri()}?mode=rw",
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",  # a forgotten mobile secret leaves no trace in the file
    )
    try:
        version(db)
        db.execute("PRAGMA journal_mode = WAL")  # writes into the file
    except BaseException:
        db.close()
        raise
    return db


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write. May be used by any thread, by one at a time.

    Also of a medium that nobody can write to: there no log is needed beside the file, as long as it is empty.
    """
    uri = f"{path.resolve().as_uri()}?mode=ro"
    db = _connect(uri, "query_only = ON")
    try:
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return db
    except BaseException as error:
        db.close()
        if not isinstance(error, sqlite3.Error):
            raise
        log_file = path.with_name(path.name + "-wal")
        is_complete = not log_file.exists() or log_file.stat().st_size == 0
        if error.sqlite_errorcode & 0xFF not in _NO_LOG or not is_complete or os.access(path.parent, os.W_OK):
            raise
        return _connect(uri + "&immutable=1", "query_only = ON")


def _connect(uri: str, *pragmas: str) -> sqlite3.Connection:
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_S)
    db.row_factory = sqlite3.Row
    try:
        for pragma in pragmas:
            db.execute(f"PRAGMA {pragma}")
    except BaseException:  # a file that is no database shows itself only now
        db.close()
        raise
    return db


@contextlib.contextmanager
def atomic(db: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[sqlite3.Connection]:
    """One transaction: committed at the end of the block, rolled back if it raises."""
    db.execute(begin)
    try:
        yield db
        db.execute("COMMIT")
    except BaseException:
        # a full disk makes SQLite roll back by itself; a second ROLLBACK would mask that error
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def savepoint(db: sqlite3.Connection) -> Iterator[None]:
    """Undo the block alone, not the transaction around it, when it raises."""
    db.execute("SAVEPOINT one")
    try:
        yield
    except BaseException:
        if db.in_transaction:  # else SQLite gave up the whole transaction already
            db.execute("ROLLBACK TO one")
            db.execute("RELEASE one")
        raise
    db.execute("RELEASE one")


def migrate(
    db: sqlite3.Connection, now: str, rebuild: Callable[[sqlite3.Connection], None],
    migrations: Sequence[Migration] = MIGRATIONS,
) -> None:  # fmt: skip
    """Run the migrations this file does not have yet. ``now`` is what their rows say.

    ``rebuild`` fills the projections inside the last one's transaction, so that no crash can leave them
    empty. Raises `JournalError` when the file was written by a newer station, or is no journal.
    """
    have = version(db)
    if have > migrations[-1].number:
        raise JournalError(
            f"the journal has schema {have}, this station knows {migrations[-1].number}; update the station's software"
        )
    _run(db, now, rebuild, [migration for migration in migrations if migration.number > have])


def _run(
    db: sqlite3.Connection, now: str, rebuild: Callable[[sqlite3.Connection], None], missing: Sequence[Migration]
) -> None:
    with atomic(db):
        db.execute(
            "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, at TEXT NOT NULL)"
        )
    for migration in missing:
        with atomic(db):
            migration.run(db)
            if migration is missing[-1]:
                rebuild(db)
            db.execute("INSERT INTO migrations VALUES (?, ?, ?)", (migration.number, migration.name, now))


@contextlib.contextmanager
def fresh(migrations: Sequence[Migration] = MIGRATIONS) -> Iterator[sqlite3.Connection]:
    """An empty journal in memory, as the station that knew ``migrations`` makes it; gone when the block ends."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.row_factory = sqlite3.Row
        _run(db, "", lambda _: None, migrations)
        yield db


def version(db: sqlite3.Connection) -> int:
    """Number of the newest migration this file has; 0 for an empty one.

    Raises `JournalError` when the file has tables that its list of migrations does not account for.
    """
    names = _names(db)
    listed = db.execute("SELECT number FROM migrations ORDER BY number") if "migrations" in names else ()
    numbers = [row["number"] for row in listed]
    newest: int = max(numbers, default=0)
    if newest > MIGRATIONS[-1].number:
        return newest
    with fresh(MIGRATIONS[:newest]) as then, fresh() as now:
        unlisted = sorted(names & (_names(now) - _names(then)))
    if unlisted or numbers != list(range(1, newest + 1)):
        told_as = f"{len(numbers)} migrations, and still there is {unlisted[0]}" if unlisted else f"only {numbers}"
        raise JournalError(
            f"the journal was tampered with or damaged: its table migrations lists {told_as}; {_RESTORE}"
        )
    if names and "migrations" not in names:
        raise JournalError(
            f"the file journal.db belongs to another program: it has {min(names)} and no migrations;"
            " move it away, and put back the journal's own"
        )
    return newest


def check_newest(db: sqlite3.Connection, path: Path) -> None:
    """Raise `JournalError` unless the file, ``path``, has the newest schema."""
    found = version(db)
    if found == 0:
        raise JournalError(
            f"{path} is empty: no station recorded anything in it yet, or what it held is lost; if there were batches,"
            " put back a copy of the whole data directory, else start the station on it"
        )
    if found != MIGRATIONS[-1].number:
        raise JournalError(
            f"the journal in {path.parent} has schema {found}, this program knows {MIGRATIONS[-1].number};"
            " start the newest station on it once"
        )


def _names(db: sqlite3.Connection) -> set[str]:
    """Tables, indexes and triggers that somebody made."""
    return {row["name"] for row in db.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")}
