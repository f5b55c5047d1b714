"""A journal that the station before this one made, as the file it left: brought forward, and refused backward."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from support.export_story import retried
from support.journal_story import at, identified, opened, started, tables, unit_id, walked

from drivers.clock import SimulatedClock
from station.engine.records import LotScanned
from station.errors import JournalError
from station.export import CSV, JSONL, export
from station.journal import JOURNAL_FILE, Journal, JournalReader
from station.journal.migrations import migrate
from station.journal.schema import NEWEST, connect_writer
from station.model import Verdict

KEPT = Path(__file__).parent / "data" / "schema5.db.gz"
"""The story of `support.journal_story.everything` as the station of schema 5 recorded it, before there were lots."""


@pytest.fixture
def before(data: Path) -> Path:
    data.mkdir(mode=0o700)
    (data / JOURNAL_FILE).write_bytes(gzip.decompress(KEPT.read_bytes()))
    return data


def entries(path: Path) -> list[tuple[object, ...]]:
    db = sqlite3.connect(path / JOURNAL_FILE)
    try:
        return [tuple(row) for row in db.execute("SELECT * FROM entries ORDER BY seq")]
    finally:
        db.close()


def test_the_file_of_schema_5_keeps_every_entry_and_gains_the_new_tables(before: Path, clock: SimulatedClock) -> None:
    held = entries(before)
    with Journal.open(before, "bench-1", clock) as journal:
        assert journal.audited()
        assert [attempt.verdict for attempt in journal.attempts("B1")] == [Verdict.FAIL, Verdict.PENDING]
        with journal.snapshot() as db:
            found = tables(db)
        assert {row[1] for row in found["shares"]} == {"slot", "operator", "station", "hour", "lot"}
        assert {row[1] for row in found["step_tally"]} == {"device_os", "product_add", "name"}
        assert [a.lots for a in journal.attempts("B1")] == [(), ()]
    assert entries(before)[: len(held)] == held


def test_what_is_recorded_after_the_migration_fits_what_was_before(before: Path, clock: SimulatedClock) -> None:
    with Journal.open(before, "bench-1", clock) as journal:
        journal.record(LotScanned(at=at(100), batch="B1", lot="2231"), started("a-3"))
        assert journal.attempt("a-3").lots == ("2231",)  # type: ignore[union-attr]
        journal.verify()
    with Journal.open(before, "bench-1", clock) as journal:
        assert journal.attempts("B1")[-1].device_id == unit_id(1)


def test_a_file_of_schema_5_with_a_changed_entry_is_left_as_it_was(before: Path, clock: SimulatedClock) -> None:
    db = sqlite3.connect(before / JOURNAL_FILE)
    db.execute("DROP TRIGGER journal_no_update")
    db.execute("UPDATE journal SET body = replace(body, 'FAIL', 'PASS')")
    db.commit()
    db.close()
    held = entries(before)
    with pytest.raises(JournalError, match=r"entry \d+ was changed .*as the older station left it"):
        Journal.open(before, "bench-1", clock)
    assert entries(before) == held
    with pytest.raises(JournalError, match="has schema 5"):
        JournalReader(before)


def test_the_file_of_a_newer_station_is_refused_and_not_touched(place: Path, clock: SimulatedClock) -> None:
    directory = place / "journal"
    db = sqlite3.connect(directory / JOURNAL_FILE)
    db.execute("INSERT INTO migrations VALUES (?, 'from the future', '2030')", (NEWEST + 1,))
    db.execute("CREATE TABLE of_the_future (number INTEGER)")
    db.commit()
    db.close()
    held = (directory / JOURNAL_FILE).read_bytes()
    for opening in (lambda: Journal.open(directory, "bench-1", clock), lambda: JournalReader(directory)):
        with pytest.raises(JournalError, match=rf"has schema {NEWEST + 1}, .*from before the update"):
            opening()
    assert (directory / JOURNAL_FILE).read_bytes() == held


# --- schema 6: what an export shows of an attempt was not kept -----------------------------------


LATER = {"By Hand Since", "by_hand_since"}
"""What the station of schema 6 did not tell of an attempt."""


def rows_of(name: str, text: str) -> list[dict[str, Any]]:
    rows = csv.DictReader(io.StringIO(text, newline="")) if name == "csv" else map(json.loads, text.splitlines())
    return [{column: value for column, value in row.items() if column not in LATER} for row in rows]


def exported(directory: Path) -> dict[str, list[dict[str, Any]]]:
    """Return all attempts of both batches, in the formats that show most."""
    found = {}
    with JournalReader(directory) as reader:
        for exporter in (CSV, JSONL):
            file = io.StringIO(newline="")
            export(reader, ["B1", "B2"], file, exporter, all_attempts=True)
            found[exporter.name] = rows_of(exporter.name, file.getvalue())
    return found


@pytest.fixture(scope="module")
def told_before() -> dict[str, list[dict[str, Any]]]:
    """What the station of schema 6 wrote of the story of `support.export_story`, after a start that ended its walks."""
    return {name: rows_of(name, (KEPT.parent / f"schema6.{name}").read_bytes().decode()) for name in ("csv", "jsonl")}


def test_a_file_of_schema_6_is_exported_as_its_own_station_did(
    data: Path, clock: SimulatedClock, told_before: dict[str, list[dict[str, Any]]]
) -> None:
    data.mkdir(mode=0o700)
    (data / JOURNAL_FILE).write_bytes(gzip.decompress((KEPT.parent / "schema6.db.gz").read_bytes()))
    with Journal.open(data, "bench-1", clock) as journal:
        journal.verify()
    assert exported(data) == told_before


def test_rows_kept_while_a_station_works_are_those_of_a_replay(
    data: Path, clock: SimulatedClock, told_before: dict[str, list[dict[str, Any]]]
) -> None:
    with Journal.open(data, "bench-1", clock) as journal:
        journal.record(*retried())
    with Journal.open(data, "bench-1", clock) as journal:
        journal.verify()
    assert exported(data) == told_before


def steps_to_migrate(place: Path, units: int) -> int:
    """Count steps of SQLite, in hundreds, while the tables of so many units make room for those of the next schema."""
    with Journal.open(place, "bench-1", SimulatedClock()) as journal:
        journal.record(opened())
        for number in range(units):
            attempt = f"a-{number}"
            journal.record(*walked(attempt, number), identified(attempt, number, serial=f"P{number}"))
    steps: list[None] = []
    with contextlib.closing(connect_writer(place / JOURNAL_FILE)) as db:
        db.execute("DROP INDEX attempts_by_hand")
        db.execute(f"DELETE FROM migrations WHERE number = {NEWEST}")
        db.set_progress_handler(lambda: steps.append(None), 100)
        migrate(db, "2026-01-05", lambda _: None)
    return len(steps)


def test_older_tables_are_dropped_in_steps_that_grow_with_the_units_not_with_their_square(tmp_path: Path) -> None:
    assert steps_to_migrate(tmp_path / "many", 240) < 6 * steps_to_migrate(tmp_path / "few", 60)
