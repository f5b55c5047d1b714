"""A hand with an editor: whatever it changes, in the chain or in a table, is named and never told as true."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.journal_old import older_journal
from support.journal_story import everything, identified, pending, started, tables, unit_id, walked

from drivers.clock import SimulatedClock
from drivers.identity import MobileSecret
from station.cli.main import main
from station.errors import JournalError
from station.export import EXPORTERS, export
from station.journal import JOURNAL_FILE, Journal, JournalReader
from station.journal.chain import START, hash_of
from station.journal.migrations import fresh
from station.journal.seal import DOUBT_FILE, look_of
from station.journal.tables import PROJECTIONS
from station.model import Outcome, Verdict

GOLDEN = Path(__file__).parent / "data" / "golden.jsonl"
GOLDEN_HEAD = "65319f9340f3db786acd03028eec78803dc6c803ee6de319ea3e1c5a74ed44f0"
"""Hash of the golden journal's last entry. It never changes: a journal of today must be read in ten years."""
HASHED = "station_id, seq, at, kind, body, prev_hash"
STORED = ("seq", "station", "at", "kind", "slot", "unit", "attempt", "body", "hash")
with fresh() as _empty:
    COLUMNS = [
        (table, column["name"]) for table in PROJECTIONS for column in _empty.execute(f"PRAGMA table_info({table})")
    ]


def keys(table: str) -> list[str]:
    with fresh() as db:
        return [column["name"] for column in db.execute(f"PRAGMA table_info({table})") if column["pk"]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory of a station that stopped: something stands in every table."""
    place = tmp_path_factory.mktemp("told")
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(*everything())
    return place


@pytest.fixture
def place(told: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoiled."""
    return Path(shutil.copytree(told, tmp_path / "place"))


@contextlib.contextmanager
def edited(place: Path) -> Iterator[sqlite3.Connection]:
    """The journal in an editor that cares for no trigger and no key."""
    with contextlib.closing(sqlite3.connect(place / "journal" / JOURNAL_FILE)) as db:
        guards = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in guards:
            db.execute(f"DROP TRIGGER {name}")
        yield db
        for _, sql in guards:
            db.execute(sql)
        db.commit()


def other(value: object) -> object:
    """Another value, of the same kind, that a table takes."""
    match value:
        case None:
            return "9"
        case int() | float():
            return value + 1
        case bytes():
            return bytes([value[0] ^ 1]) + value[1:]
        case str() if value in Verdict.__members__:
            return "PASS" if value != "PASS" else "FAIL"
        case _:
            return f"{value}x"


def verified(place: Path) -> str:
    """What verifying says is wrong; empty when all holds."""
    try:
        with JournalReader(place / "journal") as journal:
            journal.verify()
    except JournalError as error:
        return str(error)
    return ""


def test_the_story_leaves_something_in_every_table(told: Path) -> None:
    with JournalReader(told / "journal") as journal, journal.snapshot() as db:
        assert [name for name, found in tables(db).items() if not found] == []
    assert verified(told) == ""


# --- the chain ---


def test_the_golden_journal_still_verifies_to_the_hash_it_was_written_with(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()]
    older_journal(tmp_path / "journal", rows)
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()) as journal:
        assert [[*row] for row in journal.entries()][: len(rows)] == rows
        assert journal.verify().entries >= len(rows)
        assert journal.mended == ""
    assert verified(tmp_path) == ""


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
        changed = value + 1000 if column == "seq" else value.replace(":", " :", 1) if column == "body" else other(value)
        assert changed != value
        db.execute(f"UPDATE journal SET {column} = ? WHERE seq = ?", (changed, seq))
    said = verified(place)
    assert f"entry {seq}" in said or f"entry {seq + 1}" in said
    assert main(("log", "verify", "--data-dir", str(place))) == 3
    with pytest.raises(JournalError, match=r"tampered|holds the journal of station"):
        Journal.open(place / "journal", "bench-1", SimulatedClock())


def test_a_chain_that_was_cut_off_is_found_by_what_the_tables_still_say(place: Path) -> None:
    with edited(place) as db:
        db.execute("DELETE FROM journal WHERE seq > 8")
    assert "tables differ from the journal" in verified(place)


# --- the tables ---


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_changed_value_of_a_table_is_found_and_made_again(table: str, column: str, place: Path) -> None:
    with JournalReader(place / "journal") as journal, journal.snapshot() as db:
        true = tables(db)
    with edited(place) as db:
        key = ", ".join(keys(table))
        (value,) = db.execute(f"SELECT {column} FROM {table} ORDER BY {key} LIMIT 1").fetchone()
        first = f"({key}) = (SELECT {key} FROM {table} ORDER BY {key} LIMIT 1)"
        db.execute(f"UPDATE {table} SET {column} = ? WHERE {first}", (other(value),))
    said = verified(place)
    assert f"tables differ from the journal: {table} " in said
    assert column in said or "one of them only" in said
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        assert f": {table} " in journal.mended
        with journal.snapshot() as db:
            assert tables(db) == true
        assert [row.kind for row in journal.entries()][-1] == "TablesRebuilt"
    assert verified(place) == ""


@pytest.mark.parametrize("table", PROJECTIONS)
def test_a_row_that_is_missing_or_too_many_is_found(table: str, place: Path, told: Path, tmp_path: Path) -> None:
    with edited(place) as db:
        key = ", ".join(keys(table))
        db.execute(f"DELETE FROM {table} WHERE ({key}) = (SELECT {key} FROM {table} LIMIT 1)")
    assert f"{table} " in verified(place)
    again = Path(shutil.copytree(told, tmp_path / "again"))
    with edited(again) as db:
        first = db.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()
        marks = ", ".join("?" * len(first))
        keyed = {row[1] for row in db.execute(f"PRAGMA table_info({table})") if row[5]}
        names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
        copy = [other(value) if name in keyed else value for name, value in zip(names, first, strict=True)]
        db.execute(f"INSERT INTO {table} VALUES ({marks})", copy)
    assert f"{table} " in verified(again)


SHOWN = [
    ("UPDATE attempts SET verdict = 'PASS' WHERE attempt = 'a-1'", "attempts a-1 has verdict 'PASS', the journal says"),
    ("UPDATE attempts SET reason = '' WHERE attempt = 'a-1'", "attempts a-1 has reason ''"),
    ("UPDATE facts SET value = 'P044AB7654321' WHERE name = 'serial'", "facts .* has value 'P044AB7654321'"),
    ("UPDATE steps SET outcome = 'already' WHERE attempt = 'a-1'", "steps a-1 0 has outcome 'already'"),
    ("UPDATE measurements SET value = 1.0 WHERE attempt = 'a-1'", "measurements a-1 0 0 has value 1.0"),
    ("DELETE FROM measurements WHERE attempt = 'a-1'", "measurements a-1 0 0 stands in one of them only"),
    ("UPDATE journal SET body = replace(body, '\"FAIL\"', '\"PASS\"') WHERE seq = 11", "entry 11 was"),
    ("UPDATE journal SET hash = x'00' WHERE seq = 11", "entry 11 was"),
    ("UPDATE journal SET attempt = NULL WHERE seq = 11", "entry 11 was"),
    ("UPDATE names SET name = 'a-9' WHERE name = 'a-1'", "entry 4 was|attempts a-1"),
]


@pytest.mark.parametrize(("sql", "said"), SHOWN)
def test_what_was_edited_is_neither_exported_nor_found(
    sql: str, said: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with edited(place) as db:
        db.execute(sql)
    for exporter in EXPORTERS:
        file = io.StringIO()
        with JournalReader(place / "journal") as journal, pytest.raises(JournalError, match=said):
            export(journal, "B1", file, exporter)
        assert file.getvalue() == ""
    assert main(("log", "find", unit_id(1), "--data-dir", str(place))) == 3
    assert capsys.readouterr().out == ""
    assert main(("doctor", "--data-dir", str(place))) in (1, 3)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [words[0] for words in lines if words[1:2] == ["journal"]] == ["STOP"]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE batches SET target = 1", "UPDATE batches SET closed_at = NULL", "UPDATE batches SET batch = 'B2'",
        "DELETE FROM batches", "UPDATE attempts SET batch = NULL", "DELETE FROM attempts",
        "UPDATE attempts SET verdict = 'PASS'", "UPDATE attempts SET operator = '0419'",
        *(sql for sql, _ in SHOWN[-4:]),
    ],
)  # fmt: skip
def test_a_list_of_batches_the_journal_does_not_know_is_not_shown(
    sql: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with edited(place) as db:
        db.execute(sql)
    assert main(("batch", "list", "--data-dir", str(place))) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert re.search("tables differ from the journal|was changed after", said.err)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_counts_of_every_kind_of_ending_agree_with_what_is_shown(
    verdict: Verdict, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also an attempt that a kill left open, and one whose owed work revised its verdict."""
    journal = place / "journal"
    with Journal.open(journal, "bench-1", SimulatedClock()) as open_journal:
        open_journal.record(started("a-5", 5, batch=""), *pending("a-6", "name", unit=6))
        (owed,) = [one.item for one in open_journal.owed() if one.item.attempt == "a-6"]
        open_journal.settle(owed, Outcome.FAILED, "no such product", "")
        if verdict is Verdict.PENDING:
            open_journal.record(*pending("a-7", "name", unit=7))
        else:
            open_journal.record(*walked("a-7", 7, verdict))
    for _ in range(2):  # the first opening ends a-5
        Journal.open(journal, "bench-1", SimulatedClock()).close()
    assert main(("batch", "list", "--data-dir", str(place))) == 0
    assert "B1" in capsys.readouterr().out


def test_an_id_that_was_taken_out_of_the_chain_too_is_not_told_as_unknown(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with edited(place) as db:
        db.execute("UPDATE journal SET body = replace(body, 'P044AB1234567', 'P044AB7654321')")
        db.execute("DELETE FROM facts WHERE value = 'P044AB1234567'")
    assert main(("log", "find", "P044AB1234567", "--data-dir", str(place))) == 3
    assert "was changed after it was written" in capsys.readouterr().err


@pytest.mark.parametrize("table", ["units", "facts", "attempts"])
@pytest.mark.parametrize("known", [unit_id(1), "P044AB1234567", "89310410106543789301", "a-1", "4567"])
def test_a_unit_the_tables_have_lost_is_not_told_as_unknown(
    table: str, known: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with edited(place) as db:
        db.execute(f"DELETE FROM {table} WHERE device_id = ?", (unit_id(1),))
    for verb in (("log", "find", known), ("secrets", "forget", known)):
        if verb[0] == "secrets":  # a start that trusts the files as they are
            killed(place)
        assert main((*verb, "--data-dir", str(place))) == 3
        said = capsys.readouterr()
        assert (said.out, "tables differ from the journal" in said.err) == ("", True)


def test_another_unit_that_fits_does_not_hide_the_one_the_tables_have_lost(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(started("a-4", 4, batch=""), identified("a-4", 4, iccid="89310410106543789301"))
    assert main(("log", "find", "89310410106543789301", "--data-dir", str(place))) == 0
    shown = capsys.readouterr().out
    assert unit_id(1) in shown
    assert unit_id(4) in shown
    with edited(place) as db:
        db.execute("DELETE FROM facts WHERE device_id = ?", (unit_id(1),))
    assert main(("log", "find", "89310410106543789301", "--data-dir", str(place))) == 3
    assert capsys.readouterr().out == ""


def test_kept_secrets_are_not_listed_under_an_edited_label(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        journal.keep_secret(unit_id(1), MobileSecret("ABCDEFGHJK12345"))
    with edited(place) as db:
        db.execute("UPDATE units SET label = 'P044AB7654321' WHERE device_id = ?", (unit_id(1),))
    assert main(("secrets", "list", "--data-dir", str(place))) == 3
    assert "P044AB7654321" not in capsys.readouterr().out


def test_an_entry_that_was_hashed_anew_is_missed_by_its_neighbour(place: Path) -> None:
    with edited(place) as db:
        db.execute("UPDATE journal SET body = replace(body, '\"FAIL\"', '\"PASS\"') WHERE seq = 11")
        anew = hash_of(*db.execute(f"SELECT {HASHED} FROM entries WHERE seq = 11").fetchone())
        db.execute("UPDATE journal SET hash = ? WHERE seq = 11", (bytes.fromhex(anew),))
        db.execute("UPDATE attempts SET verdict = 'PASS' WHERE attempt = 'a-1'")
    with JournalReader(place / "journal") as journal:
        with pytest.raises(JournalError, match=r"entry 12 was changed .*, or entry 11 before it"):
            export(journal, "B1", io.StringIO())
        with pytest.raises(JournalError, match=r"entry 12 was changed .*, or entry 11 before it"):
            journal.verify_units([unit_id(1)])


def test_an_attempt_moved_to_another_batch_is_missed_in_its_own(place: Path) -> None:
    with edited(place) as db:
        db.execute("UPDATE attempts SET batch = NULL WHERE attempt = 'a-1'")
    with JournalReader(place / "journal") as journal, pytest.raises(JournalError, match="attempts a-1 has batch None"):
        export(journal, "B1", io.StringIO())


def test_a_guard_that_was_taken_away_is_missed(place: Path) -> None:
    with contextlib.closing(sqlite3.connect(place / "journal" / JOURNAL_FILE)) as db:
        db.execute("DROP TRIGGER journal_no_update")
    assert "the trigger journal_no_update is not as the station made it" in verified(place)


# --- how much a start reads ---


def killed(place: Path) -> None:
    """As a station that is killed leaves it: nobody noted how the files looked at the end."""
    seal = place / "journal" / "journal.seal"
    noted = json.loads(seal.read_text())
    seal.write_text(json.dumps(noted | {"look": ""}))
    (place / "journal" / DOUBT_FILE).unlink(missing_ok=True)


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


# --- written to while the station had it ---


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


# --- after a kill, while the station works ---


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
        db.execute("UPDATE journal SET slot = 9 WHERE seq = 5")
    killed(place)
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        assert not journal.audited()
        with pytest.raises(JournalError, match="entry 5 was changed"):
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


# --- files that are something else ---

FILES = ("journal.db", "journal.db-wal", "station.lock", "credential.key")


@pytest.mark.parametrize("name", FILES)
def test_a_link_in_the_data_directory_is_not_followed(name: str, place: Path, tmp_path: Path) -> None:
    path, elsewhere = place / "journal" / name, tmp_path / "elsewhere"
    elsewhere.write_bytes(b"a letter")
    path.unlink(missing_ok=True)
    path.symlink_to(elsewhere)
    with pytest.raises(JournalError, match="a symbolic link, expected a plain file"):
        Journal.open(place / "journal", "bench-1", SimulatedClock())
    assert elsewhere.read_bytes() == b"a letter"
    assert elsewhere.stat().st_mode & 0o777 != 0o600
    if name.startswith("journal"):
        with pytest.raises(JournalError, match="a symbolic link"):
            JournalReader(place / "journal")


def test_a_journal_directory_that_is_a_link_is_not_followed(place: Path, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "journal").symlink_to(place / "journal")
    with pytest.raises(JournalError, match="is a symbolic link"):
        Journal.open(tmp_path / "here" / "journal", "bench-1", SimulatedClock())
    with pytest.raises(JournalError, match="is a symbolic link"):
        JournalReader(tmp_path / "here" / "journal")


@pytest.mark.parametrize("name", [*FILES, "journal.seal", "credential.new", "journal.new"])
def test_a_pipe_in_the_way_holds_nobody(name: str, place: Path) -> None:
    path = place / "journal" / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    if name in FILES:
        with pytest.raises(JournalError, match="a named pipe, expected a plain file"):
            Journal.open(place / "journal", "bench-1", SimulatedClock())
    else:
        Journal.open(place / "journal", "bench-1", SimulatedClock()).close()


def test_an_edit_that_stands_in_the_log_alone_is_seen_too(place: Path, tmp_path: Path) -> None:
    """As another program leaves it that has the journal open still: the database itself is as the station closed it."""
    with contextlib.closing(sqlite3.connect(place / "journal" / JOURNAL_FILE)) as db:
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute("UPDATE attempts SET slot = 9 WHERE attempt = 'a-1'")
        db.commit()
        shutil.copytree(place, tmp_path / "copy")
    with Journal.open(tmp_path / "copy" / "journal", "bench-1", SimulatedClock()) as journal:
        assert "attempts a-1 has slot 9" in journal.mended
