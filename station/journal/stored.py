"""How an entry is kept in its row: nothing twice, and yet every character of what was hashed can be given back.

Ids and kinds go by their number in ``names``, a time as milliseconds since 1970, the hash as bytes, and the head that
every body begins with (slot, device_id, attempt) as columns; a time or a body of another form stays the text it is,
the body then with no slot. The view ``entries`` is the way back.
"""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from .chain import START, Row, Tail

COLUMNS = "station_id, seq, at, kind, body, prev_hash, hash"
"""Of the view ``entries``, in the order of a `Row`."""
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MILLISECOND = datetime.timedelta(milliseconds=1)


def store(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    """Add ``row``, whose body says ``values``, to the journal."""
    slot, unit, attempt, body = _split(row.body, values)
    names = (row.station_id, row.kind, unit, attempt)
    found = db.execute(
        "SELECT (SELECT number FROM names WHERE name = ?), (SELECT number FROM names WHERE name = ?),"
        " (SELECT number FROM names WHERE name = ?), (SELECT number FROM names WHERE name = ?)",
        names,
    ).fetchone()
    station, kind, unit_number, attempt_number = (
        number if number is not None or name is None else _named(db, name)
        for number, name in zip(found, names, strict=True)
    )
    db.execute(
        "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (row.seq, station, _moment(row.at), kind, slot, unit_number, attempt_number, body, bytes.fromhex(row.hash)),
    )


def rows(db: sqlite3.Connection) -> Iterator[Row]:
    """All entries in order, streamed; the hash before each is that of the row before."""
    cursor = db.cursor()
    cursor.row_factory = None
    before = START
    for station_id, seq, at, kind, body, hash_ in cursor.execute(
        "SELECT station_id, seq, at, kind, body, hash FROM entries ORDER BY seq"
    ):
        yield Row(station_id, seq, at, kind, body, before, hash_)
        before = hash_


def some_rows(db: sqlite3.Connection, where: str, *values: object) -> Iterator[Row]:
    """Entries for which ``where`` (a clause) holds, in order, streamed."""
    cursor = db.execute(f"SELECT {COLUMNS} FROM entries {where} ORDER BY seq", values)
    cursor.row_factory = None
    return map(Row._make, cursor)


def tail_of(db: sqlite3.Connection) -> Tail:
    """Where the chain ends."""
    found = db.execute(
        "SELECT seq, lower(hex(hash)) AS hash FROM journal WHERE seq = (SELECT max(seq) FROM journal)"
    ).fetchone()
    return Tail() if found is None else Tail(found["seq"], found["hash"])


def stations(db: sqlite3.Connection) -> list[str]:
    """The ids in the first and the last entry: one, unless somebody put two journals into one file."""
    found = db.execute(
        "SELECT DISTINCT name FROM journal JOIN names ON number = station"
        " WHERE seq IN ((SELECT min(seq) FROM journal), (SELECT max(seq) FROM journal)) ORDER BY seq"
    )
    return [row["name"] for row in found]


def _named(db: sqlite3.Connection, name: str) -> int | None:
    held = db.execute("SELECT number FROM names WHERE name = ?", (name,)).fetchone()  # the same id twice in one entry
    return held["number"] if held else db.execute("INSERT INTO names (name) VALUES (?)", (name,)).lastrowid


def _moment(at: str) -> int | str:
    """Milliseconds since 1970, or the text itself when it would not come back as it is."""
    try:
        moment = datetime.datetime.fromisoformat(at)
        number = (moment - _EPOCH) // _MILLISECOND
        again = (_EPOCH + number * _MILLISECOND).isoformat(timespec="milliseconds")
    except (ValueError, TypeError, OverflowError):
        return at
    return number if again == at and number >= 0 else at


def _split(body: str, values: Mapping[str, Any]) -> tuple[int | None, str | None, str | None, str]:
    """Slot, Device ID, attempt and the rest, or no head and ``body`` whole when it does not begin as usual."""
    slot, unit, attempt = values.get("slot"), values.get("device_id"), values.get("attempt")
    if type(slot) is int and abs(slot) < 2**63 and all(name is None or type(name) is str for name in (unit, attempt)):
        names = ("null" if name is None else f'"{name}"' for name in (unit, attempt))
        head = '{{"slot":{},"device_id":{},"attempt":{}'.format(slot, *names)
        if body == head + "}":
            return slot, unit, attempt, "{}"
        if body.startswith(head + ","):
            return slot, unit, attempt, "{" + body[len(head) + 1 :]
    return None, None, None, body
