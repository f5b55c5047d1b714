"""A hand with an editor: changes a journal's file behind the station's back, and asks what verification says of it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from station.errors import JournalError
from station.journal import JOURNAL_FILE, JournalReader
from station.journal.migrations import fresh
from station.journal.seal import DOUBT_FILE, SEAL_FILE
from station.model import Verdict


@contextlib.contextmanager
def edited(place: Path) -> Iterator[sqlite3.Connection]:
    """Open the journal in an editor that cares for no trigger and no key; the triggers are back afterwards."""
    with contextlib.closing(sqlite3.connect(place / "journal" / JOURNAL_FILE)) as db:
        guards = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in guards:
            db.execute(f"DROP TRIGGER {name}")
        yield db
        for _, sql in guards:
            db.execute(sql)
        db.commit()


def edited_value(value: object) -> object:
    """Return another value of the same kind, one that a table takes."""
    match value:
        case None:
            return "9"
        case int() | float():
            return value + 1
        case bytes():
            return bytes([value[0] ^ 1]) + value[1:]
        case str() if value in Verdict.__members__:
            return "PASS" if value != "PASS" else "FAIL"
        case _:
            return f"{value}x"


def key_columns(table: str) -> list[str]:
    """Return the columns of the primary key of ``table``."""
    with fresh() as db:
        return [column["name"] for column in db.execute(f"PRAGMA table_info({table})") if column["pk"]]


def said_by_verify(place: Path) -> str:
    """Return what verification finds wrong; empty when all holds."""
    try:
        with JournalReader(place / "journal") as journal:
            journal.verify()
    except JournalError as error:
        return str(error)
    return ""


def killed(place: Path) -> None:
    """Leave the journal as a killed station does: nobody noted how the files looked at the end."""
    seal = place / "journal" / SEAL_FILE
    noted = json.loads(seal.read_text())
    seal.write_text(json.dumps(noted | {"look": ""}))
    (place / "journal" / DOUBT_FILE).unlink(missing_ok=True)
