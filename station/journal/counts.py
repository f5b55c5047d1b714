"""Keeps the figures of each batch (`station.figures`) beside its attempts, so that nobody counts them anew.

One definition, `_figures_of` one unit: applied to the unit an entry concerns, and to all when tables are made again.
"""

from __future__ import annotations

import contextlib
import itertools
import operator
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..model import Verdict
from .chain import Row

_COLUMNS = ("units", "passed", "pending", "failed", "aborted", "error", "judged", "first_passed", "retests")
_NONE = (0,) * len(_COLUMNS)
_JUDGED = frozenset({Verdict.PASS.name, Verdict.FAIL.name})
_ENDS = (Verdict.PASS, Verdict.PENDING, Verdict.FAIL, Verdict.ABORTED, Verdict.ERROR)
"""In the order of their columns."""
_MOVES = frozenset({"AttemptStarted", "UnitIdentified", "AttemptFinished", "AttemptAbandoned", "VerdictRevised"})
"""Kinds of entries that may change the figures of a batch."""


def _figures_of(verdicts: Sequence[str | None]) -> tuple[int, ...]:
    """Return what one unit counts for, by the verdicts of its attempts in the batch, oldest first.

    It stands where its last attempt with a verdict left it; the first that judged it decides the first pass yield.
    """
    if not verdicts:
        return _NONE
    last = next((verdict for verdict in reversed(verdicts) if verdict is not None), None)
    judged = [verdict for verdict in verdicts if verdict in _JUDGED]
    stands = (int(last == verdict.name) for verdict in _ENDS)
    return (1, *stands, int(bool(judged)), int(judged[:1] == [Verdict.PASS.name]), max(len(judged) - 1, 0))


@contextlib.contextmanager
def added_to_figures(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> Iterator[None]:
    """Keep the figures true while the block projects ``row``: add what its unit counts for after it, less before."""
    if row.kind not in _MOVES:
        yield
        return
    held = db.execute("SELECT batch, device_id FROM attempts WHERE attempt = ?", (values["attempt"],)).fetchone()
    batch = held["batch"] if held else values.get("batch") or None
    units = {values["device_id"], held and held["device_id"]} - {None}
    before = [_figures_of(_verdicts(db, batch, unit)) for unit in units]
    yield
    after = [_figures_of(_verdicts(db, batch, unit)) for unit in units]
    if batch is not None and before != after:
        more = map(operator.sub, _sum(after), _sum(before))
        db.execute(
            f"UPDATE figures SET {', '.join(f'{name} = {name} + ?' for name in _COLUMNS)} WHERE batch = ?",
            (*more, batch),
        )


def count_figures(db: sqlite3.Connection) -> None:
    """Count the figures of all batches anew; each has its row since it was opened."""
    attempts = db.execute(
        "SELECT batch, device_id, verdict FROM attempts WHERE batch IS NOT NULL AND device_id IS NOT NULL"
        " ORDER BY batch, device_id, started_seq"
    )
    for batch, of_batch in itertools.groupby(attempts, key=operator.itemgetter("batch")):
        units = itertools.groupby(of_batch, key=operator.itemgetter("device_id"))
        set_figures(db, batch, _sum(_figures_of([row["verdict"] for row in of_unit]) for _, of_unit in units))


def set_figures(db: sqlite3.Connection, batch: str, figures: Iterable[int] = _NONE) -> None:
    """Note what ``batch`` came to."""
    db.execute(f"INSERT OR REPLACE INTO figures VALUES (?, {', '.join('?' * len(_COLUMNS))})", (batch, *figures))


def _verdicts(db: sqlite3.Connection, batch: str | None, device_id: str) -> list[str | None]:
    found = db.execute(
        "SELECT verdict FROM attempts WHERE batch = ? AND device_id = ? ORDER BY started_seq", (batch, device_id)
    )
    return [row["verdict"] for row in found]


def _sum(figures: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    total = _NONE
    for one in figures:
        total = tuple(map(operator.add, total, one))
    return total
