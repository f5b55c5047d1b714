"""Makes the values of `station.journal.records` from rows; raises what `schema.DAMAGE` lists if a row is damaged."""

from __future__ import annotations

import datetime
import functools
import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..model import Batch, Measurement, OutboxItem, Outcome, ProfileRef, Release, StepRecord, Verdict, lot_name
from .records import AttemptRecord, BatchRecord, CachedProduct, FactRecord, OwedRecord, UnitHistory, WriteRecord

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def time_of(text: str) -> datetime.datetime:
    """Parse a time of the journal, ISO 8601 with its offset."""
    return datetime.datetime.fromisoformat(text)


def moment_of(kept: str | int) -> datetime.datetime:
    """Return the time of an entry as the table keeps it: milliseconds since 1970, or the text of an odd one."""
    if isinstance(kept, str):
        return time_of(kept)
    return _EPOCH + datetime.timedelta(milliseconds=kept)


def _time_or_none(text: str | None) -> datetime.datetime | None:
    return None if text is None else time_of(text)


def batch_record(row: sqlite3.Row) -> BatchRecord:
    """Return a row of the table batches as its record."""
    profile = ProfileRef(row["profile_id"], row["profile_revision"], row["profile_sha256"])
    return BatchRecord(
        Batch(row["batch"], profile, row["target"], row["release"]),
        row["title"],
        time_of(row["opened_at"]),
        _time_or_none(row["closed_at"]),
    )


def release_of(row: sqlite3.Row) -> Release:
    """Make a release of the body of its entry."""
    told = json.loads(row["body"])
    profile = told["profile"]
    ref = ProfileRef(profile["id"], profile["revision"], profile["sha256"])
    return Release(ref, told["by"], time_of(told["released_at"]))


class AttemptRow(NamedTuple):
    """Columns of an attempt as the tables keep them: times are texts, lists are JSON; ``lots`` as `LOTS` gives them."""

    attempt: str
    station_id: str
    batch: str | None
    device_id: str | None
    slot: int
    port_path: str
    profile: str
    planned: str
    operator: str
    started_at: str
    finished_at: str | None
    seconds: float | None
    verdict: str | None
    failed_step: str
    reason: str
    by_hand_at: str | None
    lots: str


def attempt_record(row: sqlite3.Row) -> AttemptRecord:
    """Return an attempt by its row, with the columns of `AttemptRow` and its release."""
    return attempt_of(AttemptRow._make(map(row.__getitem__, AttemptRow._fields)), row["release"])


def attempt_of(row: AttemptRow, release: str) -> AttemptRecord:
    """Return an attempt by its columns, ten times as fast as by names."""
    return AttemptRecord(
        row.attempt, row.station_id, row.batch or "", row.device_id, int(row.slot), row.port_path, row.profile,
        texts(row.planned), row.operator, time_of(row.started_at), _time_or_none(row.finished_at), row.seconds,
        None if row.verdict is None else Verdict[row.verdict], row.failed_step, row.reason, release, lots_of(row.lots),
        _time_or_none(row.by_hand_at),
    )  # fmt: skip


@functools.lru_cache(maxsize=1024)  # attempts of one profile plan, and mostly do, the same
def texts(told: str) -> tuple[str, ...]:
    """Return the texts in a list of JSON."""
    return tuple(json.loads(told))


@functools.lru_cache(maxsize=64)  # a batch is made of few
def lots_of(told: str) -> tuple[str, ...]:
    """Return the names of the lots in a list of JSON, as `LOTS` gives it."""
    return tuple(lot_name(part, lot) for part, lot in json.loads(told))


def steps_of(db: sqlite3.Connection, attempt: str) -> tuple[StepRecord, ...]:
    """Every try of every step of one attempt, in the order they ended."""
    return tuple(
        StepRecord(
            s["step"],
            Outcome(s["outcome"]),
            s["reason"],
            s["proof"],
            s["seconds"],
            measurements(json.loads(s["measurements"])),
        )
        for s in db.execute(_STEPS, (attempt,))
    )


def out_of_limits(db: sqlite3.Connection, profile: str, name: str) -> tuple[str, ...]:
    """Return the units whose value of that name was out of its limit, back to the last one within it, newest first.

    Only the last `RECENT` attempts are looked at.
    """
    found: dict[str, None] = {}
    for row in db.execute(_RECENT, (RECENT, profile)):
        told = [one.is_out for step in steps_of(db, row["attempt"]) for one in step.measurements if one.name == name]
        if told and not told[-1]:
            break
        if told:
            found[row["device_id"]] = None
    return tuple(found)


def measurements(told: Iterable[Mapping[str, Any]]) -> tuple[Measurement, ...]:
    """Make the measurements of one step from the body of its entry."""
    return tuple(
        Measurement(
            m["name"], m["value"], m.get("unit", ""), m.get("low"), m.get("high"), m.get("wanted", ""),
            m.get("is_out", False),
        )
        for m in told
    )  # fmt: skip


_OPENED = """coalesce((SELECT json_extract(body, '$.batch.release') FROM journal WHERE journal.unit IS NULL
    AND journal.attempt IS NULL AND journal.seq < {before}
    AND kind = (SELECT number FROM names WHERE name = 'BatchOpened') AND json_extract(body, '$.batch.id') = {batch}
    ORDER BY journal.seq DESC LIMIT 1), '') AS release"""
"""Whose release the profile of a batch had when its units were made: as the batch was last opened before that."""
BATCHES = f"SELECT *, {_OPENED.format(before=2**62, batch='batches.batch')} FROM batches"
LOTS = """(SELECT json_group_array(json_array(part, lot)) FROM attempt_lots
    WHERE attempt_lots.attempt = {}.attempt) AS lots"""
ATTEMPTS = f"""SELECT *, {_OPENED.format(before="started_seq", batch="attempts.batch")}, {LOTS.format("attempts")}
    FROM attempts"""
RELEASES = """SELECT body FROM journal WHERE unit IS NULL AND attempt IS NULL
    AND kind = (SELECT number FROM names WHERE name = 'ProfileReleased') AND json_extract(body, '$.profile.id') = ?
    AND json_extract(body, '$.profile.revision') = ? AND seq > 0 ORDER BY seq LIMIT 1"""
_STEPS = """SELECT step, outcome, seconds, steps.number, coalesce(json_extract(body, '$.reason'), '') AS reason,
    coalesce(json_extract(body, '$.proof'), '') AS proof,
    coalesce(json_extract(body, '$.measurements'), '[]') AS measurements
    FROM steps JOIN journal USING (seq) WHERE steps.attempt = ? ORDER BY steps.number"""
RECENT = 200
_RECENT = """SELECT attempt, device_id FROM attempts WHERE rowid > (SELECT max(rowid) FROM attempts) - ?
    AND profile = ? AND device_id IS NOT NULL ORDER BY rowid DESC"""
_FACTS = """SELECT facts.name, value, source, entries.at, json_extract(entries.body, '$.attempt') AS attempt, disputed
    FROM facts JOIN entries USING (seq) WHERE device_id = ? ORDER BY seq, facts.number"""


def history_of(db: sqlite3.Connection, row: sqlite3.Row) -> UnitHistory:
    """Return all that is known of the unit in a row of the table units: its facts and its attempts."""
    device_id = row["device_id"]
    facts = db.execute(_FACTS, (device_id,))
    attempts = db.execute(f"{ATTEMPTS} WHERE device_id = ? ORDER BY started_seq", (device_id,))
    return UnitHistory(
        device_id, row["platform"], row["label"], time_of(row["first_seen"]), time_of(row["last_seen"]),
        tuple(map(_fact, facts)), tuple(map(attempt_record, attempts)),
    )  # fmt: skip


def _fact(row: sqlite3.Row) -> FactRecord:
    return FactRecord(
        row["name"], row["value"], row["source"], time_of(row["at"]), row["attempt"], bool(row["disputed"])
    )


def cached_product_of(row: sqlite3.Row) -> CachedProduct:
    """Read a row of what the cloud told of a product."""
    return CachedProduct(row["product_id"], row["slug"], row["name"], row["platform_id"], time_of(row["at"]))


WRITES = "SELECT writes.*, coalesce(attempts.slot, 0) AS slot FROM writes LEFT JOIN attempts USING (attempt)"


def write_record(row: sqlite3.Row) -> WriteRecord:
    """Read a row of a write that was announced and not confirmed."""
    at = time_of(row["at"])
    return WriteRecord(at, row["attempt"], row["device_id"], row["step"], row["target"], row["what"], row["slot"])


def owed_record(row: sqlite3.Row) -> OwedRecord:
    """Read a row of the outbox."""
    item = OutboxItem(row["attempt"], row["device_id"], row["action"], row["body"])
    return OwedRecord(item, row["tries"], _time_or_none(row["retry_at"]), row["last_error"])
