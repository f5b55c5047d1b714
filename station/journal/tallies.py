"""What batches failed of, and how their yield went hour by hour: counted by the database."""

from __future__ import annotations

import datetime
import math
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..figures import Figures
from ..model import Outcome, Verdict
from .answers import time_of


@dataclass(frozen=True, slots=True)
class Failure:
    """Attempts that ended alike: in one step, at one slot, with one sentence. ``example``: the reason of the last."""

    verdict: Verdict
    step: str
    slot: int
    sentence: str  # the key of what the operator was told
    example: str
    attempts: int
    units: int


@dataclass(frozen=True, slots=True)
class Hour:
    """Units judged for the first time within one hour of the clock, in UTC, and how many of them passed."""

    at: datetime.datetime
    judged: int
    first_passed: int


@dataclass(frozen=True, slots=True)
class Share:
    """Judged first attempts of units that have something in common, and other ends of attempts there."""

    key: str
    judged: int  # units whose first judged attempt was here
    first_passed: int
    failed: int  # attempts
    stopped: int
    unsure: int  # attempts that ended CHECK STATION


@dataclass(frozen=True, slots=True)
class StepTimes:
    """All tries of one step: how they ended, and how long those took that reached their goal."""

    step: str
    tries: int
    failed: int
    unsure: int
    median_s: float
    p95_s: float
    most_s: float


_KEYS = {
    "slot": "printf('%d', slot)",
    "operator": "operator",
    "station": "station_id",
    "hour": "strftime('%Y-%m-%dT%H:00Z', coalesce(finished_at, started_at))",
}
"""What units may be told apart by."""
BY = tuple(_KEYS)
_SHARES = """SELECT {key} AS key, sum(nth = 1) AS judged, sum(nth = 1 AND verdict = 'PASS') AS first_passed,
    sum(verdict = 'FAIL') AS failed, sum(verdict = 'ABORTED') AS stopped, sum(verdict = 'ERROR') AS unsure
    FROM (SELECT *, CASE WHEN verdict IN ('PASS', 'FAIL') AND device_id IS NOT NULL THEN row_number() OVER (
        PARTITION BY batch, device_id, verdict IN ('PASS', 'FAIL') ORDER BY started_seq) END AS nth
        FROM attempts WHERE batch IN ({marks}))
    GROUP BY key ORDER BY min(started_seq)"""
_STEPS = """SELECT step, outcome, steps.seconds FROM steps JOIN attempts USING (attempt)
    WHERE batch IN ({marks}) ORDER BY started_seq, number"""
_COUNTS = ("judged", "first_passed", "failed", "stopped", "unsure")
_FAILURES = """SELECT verdict, failed_step, attempts.slot, coalesce(json_extract(body, '$.sentence'), '') AS sentence,
    reason, max(started_seq), count(*) AS times, count(DISTINCT device_id) AS units
    FROM attempts LEFT JOIN journal ON journal.seq = finished_seq
    WHERE batch IN ({marks}) AND verdict IN ('FAIL', 'ERROR')
    GROUP BY verdict, failed_step, attempts.slot, sentence
    ORDER BY times DESC, verdict DESC, failed_step, attempts.slot"""
_HOURS = """SELECT strftime('%Y-%m-%dT%H:00:00+00:00', finished_at) AS hour, count(*) AS judged,
    sum(verdict = 'PASS') AS passed FROM (
        SELECT finished_at, verdict, row_number() OVER (PARTITION BY batch, device_id ORDER BY started_seq) AS nth
        FROM attempts WHERE batch IN ({marks}) AND device_id IS NOT NULL AND verdict IN ('PASS', 'FAIL'))
    WHERE nth = 1 GROUP BY hour ORDER BY hour"""


def failures(db: sqlite3.Connection, batches: Sequence[str]) -> tuple[Failure, ...]:
    """Return what attempts of ``batches`` ended as FAIL or CHECK STATION for, the most frequent first."""
    return tuple(
        Failure(
            Verdict[row["verdict"]], row["failed_step"], row["slot"], row["sentence"], row["reason"], row["times"],
            row["units"],
        )
        for row in db.execute(_FAILURES.format(marks=_marks(batches)), tuple(batches))
    )  # fmt: skip


def hours(db: sqlite3.Connection, batches: Sequence[str]) -> tuple[Hour, ...]:
    """Return the hours in which units of ``batches`` were judged for the first time, in order."""
    return tuple(
        Hour(time_of(row["hour"]), row["judged"], row["passed"])
        for row in db.execute(_HOURS.format(marks=_marks(batches)), tuple(batches))
    )


def shares(db: sqlite3.Connection, batches: Sequence[str], by: str) -> tuple[Share, ...]:
    """Return how the units of ``batches`` did, told apart ``by`` one of `BY`, in the order these appeared."""
    found = db.execute(_SHARES.format(key=_KEYS[by], marks=_marks(batches)), tuple(batches))
    return tuple(Share(row["key"], *(row[name] or 0 for name in _COUNTS)) for row in found)


def step_times(db: sqlite3.Connection, batches: Sequence[str]) -> tuple[StepTimes, ...]:
    """Return how the tries of each step went in ``batches``, in the order steps were first tried."""
    took: dict[str, list[float]] = {}
    ends: dict[str, Counter[str]] = {}
    for row in db.execute(_STEPS.format(marks=_marks(batches)), tuple(batches)):
        ends.setdefault(row["step"], Counter())[row["outcome"]] += 1
        if row["outcome"] in (Outcome.DONE, Outcome.ALREADY):
            took.setdefault(row["step"], []).append(row["seconds"])
    return tuple(
        StepTimes(
            step, tries.total(), tries[Outcome.FAILED], tries[Outcome.ERROR],
            *(_quantile(sorted(took.get(step, ())), share) for share in (0.5, 0.95, 1.0)),
        )
        for step, tries in ends.items()
    )  # fmt: skip


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Return the value that ``share`` of the values do not exceed; 0.0 of none."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def figures_of(db: sqlite3.Connection, batch: str) -> Figures:
    """Return what ``batch`` came to; one nobody opened has no units."""
    row = db.execute("SELECT * FROM figures WHERE batch = ?", (batch,)).fetchone()
    return Figures() if row is None else Figures(*row[1:])


def newest_entry(db: sqlite3.Connection) -> tuple[int, str]:
    """Return number and hash (hexadecimal) of the newest entry; (0, "") of an empty journal."""
    row = db.execute("SELECT seq, lower(hex(hash)) FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
    return (0, "") if row is None else (row[0], row[1])


def _marks(batches: Sequence[str]) -> str:
    return ", ".join("?" * len(batches))
