"""What batches failed of, and how their yield went hour by hour: counted by the database."""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from ..figures import Figures
from ..model import Verdict
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
