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


BY = ("slot", "operator", "station", "hour", "lot")
"""What units may be told apart by."""
_SHARES = """SELECT value AS key, sum(judged), sum(first_passed), sum(failed), sum(stopped), sum(unsure) FROM shares
    WHERE batch IN ({marks}) AND told_by = ? GROUP BY value
    ORDER BY CAST(value AS INTEGER) * (told_by = 'slot'), value"""
_STEPS = """SELECT step, outcome, took, sum(tries) AS tries, min(first_seq) AS first FROM step_tally
    WHERE batch IN ({marks}) GROUP BY step, outcome, took ORDER BY took"""
_FAILURES = """WITH alike AS (
        SELECT verdict, failed_step, slot, sentence, max(started_seq) AS last, count(*) AS times,
            count(DISTINCT device_id) AS units
        FROM attempts WHERE +batch IN ({marks}) AND verdict IN ('FAIL', 'ERROR')
        GROUP BY verdict, failed_step, slot, sentence)
    SELECT alike.*, (SELECT reason FROM attempts AS a WHERE a.verdict = alike.verdict AND started_seq = last) AS reason
    FROM alike ORDER BY times DESC, verdict DESC, failed_step, slot"""
"""Counted in the index ``attempts_failed`` (without the plus, SQLite would take the one of batches)."""

_WORKED_ON = """SELECT count(*) FROM attempts AS one WHERE batch = ? AND by_hand_seq IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM attempts AS later WHERE later.batch = one.batch AND later.device_id = one.device_id
    AND later.verdict IS NOT NULL AND later.started_seq > one.started_seq)"""


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
        Hour(time_of(one.key), one.judged, one.first_passed) for one in shares(db, batches, "hour") if one.judged
    )


def shares(db: sqlite3.Connection, batches: Sequence[str], by: str) -> tuple[Share, ...]:
    """Return how the units of ``batches`` did, told apart ``by`` one of `BY`, in the order of its values."""
    return tuple(Share(*row) for row in db.execute(_SHARES.format(marks=_marks(batches)), (*batches, by)))


def step_times(db: sqlite3.Connection, batches: Sequence[str]) -> tuple[StepTimes, ...]:
    """Return how the tries of each step went in ``batches``, in the order steps were first tried.

    Times are exact to a tenth of a second, above 100 s to a second.
    """
    took: dict[str, Counter[float]] = {}
    ends: dict[str, Counter[str]] = {}
    first: dict[str, int] = {}
    for row in db.execute(_STEPS.format(marks=_marks(batches)), tuple(batches)):
        step = row["step"]
        ends.setdefault(step, Counter())[row["outcome"]] += row["tries"]
        first[step] = min(first.get(step, row["first"]), row["first"])
        if row["outcome"] in (Outcome.DONE, Outcome.ALREADY):
            took.setdefault(step, Counter())[row["took"]] += row["tries"]
    return tuple(
        StepTimes(
            step, ends[step].total(), ends[step][Outcome.FAILED], ends[step][Outcome.ERROR],
            *(_quantile(took.get(step, Counter()), share) for share in (0.5, 0.95, 1.0)),
        )
        for step in sorted(ends, key=first.__getitem__)
    )  # fmt: skip


def _quantile(counted: Counter[float], share: float) -> float:
    """Return the value that ``share`` of the values do not exceed; 0.0 of none. ``counted``: in their order."""
    wanted = max(1, math.ceil(share * counted.total()))
    for value, count in counted.items():
        wanted -= count
        if wanted <= 0:
            return value
    return 0.0


def figures_of(db: sqlite3.Connection, batch: str) -> Figures:
    """Return what ``batch`` came to; one nobody opened has no units."""
    row = db.execute("SELECT * FROM figures WHERE batch = ?", (batch,)).fetchone()
    return Figures() if row is None else Figures(*row[1:])


def on_no_unit(db: sqlite3.Connection, batch: str) -> int:
    """Count the attempts of ``batch`` that no Device ID is known of: no figure of units has them, every log does."""
    asked = "SELECT count(*) FROM attempts WHERE batch = ? AND device_id IS NULL"
    return int(db.execute(asked, (batch,)).fetchone()[0])


def worked_on(db: sqlite3.Connection, batch: str) -> int:
    """Count the units of ``batch`` whose PASS or PENDING is not proven any more: worked on by hand since.

    Figures count the verdict all the same: it is the last that their walks came to.
    """
    return int(db.execute(_WORKED_ON, (batch,)).fetchone()[0])


def newest_entry(db: sqlite3.Connection) -> tuple[int, str]:
    """Return number and hash (hexadecimal) of the newest entry; (0, "") of an empty journal."""
    row = db.execute("SELECT seq, lower(hex(hash)) FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
    return (0, "") if row is None else (row[0], row[1])


def _marks(batches: Sequence[str]) -> str:
    return ", ".join("?" * len(batches))
