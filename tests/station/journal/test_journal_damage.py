"""A journal that a disk or a hand has damaged: every question ends with an answer or with one sentence."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.journal_story import finished, identified, opened, pending, started, step, unit_id

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.errors import JournalError
from station.journal import Journal, JournalReader
from station.journal.schema import NEWEST, told
from station.model import Verdict

WRONG = (b"\xff\xfe", "x", "\x1b[2J", -1, 10**18, b"\xed\xa0\x80x")
SPOTS = [
    ("journal", "body"), ("journal", "seq"), ("journal", "hash"), ("journal", "at"), ("migrations", "number"),
    ("batches", "opened_at"), ("batches", "closed_at"), ("batches", "target"), ("batches", "profile_id"),
    ("attempts", "verdict"), ("attempts", "planned"), ("attempts", "seconds"), ("attempts", "started_at"),
    ("attempts", "finished_at"), ("attempts", "slot"), ("attempts", "reason"), ("steps", "outcome"),
    ("steps", "seconds"), ("steps", "seq"), ("facts", "value"), ("facts", "seq"), ("names", "name"),
    ("journal", "slot"), ("figures", "passed"), ("ids", "backwards"), ("journal", "attempt"), ("units", "last_seen"),
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


# --- what it really is ---

EMPTY = r"journal\.db is empty: no station recorded anything in it yet, or what it held is lost"
UNLISTED = "its table migrations lists"
FOREIGN = "belongs to another program: it has letters"
DAMAGED = "its file is damaged, .*put back a copy of the whole data directory"


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def overwritten(path: Path) -> None:
    path.write_bytes(b"a letter" * 1000)


def torn(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xff" * 4000 + whole[4100:])


def another_programs(path: Path) -> None:
    path.unlink()
    edit("CREATE TABLE letters (text)")(path)


def edit(*statements: str) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        with contextlib.closing(sqlite3.connect(path)) as db:
            for statement in statements:
                db.execute(statement)
            db.commit()

    return spoil


KINDS = {
    "no bytes": (emptied, EMPTY, "is not there any more"),
    "no migration": (edit("DELETE FROM migrations"), f"{UNLISTED} 0 migrations, and still there is", None),
    "no table of migrations": (edit("DROP TABLE migrations"), f"{UNLISTED} 0 migrations, and still", None),
    "the last migration gone": (
        edit(f"DELETE FROM migrations WHERE number = {NEWEST}"),
        f"{UNLISTED} {NEWEST - 1} migrations, and still there is",
        None,
    ),
    "the first migration gone": (
        edit("DELETE FROM migrations WHERE number = 1"), rf"{UNLISTED} only \[2, 3, 4, 5, 6, 7, 8\]", None
    ),
    "another program's": (another_programs, FOREIGN, None),
    "no database": (overwritten, DAMAGED, None),
    "a torn page": (torn, DAMAGED, None),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_no_journal_any_more_is_told_as_what_it_is(
    kind: str, place: Path, clock: SimulatedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, said, said_at_start = KINDS[kind]
    spoil(place / "journal" / "journal.db")
    before = (place / "journal" / "journal.db").read_bytes()
    for verb in (("batch", "list"), ("log", "find", "x"), ("log", "verify"), ("log", "export", "--batch", "B1")):
        assert main((*verb, "--data-dir", str(place))) == 3
        told = capsys.readouterr().err
        assert re.search(said, told)
        assert str(place / "journal") in told or kind not in ("no bytes", "no database", "a torn page")
        assert not re.search("disk space|brings it up to date", told)
    with pytest.raises(JournalError, match=said_at_start or said):
        Journal.open(place / "journal", "bench-1", clock)
    if kind != "no bytes":
        assert (place / "journal" / "journal.db").read_bytes() == before, "left as it was found"


def test_an_empty_file_that_no_station_wrote_to_is_begun(tmp_path: Path, clock: SimulatedClock) -> None:
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "journal.db").touch()
    with Journal.open(tmp_path / "journal", "bench-1", clock) as journal:
        journal.record(opened())
        assert journal.verify().entries == 1


class Refused(sqlite3.DatabaseError):
    """An error as SQLite raises it, with a code of our choice."""

    def __init__(self, name: str) -> None:
        super().__init__("it went wrong")
        self.sqlite_errorname, self.sqlite_errorcode = name, getattr(sqlite3, name)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("SQLITE_CORRUPT", "its file is damaged"), ("SQLITE_CORRUPT_INDEX", "its file is damaged"),
        ("SQLITE_NOTADB", "its file is damaged"), ("SQLITE_IOERR_READ", "check the disk, keep the file"),
        ("SQLITE_IOERR_SHORT_READ", "check the disk, keep the file"), ("SQLITE_FULL", "free disk space"),
        ("SQLITE_BUSY", "close the program"), ("SQLITE_IOERR_WRITE", "check the disk and the rights"),
        ("SQLITE_ERROR", "keep the file and report it"), ("SQLITE_MISMATCH", "keep the file and report it"),
    ],
)  # fmt: skip
def test_each_error_of_the_file_gets_the_advice_that_helps(name: str, advice: str) -> None:
    said = str(told("the journal in d cannot be read", Refused(name)))
    assert said.startswith("the journal in d cannot be read: ")
    assert advice in said
    assert f"it went wrong ({name})" in said
    assert ("disk space" in said) is (name == "SQLITE_FULL")


@pytest.mark.parametrize("name", ["journal.db", "."])
@pytest.mark.parametrize(
    "verb", [("batch", "list"), ("log", "find", "x"), ("secrets", "list"), ("batch", "close", "B1"), ("doctor",)]
)
def test_a_link_that_leads_nowhere_is_no_missing_journal(
    verb: tuple[str, ...], name: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = place / "journal" / name
    path.rename(place / "moved")
    path.symlink_to(place / "nowhere")
    assert main((*verb, "--data-dir", str(place))) == (1 if verb == ("doctor",) else 3)
    said = "".join(capsys.readouterr())
    assert "symbolic link" in said
    assert not re.search("no journal in|none yet", said)
