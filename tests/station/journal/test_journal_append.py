"""Appending: durable, ordered, refused as a whole, chained, private."""

from __future__ import annotations

import datetime
import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest
from support.journal_story import at, finished, identified, opened, started, step, unit_id, walked

from drivers.clock import SimulatedClock
from drivers.identity import MobileSecret, Secret
from station.engine.events import Head, StepFinished
from station.engine.records import UnitFacts, WriteConfirmed, WriteIntended
from station.errors import JournalError
from station.journal import Entry, Journal, JournalReader
from station.journal.chain import hash_of
from station.model import IdentityFact, Measurement, Outcome, Verdict


def test_what_was_appended_is_there_after_closing_and_opening_again(data: Path, clock: SimulatedClock) -> None:
    with Journal.open(data, "bench-1", clock) as journal:
        journal.record(opened(), *walked("a-1"))
    with Journal.open(data, "bench-1", clock) as journal:
        attempt = journal.attempt("a-1")
        assert attempt is not None
        assert (attempt.verdict, attempt.slot, attempt.seconds, attempt.batch) == (Verdict.PASS, 3, 9.25, "B1")
        assert [row.kind for row in journal.entries()] == [
            "BatchOpened", "AttemptStarted", "StepFinished", "AttemptFinished",
        ]  # fmt: skip


def test_an_entry_says_what_its_event_says(journal: Journal) -> None:
    event = started("a-1")
    journal.record(event)
    *_, row = journal.entries()
    said = event.to_json()
    assert row.kind == said.pop("kind")
    assert row.at == said.pop("at")
    assert row.values() == said


def test_entries_of_one_append_are_recorded_all_or_none(journal: Journal) -> None:
    before = journal.verify().entries
    with pytest.raises(JournalError, match="a-2 is not running"):
        journal.record(started("a-1"), finished("a-2"))
    assert journal.verify().entries == before
    assert journal.attempt("a-1") is None
    journal.record(started("a-1"))  # the refusal harmed nobody else
    assert journal.attempt("a-1") is not None


def test_a_refused_append_leaves_the_others_of_its_commit_alone(journal: Journal) -> None:
    """Held up behind one slow commit, a good and a bad caller share the next one."""
    outcomes: dict[str, object] = {}

    def call(name: str, *events: object) -> None:
        try:
            journal.record(*events)  # type: ignore[arg-type]
            outcomes[name] = "kept"
        except JournalError as error:
            outcomes[name] = error

    with _held_up(journal):
        threads = [
            threading.Thread(target=call, args=("good", *walked("a-1"))),
            threading.Thread(target=call, args=("bad", finished("a-9"))),
        ]
        _start_queued(journal, threads)
    for thread in threads:
        thread.join()
    assert outcomes["good"] == "kept"
    assert isinstance(outcomes["bad"], JournalError)
    assert journal.verify().entries == 4


def test_sixteen_threads_share_one_commit(journal: Journal) -> None:
    def walk(number: int) -> None:
        journal.record(*walked(f"a-{number}", unit=number))

    threads = [threading.Thread(target=walk, args=(number,)) for number in range(16)]
    with _held_up(journal):
        commits = journal.commits
        _start_queued(journal, threads)
    for thread in threads:
        thread.join()
    assert journal.commits == commits + 2  # the one that was held up, and one for all sixteen
    assert journal.verify().entries == 1 + 16 * 3
    assert journal.figures("B1").passed == 16


class _held_up:  # noqa: N801
    """Keeps the writer busy in a transaction for as long as the block runs."""

    def __init__(self, journal: Journal) -> None:
        self._journal, self._gate, self._inside = journal, threading.Lock(), threading.Lock()

    def __enter__(self) -> None:
        self._gate.acquire()
        self._inside.acquire()

        def wait(_: sqlite3.Connection) -> tuple[Entry, ...]:
            self._inside.release()
            with self._gate:
                return ()

        self._thread = threading.Thread(target=self._journal._writer.submit, args=(wait,))
        self._thread.start()
        self._inside.acquire()

    def __exit__(self, *_: object) -> None:
        self._gate.release()
        self._thread.join()


def _start_queued(journal: Journal, threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    while journal.queued < len(threads):
        os.sched_yield()


# --- what may not be recorded ---


@pytest.mark.rule("A1")
@pytest.mark.parametrize("bad", ["e00fce68" + "0" * 15, "e00fce68" + "0" * 17, "x" * 24])
def test_a_device_id_that_is_none_is_refused(journal: Journal, bad: str) -> None:
    with pytest.raises(JournalError, match="24 hexadecimal digits"):
        journal.append(Entry("AttemptStarted", at(), 1, bad, "a-1"))


@pytest.mark.rule("A1")
def test_device_ids_that_differ_in_the_last_digit_stay_two_records(journal: Journal) -> None:
    journal.record(*walked("a-1", 1), *walked("a-2", 2))
    assert journal.figures("B1").finished == 2
    first, second = journal.unit(unit_id(1)), journal.unit(unit_id(2))
    assert first is not None
    assert second is not None
    assert [a.attempt for a in first.attempts] == ["a-1"]
    assert [a.attempt for a in second.attempts] == ["a-2"]


@pytest.mark.rule("A2")
def test_an_upper_case_device_id_is_kept_in_lower_case(journal: Journal) -> None:
    journal.append(Entry("AttemptStarted", at(), 1, unit_id(0xABC).upper(), "a-1", {"batch": "B1"}))
    assert [row.values()["device_id"] for row in journal.entries()][-1] == unit_id(0xABC)
    assert journal.unit(unit_id(0xABC).upper()) is not None


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (Entry("X", datetime.datetime(2026, 1, 1)), "no time zone"),
        (Entry("X", at(), body={"value": object()}), "cannot be recorded"),
        (Entry("AttemptStarted", at(), 1, None, "a-1", {"batch": "never opened"}), "FOREIGN KEY"),
        (Entry("AttemptStarted", at(), 1, None, None, {"batch": "B1"}), "NOT NULL"),
        (Entry("StepFinished", at(), 1, None, "a-9", {"step": "x", "outcome": "done"}), "FOREIGN KEY"),
        (Entry("StepFinished", at(), 1, None, "a-9", {}), "KeyError"),
        (Entry("BatchClosed", at(), body={"batch": "B9"}), "never opened"),
    ],
)
def test_what_cannot_have_happened_is_refused_with_one_sentence(journal: Journal, entry: Entry, words: str) -> None:
    with pytest.raises(JournalError, match=words):
        journal.append(entry)
    assert journal.verify().entries == 1


def test_an_attempt_has_one_start_and_one_verdict(journal: Journal) -> None:
    journal.record(*walked("a-1"))
    with pytest.raises(JournalError, match="has its verdict already"):
        journal.record(finished("a-1", Verdict.FAIL))
    with pytest.raises(JournalError, match="UNIQUE"):
        journal.record(started("a-1"))


def test_a_batch_is_made_with_one_profile(journal: Journal) -> None:
    journal.record(opened())  # the same again: a station that was started twice
    with pytest.raises(JournalError, match=r"was opened with profile boron-product r7 .*new batch"):
        journal.record(opened(profile="argon-product"))


def test_kinds_of_a_newer_station_are_kept_and_ignored(journal: Journal) -> None:
    journal.append(Entry("LabelPrinted", at(), 1, unit_id(1), "a-1", {"copies": 2}))
    *_, row = journal.entries()
    assert row.kind == "LabelPrinted"
    assert row.values()["copies"] == 2


def test_broken_text_and_numbers_from_a_unit_are_made_harmless(journal: Journal) -> None:
    journal.append(Entry("Odd", at(), body={"a": "x\ud800y", "b": float("nan"), "c": "\x00", "d": float("-inf")}))
    *_, row = journal.entries()
    assert {k: row.values()[k] for k in "abcd"} == {"a": "x?y", "b": "nan", "c": "\x00", "d": "-inf"}
    assert journal.verify().entries == 2


@pytest.mark.rule("N5")
def test_the_value_of_a_secret_fact_is_masked_whatever_a_caller_says(journal: Journal) -> None:
    journal.record(started("a-1"), identified("a-1", serial="P044AB1234567", secret="ABCDEFGHIJKLMNO"))
    assert "ABCDEFGHIJKLMNO" not in "".join(row.body for row in journal.entries())


@pytest.mark.rule("N5")
def test_a_secret_reaches_no_file_of_the_journal_as_fact_or_as_measurement(journal: Journal, data: Path) -> None:
    canary = "CANARYCANARY123"
    facts = (IdentityFact("serial", "P044AB1234567", "request 21"), IdentityFact("secret", canary, "console"))
    head: Head = {"at": at(2), "slot": 3, "device_id": unit_id(1), "attempt": "a-1"}
    measured = (Measurement("secret", canary), Measurement("RSSI", -71.0, "dBm"))
    journal.record(
        started("a-1"), identified("a-1", secret=canary), UnitFacts(facts=facts, **head),
        StepFinished(step="label", outcome=Outcome.DONE, measurements=measured, **head),
    )  # fmt: skip
    assert [one.value for one in journal.steps("a-1")[0].measurements] == ["***", -71.0]
    assert "secret" not in journal.known_facts(unit_id(1))
    journal.close()
    assert all(canary.encode() not in path.read_bytes() for path in data.iterdir())


@pytest.mark.rule("N5")
@pytest.mark.parametrize("value", [Secret("CANARY"), MobileSecret("CANARYCANARY123")])
def test_a_secret_that_is_still_wrapped_is_refused_without_being_named(value: Secret, journal: Journal) -> None:
    with pytest.raises(JournalError, match="only plain values may be in an entry") as refused:
        journal.append(Entry("Odd", at(), body={"read": {"key": value}}))
    assert "CANARY" not in str(refused.value)


# --- N1: one line before and one after each write ---


@pytest.mark.rule("N1")
def test_a_write_that_was_announced_and_not_confirmed_is_remembered(data: Path, clock: SimulatedClock) -> None:
    head: Head = {"at": at(), "slot": 1, "device_id": unit_id(1), "attempt": "a-1"}
    with Journal.open(data, "bench-1", clock) as journal:
        journal.record(opened(), started("a-1"))
        journal.record(WriteIntended(step="product_add", target="cloud", what="add to product 12345", **head))
        journal.record(WriteConfirmed(step="product_add", target="cloud", what="add to product 12345", **head))
        journal.record(WriteIntended(step="name", target="cloud", what="rename", **head))
    with Journal.open(data, "bench-1", clock) as journal:
        assert [(w.step, w.target, w.what) for w in journal.unconfirmed_writes(unit_id(1).upper())] == [
            ("name", "cloud", "rename")
        ]
        assert journal.unconfirmed_writes(unit_id(2)) == ()
        journal.record(WriteConfirmed(step="name", target="cloud", what="rename", **head))
        assert journal.unconfirmed_writes() == ()
        kinds = [row.kind for row in journal.entries()]
        assert kinds[2:5] == ["WriteIntended", "WriteConfirmed", "WriteIntended"]


# --- the chain and the triggers ---


def test_the_journal_can_not_be_changed_through_sql(journal: Journal, data: Path) -> None:
    journal.record(*walked("a-1"))
    db = sqlite3.connect(data / "journal.db", isolation_level=None)
    others = "station, at, kind, slot, unit, attempt, body, hash"
    for statement in (
        "UPDATE journal SET body = '{}' WHERE seq = 2",
        "DELETE FROM journal WHERE seq = 4",
        "INSERT OR REPLACE INTO journal SELECT * FROM journal WHERE seq = 2",
        f"INSERT INTO journal (seq, {others}) SELECT 99, {others} FROM journal WHERE seq = 2",
        "UPDATE names SET name = 'a-9' WHERE name = 'a-1'",
        "DELETE FROM names WHERE name = 'a-1'",
        "INSERT OR REPLACE INTO names SELECT number, 'a-9' FROM names WHERE name = 'a-1'",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            db.execute(statement)
    db.close()
    assert journal.verify().entries == 4


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE journal SET body = replace(body, '1-2.3', '1-2.4') WHERE seq = 2", "entry 2 was changed"),
        ("UPDATE journal SET at = '2030' WHERE seq = 3", "entry 3 was changed"),
        ("DELETE FROM journal WHERE seq = 2", "entry 2 is missing"),
        ("DELETE FROM journal WHERE seq = 1", "entry 1 is missing"),
        ("UPDATE names SET name = 'bench-2' WHERE name = 'bench-1'", "entry 1 was changed"),
    ],
)
def test_the_chain_names_the_first_entry_that_was_tampered_with(
    data: Path, clock: SimulatedClock, damage: str, words: str
) -> None:
    with Journal.open(data, "bench-1", clock) as journal:
        journal.record(opened(), *walked("a-1"))
    _without_triggers(data, damage)
    with JournalReader(data) as reader, pytest.raises(JournalError, match=words):
        reader.verify()


def test_a_re_hashed_entry_breaks_the_chain_at_its_successor(data: Path, clock: SimulatedClock) -> None:
    with Journal.open(data, "bench-1", clock) as journal:
        journal.record(opened(), *walked("a-1"))
        row = list(journal.entries())[1]
    forged = row.body.replace("1-2.3", "1-2.4")
    new_hash = hash_of(row.station_id, row.seq, row.at, row.kind, forged, row.prev_hash)
    _without_triggers(
        data, f"UPDATE journal SET body = replace(body, '1-2.3', '1-2.4'), hash = x'{new_hash}' WHERE seq = 2"
    )
    with JournalReader(data) as reader, pytest.raises(JournalError, match=r"entry 3 was .*, or entry 2 before it"):
        reader.verify()


def _without_triggers(data: Path, statement: str) -> None:
    db = sqlite3.connect(data / "journal.db")
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    db.execute(statement)
    db.commit()
    db.close()


# --- files ---


def test_directory_and_files_are_private(journal: Journal, data: Path) -> None:
    journal.record(started("a-1"))
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()}
    assert {"journal.db", "journal.db-wal", "station.lock", "credential.key"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_a_directory_that_holds_other_things_is_not_closed_to_others(tmp_path: Path, clock: SimulatedClock) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "letters.txt").write_text("not ours")
    Journal.open(tmp_path, "bench-1", clock).close()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "journal.db").stat().st_mode) == 0o600


def test_the_journal_of_another_station_is_refused(data: Path, clock: SimulatedClock) -> None:
    with Journal.open(data, "bench-1", clock) as journal:
        journal.record(opened())
    with pytest.raises(JournalError, match="holds the journal of station bench-1, this is bench-2"):
        Journal.open(data, "bench-2", clock)
    Journal.open(data, "bench-1", clock).close()  # the refused one left no lock behind


def test_a_closed_journal_says_so(data: Path, clock: SimulatedClock) -> None:
    journal = Journal.open(data, "bench-1", clock)
    journal.close()
    with pytest.raises(JournalError, match="closed"):
        journal.record(opened())
    with pytest.raises(JournalError, match="closed"):
        journal.batches()


def test_a_reader_works_beside_the_station_and_after_it(journal: Journal, data: Path) -> None:
    journal.record(started("a-1"), step("a-1"))
    with JournalReader(data) as reader:
        assert [a.attempt for a in reader.unfinished_attempts()] == ["a-1"]
        journal.record(finished("a-1"))
        assert reader.unfinished_attempts() == ()
        journal.close()
        assert reader.verify().entries == 4
    with JournalReader(data) as reader:
        assert reader.verify().entries == 4


def test_a_reader_wants_a_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="holds no journal"):
        JournalReader(tmp_path)
    (tmp_path / "journal.db").write_bytes(b"this is a letter, not a database" * 200)
    with pytest.raises(JournalError, match="cannot be read"):
        JournalReader(tmp_path)
