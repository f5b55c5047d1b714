"""Opens connections, begins and ends transactions, and says what an error of SQLite means: the one place that does."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import JournalDamaged, JournalError, JournalHeld
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


# --- connections and transactions ------------------------------------------------------------


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn any error of SQLite, or of what a damaged file holds, into a `JournalError` that names ``what``."""
    try:
        yield
    except sqlite3.Error as error:
        raise told(what, error) from error
    except DAMAGE as error:
        found = f"{type(error).__name__} {str(error)[:100]}".rstrip()
        raise JournalError(f"{what}: it is damaged ({found}); keep the file, and go on with a copy of it") from error


def told(what: str, error: sqlite3.Error) -> JournalError:
    """Translate an error of SQLite: `JournalHeld` when waiting may help."""
    code, name = getattr(error, "sqlite_errorcode", None), getattr(error, "sqlite_errorname", "")
    said = f"{' '.join(str(error).split())} ({name or type(error).__name__})"  # it may quote what a damaged file holds
    say = held_by(error)
    if say is not None:
        return JournalHeld(f"{what}: {said}; {_REMEDIES[say.key]}", say=say)
    if code in _DAMAGED:
        return JournalError(f"{what}: the disk does not give it back, {said}; check the disk, {_RESTORE}")
    if code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return JournalDamaged(f"{what}: its file is damaged, {said}; {_RESTORE}")
    return JournalError(f"{what}: {said}; keep the file and report it")


_RESTORE = "keep the file, put back a copy of the whole data directory or a backup (station log restore), and report it"
_REMEDIES = {
    "journal_locked": "close the program that holds the file journal.db open for writing",
    "disk_full": "free disk space",
    "disk_fails": "check the disk and the rights on the data directory",
}


def held_by(error: BaseException) -> Say | None:
    """Return what to wait for, for the operator; None when waiting does not help."""
    code = getattr(error, "sqlite_errorcode", None)
    if not isinstance(error, sqlite3.Error) or code is None or code in _DAMAGED:
        return None
    return Say(_PASSING[code & 0xFF]) if code & 0xFF in _PASSING else None


def connect_writer(path: Path) -> sqlite3.Connection:
    """Open the one connection that writes: write-ahead log, every commit flushed to the disk, keys enforced.

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
    """Open a connection that cannot write. May be used by any thread, by one at a time.

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


def connect_damaged(path: Path) -> sqlite3.Connection:
    """Open a connection that cannot write, to what can still be read of a damaged file, also of one that is too short.

    Nothing it says counts until it is checked against something else.
    """
    return _connect(f"{path.resolve().as_uri()}?mode=ro", "query_only = ON", "writable_schema = ON")


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
    """Make the block one transaction: commit at its end, roll back if it raises."""
    db.execute(begin)
    try:
        yield db
        db.execute("COMMIT")
    except BaseException:
        # a full disk makes SQLite roll back by itself; a second ROLLBACK would mask that error
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


# --- what the file is ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Version:
    """One step of the schema; ``number`` rises by one. ``mark``: a table or an index that only its files have."""

    number: int
    name: str
    mark: str


VERSIONS = (
    Version(1, "the journal", "journal"),
    Version(2, "projections: batches, units, attempts, steps, measurements, outbox, digests", "batches"),
    Version(3, "mobile secrets, outside the journal", "secrets"),
    Version(4, "the entries of a unit can be found", "journal_by_unit"),
    Version(5, "every hash, id and head once, figures kept", "names"),
    Version(6, "lots, hashes of modules, ends of attempts found by verdict and time, tallies kept", "step_tally"),
    Version(7, "what exports show of an attempt is kept, limits of texts, lots found at once", "kept_rows"),
    Version(8, "verdicts that work by hand took the proof from", "attempts_by_hand"),
)
NEWEST = VERSIONS[-1].number
ENTRIES_SINCE = 5
"""The schema that first kept entries as today, with the view of that name."""


def version(db: sqlite3.Connection) -> int:
    """Return the number of the newest migration this file has; 0 for an empty one.

    Raises `JournalError` when the file has tables that its list of migrations does not account for.
    """
    names = {row["name"] for row in db.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")}
    listed = db.execute("SELECT number FROM migrations ORDER BY number") if "migrations" in names else ()
    numbers = [row["number"] for row in listed]
    newest: int = max(numbers, default=0)
    if newest > NEWEST:
        return newest
    unlisted = [one.mark for one in VERSIONS if one.number > newest and one.mark in names]
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
    if found > NEWEST:
        raise JournalError(
            f"the journal in {path.parent} has schema {found}, this program knows {NEWEST}; use the newer program, or"
            " put back the copy of the data directory from before the update"
        )
    if found != NEWEST:
        raise JournalError(
            f"the journal in {path.parent} has schema {found}, as an older station wrote it, this program reads"
            f" {NEWEST}; copy the data directory, then start the bench on it (station run), which brings it up to date"
        )
