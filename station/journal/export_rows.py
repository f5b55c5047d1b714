"""Which attempts an export shows, with the facts that held when each ended. Streams; knows no file format."""

from __future__ import annotations

import datetime
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..errors import BadInput
from ..model import Measurement, Outcome, StepRecord, Verdict
from .answers import LOTS, attempt_record, measurements, moment_of
from .reader import JournalReader
from .records import AttemptRecord, BatchRecord


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One attempt. ``facts``: name -> value as of its end, owed work included (as of now for one that still runs)."""

    attempt: AttemptRecord
    facts: dict[str, str]
    outcomes: Mapping[str, str]  # of each step, by its last try
    seconds: Mapping[str, float]  # of each step, all its tries
    measured: Mapping[str, tuple[Measurement, ...]]  # in each step, by its last try
    steps: tuple[StepRecord, ...]  # every try in full; empty where no detail was asked for
    ended: tuple[datetime.datetime, ...]  # when each of ``steps`` ended
    judged: tuple[Verdict, ...]  # every PASS and FAIL of this unit in this batch, oldest first

    def fact(self, *names: str) -> str:
        """Return the first of ``names`` that is known and not empty."""
        return next((self.facts[name] for name in names if self.facts.get(name)), "")


_SELECT = f"""
    WITH chosen AS (
        SELECT *, row_number() OVER (
            PARTITION BY batch, coalesce(device_id, attempt) ORDER BY verdict IS NULL, started_seq DESC) AS nth_last
        FROM attempts WHERE batch IN (SELECT value FROM json_each(:batches)))
    SELECT chosen.*, '' AS release, {LOTS.format("chosen")},
        (SELECT group_concat(verdict) FROM (
            SELECT verdict FROM attempts AS one WHERE one.batch = chosen.batch AND one.device_id = chosen.device_id
            AND verdict IN ('PASS', 'FAIL') ORDER BY started_seq)) AS judged
    FROM chosen WHERE nth_last = 1 OR :all_attempts ORDER BY started_seq"""
_FACTS = """SELECT name, value FROM facts WHERE device_id = ?1 AND NOT disputed
    AND (?2 IS NULL OR seq <= ?2 OR ?3 = (
        SELECT names.name FROM journal JOIN names ON number = journal.attempt WHERE journal.seq = facts.seq))
    ORDER BY seq, number"""
"""A fact holds as of the attempt's end; what the cloud told of it later, without the unit, too."""
_BRIEF = "SELECT step, outcome, seconds, number, seq, NULL, NULL FROM steps WHERE attempt = ? ORDER BY number"
_DETAILED = """SELECT step, outcome, seconds, number, seq, body, at FROM steps JOIN journal USING (seq)
    WHERE steps.attempt = ? ORDER BY number"""
_WITH_VALUES = "SELECT DISTINCT step_number FROM measurements WHERE attempt = ?"
_BODY = "SELECT body FROM journal WHERE seq = ?"
_OPENED = """SELECT seq, json_extract(body, '$.batch.id'), json_extract(body, '$.batch.release') FROM journal
    WHERE unit IS NULL AND attempt IS NULL AND kind = (SELECT number FROM names WHERE name = 'BatchOpened')
    ORDER BY seq"""


def export_rows(
    db: sqlite3.Connection, batches: Sequence[str], all_attempts: bool, *, detailed: bool = True
) -> Iterator[ExportRow]:
    """Yield one row a unit of each batch, its last finished attempt; or all attempts. In the order they started.

    An attempt on a unit that was never identified is a row of its own: nothing that happened is hidden.
    ``detailed``: with every try of a step in full, reason and proof too; without it ``steps`` are empty.
    """
    wanted = {"batches": json.dumps(list(batches)), "all_attempts": all_attempts}
    releases = _releases(db)
    cursor = db.cursor()  # one statement for the rows of each attempt is faster than a list of them in one value
    cursor.row_factory = None
    for row in db.execute(_SELECT, wanted):
        attempt = replace(attempt_record(row), release=_release_at(releases, row["batch"], row["started_seq"]))
        facts: dict[str, str] = {}
        if attempt.device_id is not None:
            held = cursor.execute(_FACTS, (attempt.device_id, row["finished_seq"], attempt.attempt))
            facts = {**dict(held), "device_id": attempt.device_id}
        outcomes: dict[str, str] = {}
        seconds: dict[str, float] = {}
        measured: dict[str, tuple[Measurement, ...]] = {}
        steps: list[StepRecord] = []
        ended: list[datetime.datetime] = []
        of_steps = cursor.execute(_DETAILED if detailed else _BRIEF, (attempt.attempt,)).fetchall()
        with_values = {number for (number,) in cursor.execute(_WITH_VALUES, (attempt.attempt,))}
        for step, outcome, took, number, seq, body, at in of_steps:
            outcomes[step] = outcome
            seconds[step] = seconds.get(step, 0.0) + took
            measured[step] = ()
            if number in with_values and body is None:
                (body,) = cursor.execute(_BODY, (seq,)).fetchone()
            if body is None:
                continue
            told = json.loads(body)
            measured[step] = measurements(told["measurements"]) if "measurements" in told else ()
            if detailed:
                reason, proof = told.get("reason", ""), told.get("proof", "")
                steps.append(StepRecord(step, Outcome(outcome), reason, proof, took, measured[step]))
                ended.append(moment_of(at))
        judged = tuple(Verdict[verdict] for verdict in row["judged"].split(",")) if row["judged"] else ()
        yield ExportRow(attempt, facts, outcomes, seconds, measured, tuple(steps), tuple(ended), judged)


_Releases = dict[str, list[tuple[int, str]]]


def _releases(db: sqlite3.Connection) -> _Releases:
    """Return by which release each batch was opened, and from which entry on (`answers.ATTEMPTS` asks the same)."""
    found: _Releases = {}
    for seq, batch, release in db.execute(_OPENED):
        found.setdefault(batch, []).append((seq, release or ""))
    return found


def _release_at(releases: _Releases, batch: str, seq: int) -> str:
    return next((release for at, release in reversed(releases.get(batch, ())) if at < seq), "")


def step_names(db: sqlite3.Connection, batches: Sequence[str]) -> list[str]:
    """Return all steps of these batches in profile order; a step only some profiles have follows the one before it."""
    marks = ", ".join("?" * len(batches))
    names: list[str] = []
    planned = f"SELECT planned FROM attempts WHERE batch IN ({marks}) GROUP BY planned ORDER BY min(started_seq)"
    for row in db.execute(planned, tuple(batches)):
        merge(names, json.loads(row["planned"]))
    tried = f"SELECT DISTINCT step FROM steps JOIN attempts USING (attempt) WHERE batch IN ({marks}) ORDER BY step"
    for row in db.execute(tried, tuple(batches)):
        if row["step"] not in names:
            names.append(row["step"])
    return names


def count_tries(db: sqlite3.Connection, batches: Sequence[str]) -> int:
    """Return how many tries of steps all attempts of these batches have."""
    marks = ", ".join("?" * len(batches))
    counted = f"SELECT count(*) FROM steps JOIN attempts USING (attempt) WHERE batch IN ({marks})"
    return int(db.execute(counted, tuple(batches)).fetchone()[0])


@dataclass(frozen=True, slots=True)
class Measured:
    """A value that some attempt measured: in which step, and which kinds of limits it had."""

    step: str
    name: str
    unit: str
    has_low: bool
    has_high: bool
    is_text: bool


def measured_values(db: sqlite3.Connection, batches: Sequence[str]) -> tuple[Measured, ...]:
    """All values measured in these batches, those of one step together, in the order they were measured first."""
    found = db.execute(
        "SELECT steps.step, measurements.name, max(unit) AS unit, count(low) AS lows, count(high) AS highs,"
        " max(typeof(value) = 'text') AS texts FROM attempts JOIN steps USING (attempt)"
        " JOIN measurements ON measurements.attempt = steps.attempt AND step_number = steps.number"
        f" WHERE batch IN ({', '.join('?' * len(batches))}) GROUP BY steps.step, measurements.name"
        " ORDER BY steps.step, min(measurements.number), min(steps.seq)",
        tuple(batches),
    )
    return tuple(
        Measured(row["step"], row["name"], row["unit"], bool(row["lows"]), bool(row["highs"]), bool(row["texts"]))
        for row in found
    )


def merge(names: list[str], more: Sequence[str]) -> None:
    """Put what is new in ``more`` behind its predecessor there."""
    place = 0
    for name in more:
        if name in names:
            place = names.index(name) + 1
        else:
            names.insert(place, name)
            place += 1


def require_batches(journal: JournalReader, batch: str | Sequence[str]) -> tuple[str, ...]:
    """Return the batch ids as a tuple. Raises `BadInput` for one that was never opened."""
    batches = (batch,) if isinstance(batch, str) else tuple(batch)
    for name in batches:
        if journal.batch(name) is None:
            known = ", ".join(record.batch.id for record in sorted(journal.batches(), key=_opened, reverse=True)[:5])
            raise BadInput(f"there is no batch {name!r} in this journal; the latest are: {known or 'none'}")
    return batches


def _opened(record: BatchRecord) -> datetime.datetime:
    return record.opened_at
