"""Copies a journal into one file while its station works, and puts such a file back.

The chain is the truth: a copy is good when every entry of it continues the one before, and the file holds together;
its tables can be made again. Keys are not in it: neither that of the seals, nor that of kept mobile secrets.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from ..errors import BadInput, JournalError
from .chain import Tail
from .compare import Impossible, check_made_here, possible, unbroken
from .directory import JOURNAL_FILE, DirectoryLock, prepare
from .reader import JournalReader
from .schema import ENTRIES_SINCE, NEWEST, connect_reader, translated, version
from .seal import DOUBT_FILE, SEAL_FILE, Seal, write_seal
from .stored import stations, tail_of

_PAGES = 4096
"""Copied at a time; a station commits in between."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What a file holds: the newest entry and its hash, of which station."""

    station_id: str
    tail: Tail


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back, and where the file lies that was there before; ``lost``: its entries that are not in it."""

    copy: Copy
    aside: Path | None
    lost: int


def back_up(journal: JournalReader, file: Path) -> Copy:
    """Copy the journal as it is now into ``file`` (0600), verify the copy, and return what it holds.

    ``file`` appears when all of it is on the disk and good. Raises `BadInput` if it is there already, `JournalError`
    when the copy cannot be made or is not good.
    """
    if os.path.lexists(file):
        raise BadInput(f"{file} is there already, and a backup replaces nothing; name another file")
    part = file.with_name(f".{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with (
            translated(f"the journal in {journal.directory} cannot be copied to {file}"),
            journal.snapshot() as db,
            contextlib.closing(sqlite3.connect(part)) as copy,
        ):
            db.backup(copy, pages=_PAGES)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, and nothing beside it
        found = checked_copy(part)
        handle = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
        os.fsync(handle)
        os.close(handle)
        os.link(part, file)  # refuses what came to be there meanwhile
    except OSError as error:
        raise BadInput(f"{file} cannot be written ({error.strerror}); name another place") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return found


def checked_copy(file: Path, *, is_replayed: bool = False) -> Copy:
    """Return what ``file`` holds once every page and entry is checked; raises `JournalError` or `BadInput`.

    ``is_replayed``: check also what the next start would refuse, entries that no station can have recorded in this
    order; it takes three times as long.
    """
    with translated(f"{file} is no backup of a journal"), contextlib.closing(connect_reader(file)) as db:
        if not ENTRIES_SINCE <= (found := version(db)) <= NEWEST:
            raise JournalError(
                f"{file} has schema {found}, this program restores {ENTRIES_SINCE} to {NEWEST}; use the program that"
                " made it"
            )
        said = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if said != "ok":
            raise JournalError(f"{file} is damaged ({' '.join(said.split())}); use another backup")
        if found == NEWEST:  # a trigger of somebody else's would change what the station writes from then on
            check_made_here(db)
        tail = Tail()
        try:
            for row in possible(unbroken(db)) if is_replayed else unbroken(db):
                tail = Tail(row.seq, row.hash)
        except Impossible as wrong:
            raise JournalError(
                f"{file} was made up or damaged before it was chained: {wrong}; use another backup"
            ) from wrong
        if not (found_in := stations(db)):
            raise JournalError(f"{file} holds no entry; use another backup")
        if len(found_in) > 1:
            raise JournalError(f"{file} holds entries of the stations {' and '.join(found_in)}; use another backup")
        return Copy(found_in[0], tail)


def restore(file: Path, directory: Path, at: datetime.datetime, *, over_newer: bool = False) -> Restored:
    """Put the backup ``file`` into place; the journal that is there is set aside under a dated name, never removed.

    The station must not run. Raises `BadInput` when the journal there has entries that are not in ``file``, unless
    ``over_newer``; `JournalError` when ``file`` is not good, or of another station.
    """
    digest = _digest(file)
    copy = checked_copy(file, is_replayed=True)
    prepare(directory)
    lock = DirectoryLock(directory, copy.station_id)
    try:
        path, lost = directory / JOURNAL_FILE, 0
        if os.path.lexists(path):
            lost = _entries_beyond(path, file, copy, over_newer=over_newer)
        new = directory / f".{JOURNAL_FILE}.new"
        with contextlib.suppress(FileNotFoundError):
            new.unlink()
        shutil.copyfile(file, new)
        new.chmod(0o600)
        if _digest(new) != digest:  # byte for byte what was checked
            raise JournalError(f"{file} was not copied as it is; check the disk, then restore again")
        aside = set_aside(directory, aside_path(directory, at)) if os.path.lexists(path) else None
        new.replace(path)
        write_seal(directory, Seal(copy.tail))
        return Restored(copy, aside, lost)
    except OSError as error:
        raise JournalError(f"{directory} cannot be written ({error.strerror}); check owner and disk") from error
    finally:
        lock.release()


def _digest(file: Path) -> str:
    """Return the SHA-256 of the one file that a backup is. Raises `BadInput` for none, and for half of a journal."""
    if not file.is_file():
        raise BadInput(f"{file}: there is no such file; name a backup")
    log_file = file.with_name(file.name + "-wal")
    if log_file.exists() and log_file.stat().st_size:  # SQLite would read, and check, more than what is copied
        raise BadInput(
            f"{file} is not whole without {log_file.name} beside it; name a file that station log backup wrote"
        )
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise BadInput(f"{file} cannot be read ({error.strerror}); correct its rights, check its disk") from error


def _entries_beyond(path: Path, file: Path, copy: Copy, *, over_newer: bool) -> int:
    """Return how many entries of the journal there are not in ``copy``; raises `BadInput` for one unless allowed."""
    try:
        with contextlib.closing(connect_reader(path)) as db:
            version(db)
            tail, found = tail_of(db), stations(db)
            is_newer = _holds(db, copy.tail)
        with contextlib.closing(connect_reader(file)) as db:
            is_older = _holds(db, tail)
    except (sqlite3.Error, JournalError):
        return 0  # what is damaged is what a backup is for
    if found and found[0] != copy.station_id:
        raise JournalError(
            f"{path.parent} holds the journal of station {found[0]}, the backup is of {copy.station_id}; name another"
            " data directory"
        )
    lost = 0 if is_older else tail.seq - copy.tail.seq if is_newer else tail.seq
    if lost and not over_newer:
        raise BadInput(
            f"the journal in {path.parent} has {lost} entries that are not in the backup, the newest is {tail.seq};"
            " to set it aside all the same, say --over-newer"
        )
    return lost


def _holds(db: sqlite3.Connection, tail: Tail) -> bool:
    """Whether the journal has the entry ``tail``; every one has the beginning."""
    found = db.execute("SELECT lower(hex(hash)) FROM journal WHERE seq = ?", (tail.seq,)).fetchone()
    return tail == Tail() or (found is not None and found[0] == tail.hash)


def aside_path(directory: Path, at: datetime.datetime, why: str = "replaced") -> Path:
    """Return a name nothing has yet, ``journal.replaced-20261129T134500Z.db``."""
    stem = f"{JOURNAL_FILE.removesuffix('.db')}.{why}-{at.astimezone(datetime.UTC):%Y%m%dT%H%M%SZ}"
    number = 0
    while os.path.lexists(target := directory / f"{stem}{f'-{number}' if number else ''}.db"):
        number += 1
    return target


def set_aside(directory: Path, target: Path) -> Path:
    """Rename the journal to ``target``, and with it the files beside it; return ``target``."""
    for suffix in ("-wal", "-shm", "-journal", ""):
        path = directory / (JOURNAL_FILE + suffix)
        if os.path.lexists(path):
            path.rename(target.with_name(target.name + suffix))
    for name in (SEAL_FILE, DOUBT_FILE):
        with contextlib.suppress(FileNotFoundError):
            (directory / name).unlink()
    return target
