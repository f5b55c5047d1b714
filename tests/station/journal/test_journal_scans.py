"""Nothing that a walk or a person asks reads more of the journal the longer it is."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from support.journal_story import at, everything, identified, item, pending, started, unit_id, walked

from drivers.clock import SimulatedClock
from drivers.identity import MobileSecret
from station.journal import Entry, Journal, JournalReader
from station.journal.finding import Kind, Sought
from station.journal.migrations import fresh
from station.journal.opening import owner_of
from station.model import Outcome

FEW = frozenset({"batches", "figures", "operators", "products", "migrations", "sqlite_master"})
"""Tables of a row for each batch, product, operator or migration."""
WAITING = frozenset({"attempts_running", "outbox_waiting", "writes"})
"""What waits for its end: at most some rows a slot."""
AUDITS = {
    "verify", "verify_units", "verify_found", "verify_batches", "exporting", "entries", "rebuild", "attempts",
    "kept_secrets", "seal_secrets",
}  # fmt: skip
"""Questions about all of the journal, of a batch, or of all kept secrets: they read what they answer."""
NO_QUESTION = {
    "open", "close", "append", "close_batch",
    "snapshot", "waiting_as", "hurry", "limit_pages", "commits", "queued", "digest",
    "is_sure", "audited", "abandoned", "mended", "directory",
}  # fmt: skip

EXACT = (
    ("P044AB1234567", Kind.UNIT), ("34567", Kind.END), ("3f" * 8, Kind.MODULE), ("B1", Kind.BATCH),
    ("2231-A", Kind.LOT), ("ANT=2231-A", Kind.LOT),
)  # fmt: skip
"""What an index leads to; a part of a label, an id or a reason stands anywhere in it, and is read for."""

QUESTIONS: dict[str, Callable[[Journal], object]] = {
    "batches": lambda j: j.batches(),
    "open_batches": lambda j: j.open_batches(),
    "batch": lambda j: j.batch("B1"),
    "release": lambda j: j.release("widget-boron", 1),
    "progress": lambda j: j.progress("B1", at()),
    "figures": lambda j: j.figures("B1"),
    "attempt": lambda j: j.attempt("a-1"),
    "unfinished_attempts": lambda j: j.unfinished_attempts(),
    "steps": lambda j: j.steps("a-1"),
    "out_of_limits": lambda j: j.out_of_limits("boron-product", "download"),
    "seen_before": lambda j: j.seen_before(unit_id(1)),
    "whose": lambda j: j.whose("P044AB1234567"),
    "find": lambda j: j.find("P044AB1234567"),
    "find_by_end": lambda j: j.find_by_end("34567"),
    "seek": lambda j: [j.seek(Sought(text, kind)) for text, kind in EXACT],
    "count": lambda j: [j.count(Sought(text, kind)) for text, kind in EXACT],
    "modules_of_file": lambda j: j.modules_of_file("3f" * 8),
    "unit": lambda j: j.unit("a-1"),
    "known_facts": lambda j: j.known_facts(unit_id(1)),
    "wifi_digest": lambda j: j.wifi_digest(unit_id(1)),
    "cached_product": lambda j: j.cached_product("widget"),
    "cached_serial": lambda j: j.cached_serial("P044AB1234567"),
    "due": lambda j: j.due(at(99)),
    "owed": lambda j: j.owed(),
    "owed_since": lambda j: j.owed_since(item("a-2", "name", 2)),
    "owed_units": lambda j: j.owed_units(),
    "next_due": lambda j: j.next_due(at(99)),
    "tries": lambda j: j.tries(),
    "make_due": lambda j: j.make_due({"a-2"}),
    "drop": lambda j: j.drop({"a-2"}, "dropped by 0417: lost"),
    "waiting": lambda j: j.waiting(),
    "unconfirmed_writes": lambda j: (j.unconfirmed_writes(), j.unconfirmed_writes(unit_id(1))),
    "record": lambda j: j.record(*walked("a-8", 8), *pending("a-9", "name", unit=9)),
    "settle": lambda j: j.settle(item("a-9", "name", 9), Outcome.DONE, "", "read back"),
    "postpone": lambda j: j.postpone(item("a-2", "name", 2), at(99), "away"),
    "keep_secret": lambda j: j.keep_secret(unit_id(1), MobileSecret("ABCDEFGHJK12345")),
    "mobile_secret": lambda j: j.mobile_secret(unit_id(1)),
    "knows_secret": lambda j: j.knows_secret(unit_id(1)),
    "forget_secret": lambda j: j.forget_secret(unit_id(1)),
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement of the room's connections from now on, with the values it ran with."""
    statements: list[str] = []
    connect = sqlite3.connect

    def traced(where: str, **options: object) -> sqlite3.Connection:
        db: sqlite3.Connection = connect(where, **options)  # type: ignore[call-overload]
        if where:  # a replay has no file
            db.set_trace_callback(statements.append)
        return db

    monkeypatch.setattr("station.journal.schema.sqlite3.connect", traced)
    return statements


def scans(statements: list[str]) -> list[str]:
    """Where a statement reads a table from end to end that grows with the journal."""
    found = []
    with fresh() as db:
        for statement in dict.fromkeys(statements):
            if not re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|REPLACE)\b", statement):
                continue
            for _, _, _, detail in db.execute(f"EXPLAIN QUERY PLAN {statement}"):
                read = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", detail)
                if read and not FEW & {read[1]} and not WAITING & set(read.groups()) and not _is_made_up(db, read[1]):
                    found.append(f"{detail}: {' '.join(statement.split())}")
    return found


def _is_made_up(db: sqlite3.Connection, name: str) -> bool:
    """A subquery's rows, not a table's."""
    held = db.execute("SELECT 1 FROM sqlite_master WHERE name = ? AND type = 'table'", (name,)).fetchone()
    return held is None


def test_every_question_of_the_room_is_asked_here() -> None:
    public = {name for name in dir(Journal) if not name.startswith("_")}
    assert public <= QUESTIONS.keys() | AUDITS | NO_QUESTION


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_question_reads_a_table_from_end_to_end(
    name: str, data: Path, clock: SimulatedClock, asked: list[str]
) -> None:
    with Journal.open(data, "bench-1", clock) as journal:
        journal.record(*everything())
        if name in ("settle", "mobile_secret", "forget_secret"):
            QUESTIONS["record" if name == "settle" else "keep_secret"](journal)
        asked.clear()
        QUESTIONS[name](journal)
        assert asked
        assert scans(asked) == []


def test_the_known_facts_of_a_unit_are_one_statement_that_leaves_its_attempts_alone(
    data: Path, clock: SimulatedClock, asked: list[str]
) -> None:
    """A walk asks for them several times, of a unit that may have come back for the tenth time."""
    with Journal.open(data, "bench-1", clock) as journal:
        journal.record(*everything(), identified("a-1", 1, serial="P044AB7654321"))
        journal.known_facts(unit_id(1))  # opens the connection
        asked.clear()
        assert journal.known_facts(unit_id(1).upper()) == {
            "platform": "boron", "serial": "P044AB7654321", "iccid": "89310410106543789301",
            "imei": "358227158716661", "device_os": "6.3.4", "module system-part1": f"6305 {'3f' * 32}",
        }  # fmt: skip
        assert len([statement for statement in asked if statement not in ("BEGIN", "COMMIT")]) == 1
        assert journal.known_facts(unit_id(99)) == {}


def test_neither_does_a_start_after_an_orderly_end_nor_the_search_and_the_list_of_a_person(
    data: Path, clock: SimulatedClock, asked: list[str]
) -> None:
    with Journal.open(data, "bench-1", clock) as journal:
        journal.record(*everything(), started("a-7", 7, batch=""))
    asked.clear()
    Journal.open(data, "bench-1", clock).close()
    assert owner_of(data) == "bench-1"
    with JournalReader(data) as reader:
        reader.verify_found("34567", [unit.device_id for unit in reader.find_by_end("34567")])
        reader.verify_batches()
        assert reader.figures("B1").units == 2
    assert len(asked) > 20
    assert scans(asked) == []


def test_a_table_that_is_read_from_end_to_end_is_told(journal: Journal) -> None:
    assert scans(["SELECT * FROM attempts WHERE lower(attempt) = 'a-1'"])
    assert scans(["SELECT * FROM entries WHERE kind = 'AttemptStarted'"])
    assert not scans(["SELECT * FROM entries WHERE seq = 1"])
    journal.append(Entry("Other", at()))
