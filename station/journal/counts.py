"""Keeps the figures of each batch (`station.figures`) and what they are told apart by, so that nobody counts them anew.

One definition, `_figures_of` and `_shares_of` one unit: applied to the unit an entry concerns, and to all when tables
are made again.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import operator
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..model import Verdict
from .chain import Row

_COLUMNS = ("units", "passed", "pending", "failed", "aborted", "error", "judged", "first_passed", "retests")
_SHARED = ("attempts", "judged", "first_passed", "failed", "stopped", "unsure")
_NONE = (0,) * len(_COLUMNS)
_JUDGED = frozenset({Verdict.PASS.name, Verdict.FAIL.name})
_ENDS = (Verdict.PASS, Verdict.PENDING, Verdict.FAIL, Verdict.ABORTED, Verdict.ERROR)
"""In the order of their columns."""
_MOVES = frozenset({
    "AttemptStarted", "UnitIdentified", "AttemptFinished", "AttemptAbandoned", "VerdictRevised", "LotScanned",
})  # fmt: skip
"""Kinds of entries that may change the figures of a batch."""
_STEPS = frozenset({"StepFinished", "OutboxSettled"})
"""Kinds of entries that end a try of a step."""

_Shares = dict[tuple[str, str], tuple[int, ...]]
"""What units or attempts count for, by what they are told apart by and its value."""


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


def _shares_of(attempts: Iterable[sqlite3.Row]) -> _Shares:
    """Return what the attempts on one unit count for, each under its slot, operator, station, hour and lots.

    The unit is judged where its first judged attempt was; every other end counts where it happened.
    """
    shares: _Shares = {}
    is_judged = False
    for row in attempts:
        verdict = row["verdict"]
        if verdict is None:
            continue
        is_first = verdict in _JUDGED and not is_judged
        is_judged = is_judged or is_first
        ends = (Verdict.FAIL.name, Verdict.ABORTED.name, Verdict.ERROR.name)
        counts = (1, int(is_first), int(is_first and verdict == Verdict.PASS.name), *(int(verdict == e) for e in ends))
        told = [(name, str(row[name])) for name in ("slot", "operator", "station", "hour")]
        for one in (*told, *(("lot", lot) for lot in json.loads(row["lots"]) or ("",))):
            shares[one] = tuple(map(operator.add, shares.get(one, (0,) * len(_SHARED)), counts))
    return shares


@contextlib.contextmanager
def added_to_figures(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> Iterator[None]:
    """Keep the figures true while the block projects ``row``: add what its unit counts for after it, less before."""
    if row.kind in _STEPS:
        yield
        db.execute(_ONE_TRY, (values["attempt"], row.seq))
        return
    if row.kind not in _MOVES:
        yield
        return
    attempt, unit = values["attempt"], values["device_id"]
    held = db.execute(*(_LAST_ATTEMPT, (unit,)) if attempt is None else (_ATTEMPT, (attempt,))).fetchone()
    batch = held["batch"] if held else values.get("batch") or None
    units = {unit, held and held["device_id"]} - {None}
    before = _counted(db, batch, units, attempt)
    yield
    after = _counted(db, batch, units, attempt)
    if batch is None or before == after:
        return
    figures = tuple(map(operator.sub, after[0], before[0]))
    if figures != _NONE:
        db.execute(
            f"UPDATE figures SET {', '.join(f'{name} = {name} + ?' for name in _COLUMNS)} WHERE batch = ?",
            (*figures, batch),
        )
    nothing = (0,) * len(_SHARED)
    for one in before[1].keys() | after[1].keys():
        more = tuple(map(operator.sub, after[1].get(one, nothing), before[1].get(one, nothing)))
        if more != nothing:
            db.execute(_ADD_SHARE, (batch, *one, *more))
            db.execute("DELETE FROM shares WHERE (batch, told_by, value) = (?, ?, ?) AND attempts = 0", (batch, *one))


def _counted(
    db: sqlite3.Connection, batch: str | None, units: Iterable[str], attempt: str | None
) -> tuple[tuple[int, ...], _Shares]:
    """Return figures and shares of ``units`` in ``batch``, and the shares of ``attempt`` if nobody knows its unit."""
    figures, shares = _NONE, _Shares()
    for unit in units:
        attempts = db.execute(_OF_UNIT, (batch, unit)).fetchall()
        figures = tuple(map(operator.add, figures, _figures_of([row["verdict"] for row in attempts])))
        _add(shares, _shares_of(attempts))
    _add(shares, _shares_of(db.execute(f"{_TOLD} WHERE attempt = ? AND device_id IS NULL", (attempt,))))
    return figures, shares


def _add(shares: _Shares, more: _Shares) -> None:
    for one, counts in more.items():
        shares[one] = tuple(map(operator.add, shares[one], counts)) if one in shares else counts


def count_figures(db: sqlite3.Connection) -> None:
    """Count all of it anew; each batch has its row of figures since it was opened."""
    attempts = db.execute(f"{_TOLD} WHERE batch IS NOT NULL ORDER BY batch, device_id, started_seq")
    for batch, of_batch in itertools.groupby(attempts, key=operator.itemgetter("batch")):
        figures, shares = _NONE, _Shares()
        for unit, of_unit in itertools.groupby(of_batch, key=operator.itemgetter("device_id")):
            rows = list(of_unit)
            if unit is not None:
                figures = tuple(map(operator.add, figures, _figures_of([row["verdict"] for row in rows])))
            for some in ([row] for row in rows) if unit is None else (rows,):
                _add(shares, _shares_of(some))
        set_figures(db, batch, figures)
        db.executemany(_ADD_SHARE, ((batch, *one, *counts) for one, counts in shares.items()))
    db.execute(_ALL_TRIES)


def set_figures(db: sqlite3.Connection, batch: str, figures: Iterable[int] = _NONE) -> None:
    """Note what ``batch`` came to."""
    db.execute(f"INSERT OR REPLACE INTO figures VALUES (?, {', '.join('?' * len(_COLUMNS))})", (batch, *figures))


_ATTEMPT = "SELECT batch, device_id FROM attempts WHERE attempt = ?"
_LAST_ATTEMPT = "SELECT batch, device_id FROM attempts WHERE device_id = ? ORDER BY started_seq DESC LIMIT 1"
_TOLD = """SELECT batch, device_id, verdict, slot, operator, station_id AS station,
    strftime('%Y-%m-%dT%H:00Z', finished_at) AS hour,
    (SELECT json_group_array(CASE part WHEN '' THEN lot ELSE part || '=' || lot END) FROM attempt_lots
        WHERE attempt_lots.attempt = attempts.attempt) AS lots
    FROM attempts"""
_OF_UNIT = f"{_TOLD} WHERE batch = ? AND device_id = ? ORDER BY started_seq"
_ADD_SHARE = f"""INSERT INTO shares VALUES (?, ?, ?, {", ".join("?" * len(_SHARED))})
    ON CONFLICT DO UPDATE SET {", ".join(f"{name} = {name} + excluded.{name}" for name in _SHARED)}"""
_TRIES = """INSERT INTO step_tally
    SELECT batch, step, outcome, CASE WHEN steps.seconds < 100 THEN round(steps.seconds, 1) ELSE round(steps.seconds)
        END AS took, {count}, {first} FROM steps JOIN attempts USING (attempt) WHERE batch IS NOT NULL {which}
    ON CONFLICT DO UPDATE SET tries = tries + 1, first_seq = min(first_seq, excluded.first_seq)"""
_ONE_TRY = _TRIES.format(count="1", first="steps.seq", which="AND steps.attempt = ? AND steps.seq = ?")
_ALL_TRIES = _TRIES.format(count="count(*)", first="min(steps.seq)", which="GROUP BY batch, step, outcome, took")
