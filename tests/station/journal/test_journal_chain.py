"""The hash chain: it never changes its form, and shows whatever was changed in an entry."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import pytest
from support.journal_editor import edited, edited_value, said_by_verify
from support.journal_old import older_journal
from support.journal_story import unit_id

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.errors import JournalError
from station.export import export
from station.journal import JOURNAL_FILE, Journal, JournalReader
from station.journal.chain import START, hash_of

GOLDEN = Path(__file__).parent / "data" / "golden.jsonl"
GOLDEN_HEAD = "65319f9340f3db786acd03028eec78803dc6c803ee6de319ea3e1c5a74ed44f0"
"""Hash of the golden journal's last entry. It never changes: a journal of today must be read in ten years."""
HASHED = "station_id, seq, at, kind, body, prev_hash"
STORED = ("seq", "station", "at", "kind", "slot", "unit", "attempt", "body", "hash")


def test_the_golden_journal_still_verifies_to_the_hash_it_was_written_with(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()]
    older_journal(tmp_path / "journal", rows)
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()) as journal:
        assert [[*row] for row in journal.entries()][: len(rows)] == rows
        assert journal.verify().entries >= len(rows)
        assert journal.mended == ""
    assert said_by_verify(tmp_path) == ""


def test_a_golden_journal_that_was_tampered_with_is_not_brought_up_to_date(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()]
    rows[10][4] = rows[10][4].replace("FAIL", "PASS")
    older_journal(tmp_path / "journal", rows)
    before = (tmp_path / "journal" / JOURNAL_FILE).read_bytes()
    with pytest.raises(JournalError, match=r"entry 11 was changed .*as the older station left it"):
        Journal.open(tmp_path / "journal", "bench-1", SimulatedClock())
    with pytest.raises(JournalError, match="has schema 4"):
        JournalReader(tmp_path / "journal")
    assert (tmp_path / "journal" / JOURNAL_FILE).read_bytes()[100:] == before[100:]


def test_every_value_of_an_entry_is_part_of_its_hash() -> None:
    """Computed here once more, by what the chain's documentation says."""
    before = START
    for line in GOLDEN.read_text(encoding="utf-8").splitlines():
        *hashed, prev_hash, hash_ = json.loads(line)
        text = json.dumps([*hashed, prev_hash], ensure_ascii=False, separators=(",", ":"))
        assert (prev_hash, hash_) == (before, hashlib.sha256(text.encode()).hexdigest())
        before = hash_
    assert before == GOLDEN_HEAD


@pytest.mark.parametrize("seq", [1, 4, 11])
@pytest.mark.parametrize("column", STORED)
def test_a_changed_value_of_an_entry_is_found(column: str, seq: int, place: Path) -> None:
    with edited(place) as db:
        (value,) = db.execute(f"SELECT {column} FROM journal WHERE seq = ?", (seq,)).fetchone()
        changed = (
            value + 1000
            if column == "seq"
            else value.replace(":", " :", 1)
            if column == "body"
            else edited_value(value)
        )
        assert changed != value
        db.execute(f"UPDATE journal SET {column} = ? WHERE seq = ?", (changed, seq))
    said = said_by_verify(place)
    assert f"entry {seq}" in said or f"entry {seq + 1}" in said
    assert main(("log", "verify", "--data-dir", str(place))) == 3
    with pytest.raises(JournalError, match=r"tampered|holds the journal of station"):
        Journal.open(place / "journal", "bench-1", SimulatedClock())


def test_a_chain_that_was_cut_off_is_found_by_what_the_tables_still_say(place: Path) -> None:
    with edited(place) as db:
        db.execute("DELETE FROM journal WHERE seq > 8")
    assert "tables differ from the journal" in said_by_verify(place)


def test_an_entry_that_was_hashed_anew_is_missed_by_its_neighbour(place: Path) -> None:
    with edited(place) as db:
        db.execute("UPDATE journal SET body = replace(body, '\"FAIL\"', '\"PASS\"') WHERE seq = 14")
        anew = hash_of(*db.execute(f"SELECT {HASHED} FROM entries WHERE seq = 14").fetchone())
        db.execute("UPDATE journal SET hash = ? WHERE seq = 14", (bytes.fromhex(anew),))
        db.execute("UPDATE attempts SET verdict = 'PASS' WHERE attempt = 'a-1'")
    with JournalReader(place / "journal") as journal:
        with pytest.raises(JournalError, match=r"entry 15 was changed .*, or entry 14 before it"):
            export(journal, "B1", io.StringIO())
        with pytest.raises(JournalError, match=r"entry 15 was changed .*, or entry 14 before it"):
            journal.verify_units([unit_id(1)])
