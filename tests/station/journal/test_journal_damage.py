"""A journal that a disk or a hand has damaged: every question ends with an answer or with one sentence."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from journal_story import finished, identified, opened, pending, started, step, unit_id

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.errors import JournalError
from station.journal import Journal, JournalReader
from station.model import Verdict

WRONG = (b"\xff\xfe", "x", "\x1b[2J", -1, 10**18, b"\xed\xa0\x80x")
SPOTS = [
    ("journal", "body"), ("journal", "seq"), ("journal", "hash"), ("journal", "at"), ("migrations", "number"),
    ("batches", "opened_at"), ("batches", "closed_at"), ("batches", "target"), ("batches", "profile_id"),
    ("attempts", "verdict"), ("attempts", "planned"), ("attempts", "seconds"), ("attempts", "started_at"),
    ("attempts", "finished_at"), ("attempts", "slot"), ("attempts", "reason"), ("steps", "outcome"),
    ("steps", "seconds"), ("steps", "proof"), ("facts", "value"), ("facts", "at"), ("units", "last_seen"),
    ("units", "label"), ("outbox", "retry_at"),
]  # fmt: skip
VERBS = (
    ("batch", "list"), ("log", "export", "--batch", "B1"), ("log", "export", "--batch", "B1", "--format", "jsonl"),
    ("log", "find", unit_id(1)), ("log", "dump"), ("batch", "open", "B2", "--profile", "boron-product"),
)  # fmt: skip


@pytest.fixture
def place(tmp_path: Path, clock: SimulatedClock) -> Path:
    """A data directory whose journal tells of one unit that passed and one that owes work."""
    with Journal.open(tmp_path / "journal", "bench-1", clock) as journal:
        journal.record(opened())
        journal.record(started("a-1"), identified("a-1", serial="P044AB1234567"), step("a-1"), finished("a-1"))
        journal.record(*pending("a-2", "product_add", unit=2))
    return tmp_path


@contextlib.contextmanager
def damaged(place: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(place / "journal" / "journal.db")) as db:
        for verb in ("update", "delete"):
            db.execute(f"DROP TRIGGER IF EXISTS journal_no_{verb}")
        yield db
        db.commit()


@pytest.mark.parametrize(("table", "column"), SPOTS)
def test_whatever_stands_in_a_damaged_journal_ends_in_a_sentence(
    table: str, column: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for wrong in WRONG:
        with damaged(place) as db, contextlib.suppress(sqlite3.Error):  # the table may refuse the value itself
            text = "CAST(? AS TEXT)" if wrong == WRONG[-1] else "?"
            db.execute(f"UPDATE {table} SET {column} = {text}", (wrong,))
        for verb in VERBS:
            status = main((*verb, "--data-dir", str(place)))
            said = capsys.readouterr()
            assert status in (0, 2, 3), (verb, wrong)
            assert len(said.err.splitlines()) == bool(status), (verb, wrong, said.err)
            shown = (said.out + said.err).replace("\t", "").split("\n")
            assert all(line.rstrip("\r").isprintable() for line in shown), (verb, wrong)


def test_a_file_with_bytes_gone_wrong_answers_as_before_or_is_told_as_damaged(place: Path) -> None:
    """Most of a small file is room nobody uses; where something stood, a sentence comes in place of another answer."""
    path = place / "journal" / "journal.db"
    whole, true = path.read_bytes(), answers(place)
    told = []
    for at in range(0, len(whole), 997):
        path.write_bytes(whole[:at] + b"\xff" * 40 + whole[at + 40 :])
        try:
            assert answers(place) == true, f"40 bytes at {at}"
        except JournalError as error:
            told.append(str(error))
    assert len(told) > 5
    assert all("journal" in sentence and "\n" not in sentence for sentence in told)


def answers(place: Path) -> list[object]:
    with JournalReader(place / "journal") as reader:
        return [reader.verify(), reader.batches(), reader.attempts("B1"), reader.find(unit_id(1)), reader.owed()]


def test_the_verdict_nobody_knows_is_told_with_what_to_do(place: Path) -> None:
    with damaged(place) as db:
        db.execute("UPDATE attempts SET verdict = 'x'")
    with (
        JournalReader(place / "journal") as reader,
        pytest.raises(JournalError, match=r"it is damaged .*keep the file"),
    ):
        reader.attempts("B1")


def test_a_page_that_cannot_be_read_back_during_a_run_stops_all_writing(place: Path, clock: SimulatedClock) -> None:
    """No record, no pass: also when it was a question that met the damage."""
    with Journal.open(place / "journal", "bench-1", clock) as journal:
        journal.record(started("a-3", 3, batch="B1"))
    path = place / "journal" / "journal.db"
    with contextlib.closing(sqlite3.connect(path)) as db:
        (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'facts'").fetchone()
        size = db.execute("PRAGMA page_size").fetchone()[0]
    with Journal.open(place / "journal", "bench-1", clock) as journal:
        whole = path.read_bytes()
        path.write_bytes(whole[: (root - 1) * size] + b"\xff" * size + whole[root * size :])
        with pytest.raises(JournalError, match="malformed"):
            journal.unit(unit_id(1))
        with pytest.raises(JournalError, match="cannot be written any more"):
            journal.record(finished("a-3", unit=3))
        path.write_bytes(whole)
        assert [a.verdict for a in journal.attempts("B1") if a.attempt == "a-3"] == [Verdict.ERROR]
