"""Which attempts an export shows, with the facts that held when each ended. Streams; knows no file format."""

from __future__ import annotations

import datetime
import functools
import itertools
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from ..errors import BadInput
from ..model import Outcome, StepRecord, Verdict, result_of
from .answers import LOTS, AttemptRow, attempt_of, measurements, moment_of, texts
from .kept_rows import Shown, Told, told_of
from .reader import JournalReader
from .records import AttemptRecord, BatchRecord
from .told import wire_in


class Reading(NamedTuple):
    """What one try of a step measured; see `Measurement`."""

    step: str
    is_last: bool  # by the last try of its step
    name: str
    value: float | str
    unit: str
    low: float | None
    high: float | None
    wanted: str
    is_out: bool


class ExportRow:
    """One attempt, with what was known of its unit at its end, owed work included (now, for one that still runs).

    ``kept`` and ``told`` are what the tables hold. All else is made of them when it is asked for: most formats show
    only a part.
    """

    def __init__(self, kept: AttemptRow, told: Told, judged: str | None, release: str, details: Details | None) -> None:
        self.kept, self.told, self._judged = kept, told, judged
        self.release = release
        """Who released the profile of its batch, "" for nobody."""
        self.details = details
        """None where nobody asked for them."""
        self.shown = Shown._make(_read(told.facts))
        self.names = names = texts(told.steps)
        """The steps that were tried, in the order of their first tries."""
        self.values = tuple([Reading(names[place], *rest) for place, *rest in _read(told.measured)])
        """All that was measured, in every try."""
        self.last_values = {(one.step, one.name): one for one in reversed(self.values) if one.is_last}
        """What the last try of each step measured, by step and name; the first of those with one name."""

    @functools.cached_property
    def attempt(self) -> AttemptRecord:
        """Return the attempt as other questions to the journal give it."""
        return attempt_of(self.kept, self.release)

    @property
    def result(self) -> str | None:
        """Return what reports say of it (`station.model.result_of`), None while it runs."""
        of = self.kept
        return None if of.verdict is None else result_of(Verdict[of.verdict], is_by_hand=of.by_hand_at is not None)

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Return how the last try of each of ``names`` ended."""
        return texts(self.told.outcomes)

    @property
    def seconds(self) -> list[str]:
        """Return the seconds of all tries of each of ``names``, as `in_milliseconds` writes them."""
        return self.told.seconds[1:-1].split(",") if self.names else []

    @property
    def judged(self) -> tuple[Verdict, ...]:
        """Return every PASS and FAIL of this unit in this batch, oldest first."""
        return _judged(self._judged)

    @property
    def facts(self) -> Mapping[str, str]:
        """Return value by name of every fact, or of those that have a column where no detail was asked for."""
        if self.details is not None:
            return self.details.facts
        known = {"device_id": self.kept.device_id, **self.shown._asdict()}
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


class Details:
    """What no column shows: every try of a step, which blocks of rows are read with, and what few formats ask for."""

    def __init__(
        self, db: sqlite3.Connection, kept: AttemptRow, finished_seq: int | None, tries: Sequence[_Try]
    ) -> None:
        self._db, self._kept, self._finished_seq, self._tries = db, kept, finished_seq, sorted(tries)

    @functools.cached_property
    def facts(self) -> Mapping[str, str]:
        """Return value by name of every fact as of the attempt's end."""
        unit = self._kept.device_id
        if unit is None:
            return {}
        held = map(tuple, self._db.execute(_FACTS, (unit, self._finished_seq, self._kept.attempt)))
        return {**dict(held), "device_id": unit}

    @functools.cached_property
    def steps(self) -> tuple[StepRecord, ...]:
        """Return every try, in order."""
        return tuple(_step_record(*one) for one in self._tries)

    @property
    def ended(self) -> tuple[datetime.datetime, ...]:
        """Return when each of ``steps`` ended."""
        return tuple(moment_of(at) for _, _, _, _, at, _ in self._tries)

    @property
    def wire(self) -> tuple[str, ...]:
        """Return the last exchanges before a FAIL or an ERROR."""
        return wire_in(self._db, self._kept.attempt) if self._kept.verdict in ("FAIL", "ERROR") else ()


_Try = tuple[int, str, str, float, str | int, str]
"""One try of a step, by the columns of `_TRIES` after its attempt."""


def _step_record(_number: int, step: str, outcome: str, seconds: float, _at: str | int, body: str) -> StepRecord:
    told = _read(body)
    values = measurements(told["measurements"]) if "measurements" in told else ()
    return StepRecord(step, Outcome(outcome), told.get("reason", ""), told.get("proof", ""), seconds, values)


_CHOSEN = """SELECT id FROM (
        SELECT rowid AS id, started_seq, row_number() OVER (
            PARTITION BY batch, coalesce(device_id, attempt) ORDER BY verdict IS NULL, started_seq DESC) AS nth_last
        FROM attempts WHERE batch IN (SELECT value FROM json_each(:batches)))
    WHERE nth_last = 1 OR :all_attempts ORDER BY started_seq"""
_ROWS = f"""SELECT started_seq, finished_seq,
        (SELECT CASE count(*) WHEN 1 THEN max(verdict) ELSE group_concat(started_seq || ' ' || verdict) END
            FROM attempts AS one INDEXED BY attempts_by_batch
            WHERE one.batch = attempts.batch AND one.device_id = attempts.device_id AND verdict IN ('PASS', 'FAIL')),
        {", ".join(f"kept_rows.{name}" for name in Told._fields)},
        {", ".join(f"attempts.{name}" for name in AttemptRow._fields[:-1])}, {LOTS.format("attempts")}
    FROM json_each(?) AS chosen CROSS JOIN attempts ON attempts.rowid = chosen.value
    LEFT JOIN kept_rows USING (started_seq) ORDER BY started_seq"""
"""Rows are sorted by their numbers and read in blocks: sorted whole, a batch of 100,000 would go through the disk."""
_OF_ATTEMPT = -len(AttemptRow._fields)
_TOLD = _OF_ATTEMPT - len(Told._fields)
_FACTS = """SELECT name, value FROM facts WHERE device_id = ?1 AND NOT disputed
    AND (?2 IS NULL OR seq <= ?2 OR ?3 = (
        SELECT names.name FROM journal JOIN names ON number = journal.attempt WHERE journal.seq = facts.seq))
    ORDER BY seq, number"""
"""A fact holds as of the attempt's end; what the cloud told of it later, without the unit, too."""
_TRIES = """SELECT steps.attempt, number, step, outcome, seconds, at, body FROM json_each(?) AS chosen
    CROSS JOIN steps ON steps.attempt = chosen.value JOIN journal USING (seq)"""
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
    chosen = (number for (number,) in db.execute(_CHOSEN, wanted))
    for some in in_blocks(chosen):
        rows = cursor.execute(_ROWS, (json.dumps(some),)).fetchall()
        tries = _tries_of(cursor, [row[_OF_ATTEMPT] for row in rows]) if detailed else {}
        for row in rows:
            started, finished, judged = row[:_TOLD]
            told, kept = Told._make(row[_TOLD:_OF_ATTEMPT]), AttemptRow._make(row[_OF_ATTEMPT:])
            if told.facts is None:  # it runs, or its station stopped during it
                told = told_of(db, kept.attempt, kept.device_id)
            release = _release_at(releases, kept.batch or "", started)
            details = Details(db, kept, finished, tries.get(kept.attempt, ())) if detailed else None
            yield ExportRow(kept, told, judged, release, details)


def _tries_of(cursor: sqlite3.Cursor, attempts: Sequence[str]) -> dict[str, list[_Try]]:
    """Return all tries of ``attempts``, those of each in any order."""
    tries: dict[str, list[_Try]] = {}
    for attempt, *one in cursor.execute(_TRIES, (json.dumps(attempts),)):
        tries.setdefault(attempt, []).append(tuple(one))
    return tries


_T = TypeVar("_T")


def in_blocks(rows: Iterable[_T]) -> Iterator[list[_T]]:
    """Yield some hundred of ``rows`` at a time: asked for, or shown, together they take much less time."""
    left = iter(rows)
    while some := list(itertools.islice(left, _BLOCK)):
        yield some


_BLOCK = 500


def _read(told: str) -> Any:
    return _DECODER.raw_decode(told)[0]


_DECODER = json.JSONDecoder()


@functools.lru_cache(maxsize=64)
def _judged(told: str | None) -> tuple[Verdict, ...]:
    """Put "12 PASS,9 FAIL" into order: SQLite before 3.44 promises none, a window function takes twice as long."""
    if not told or " " not in told:
        return (Verdict[told],) if told else ()
    by_seq = sorted((int(seq), verdict) for seq, verdict in (one.split(" ") for one in told.split(",")))
    return tuple(Verdict[verdict] for _, verdict in by_seq)


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
