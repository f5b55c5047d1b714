"""Opens a journal for writing: brings its schema up to date, and compares what nobody vouches for.

Nothing is read from end to end when the station closed the file knowing all of it to agree, and nobody wrote since.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from drivers.clock import Clock

from ..errors import JournalError
from .backup import set_aside
from .compare import TablesDiffer, check_all, check_end, check_since
from .directory import JOURNAL_FILE, check_beside, check_journal_files, private_file
from .entries import stamp
from .migrations import migrate
from .projections import rebuild
from .schema import ENTRIES_SINCE, atomic, connect_reader, connect_writer, translated, version
from .seal import Seal, is_doubted, look_of, read_seal, settle_doubt, write_seal
from .stored import stations, tail_of
from .writer import Writer


def open_writer(directory: Path, station_id: str, clock: Clock) -> tuple[Writer, str, bool]:
    """The writer, with the newest schema, on a journal of this station; what had to be made again in its tables; and
    whether all of them are known to agree with the chain."""
    path = directory / JOURNAL_FILE
    put_begun(directory)
    private_file(path)
    check_beside(path)
    seal, look, is_in_doubt = read_seal(directory), look_of(directory), is_doubted(directory)
    with translated(f"the journal in {directory} cannot be opened"):
        db = connect_writer(path)
        try:
            migrate(db, stamp(clock.utc()), rebuild)
            _check_owner(db, directory, station_id)
            mended, is_sure = "", True
            if is_in_doubt or seal is None or seal.look != look or tail_of(db) != seal.tail:
                is_sure = is_in_doubt or seal is None or bool(seal.look)
                mended = _checked(db, seal, everything=is_sure)
                is_sure = is_sure or bool(mended)  # what is made again is compared as a whole
            if is_in_doubt:
                settle_doubt(directory)
            db.execute("PRAGMA busy_timeout = 0")  # from here on whoever asks waits, through the clock
            writer = Writer(db, station_id)
            write_seal(directory, Seal(writer.tail))
            return writer, mended, is_sure
        except BaseException:
            db.close()
            raise


BEGUN = ".begun"


def put_begun(directory: Path) -> None:
    """Let a new journal that was made whole (`station.journal.anew`) take the place of the damaged one.

    Its name says what the damaged one is to be called; a kill in between leaves it for the next start.
    """
    for begun in directory.glob(f".*{BEGUN}"):
        set_aside(directory, directory / begun.name.removesuffix(BEGUN)[1:])
        begun.replace(directory / JOURNAL_FILE)


def _checked(db: sqlite3.Connection, seal: Seal | None, *, everything: bool) -> str:
    """Compare the tables with the chain, as far as nobody did; mend and name what differs.

    A station that was killed left its note open: then what came after it is compared, not ``everything``.
    """
    check_end(db, seal.tail if seal is not None else None)
    try:
        if everything or seal is None:
            check_all(db)
        else:
            check_since(db, seal.tail)
    except TablesDiffer as error:
        with atomic(db):  # what does not hold even then is left as it was found
            rebuild(db)
            check_all(db)
        return str(error)
    return ""


def _check_owner(db: sqlite3.Connection, directory: Path, station_id: str) -> None:
    for found in stations(db):
        if found != station_id:
            raise JournalError(
                f"{directory} holds the journal of station {found}, this is {station_id}; "
                "correct the station id or name another data directory"
            )


def owner_of(directory: Path) -> str | None:
    """Return the id of the station whose journal, of any schema, is in ``directory``; None if nothing is recorded."""
    path = directory / JOURNAL_FILE
    if not os.path.lexists(path):
        return None
    check_journal_files(directory)
    with translated(f"the journal in {directory} cannot be read"), contextlib.closing(connect_reader(path)) as db:
        if (found := version(db)) == 0:
            return None
        view = "entries" if found >= ENTRIES_SINCE else "journal"
        first = db.execute(f"SELECT station_id FROM {view} WHERE seq = (SELECT min(seq) FROM journal)").fetchone()
        return None if first is None else str(first["station_id"])
