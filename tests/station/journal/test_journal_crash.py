"""The journal against the worst: killed processes, a second station, a full disk, an older schema."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from support import child_process
from support.journal_old import VERSIONS as REMADE
from support.journal_old import older_journal
from support.journal_story import at, finished, item, opened, pending, started, step, tables, unit_id, walked

from drivers.clock import SimulatedClock
from station.engine.events import Event
from station.errors import JournalError
from station.journal import Entry, Journal, JournalReader
from station.journal.chain import Tail, link
from station.journal.entries import stamp
from station.journal.migrations import migrate
from station.journal.opening import owner_of
from station.journal.schema import VERSIONS, connect_writer
from station.model import Outcome, Verdict

TESTS = Path(__file__).parents[2]

_PRELUDE = """
import sys
from pathlib import Path
from drivers.clock import SystemClock
from support.journal_story import *
from station.errors import JournalError
from station.journal import Journal, Entry
def say(text):
    sys.stdout.write(text + "\\n")
    sys.stdout.flush()
"""

_WALKS = """
import itertools, threading
with Journal.open(Path(sys.argv[1]), "bench-1", SystemClock()) as journal:
    journal.record(opened())
    begin = journal.verify().entries
    def walk(lane):
        for n in itertools.count():
            name = f"a-{begin}-{lane}-{n}"
            journal.record(started(name, lane))
            say(f"started {name}")
            journal.record(step(name), *pending(name, "product_add", "name", unit=lane)[3:])
            say(f"finished {name}")
    for lane in range(3):
        threading.Thread(target=walk, args=(lane,), daemon=True).start()
    threading.Event().wait()
"""


def station(script: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process that runs ``script``."""
    paths = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    return child_process.start(
        [sys.executable, "-c", _PRELUDE + script, *map(str, arguments)],
        stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": paths},
    )  # fmt: skip


def told(process: subprocess.Popen[str], lines: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(lines)]


def killed(process: subprocess.Popen[str]) -> list[str]:
    """Kill -9; what it had still said."""
    process.send_signal(signal.SIGKILL)
    assert process.stdout is not None
    rest = [line.strip() for line in process.stdout if line.endswith("\n")]
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    return rest


@pytest.mark.rule("N1")
@pytest.mark.parametrize("lines", [1, 8, 33, 120])
def test_all_that_was_acknowledged_is_there_after_kill_9(data: Path, clock: SimulatedClock, lines: int) -> None:
    for _ in range(2):  # the second station continues the chain of the first
        process = station(_WALKS, data)
        said = told(process, lines)
        said += killed(process)
        with JournalReader(data) as reader:
            assert reader.verify().entries >= len(said)
            for line in said:
                verb, name = line.split()
                attempt = reader.attempt(name)
                assert attempt is not None
                if verb == "finished":
                    assert attempt.verdict is Verdict.PENDING
                    assert {o.item.action for o in reader.owed() if o.item.attempt == name} == {"product_add", "name"}
    with Journal.open(data, "bench-1", clock) as journal:
        assert journal.unfinished_attempts() == ()
        with journal.snapshot() as db:
            before = tables(db)
        journal.rebuild()
        with journal.snapshot() as db:
            assert tables(db) == before


def test_an_attempt_the_station_died_in_is_an_error_at_the_next_start(data: Path, clock: SimulatedClock) -> None:
    process = station(
        "journal = Journal.open(Path(sys.argv[1]), 'bench-1', SystemClock())\n"
        "journal.record(opened(), *walked('a-1'), started('a-2'), step('a-2'))\nsay('ready')\nsys.stdin.read()",
        data,
    )
    assert told(process, 1) == ["ready"]
    with JournalReader(data) as reader:
        assert [a.attempt for a in reader.unfinished_attempts()] == ["a-2"]
    killed(process)
    with Journal.open(data, "bench-1", clock) as journal:
        (torn,) = journal.abandoned
        assert (torn.attempt, torn.verdict) == ("a-2", Verdict.ERROR)
        assert (torn.failed_step, torn.reason) == ("identify", "the station stopped during this attempt")
        seen = journal.seen_before(unit_id(1))
        assert seen is not None
        assert seen.verdict is Verdict.ERROR
        journal.record(*walked("a-3"))
        assert [a.verdict for a in journal.attempts("B1")] == [Verdict.PASS, Verdict.ERROR, Verdict.PASS]
    with Journal.open(data, "bench-1", clock) as journal:
        assert journal.abandoned == ()


def test_a_second_station_on_the_directory_is_refused_until_the_first_is_dead(
    data: Path, clock: SimulatedClock
) -> None:
    process = station(
        "import signal\njournal = Journal.open(Path(sys.argv[1]), 'bench-1', SystemClock())\n"
        "say('ready')\nsignal.pause()",
        data,
    )
    assert told(process, 1) == ["ready"]
    with pytest.raises(JournalError, match=rf"in use by station bench-1 \(process {process.pid}\)"):
        Journal.open(data, "bench-2", clock)
    killed(process)
    Journal.open(data, "bench-1", clock).close()


def test_a_second_station_in_the_same_process_is_refused_too(journal: Journal, data: Path) -> None:
    with pytest.raises(JournalError, match="in use by station bench-1"):
        Journal.open(data, "bench-1", SimulatedClock())


_FULL_DISK = """
import resource
journal = Journal.open(Path(sys.argv[1]), "bench-1", SystemClock(), patience_s=0.1)
journal.record(opened())
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, most))
for n in range(10_000):
    try:
        journal.record(*walked(f"a-{n}"))
    except JournalError as error:
        say(f"{error}")
        break
    say(f"a-{n}")
try:
    journal.record(*walked("later"))
    say("recorded")
except JournalError as error:
    say(f"{error}")
say(f"still read: {journal.figures('B1').finished}")
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
journal.record(*walked("freed"))
journal.close()
"""


def test_a_disk_that_takes_no_more_loses_nothing_acknowledged_and_is_written_again_when_it_has_room(
    data: Path, clock: SimulatedClock
) -> None:
    """The operating system itself refuses the write, inside the commit."""
    process = station(_FULL_DISK, data)
    out, _ = process.communicate()
    *acknowledged, first, second, read = out.splitlines()
    assert process.returncode == 0
    assert len(acknowledged) > 10
    for sentence in (first, second):
        assert sentence.startswith("the journal cannot be written: ")
        assert sentence.endswith("check the disk and the rights on the data directory")
    assert read == "still read: 1"
    with Journal.open(data, "bench-1", clock) as journal:
        assert [a.attempt for a in journal.attempts("B1")] == [*acknowledged, "freed"]
        journal.verify()
        journal.record(*walked("after"))


# --- older files ---


def entries_of(*events: Event) -> list[tuple[object, ...]]:
    """What an older station would have recorded of ``events``."""
    tail, rows = Tail(), list[tuple[object, ...]]()
    for event in events:
        entry = Entry.from_event(event)
        row = link(tail, "bench-1", stamp(entry.at), entry.kind, entry.body_text())
        tail = Tail(row.seq, row.hash)
        rows.append(row)
    return rows


def old_file(data: Path, version: int) -> None:
    older_journal(data, entries_of(opened(), *walked("a-1"), *pending("a-2", "name", unit=2)), version)


@pytest.mark.parametrize("version", range(1, REMADE + 1))
def test_an_older_schema_is_brought_up_to_date_with_all_it_knows(
    data: Path, clock: SimulatedClock, version: int
) -> None:
    old_file(data, version)
    with pytest.raises(JournalError, match=f"has schema {version}"):
        JournalReader(data)
    assert owner_of(data) == "bench-1"
    with Journal.open(data, "bench-1", clock) as journal:
        assert [a.verdict for a in journal.attempts("B1")] == [Verdict.PASS, Verdict.PENDING]
        assert journal.due(at(99)) == (item("a-2", "name", 2),)
        journal.verify()
        with journal.snapshot() as db:
            ran = [(r["number"], r["name"]) for r in db.execute("SELECT number, name FROM migrations ORDER BY number")]
    assert ran == [(one.number, one.name) for one in VERSIONS]


def test_a_migration_that_fails_leaves_the_file_as_it_was(data: Path, clock: SimulatedClock) -> None:
    old_file(data, REMADE)
    db = connect_writer(data / "journal.db")

    def broken(_: sqlite3.Connection) -> None:
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        migrate(db, "2026", broken)
    assert [r["number"] for r in db.execute("SELECT number FROM migrations")] == list(range(1, REMADE + 1))
    assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'names'").fetchone()[0] == 0
    assert [tuple(row) for row in db.execute("SELECT * FROM batches")] == [("B0", "not trusted")]
    db.close()
    with Journal.open(data, "bench-1", clock) as journal:
        assert journal.figures("B1").units == 2


def test_the_file_of_a_newer_station_is_refused(data: Path, clock: SimulatedClock) -> None:
    Journal.open(data, "bench-1", clock).close()
    db = sqlite3.connect(data / "journal.db")
    db.execute("INSERT INTO migrations VALUES (99, 'from the future', '2030')")
    db.commit()
    db.close()
    with pytest.raises(JournalError, match="has schema 99, this station knows"):
        Journal.open(data, "bench-1", clock)


def test_a_file_that_is_no_database_is_refused(data: Path, clock: SimulatedClock) -> None:
    data.mkdir()
    (data / "journal.db").write_bytes(b"this is a letter, not a database" * 200)
    with pytest.raises(JournalError, match=r"its file is damaged, file is not a database .*put back a copy"):
        Journal.open(data, "bench-1", clock)


def test_outcomes_that_arrive_after_a_crash_still_settle(data: Path, clock: SimulatedClock) -> None:
    """The cloud did the work, the station died before it could say so: the item is owed, and settled once."""
    with Journal.open(data, "bench-1", clock) as journal:
        journal.record(opened(), *pending("a-1", "product_add"))
    with Journal.open(data, "bench-1", clock) as journal:
        (owed,) = journal.due(at(99))
        journal.settle(owed, Outcome.ALREADY, "", "product_id 12345 read back")
    with Journal.open(data, "bench-1", clock) as journal:
        assert journal.due(at(99)) == ()
        assert [row.kind for row in journal.entries()].count("OutboxSettled") == 1
        journal.record(started("a-2"), step("a-2"), finished("a-2"))
