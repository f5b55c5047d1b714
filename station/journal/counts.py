"""Keeps what each batch came to (`station.figures`): one definition, asked for one unit when an entry moves it, and for
all units of a batch when the tables are made again.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .chain import Row

_FIGURES = ("units", "passed", "pending", "failed", "aborted", "error", "judged", "first_passed", "retests")
_NONE = (0,) * len(_FIGURES)
_COUNT = """
    WITH known AS (SELECT device_id, verdict, started_seq FROM attempts
        WHERE batch = :batch AND device_id IS NOT NULL {unit}),
    last AS (SELECT verdict, max(started_seq) FROM known WHERE verdict IS NOT NULL GROUP BY device_id),
    judged AS (SELECT verdict, min(started_seq), count(*) AS times
        FROM known WHERE verdict IN ('PASS', 'FAIL') GROUP BY device_id)
    SELECT (SELECT count(DISTINCT device_id) FROM known) AS units,
        count(*) FILTER (WHERE verdict = 'PASS') AS passed, count(*) FILTER (WHERE verdict = 'PENDING') AS pending,
        count(*) FILTER (WHERE verdict = 'FAIL') AS failed, count(*) FILTER (WHERE verdict = 'ABORTED') AS aborted,
        count(*) FILTER (WHERE verdict = 'ERROR') AS error,
        (SELECT count(*) FROM judged) AS judged, (SELECT count(*) FROM judged WHERE verdict = 'PASS') AS first_passed,
        (SELECT coalesce(sum(times - 1), 0) FROM judged) AS retests
    FROM last"""
"""Units of a batch by their last attempt with a verdict, and by their first that judged them. Beside max() and min()
SQLite takes the other columns from the row that has it."""
_COUNT_ALL, _COUNT_ONE = _COUNT.format(unit=""), _COUNT.format(unit="AND device_id = :device_id")
_MOVES = frozenset({"AttemptStarted", "UnitIdentified", "AttemptFinished", "AttemptAbandoned", "VerdictRevised"})
"""Kinds of entries after which a batch may stand otherwise."""


@contextlib.contextmanager
def added_to_figures(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> Iterator[None]:
    """Keep the figures true while the block projects ``row``: what its units count for after it, less what before."""
    if row.kind not in _MOVES:
        yield
        return
    held = db.execute("SELECT batch, device_id FROM attempts WHERE attempt = ?", (values["attempt"],)).fetchone()
    batch = held["batch"] if held else values.get("batch") or None
    units = {values["device_id"], held and held["device_id"]} - {None}
    before = [_count(db, batch, unit) for unit in units]
    yield
    after = [_count(db, batch, unit) for unit in units]
    more = [sum(column) for column in zip(*after, *(map(int.__neg__, one) for one in before), strict=True)]
    if batch is not None and any(more):
        db.execute(
            f"UPDATE figures SET {', '.join(f'{name} = {name} + ?' for name in _FIGURES)} WHERE batch = ?",
            (*more, batch),
        )


def count_figures(db: sqlite3.Connection) -> None:
    """Count the figures of all batches anew."""
    for row in db.execute("SELECT batch FROM batches").fetchall():
        set_figures(db, row["batch"], db.execute(_COUNT_ALL, {"batch": row["batch"]}).fetchone())


def _count(db: sqlite3.Connection, batch: str | None, device_id: str) -> tuple[int, ...]:
    return tuple(db.execute(_COUNT_ONE, {"batch": batch, "device_id": device_id}).fetchone())


def set_figures(db: sqlite3.Connection, batch: str, figures: Iterable[int] = _NONE) -> None:
    """Note what ``batch`` came to."""
    db.execute(f"INSERT OR REPLACE INTO figures VALUES (?, {', '.join('?' * len(_FIGURES))})", (batch, *figures))
