"""Begins a new journal where the old file is damaged, with the cloud work that is still owed; the old file is kept.

Only what is proved is carried over: the outbox reads whole, the chain reaches the last entry the station noted, and
the entries from there back to the first one of every attempt that owes something follow each other. Anything less
refuses: work nobody knows of any more would be lost in silence.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivers.clock import Clock

from ..errors import JournalDamaged, JournalError
from .backup import aside_path
from .chain import Row, Tail, changed
from .directory import JOURNAL_FILE, DirectoryLock, private_file
from .entries import HEAD, Entry, JournalRestored, stamp
from .journal import Journal
from .migrations import migrate
from .opening import BEGUN, put_begun
from .projections import rebuild
from .schema import NEWEST, atomic, connect_damaged, connect_writer, translated, version
from .seal import read_seal
from .stored import COLUMNS
from .writer import append

log = logging.getLogger(__name__)

_OF_ATTEMPT = frozenset({
    "AttemptStarted", "UnitIdentified", "UnitFacts", "StepFinished", "AttemptFinished",
    "OutboxQueued", "OutboxPostponed", "OutboxHurried", "OutboxSettled",
})  # fmt: skip
_BESIDE = frozenset({"BatchOpened", "BatchClosed", "LotScanned", "HandWorkBegun", "ConsoleOpened"})
"""Of a batch, or of a unit outside of its attempts."""
_CARRIED = _OF_ATTEMPT | _BESIDE
_Item = tuple[str, str]
"""An attempt and the action it owes."""
_OUTBOX = """SELECT attempt, action, device_id, body, tries, retry_at, last_error, settled_at, outcome, reason
    FROM outbox NOT INDEXED WHERE attempt IN (SELECT attempt FROM outbox NOT INDEXED WHERE settled_at IS NULL)
    ORDER BY attempt, action"""


@dataclass(frozen=True, slots=True)
class Owed:
    """What a damaged journal still owes: rows of the outbox, and the entries they came from, in order."""

    rows: tuple[tuple[Any, ...], ...]
    entries: tuple[Row, ...]

    @property
    def waiting(self) -> int:
        return sum(row[7] is None for row in self.rows)


def open_or_begin(directory: Path, station_id: str, clock: Clock, **options: Any) -> tuple[Journal, str]:
    """Do as `Journal.open`, and begin a new journal where the file is damaged and all it owes can be carried over.

    Returns the journal, and one sentence for people where that happened. Raises `JournalError` as `Journal.open`.
    """
    try:
        return Journal.open(directory, station_id, clock, **options), ""
    except JournalDamaged as error:
        lock = DirectoryLock(directory, station_id)
        try:
            note = _begin(directory, station_id, clock.utc())
        except (JournalError, OSError) as why:
            log.warning("the damaged journal stays in its place: %s", why)
            raise error from why
        finally:
            lock.release()
    log.warning("%s", note)
    return Journal.open(directory, station_id, clock, **options), note


def _begin(directory: Path, station_id: str, at: datetime.datetime) -> str:
    """Make the new journal whole beside the damaged one, then let it take its place."""
    owed, aside = owed_in(directory, station_id), aside_path(directory, at, "damaged")
    carried = f"{owed.waiting} owed items were carried over" if owed.waiting else "it owed nothing"
    note = (
        f"the journal was damaged, is kept as {aside.name} and a new one was begun; {carried}, all else it recorded is"
        " in that file only"
    )
    part = directory / f".{JOURNAL_FILE}.part"
    for suffix in ("", "-wal", "-shm"):
        part.with_name(part.name + suffix).unlink(missing_ok=True)
    private_file(part)
    with translated("a new journal cannot be begun"), contextlib.closing(connect_writer(part)) as db:
        migrate(db, stamp(at), rebuild)
        with atomic(db):
            restored = Entry.from_event(JournalRestored(at=at, reason=note))
            append(db, station_id, Tail(), [*map(_entry, owed.entries), restored])
        if _rows(db) != owed.rows:
            raise JournalError("what the damaged journal owes does not follow from its entries")
        db.execute("PRAGMA journal_mode = DELETE")  # one file, and nothing beside it
    handle = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
    os.fsync(handle)
    os.close(handle)
    part.rename(directory / f".{aside.name}{BEGUN}")  # from here on it is the journal, also after a kill
    put_begun(directory)
    return note


def owed_in(directory: Path, station_id: str) -> Owed:
    """Return all that the damaged journal in ``directory`` owes; raises `JournalError` unless all of it is sure."""
    seal = read_seal(directory)
    if seal is None:
        raise JournalError("nobody noted up to where the journal was written")
    with (
        translated("what the damaged journal owes cannot be read"),
        contextlib.closing(connect_damaged(directory / JOURNAL_FILE)) as db,
    ):
        if version(db) != NEWEST:
            raise JournalError("the damaged journal is of another schema")
        said = db.execute("PRAGMA integrity_check('outbox')").fetchone()[0]
        if said != "ok":
            raise JournalError(f"the outbox of the damaged journal is damaged, too ({' '.join(said.split())})")
        owed = _rows(db)
        listed = {
            (row["attempt"], row["action"]): bool(row["waits"])
            for row in db.execute("SELECT attempt, action, settled_at IS NULL AS waits FROM outbox NOT INDEXED")
        }
        found = _walked(_backwards(db, station_id), seal.tail, {row[0] for row in owed}, listed)
        return Owed(owed, tuple(_kept(reversed(found), {row[0] for row in owed})))


def _rows(db: sqlite3.Connection) -> tuple[tuple[Any, ...], ...]:
    return tuple(map(tuple, db.execute(_OUTBOX)))


def _backwards(db: sqlite3.Connection, station_id: str) -> Iterator[Row]:
    """Yield the entries from the last one back, each checked against its hash and its neighbour."""
    cursor = db.execute(f"SELECT {COLUMNS} FROM entries ORDER BY seq DESC")
    cursor.row_factory = None
    before: Row | None = None
    for row in map(Row._make, cursor):
        wrong = changed(row)
        if wrong is None and before is not None and row.seq != before.seq - 1:
            wrong = f"entry {before.seq - 1} is missing"
        if wrong is None and row.station_id != station_id:
            wrong = f"entry {row.seq} is of station {row.station_id}"
        if wrong is not None:
            raise JournalError(wrong)
        yield row
        before = row


def _walked(rows: Iterator[Row], known: Tail, attempts: set[str], listed: Mapping[_Item, bool]) -> list[Row]:
    """Return the entries of ``attempts`` and batches, back to ``known`` and to where all of those began.

    What lies before is read as far as it can be, to compare what was queued and settled with the ``listed`` items
    (whether each still waits). Raises `JournalError` where an entry is missing or tells otherwise.
    """
    found: list[Row] = []
    missing, batches, settled, is_reached = set(attempts), set[str](), set[_Item](), known.seq == 0
    while True:
        is_enough = is_reached and not missing and not batches
        try:
            row = next(rows, None)
        except (sqlite3.Error, JournalError):
            if is_enough:
                return found
            raise
        if row is None and is_enough:
            return found
        if row is None:
            raise JournalError("entries of what is owed are missing")
        if row.seq == known.seq:
            if row.hash != known.hash:
                raise JournalError(f"entry {row.seq} is not the one the station noted")
            is_reached = True
        if not is_enough and row.kind in _CARRIED:
            found.append(row)
        _compare_items(row, listed, settled)
        match row.kind:
            case "AttemptStarted" if (values := row.values())["attempt"] in missing:
                missing.remove(values["attempt"])
                batches |= {values["batch"]} if values.get("batch") else set()
            case "BatchOpened" if batches:
                batches.discard(row.values()["batch"]["id"])


def _compare_items(row: Row, listed: Mapping[_Item, bool], settled: set[_Item]) -> None:
    """Add what ``row`` settles to ``settled``; raise `JournalError` for work it queued that is listed otherwise."""
    if row.kind == "OutboxSettled":
        values = row.values()
        settled.add((values["attempt"], values["action"]))
    elif row.kind == "OutboxQueued":
        for item in row.values()["items"]:
            if listed.get(key := (item["attempt"], item["action"])) is not (key not in settled):
                raise JournalError(
                    f"entry {row.seq} queued {key[1]} of attempt {key[0]}, the outbox lists it otherwise"
                )


def _kept(rows: Iterable[Row], attempts: set[str]) -> Iterator[Row]:
    """Yield what makes the attempts, takes the proof from them, and the batches and lots they belong to, in order."""
    opened, units = set[str](), set[str]()
    for row in rows:
        values = row.values()
        if row.kind in _OF_ATTEMPT and values["attempt"] in attempts:
            units.add(values["device_id"] or "")
            yield row
        elif row.kind == "BatchOpened":
            opened.add(values["batch"]["id"])
            yield row
        elif row.kind in _BESIDE and (values.get("batch") in opened or values["device_id"] in units - {""}):
            yield row


def _entry(row: Row) -> Entry:
    values = row.values()
    body = {name: value for name, value in values.items() if name not in HEAD}
    at = datetime.datetime.fromisoformat(row.at)
    return Entry(row.kind, at, values["slot"], values["device_id"], values["attempt"], body)
