"""Which attempts an export shows, with the facts that held when each ended. Streams; knows no file format."""

from __future__ import annotations

import datetime
import functools
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..errors import BadInput
from ..model import Measurement, Outcome, StepRecord, Verdict
from .answers import ATTEMPT, LOTS, attempt_of, measurements, moment_of, texts
from .kept_rows import Shown, Told, told_of
from .reader import JournalReader
from .records import AttemptRecord, BatchRecord
from .told import wire_in


class Value(NamedTuple):
    """What one try of a step measured."""

    step: str
    measurement: Measurement
    is_last: bool  # by the last try of its step


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One attempt, with what was known of its unit at its end, owed work included (now, for one that still runs)."""

    attempt: AttemptRecord
    shown: Shown
    outcomes: Mapping[str, str]  # of each step, by its last try
    seconds: Mapping[str, str]  # of each step, all its tries; as `in_milliseconds` writes them
    values: tuple[Value, ...]  # all that was measured, in every try
    judged: tuple[Verdict, ...]  # every PASS and FAIL of this unit in this batch, oldest first
    details: Details | None  # None where nobody asked for them

    @property
    def facts(self) -> Mapping[str, str]:
        """Return value by name of every fact, or of those that have a column where no detail was asked for."""
        if self.details is not None:
            return self.details.facts
        known = {"device_id": self.attempt.device_id, **self.shown._asdict()}
        return {name: value for name, value in known.items() if value is not None}

    def fact(self, *names: str) -> str:
        """Return the first of ``names`` that is known and not empty."""
        return next((self.facts[name] for name in names if self.facts.get(name)), "")

    @property
    def steps(self) -> tuple[StepRecord, ...]:
        """Return every try in full; none where no detail was asked for."""
        return () if self.details is None else self.details.steps

    @property
    def ended(self) -> tuple[datetime.datetime, ...]:
        """Return when each of ``steps`` ended."""
        return () if self.details is None else self.details.ended

    @property
    def wire(self) -> tuple[str, ...]:
        """Return the last exchanges before a FAIL or an ERROR, in words; none where no detail was asked for."""
        return () if self.details is None else self.details.wire


@dataclass(frozen=True, slots=True)
class Details:
    """What no column shows: ``facts`` by name, every try of a step, when each ended, and the end of the wire."""

    facts: Mapping[str, str]
    steps: tuple[StepRecord, ...]
    ended: tuple[datetime.datetime, ...]
    wire: tuple[str, ...]


_CHOSEN = """SELECT id FROM (
        SELECT rowid AS id, started_seq, row_number() OVER (
            PARTITION BY batch, coalesce(device_id, attempt) ORDER BY verdict IS NULL, started_seq DESC) AS nth_last
        FROM attempts WHERE batch IN (SELECT value FROM json_each(:batches)))
    WHERE nth_last = 1 OR :all_attempts ORDER BY started_seq"""
_ROW = f"""SELECT started_seq, finished_seq,
        (SELECT group_concat(verdict) FROM (
            SELECT verdict FROM attempts AS one WHERE one.batch = attempts.batch AND one.device_id = attempts.device_id
            AND verdict IN ('PASS', 'FAIL') ORDER BY started_seq)),
        facts, steps, outcomes, kept_rows.seconds, measured, {", ".join(f"attempts.{name}" for name in ATTEMPT[:-1])},
        {LOTS.format("attempts")}
    FROM attempts LEFT JOIN kept_rows USING (started_seq) WHERE attempts.rowid = ?"""
"""Rows are sorted by their numbers and read one by one: sorted whole, a batch of 100,000 would go through the disk."""
_FACTS = """SELECT name, value FROM facts WHERE device_id = ?1 AND NOT disputed
    AND (?2 IS NULL OR seq <= ?2 OR ?3 = (
        SELECT names.name FROM journal JOIN names ON number = journal.attempt WHERE journal.seq = facts.seq))
    ORDER BY seq, number"""
"""A fact holds as of the attempt's end; what the cloud told of it later, without the unit, too."""
_TRIES = """SELECT step, outcome, seconds, at, body FROM steps JOIN journal USING (seq) WHERE steps.attempt = ?
    ORDER BY number"""
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
    cursor = db.cursor()
    cursor.row_factory = None  # a column is found by its place ten times as fast as by its name
    for (chosen,) in db.execute(_CHOSEN, wanted):
        started, finished, judged, *rest = cursor.execute(_ROW, (chosen,)).fetchone()
        told, columns = Told(*rest[:5]), rest[5:]
        attempt = attempt_of(_release_at(releases, columns[2], started), *columns)
        if told.facts is None:  # it runs, or its station stopped during it
            told = told_of(db, attempt.attempt, attempt.device_id)
        names = texts(told.steps)
        yield ExportRow(
            attempt, Shown(*_read(told.facts)), dict(zip(names, texts(told.outcomes), strict=True)),
            dict(zip(names, told.seconds[1:-1].split(","), strict=False)), _values(names, told.measured),
            _judged(judged), _details(db, attempt, finished) if detailed else None,
        )  # fmt: skip


def _read(told: str) -> Any:
    return _DECODER.raw_decode(told)[0]


_DECODER = json.JSONDecoder()


def _values(names: Sequence[str], told: str) -> tuple[Value, ...]:
    if told == "[]":
        return ()
    return tuple(
        Value(names[place], Measurement(name, value, unit, low, high, wanted, bool(is_out)), is_last)
        for place, is_last, name, value, unit, low, high, wanted, is_out in _read(told)
    )


def _details(db: sqlite3.Connection, attempt: AttemptRecord, finished_seq: int | None) -> Details:
    facts: dict[str, str] = {}
    if attempt.device_id is not None:
        held = map(tuple, db.execute(_FACTS, (attempt.device_id, finished_seq, attempt.attempt)))
        facts = {**dict(held), "device_id": attempt.device_id}
    steps, ended = [], []
    for step, outcome, seconds, at, body in db.execute(_TRIES, (attempt.attempt,)):
        told = _read(body)
        values = measurements(told["measurements"]) if "measurements" in told else ()
        steps.append(StepRecord(step, Outcome(outcome), told.get("reason", ""), told.get("proof", ""), seconds, values))
        ended.append(moment_of(at))
    wire = wire_in(db, attempt.attempt) if attempt.verdict in (Verdict.FAIL, Verdict.ERROR) else ()
    return Details(facts, tuple(steps), tuple(ended), wire)


@functools.lru_cache(maxsize=64)
def _judged(verdicts: str | None) -> tuple[Verdict, ...]:
    return tuple(Verdict[verdict] for verdict in verdicts.split(",")) if verdicts else ()


_Releases = dict[str, list[tuple[int, str]]]


def _releases(db: sqlite3.Connection) -> _Releases:
    """Return by which release each batch was opened, and from which entry on (`answers.ATTEMPTS` asks the same)."""
    found: _Releases = {}
    for seq, batch, release in db.execute(_OPENED):
        found.setdefault(batch, []).append((seq, release or ""))
    return found


def _release_at(releases: _Releases, batch: str, seq: int) -> str:
    for at, release in reversed(releases.get(batch, ())):
        if at < seq:
            return release
    return ""


def step_names(db: sqlite3.Connection, batches: Sequence[str]) -> list[str]:
    """Return all steps of these batches in profile order; a step only some profiles have follows the one before it."""
    marks = ", ".join("?" * len(batches))
    names: list[str] = []
    planned = f"SELECT planned FROM attempts WHERE batch IN ({marks}) GROUP BY planned ORDER BY min(started_seq)"
    for row in db.execute(planned, tuple(batches)):
        merge(names, json.loads(row["planned"]))
    kept = f"SELECT DISTINCT steps FROM attempts JOIN kept_rows USING (started_seq) WHERE batch IN ({marks})"
    running = f"""SELECT DISTINCT step FROM attempts JOIN steps USING (attempt)
        WHERE batch IN ({marks}) AND verdict IS NULL"""
    tried = {step for row in db.execute(kept, tuple(batches)) for step in texts(row["steps"])}
    tried |= {row["step"] for row in db.execute(running, tuple(batches))}
    return [*names, *sorted(tried - {*names})]


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
