"""Written to beside the station, or killed: who vouches for the tables, and when they are compared."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from support.journal_editor import edited, killed
from support.journal_story import started

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.errors import JournalError
from station.journal import JOURNAL_FILE, Journal, JournalReader
from station.journal.seal import DOUBT_FILE, look_of


def test_a_row_that_is_edited_while_the_station_runs_is_made_again_by_the_next_start(place: Path) -> None:
    """Whoever commits beside the writer is noticed, if nobody looks at what he wrote."""
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        assert journal.is_sure
        with contextlib.closing(sqlite3.connect(place / "journal" / JOURNAL_FILE)) as db:
            db.execute("UPDATE attempts SET slot = 9 WHERE attempt = 'a-1'")
            db.commit()
        journal.record(started("a-3", 3, batch=""))
        assert not journal.is_sure
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        assert "attempts a-1 has slot 9, the journal says 3" in journal.mended
        assert journal.is_sure
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        assert journal.mended == ""


def test_also_when_the_station_writes_nothing_after_it(place: Path) -> None:
    journal = Journal.open(place / "journal", "bench-1", SimulatedClock())
    with contextlib.closing(sqlite3.connect(place / "journal" / JOURNAL_FILE)) as db:
        db.execute("UPDATE attempts SET slot = 9 WHERE attempt = 'a-1'")
        db.commit()
    journal.close()
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        assert "attempts a-1 has slot 9" in journal.mended


@pytest.mark.parametrize(
    "verb",
    [("log", "verify"), ("log", "find", "a-1"), ("log", "export", "--batch", "B1"), ("batch", "list"), ("doctor",)],
)
def test_a_verb_that_meets_tables_that_differ_leaves_word_for_the_next_start(
    verb: tuple[str, ...], place: Path, tmp_path: Path
) -> None:
    """Also of an edit that nothing else gives away: of a station that is killed after it, say."""
    with edited(place) as db:
        db.execute("UPDATE attempts SET verdict = 'PASS' WHERE attempt = 'a-1'")
    assert main((*verb, "--data-dir", str(place))) in (1, 3)
    seal = place / "journal" / "journal.seal"
    seal.write_text(json.dumps(json.loads(seal.read_text()) | {"look": ""}))
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        assert "attempts a-1 has verdict 'PASS'" in journal.mended
    assert not (place / "journal" / DOUBT_FILE).exists()


def test_a_word_that_is_left_while_the_station_runs_outlives_its_orderly_end(place: Path) -> None:
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        with contextlib.closing(sqlite3.connect(place / "journal" / JOURNAL_FILE)) as db:
            db.execute("UPDATE attempts SET verdict = 'PASS' WHERE attempt = 'a-1'")
            db.commit()
        with JournalReader(place / "journal") as reader, pytest.raises(JournalError, match="tables differ"):
            reader.verify()
        assert not journal.is_sure
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        assert "attempts a-1 has verdict 'PASS'" in journal.mended


def test_a_write_in_the_very_moment_after_the_end_is_seen(place: Path) -> None:
    """File times move in steps of some milliseconds: the station leaves one behind that no write makes."""
    for _ in range(20):
        Journal.open(place / "journal", "bench-1", SimulatedClock()).close()
        (noted,) = [json.loads((place / "journal" / "journal.seal").read_text())]
        path = place / "journal" / JOURNAL_FILE
        with path.open("r+b") as file:
            first = file.read(1)
            file.seek(0)
            file.write(first)
        assert look_of(place / "journal") != noted["look"]


def test_after_a_kill_all_is_compared_while_the_station_works_and_vouched_for_at_its_end(place: Path) -> None:
    killed(place)
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(started("a-3", 3, batch=""))
        assert journal.audited()
    with JournalReader(place / "journal") as reader:
        assert reader.is_sure


def test_an_old_row_that_was_edited_before_or_after_a_kill_is_found_and_made_again_by_the_next_start(
    place: Path,
) -> None:
    with edited(place) as db:
        db.execute("UPDATE attempts SET slot = 9 WHERE attempt = 'a-1'")
    killed(place)
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        assert journal.mended == "", "it stands in what an earlier start compared"
        assert not journal.audited()
        journal.record(started("a-3", 3, batch=""))  # the chain holds: nothing keeps the station from its work
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        assert "attempts a-1 has slot 9" in journal.mended
        assert journal.audited()


def test_an_old_entry_that_was_edited_before_a_kill_ends_all_writing(place: Path) -> None:
    with edited(place) as db:
        db.execute("UPDATE journal SET slot = 9 WHERE seq = 6")
    killed(place)
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        assert not journal.audited()
        with pytest.raises(JournalError, match="entry 6 was changed"):
            journal.record(started("a-3", 3, batch=""))


def test_a_station_that_ends_before_all_is_compared_vouches_for_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("station.journal.compare._BETWEEN_RESTS", 1)
    monkeypatch.setattr("station.journal.audit._WORK_S", 100.0)
    killed(place)
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        assert not journal.is_sure
    with JournalReader(place / "journal") as reader:
        assert not reader.is_sure


def test_an_edit_that_stands_in_the_log_alone_is_seen_too(place: Path, tmp_path: Path) -> None:
    """As another program leaves it that has the journal open still: the database itself is as the station closed it."""
    with contextlib.closing(sqlite3.connect(place / "journal" / JOURNAL_FILE)) as db:
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute("UPDATE attempts SET slot = 9 WHERE attempt = 'a-1'")
        db.commit()
        shutil.copytree(place, tmp_path / "copy")
    with Journal.open(tmp_path / "copy" / "journal", "bench-1", SimulatedClock()) as journal:
        assert "attempts a-1 has slot 9" in journal.mended
