"""How much of a journal a start compares, and what it refuses or makes again."""

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
from station.errors import JournalError
from station.journal import JOURNAL_FILE, Journal


def test_after_an_orderly_end_nothing_is_read_again(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Journal.open(place / "journal", "bench-1", SimulatedClock()).close()  # a copy is not the file that was closed
    monkeypatch.setattr("station.journal.opening.check_all", None)
    monkeypatch.setattr("station.journal.opening.check_since", None)
    Journal.open(place / "journal", "bench-1", SimulatedClock()).close()


def test_after_a_kill_only_what_came_since_the_last_start_is_compared(place: Path) -> None:
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(started("a-3", 3, batch=""))
        shutil.copytree(place, place.parent / "killed")
    left = place.parent / "killed"
    assert json.loads((left / "journal" / "journal.seal").read_text())["look"] == ""
    with edited(left) as db:
        db.execute("UPDATE attempts SET slot = 9 WHERE attempt = 'a-3'")
    with Journal.open(left / "journal", "bench-1", SimulatedClock()) as journal:
        assert "attempts a-3 has slot 9, the journal says 3" in journal.mended


def test_an_entry_that_was_checked_and_is_gone_is_missed_after_a_kill(place: Path) -> None:
    killed(place)
    with edited(place) as db:
        db.execute("DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)")
    with pytest.raises(JournalError, match="the last one the station wrote, is not there any more"):
        Journal.open(place / "journal", "bench-1", SimulatedClock())


@pytest.mark.parametrize("has_seal", [True, False])
@pytest.mark.parametrize("kept", [0, 8])
def test_a_log_that_was_cut_off_is_refused_at_the_start_and_its_tables_left_as_witness(
    kept: int, has_seal: bool, place: Path
) -> None:
    """Made again from what is left of the log, the tables would have told of nothing missing."""
    if not has_seal:
        (place / "journal" / "journal.seal").unlink()
    with edited(place) as db:
        db.execute("DELETE FROM journal WHERE seq > ?", (kept,))
    with pytest.raises(JournalError, match=r"tampered.*(is not there any more|the journal ends at)"):
        Journal.open(place / "journal", "bench-1", SimulatedClock())
    with contextlib.closing(sqlite3.connect(place / "journal" / JOURNAL_FILE)) as db:
        assert db.execute("SELECT count(*) FROM attempts WHERE verdict IS NOT NULL").fetchone()[0] > 0


def test_an_older_copy_of_the_file_put_back_is_refused(place: Path, tmp_path: Path) -> None:
    older = shutil.copy(place / "journal" / JOURNAL_FILE, tmp_path / "older.db")
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(started("a-3", 3, batch=""))
    shutil.copy(older, place / "journal" / JOURNAL_FILE)
    with pytest.raises(JournalError, match="put back the whole data directory"):
        Journal.open(place / "journal", "bench-1", SimulatedClock())


def test_tables_that_cannot_be_made_to_agree_are_left_as_they_were(place: Path) -> None:
    with contextlib.closing(sqlite3.connect(place / "journal" / JOURNAL_FILE)) as db:
        db.execute("DROP TRIGGER journal_no_update")
        db.execute("UPDATE attempts SET slot = 9 WHERE attempt = 'a-1'")
        db.commit()
    with pytest.raises(JournalError, match="journal_no_update"):
        Journal.open(place / "journal", "bench-1", SimulatedClock())
    with contextlib.closing(sqlite3.connect(place / "journal" / JOURNAL_FILE)) as db:
        assert db.execute("SELECT slot FROM attempts WHERE attempt = 'a-1'").fetchone()[0] == 9


@pytest.mark.parametrize("seal", [None, b"", b"{", b"[]", b'{"seq": "x", "hash": 1, "look": 2}', b"\xff" * 5000])
def test_without_a_note_that_makes_sense_all_is_compared(seal: bytes | None, place: Path) -> None:
    path = place / "journal" / "journal.seal"
    path.unlink()
    if seal is not None:
        path.write_bytes(seal)
    with edited(place) as db:
        db.execute("UPDATE attempts SET slot = 9 WHERE attempt = 'a-1'")
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        assert "attempts a-1 has slot 9" in journal.mended
