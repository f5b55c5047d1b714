"""The virtual cloud's state in SQLite, committed before any answer is sent.

Tokens are stored as digests only, so the file contains no credential.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from drivers.host.file_lock import try_lock
from drivers.host.plain_file import check_plain, open_plain

from ...errors import BadInput

_SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    username TEXT PRIMARY KEY, is_api INTEGER NOT NULL DEFAULT 0, password TEXT, otp_secret TEXT, product_id INTEGER,
    friendly_name TEXT, device_limit INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS tokens (
    digest TEXT PRIMARY KEY, username TEXT NOT NULL, scopes TEXT NOT NULL DEFAULT '', expires_at TEXT,
    client TEXT NOT NULL DEFAULT 'particle', customer_of INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS logins (
    digest TEXT PRIMARY KEY, username TEXT NOT NULL, client TEXT NOT NULL, expires_in INTEGER, ends_at TEXT NOT NULL)
    STRICT;
CREATE TABLE IF NOT EXISTS clients (
    id TEXT PRIMARY KEY, secret TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, username TEXT NOT NULL,
    product_id INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS customers (
    product_id INTEGER NOT NULL, username TEXT NOT NULL, password TEXT, PRIMARY KEY (product_id, username)) STRICT;
CREATE TABLE IF NOT EXISTS products (
    id INTEGER PRIMARY KEY, slug TEXT NOT NULL UNIQUE, name TEXT NOT NULL, platform_id INTEGER NOT NULL,
    quarantine INTEGER NOT NULL DEFAULT 1, org TEXT, device_limit INTEGER, is_paused INTEGER NOT NULL DEFAULT 0,
    is_protected INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE IF NOT EXISTS team (
    product_id INTEGER NOT NULL, username TEXT NOT NULL, PRIMARY KEY (product_id, username)) STRICT;
CREATE TABLE IF NOT EXISTS groups (
    product_id INTEGER NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL DEFAULT '',
    color TEXT NOT NULL DEFAULT '#00ae42', PRIMARY KEY (product_id, name)) STRICT;
CREATE TABLE IF NOT EXISTS firmware (
    product_id INTEGER NOT NULL, version INTEGER NOT NULL, title TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '', name TEXT NOT NULL, data BLOB NOT NULL, uploaded_on TEXT NOT NULL,
    product_default INTEGER NOT NULL DEFAULT 0, groups TEXT NOT NULL DEFAULT '[]', has_run INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (product_id, version)) STRICT;
CREATE TABLE IF NOT EXISTS configuration (
    product_id INTEGER NOT NULL, device_id TEXT NOT NULL, wanted TEXT NOT NULL, updated_at TEXT NOT NULL,
    PRIMARY KEY (product_id, device_id)) STRICT;
CREATE TABLE IF NOT EXISTS devices (
    id TEXT PRIMARY KEY, platform_id INTEGER NOT NULL, serial_number TEXT, iccid TEXT, imei TEXT, mac_wifi TEXT,
    mobile_secret TEXT, is_protected INTEGER NOT NULL DEFAULT 0,
    product_id INTEGER, owner TEXT, name TEXT, notes TEXT, groups TEXT NOT NULL DEFAULT '[]',
    development INTEGER NOT NULL DEFAULT 0, quarantined INTEGER NOT NULL DEFAULT 0,
    is_connected INTEGER NOT NULL DEFAULT 0, seems_online_until TEXT,
    last_heard TEXT, last_handshake_at TEXT,
    system_firmware_version TEXT, firmware_version INTEGER, firmware_product_id INTEGER,
    is_customers INTEGER NOT NULL DEFAULT 0, is_lost INTEGER NOT NULL DEFAULT 0, denied INTEGER NOT NULL DEFAULT 0,
    desired_firmware_version INTEGER, firmware_updates_forced INTEGER NOT NULL DEFAULT 0,
    told_offline INTEGER NOT NULL DEFAULT 1, vitals_at TEXT,
    functions TEXT NOT NULL DEFAULT '[]', app_hash TEXT) STRICT;
CREATE TABLE IF NOT EXISTS sims (
    iccid TEXT PRIMARY KEY, is_plastic INTEGER NOT NULL DEFAULT 0, username TEXT, product_id INTEGER,
    status TEXT NOT NULL DEFAULT 'inactive', last_action TEXT, action_error TEXT NOT NULL DEFAULT 'no',
    activations INTEGER NOT NULL DEFAULT 0, changing INTEGER NOT NULL DEFAULT 0, will_fail INTEGER NOT NULL DEFAULT 0,
    polls_left INTEGER NOT NULL DEFAULT 0, done_at TEXT,
    speed TEXT NOT NULL DEFAULT 'fast', deactivations INTEGER NOT NULL DEFAULT 0, first_activated_on TEXT,
    last_activated_on TEXT, last_action_on TEXT, updated_at TEXT, checked_at TEXT, importing INTEGER,
    import_at TEXT) STRICT;
CREATE TABLE IF NOT EXISTS sim_usage (
    iccid TEXT NOT NULL, date TEXT NOT NULL, mbs REAL NOT NULL, PRIMARY KEY (iccid, date)) STRICT;
CREATE TABLE IF NOT EXISTS claim_codes (
    digest TEXT PRIMARY KEY, username TEXT NOT NULL, is_customers INTEGER NOT NULL, product_id INTEGER,
    made_at TEXT, used_by TEXT) STRICT;
CREATE TABLE IF NOT EXISTS transfers (
    id TEXT PRIMARY KEY, device_id TEXT NOT NULL, username TEXT NOT NULL, asked_of TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS lookups (username TEXT NOT NULL, at TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS requests (
    seq INTEGER PRIMARY KEY, at TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, route TEXT NOT NULL,
    body TEXT NOT NULL, username TEXT NOT NULL, status INTEGER, is_write INTEGER NOT NULL,
    had_effect INTEGER NOT NULL) STRICT;
"""


class Store:
    """One connection behind one lock; ``path`` None keeps everything in memory.

    Every call raises `BadInput` when the file is not one of ours, is in use by another cloud, or cannot be used.
    """

    def __init__(self, path: Path | None) -> None:
        self._path, self._lock = path, threading.RLock()
        self._held = contextlib.ExitStack()  # the system's lock on the file
        with self._translated(), contextlib.ExitStack() as opening:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                opening.enter_context(_locked(path))
                os.close(open_plain(path, os.O_RDWR | os.O_CREAT))  # 0600: device objects hold mobile secrets
                for beside in path.parent.glob(f"{path.name}-*"):  # SQLite opens whatever is there
                    check_plain(beside)
            self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
            self._db.row_factory = sqlite3.Row
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = NORMAL")
                self._db.executescript(_SCHEMA)
                self._add_columns()
                newest = self._db.execute("SELECT coalesce(max(seq), 0) AS seq FROM requests").fetchone()
                self.last_request = int(newest["seq"])
                """Number of the last request of an earlier run; 0 for none."""
            except BaseException:
                self._db.close()
                raise
            self._held = opening.pop_all()

    def _add_columns(self) -> None:
        """Add to the file of an older cloud what its tables lack. Raises `BadInput` for a table of somebody else."""
        with contextlib.closing(sqlite3.connect(":memory:")) as fresh:
            fresh.executescript(_SCHEMA)
            for (table,) in fresh.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                there = {row["name"] for row in self._db.execute(f"PRAGMA table_info({table})")}
                ours = fresh.execute(f"PRAGMA table_info({table})").fetchall()
                if strange := there - {name for _, name, *_ in ours}:
                    raise sqlite3.DatabaseError(f"its table {table} has a column {min(strange)}, which is not ours")
                for _, name, kind, _, default, _ in ours:
                    if name not in there:
                        usual = "" if default is None else f" NOT NULL DEFAULT {default}"
                        self._db.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}{usual}")

    def copy(self) -> Store:
        """Return a copy in memory of everything that is stored now."""
        copy = Store(None)
        with self._lock, self._translated():
            image = bytearray(self._db.serialize())
            image[18:20] = b"\1\1"  # a copy in memory has no write-ahead log, which these two would say
            copy._db.deserialize(bytes(image))
        return copy

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            found = error.strerror if isinstance(error, OSError) else error
            raise BadInput(
                f"the virtual cloud's file {self._path} cannot be used ({found}); free it, or move it away"
            ) from error

    def close(self) -> None:
        with self._lock:
            self._db.close()
            self._held.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block as one transaction, rolled back if it raises. May be nested."""
        with self._lock, self._translated():
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        with self._lock, self._translated():
            found: sqlite3.Row | None = self._db.execute(sql, values).fetchone()
            return found

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        with self._lock, self._translated():
            return self._db.execute(sql, values).fetchall()

    def run(self, sql: str, *values: object) -> int:
        """Execute a change in a transaction; return the number of rows affected."""
        with self.transaction():
            return self._db.execute(sql, values).rowcount

    @property
    def changes(self) -> int:
        """Return the number of rows changed since the file was opened, to detect whether a handler had an effect."""
        return self._db.total_changes


def _locked(path: Path) -> IO[str]:
    """Open the lock beside a cloud's file, and take it for as long as it is open; the file stays. Raises `BadInput`."""
    file = os.fdopen(open_plain(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT), "r+")
    if not try_lock(file):
        file.close()
        raise BadInput(f"{path.parent} is in use by another virtual cloud; stop that one, or name another folder")
    return file


def digest(*secrets: str) -> str:
    """Return what is stored of a token, or of a user name and a password."""
    return hashlib.sha256("\n".join(secrets).encode()).hexdigest()
