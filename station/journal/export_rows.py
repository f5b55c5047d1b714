"""Which attempts an export shows, with the facts that held when each ended. Streams; knows no file format."""

from __future__ import annotations

import datetime
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..errors import BadInput
from ..model import StepRecord, Verdict
from .answers import attempt_record, steps_of
from .reader import JournalReader
from .records import AttemptRecord, BatchRecord


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One attempt. ``facts``: name -> value as of its end, owed work included (as of now for one that still runs)."""

    attempt: AttemptRecord
    facts: dict[str, str]
    steps: tuple[StepRecord, ...]
    judged: tuple[Verdict, ...]  # every PASS and FAIL of this unit in this batch, oldest first

    def fact(self, *names: str) -> str:
        """The first of ``names`` that is known and not empty."""
        return next((self.facts[name] for name in names if self.facts.get(name)), "")


_SELECT = """
    SELECT *, row_number() OVER (
        PARTITION BY batch, coalesce(device_id, attempt) ORDER BY verdict IS NULL, started_seq DESC) AS nth_last
    FROM attempts WHERE batch IN ({marks})"""


def export_rows(db: sqlite3.Connection, batches: Sequence[str], all_attempts: bool) -> Iterator[ExportRow]:
    """One row a unit of each batch, its last finished attempt; or all attempts. In the order they started.

    An attempt on a unit that was never identified is a row of its own: nothing that happened is hidden.
    """
    chosen = _SELECT.format(marks=", ".join("?" * len(batches)))
    where = "" if all_attempts else "WHERE nth_last = 1"
    for row in db.execute(f"SELECT * FROM ({chosen}) {where} ORDER BY started_seq", tuple(batches)):
        attempt = attempt_record(row)
        facts = _facts(db, attempt, row["finished_seq"])
        yield ExportRow(attempt, facts, steps_of(db, attempt.attempt), _judged(db, attempt))


def _judged(db: sqlite3.Connection, attempt: AttemptRecord) -> tuple[Verdict, ...]:
    found = db.execute(
        "SELECT verdict FROM attempts WHERE batch = ? AND device_id = ? AND verdict IN ('PASS', 'FAIL')"
        " ORDER BY started_seq",
        (attempt.batch, attempt.device_id),
    )
    return tuple(Verdict[row["verdict"]] for row in found)


def _facts(db: sqlite3.Connection, attempt: AttemptRecord, until: int | None) -> dict[str, str]:
    """Facts up to the entry ``until``, and what the cloud told of this attempt later, without the unit."""
    if attempt.device_id is None:
        return {}
    found = db.execute(
        "SELECT name, value FROM facts WHERE device_id = ?1 AND NOT disputed"
        " AND (?2 IS NULL OR seq <= ?2 OR (SELECT name FROM journal JOIN names ON names.number = attempt"
        " WHERE journal.seq = facts.seq) = ?3) ORDER BY seq, number",
        (attempt.device_id, until, attempt.attempt),
    )
    return {row["name"]: row["value"] for row in found} | {"device_id": attempt.device_id}


def step_names(db: sqlite3.Connection, batches: Sequence[str]) -> list[str]:
    """All steps of these batches in profile order; a step only some profiles have follows the one before it."""
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
    """The batch ids as a tuple; raises `BadInput` for one that was never opened."""
    batches = (batch,) if isinstance(batch, str) else tuple(batch)
    for name in batches:
        if journal.batch(name) is None:
            known = ", ".join(record.batch.id for record in sorted(journal.batches(), key=_opened, reverse=True)[:5])
            raise BadInput(f"there is no batch {name!r} in this journal; the latest are: {known or 'none'}")
    return batches


def _opened(record: BatchRecord) -> datetime.datetime:
    return record.opened_at
