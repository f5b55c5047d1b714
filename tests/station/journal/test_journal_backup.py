"""A copy of the journal while its station works, and putting one back: nothing is overwritten without a word."""

from __future__ import annotations

import contextlib
import gzip
import re
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.journal_editor import edited
from support.journal_story import at, everything, finished, opened, started, walked

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.errors import BadInput, JournalError, JournalInUse
from station.journal import JOURNAL_FILE, Journal, JournalReader
from station.journal.backup import back_up, checked_copy, restore
from station.journal.chain import link
from station.journal.entries import json_text, stamp
from station.journal.stored import store, tail_of
from station.model import Verdict

TIME = stamp(at(99))


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


@pytest.mark.parametrize(
    ("station", "time", "kind", "body", "said"),
    [
        ("bench-1", TIME, "AttemptFinished", {"attempt": "ghost", "verdict": "PASS"}, "attempt ghost is not running"),
        ("bench-1", TIME, "BatchClosed", {"attempt": None, "batch": "none"}, "batch none was never opened"),
        ("bench-1", TIME, "StepFinished", {"attempt": "a-1", "step": "wifi"}, "KeyError 'outcome'"),
        ("bench-1", TIME, "OutboxQueued", {"attempt": "a-1", "items": 7}, "TypeError 'int' object"),
        ("bench-1", "yesterday", "StationStopped", {"attempt": None}, "ValueError Invalid isoformat string"),
        ("bench-2", TIME, "StationStopped", {"attempt": None}, "holds entries of the stations bench-1 and bench-2"),
    ],
)  # fmt: skip
def test_a_backup_whose_chain_holds_and_whose_entries_make_no_sense_is_not_put_back(
    station: str, time: str, kind: str, body: dict[str, object], said: str, place: Path, tmp_path: Path,
    clock: SimulatedClock, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Whoever can hash can chain anything; the station would refuse it at its next start, with no journal left."""
    copy, directory = kept(place / "journal", tmp_path / "copy.db"), place / "journal"
    values = {"slot": 0, "device_id": None, **body}
    with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as db:
        db.row_factory = sqlite3.Row
        store(db, link(tail_of(db), station, time, kind, json_text(values)), values)
    checked = main(("log", "restore", str(copy), "--over-newer", "--data-dir", str(place)))
    told = capsys.readouterr().err
    assert checked == 3
    assert said in told
    assert told.startswith(f"station: {copy} ")
    assert told.count("\n") == 1
    assert told.endswith("use another backup\n")
    with Journal.open(directory, "bench-1", clock) as journal:
        assert journal.audited(), "what was there is there"
    assert not list(directory.glob("*.replaced-*"))
    assert not list(directory.glob(".*.new"))


@pytest.mark.parametrize("schema", [5, 6])
def test_a_backup_of_an_older_station_is_put_back_and_brought_up_to_date(
    schema: int, tmp_path: Path, clock: SimulatedClock
) -> None:
    copy = tmp_path / "copy.db"
    copy.write_bytes(gzip.decompress((Path(__file__).parent / "data" / f"schema{schema}.db.gz").read_bytes()))
    restored = restore(copy, tmp_path / "journal", at())
    with pytest.raises(JournalError, match=rf"has schema {schema}, as an older station.*station run\), which brings"):
        JournalReader(tmp_path / "journal")
    with Journal.open(tmp_path / "journal", restored.copy.station_id, clock) as journal:
        assert journal.audited()


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


def test_a_file_that_comes_to_be_there_meanwhile_is_not_replaced(place: Path, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"

    class Slow(JournalReader):
        """While the copy is made, somebody else writes a file of that name."""

        @contextlib.contextmanager
        def snapshot(self) -> Iterator[sqlite3.Connection]:
            with super().snapshot() as db:
                file.write_text("mine")
                yield db

    said = r"copy\.db cannot be written \(File exists\); name another place"
    with Slow(place / "journal") as journal:
        file.unlink()  # written during the look at the schema
        with pytest.raises(BadInput, match=said):
            back_up(journal, file)
    assert file.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["copy.db"]


def test_a_journal_that_was_changed_makes_no_backup(place: Path, tmp_path: Path) -> None:
    """The copy is as good as what it is of: a file that is there means that every entry was followed."""
    with edited(place) as db:
        db.execute("UPDATE journal SET body = replace(body, 'FAIL', 'PASS')")
    with pytest.raises(JournalError, match=r"entry \d+ was changed"):
        kept(place / "journal", tmp_path / "copy.db")
    assert [path.name for path in tmp_path.iterdir()] == ["place"]


def test_a_disk_that_keeps_something_else_than_it_was_given_gets_no_journal(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = place / "journal"
    copy = kept(directory, tmp_path / "copy.db")
    held = (directory / JOURNAL_FILE).read_bytes()
    other = kept(Path(shutil.copytree(directory, tmp_path / "other")), tmp_path / "other.db")
    with contextlib.closing(sqlite3.connect(other)) as db:
        (guard,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'journal_no_delete'").fetchone()
        db.execute("DROP TRIGGER journal_no_delete")
        db.execute("DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)")
        db.execute(guard)
        db.commit()
    copied = shutil.copyfile
    monkeypatch.setattr(shutil, "copyfile", lambda _, target: copied(other, target))
    with pytest.raises(JournalError, match="was not copied as it is; check the disk"):
        restore(copy, directory, at())
    assert (directory / JOURNAL_FILE).read_bytes() == held


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


def test_a_file_that_is_not_whole_without_the_log_beside_it_is_no_backup(place: Path, tmp_path: Path) -> None:
    """SQLite reads both, and only one would be put into place: all that stands in the other would be lost unchecked."""
    copy = kept(place / "journal", tmp_path / "copy.db")
    copy.with_name("copy.db-wal").write_bytes(b"frames")
    with pytest.raises(BadInput, match=r"copy\.db is not whole without copy\.db-wal beside it; name a file"):
        restore(copy, tmp_path / "elsewhere", at())
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_that_changes_while_it_is_checked_is_not_put_into_place(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was checked and what is put into place are the same bytes, whoever writes to the backup meanwhile."""
    copy, directory = kept(place / "journal", tmp_path / "copy.db"), place / "journal"
    copied = shutil.copyfile

    def changed_before(file: Path, target: Path) -> object:
        with file.open("r+b") as backup:
            backup.seek(60)  # the header's user version: no check of pages or entries would see it
            backup.write(b"evil")
        return copied(file, target)

    monkeypatch.setattr(shutil, "copyfile", changed_before)
    held = (directory / JOURNAL_FILE).read_bytes()
    with pytest.raises(JournalError, match="was not copied as it is"):
        restore(copy, directory, at())
    assert (directory / JOURNAL_FILE).read_bytes() == held
