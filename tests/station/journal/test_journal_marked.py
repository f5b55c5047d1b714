"""A reader beside a station that has the journal: what the station vouches for need not be compared again."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.journal_editor import edited, killed
from support.journal_story import everything, started, unit_id

from drivers.clock import SimulatedClock
from station.errors import JournalError
from station.journal import JOURNAL_FILE, Journal, JournalReader
from station.journal.seal import MARK_FILE, doubt, is_vouched_for

EDIT = "UPDATE attempts SET slot = 9 WHERE attempt = 'a-1'"


@pytest.fixture
def running(data: Path, clock: SimulatedClock) -> Iterator[Journal]:
    """A station's journal, all of it marked."""
    with Journal.open(data, "bench-1", clock) as journal:
        journal.record(*everything())
        marked(data)
        yield journal


def marked(data: Path) -> None:
    """Wait for the mark: the writer leaves it when nothing is to be written."""
    while not is_vouched_for(data):
        pass


def edit(data: Path) -> None:
    with contextlib.closing(sqlite3.connect(data / JOURNAL_FILE)) as db:
        db.execute(EDIT)
        db.commit()


def test_a_reader_is_sure_of_what_a_running_station_wrote(running: Journal) -> None:
    with JournalReader(running.directory) as reader:
        assert reader.is_sure
        running.record(started("a-7", 7))
        marked(running.directory)
        assert reader.is_sure


def test_what_another_program_writes_beside_the_station_is_compared_and_found(running: Journal) -> None:
    edit(running.directory)
    with JournalReader(running.directory) as reader:
        assert not reader.is_sure
        with pytest.raises(JournalError, match="attempts a-1 has slot 9"):
            reader.verify_units([unit_id(1)])


def test_it_is_found_also_after_the_station_wrote_again(running: Journal) -> None:
    edit(running.directory)
    running.record(started("a-7", 7))
    with JournalReader(running.directory) as reader:
        assert not reader.is_sure
        with pytest.raises(JournalError, match="attempts a-1 has slot 9"):
            reader.verify_units([unit_id(1)])


def test_bytes_changed_in_the_file_are_vouched_for_by_no_mark_to_come(running: Journal) -> None:
    path = running.directory / JOURNAL_FILE
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 1)
        file.write(b"x")
    running.record(started("a-7", 7))
    with JournalReader(running.directory) as reader:
        assert not reader.is_sure


def test_what_the_station_is_not_sure_of_itself_is_marked_by_nobody(data: Path, clock: SimulatedClock) -> None:
    with Journal.open(data, "bench-1", clock) as journal:
        journal.record(*everything())
    edit(data)
    (data / "journal.doubt").write_text("left by a reader")
    with Journal.open(data, "bench-1", clock) as journal:
        journal.record(started("a-7", 7))
        (data / "journal.doubt").write_text("left by a reader again")
        with JournalReader(data) as reader:
            assert not reader.is_sure


def test_before_all_is_compared_after_a_kill_nothing_is_marked(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.journal.compare._BETWEEN_RESTS", 1)
    monkeypatch.setattr("station.journal.audit._WORK_S", 100.0)  # the comparison rests, and has not ended
    data = place / "journal"
    with edited(place) as db:
        db.execute(EDIT)
    killed(place)
    with Journal.open(data, "bench-1", SimulatedClock()) as journal:
        journal.record(started("a-7", 7))
        while (data / f"{JOURNAL_FILE}-wal").stat().st_mtime_ns % 1_000_000_000:
            pass  # the writer looks at the files when it has nothing to do, and would mark them now
        journal.record(started("a-8", 8))  # it takes this one when it is done with that
        assert not (data / MARK_FILE).exists()


def test_a_journal_that_somebody_doubts_is_vouched_for_by_nobody(running: Journal) -> None:
    running.close()
    with JournalReader(running.directory) as reader:
        assert reader.is_sure
    doubt(running.directory, "a table differs")
    with JournalReader(running.directory) as reader:
        assert not reader.is_sure


def test_the_mark_is_gone_when_the_station_is(running: Journal) -> None:
    assert (running.directory / MARK_FILE).exists()
    running.close()
    assert not (running.directory / MARK_FILE).exists()
