"""Tables that were edited: verification names row and column, and the next start makes them again."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest
from support.journal_editor import edited, edited_value, key_columns, said_by_verify
from support.journal_story import tables, walked
from support.scarce_disk import files_of_at_most

from drivers.clock import SimulatedClock
from station.errors import JournalHeld
from station.journal import JOURNAL_FILE, Journal, JournalReader
from station.journal.migrations import fresh
from station.journal.tables import PROJECTIONS

with fresh() as _empty:
    COLUMNS = [
        (table, column["name"]) for table in PROJECTIONS for column in _empty.execute(f"PRAGMA table_info({table})")
    ]


def test_the_story_leaves_something_in_every_table(told: Path) -> None:
    with JournalReader(told / "journal") as journal, journal.snapshot() as db:
        assert [name for name, found in tables(db).items() if not found] == []
    assert said_by_verify(told) == ""


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_changed_value_of_a_table_is_found_and_made_again(table: str, column: str, place: Path) -> None:
    with JournalReader(place / "journal") as journal, journal.snapshot() as db:
        true = tables(db)
    with edited(place) as db:
        key = ", ".join(key_columns(table))
        (value,) = db.execute(f"SELECT {column} FROM {table} ORDER BY {key} LIMIT 1").fetchone()
        first = f"({key}) = (SELECT {key} FROM {table} ORDER BY {key} LIMIT 1)"
        db.execute(f"UPDATE {table} SET {column} = ? WHERE {first}", (edited_value(value),))
    said = said_by_verify(place)
    assert f"tables differ from the journal: {table} " in said
    assert column in said or "one of them only" in said
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        assert f": {table} " in journal.mended
        with journal.snapshot() as db:
            assert tables(db) == true
        assert [row.kind for row in journal.entries()][-1] == "TablesRebuilt"
    assert said_by_verify(place) == ""


@pytest.mark.parametrize("table", PROJECTIONS)
def test_a_row_that_is_missing_or_too_many_is_found(table: str, place: Path, told: Path, tmp_path: Path) -> None:
    with edited(place) as db:
        key = ", ".join(key_columns(table))
        db.execute(f"DELETE FROM {table} WHERE ({key}) = (SELECT {key} FROM {table} LIMIT 1)")
    assert f"{table} " in said_by_verify(place)
    again = Path(shutil.copytree(told, tmp_path / "again"))
    with edited(again) as db:
        first = db.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()
        marks = ", ".join("?" * len(first))
        keyed = {row[1] for row in db.execute(f"PRAGMA table_info({table})") if row[5]}
        names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
        copy = [edited_value(value) if name in keyed else value for name, value in zip(names, first, strict=True)]
        db.execute(f"INSERT INTO {table} VALUES ({marks})", copy)
    assert f"{table} " in said_by_verify(again)


def test_a_guard_that_was_taken_away_is_missed(place: Path) -> None:
    with contextlib.closing(sqlite3.connect(place / "journal" / JOURNAL_FILE)) as db:
        db.execute("DROP TRIGGER journal_no_update")
    assert "the trigger journal_no_update is not as the station made it" in said_by_verify(place)


@pytest.mark.parametrize("pages", [1, 60, 100])
def test_a_replay_without_room_on_the_disk_says_nothing_of_the_journal(
    pages: int, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether its empty tables find no room, or what is replayed into them."""
    monkeypatch.setattr("station.journal.migrations.CACHE_KIB", 4)  # else it needs no disk
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(*(event for number in range(10, 500) for event in walked(f"a-{number}", number)))
    with JournalReader(place / "journal") as reader:
        with files_of_at_most(pages * 4096), pytest.raises(JournalHeld, match="disk I/O error"):
            reader.verify()
        assert reader.verify().entries > 1400
