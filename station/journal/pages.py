"""What the supervisor's screens and lists ask, part by part: closed batches, units, those to rework, takt.

Each answer comes from one connection; whoever asks lends it (`JournalReader.snapshot`).
"""

from __future__ import annotations

import sqlite3

from ..figures import takt
from ..model import Verdict
from .answers import BATCHES, batch_record, time_of
from .finding import MIN_END
from .records import BatchRecord, UnitLine
from .unit_facts import search_key

RECENT_VERDICTS = 100
"""So many verdicts of a batch say how fast it goes now."""
_AFTER_ALL = "\U0010ffff"
_CLOSED = f"{BATCHES} WHERE closed_at IS NOT NULL ORDER BY closed_at DESC, rowid DESC LIMIT ? OFFSET ?"
_LAST = """(SELECT attempt FROM attempts AS one WHERE one.device_id = units.device_id AND verdict IS NOT NULL
    ORDER BY started_seq DESC LIMIT 1)"""
_UNIT = f"""SELECT units.device_id, units.label, units.platform, units.last_seen AS at, last.batch, last.slot,
    last.verdict, last.failed_step, last.reason, last.by_hand_seq
    FROM units LEFT JOIN attempts AS last ON last.attempt = {_LAST}"""
_ENDING = "(SELECT DISTINCT device_id FROM ids WHERE backwards >= ? AND backwards < ?)"
_LATEST = f"""{_UNIT} WHERE units.device_id IN (
    SELECT device_id FROM attempts WHERE device_id IS NOT NULL ORDER BY rowid DESC LIMIT ?)
    ORDER BY at DESC, units.device_id LIMIT ? OFFSET ?"""
_FAILED = """FROM attempts AS last JOIN units USING (device_id) WHERE last.verdict = 'FAIL' AND NOT EXISTS (
    SELECT 1 FROM attempts AS later WHERE later.device_id = last.device_id
    AND later.verdict IS NOT NULL AND later.started_seq > last.started_seq)"""
_VERDICTS = """SELECT slot, finished_at FROM attempts WHERE batch = ? AND verdict IN ('PASS', 'FAIL')
    AND finished_at IS NOT NULL ORDER BY rowid DESC LIMIT ?"""


def closed_batches(db: sqlite3.Connection, start: int, count: int) -> tuple[tuple[BatchRecord, ...], int]:
    """Return closed batches, the one closed last first, and how many there are."""
    total = db.execute("SELECT count(*) FROM batches WHERE closed_at IS NOT NULL").fetchone()[0]
    return tuple(map(batch_record, db.execute(_CLOSED, (count, start)))), total


def units_like(db: sqlite3.Connection, wanted: str, start: int, count: int) -> tuple[tuple[UnitLine, ...], int]:
    """Return units with an identity that ends with ``wanted``, last seen first, and how many there are.

    Of fewer than `MIN_END` characters: the units walked last.
    """
    end = search_key(wanted.strip())[::-1]
    if len(end) < MIN_END:
        total = db.execute("SELECT count(*) FROM units").fetchone()[0]
        rows = db.execute(_LATEST, (4 * (start + count), count, start))
        return tuple(map(_unit_line, rows)), total
    span = (end, end + _AFTER_ALL)
    total = db.execute(f"SELECT count(*) FROM {_ENDING}", span).fetchone()[0]
    rows = db.execute(
        f"{_UNIT} WHERE units.device_id IN {_ENDING} ORDER BY at DESC, units.device_id LIMIT ? OFFSET ?",
        (*span, count, start),
    )
    return tuple(map(_unit_line, rows)), total


def failed_units(db: sqlite3.Connection, start: int, count: int) -> tuple[tuple[UnitLine, ...], int]:
    """Return units whose last attempt that ended was a FAIL, the newest first, and how many there are."""
    total = db.execute(f"SELECT count(*) {_FAILED}").fetchone()[0]
    rows = db.execute(
        "SELECT last.device_id, label, platform, coalesce(last.finished_at, last.started_at) AS at, last.batch,"
        " last.slot, last.verdict, last.failed_step, last.reason, last.by_hand_seq"
        f" {_FAILED} ORDER BY last.rowid DESC LIMIT ? OFFSET ?",
        (count, start),
    )
    return tuple(map(_unit_line, rows)), total


def _unit_line(row: sqlite3.Row) -> UnitLine:
    return UnitLine(
        row["device_id"], row["label"], row["platform"], time_of(row["at"]), row["batch"] or "", row["slot"] or 0,
        None if row["verdict"] is None else Verdict[row["verdict"]], row["failed_step"] or "", row["reason"] or "",
        row["by_hand_seq"] is not None,
    )  # fmt: skip


def takt_of(db: sqlite3.Connection, batch: str) -> float | None:
    """Return the takt of ``batch`` by its last verdicts (`station.figures.takt`)."""
    rows = db.execute(_VERDICTS, (batch, RECENT_VERDICTS)).fetchall()
    return takt((row["slot"], time_of(row["finished_at"])) for row in reversed(rows))
