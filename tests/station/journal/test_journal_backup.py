"""A copy of the journal while its station works, and putting one back: nothing is overwritten without a word."""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from support.journal_story import at, everything, finished, opened, started, walked

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.errors import BadInput, JournalError, JournalInUse
from station.journal import JOURNAL_FILE, Journal, JournalReader
from station.journal.backup import back_up, checked_copy, restore
from station.model import Verdict


def kept(directory: Path, file: Path) -> Path:
    """Back up the journal in ``directory``."""
    with JournalReader(directory) as journal:
        back_up(journal, file)
    return file


def told(directory: Path) -> list[str]:
    with JournalReader(directory) as journal:
        return [entry.kind for entry in journal.entries()]


def test_a_backup_of_a_working_station_is_one_moment_of_it(journal: Journal, tmp_path: Path) -> None:
    """Attempts are appended all the while; the copy verifies, and holds whole transactions only."""
    stop = threading.Event()

    def work() -> None:
        number = 0
        while not stop.is_set():
            journal.record(*walked(f"a-{number}", number))
            number += 1

    worker = threading.Thread(target=work)
    worker.start()
    try:
        copies = [kept(journal.directory, tmp_path / f"copy-{number}.db") for number in range(3)]
    finally:
        stop.set()
        worker.join()
    rows = [entry.hash for entry in journal.entries()]
    for copy in copies:
        found = checked_copy(copy)
        assert rows[found.tail.seq - 1] == found.tail.hash
        assert (found.tail.seq - 1) % 3 == 0, "a walk of three entries is in it or not"
        assert copy.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [copy.name for copy in copies]


def test_a_backup_put_back_is_the_journal_again(place: Path, tmp_path: Path, clock: SimulatedClock) -> None:
    directory = place / "journal"
    copy = kept(directory, tmp_path / "copy.db")
    before = told(directory)
    shutil.rmtree(directory)
    restored = restore(copy, directory, at())
    assert (restored.aside, restored.lost) == (None, 0)
    with Journal.open(directory, "bench-1", clock) as journal:
        assert journal.audited()
        assert [entry.kind for entry in journal.entries()][: len(before)] == before
        journal.record(*walked("later", 7))
    assert told(directory)[-1] == "AttemptFinished"


def test_a_newer_journal_is_not_replaced_without_a_word(place: Path, tmp_path: Path, clock: SimulatedClock) -> None:
    directory = place / "journal"
    copy = kept(directory, tmp_path / "copy.db")
    with Journal.open(directory, "bench-1", clock) as journal:
        journal.record(*walked("newer", 9))
    held = (directory / JOURNAL_FILE).read_bytes()
    with pytest.raises(BadInput, match=r"has 3 entries that are not in the backup.*--over-newer"):
        restore(copy, directory, at())
    assert (directory / JOURNAL_FILE).read_bytes() == held
    restored = restore(copy, directory, at(), over_newer=True)
    assert restored.lost == 3
    assert restored.aside is not None
    assert restored.aside.name == "journal.replaced-20260105T060000Z.db"
    assert restored.aside.read_bytes() == held
    with Journal.open(directory, "bench-1", clock) as journal:
        assert journal.attempt("newer") is None


def test_a_journal_of_another_history_counts_as_newer(place: Path, tmp_path: Path, clock: SimulatedClock) -> None:
    copy = kept(place / "journal", tmp_path / "copy.db")
    with Journal.open(tmp_path / "other", "bench-1", clock) as journal:
        journal.record(*everything()[:3], started("x"), finished("x", Verdict.FAIL))
    with pytest.raises(BadInput, match="not in the backup"):
        restore(copy, tmp_path / "other", at())


def test_a_damaged_journal_is_set_aside_and_the_backup_takes_its_place(place: Path, tmp_path: Path) -> None:
    directory = place / "journal"
    copy = kept(directory, tmp_path / "copy.db")
    (directory / JOURNAL_FILE).write_bytes(b"a letter, not a database" * 400)
    restored = restore(copy, directory, at())
    assert restored.aside is not None
    assert restored.aside.read_bytes().startswith(b"a letter")
    with JournalReader(directory) as journal:
        journal.verify()


def test_a_backup_of_another_station_or_under_a_running_one_is_refused(
    place: Path, tmp_path: Path, clock: SimulatedClock
) -> None:
    copy = kept(place / "journal", tmp_path / "copy.db")
    with Journal.open(tmp_path / "other", "bench-2", clock) as journal:
        journal.record(opened())
    with pytest.raises(JournalError, match="journal of station bench-2, the backup is of bench-1"):
        restore(copy, tmp_path / "other", at())
    with Journal.open(place / "journal", "bench-1", clock), pytest.raises(JournalInUse):
        restore(copy, place / "journal", at())


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE journal SET body = replace(body, 'FAIL', 'PASS')", r"entry \d+ was changed"),
        ("DELETE FROM journal WHERE seq = 5", "entry 5 is missing"),
        ("DELETE FROM journal", "holds no entry"),
        ("UPDATE migrations SET number = 99 WHERE number = 6", "has schema 99"),
        (
            "CREATE TRIGGER evil AFTER UPDATE ON attempts BEGIN UPDATE attempts SET verdict = 0; END",
            "the trigger evil is",
        ),
        ("DROP TABLE units", "units is not as the station made it"),
        ("DROP VIEW entries", "the view entries is not as the station made it"),
    ],
)
def test_a_backup_that_is_not_good_is_not_put_back(sql: str, said: str, place: Path, tmp_path: Path) -> None:
    directory = place / "journal"
    copy = kept(directory, tmp_path / "copy.db")
    db = sqlite3.connect(copy)
    guards = dict(db.execute("SELECT name, sql FROM sqlite_master WHERE name LIKE 'journal_no_%'").fetchall())
    for name in guards:
        db.execute(f"DROP TRIGGER {name}")
    db.execute(sql)
    for guard in guards.values():  # whoever knows how to change an entry knows how to hide it
        db.execute(guard)
    db.commit()
    db.close()
    held = (directory / JOURNAL_FILE).read_bytes()
    with pytest.raises(JournalError, match=said):
        restore(copy, directory, at())
    assert (directory / JOURNAL_FILE).read_bytes() == held


def test_a_backup_with_a_torn_page_is_not_put_back_wherever_it_is(place: Path, tmp_path: Path) -> None:
    """Also in a table that could be made again: the page may be in use as another one's by then."""
    copy = kept(place / "journal", tmp_path / "copy.db")
    with contextlib.closing(sqlite3.connect(copy)) as db:
        (size,) = db.execute("PRAGMA page_size").fetchone()
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'measurements'").fetchone()
    with copy.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"torn" * 16)
    with pytest.raises(JournalError, match="is damaged"):
        restore(copy, tmp_path / "elsewhere", at())


def test_a_backup_never_replaces_a_file_and_leaves_none_that_is_not_whole(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "copy.db"
    file.write_text("mine")
    assert main(("log", "backup", str(file), "--data-dir", str(place))) == 2
    assert "is there already" in capsys.readouterr().err
    assert file.read_text() == "mine"
    assert main(("log", "backup", str(tmp_path / "no" / "folder.db"), "--data-dir", str(place))) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_both_verbs_say_what_they_did_and_the_journal_says_it_too(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, data = tmp_path / "copy.db", ("--data-dir", str(place))
    assert main(("log", "backup", str(file), *data)) == 0
    said = capsys.readouterr().out
    assert re.search(
        r"copy\.db: \d+ entries of station bench-1, every one verified; the newest is\n[0-9a-f]{64}\n", said
    )
    assert main(("log", "restore", str(file), *data)) == 0
    assert re.search(
        r"restored from a backup up to entry \d+; what was there is kept as journal\.rep", capsys.readouterr().out
    )
    assert told(place / "journal")[-1] == "JournalRestored"
    assert main(("log", "verify", *data)) == 0
    assert main(("log", "restore", str(tmp_path / "none.db"), *data)) == 2
