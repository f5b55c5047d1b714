"""What the journal makes of work by hand: the last PASS or PENDING of its unit is not proven any more."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.journal_story import (
    at,
    by_hand,
    finished,
    item,
    opened,
    pending,
    started,
    unit_id,
    walked,
)

from drivers.clock import SimulatedClock
from station.engine.console_events import ConsoleOpened
from station.hooks.messages import EVENT_OF, message_of
from station.journal import JOURNAL_FILE, Journal
from station.journal.following import Following
from station.journal.tallies import worked_on
from station.model import Outcome, Verdict


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with contextlib.closing(Journal.open(tmp_path / "journal", "bench-1", SimulatedClock())) as opened_here:
        opened_here.record(opened())
        yield opened_here


def since(journal: Journal, attempt: str) -> float | None:
    """Seconds since the story began at which the verdict of ``attempt`` lost its proof."""
    found = journal.attempt(attempt)
    assert found is not None
    journal.verify()
    return None if found.by_hand_at is None else (found.by_hand_at - at()).total_seconds()


def told(journal: Journal) -> list[tuple[str, str, bool]]:
    """What a MES is told of verdicts: attempt, verdict, and whether it revises one told before."""
    about = Following(journal)
    entries, _ = about.following(0, tuple(EVENT_OF), 1000)
    messages: list[dict[str, Any]] = [one for entry in entries if (one := message_of(entry, about)) is not None]
    return [(one["attempt"], one["verdict"], one["revised"]) for one in messages if one["event"] == "finished"]


def test_work_by_hand_takes_the_proof_from_the_last_pass_of_its_unit_from_its_first_moment_on(journal: Journal) -> None:
    journal.record(*walked("first"), *walked("last"), *walked("other", 2))
    journal.record(by_hand(seconds=60.0), by_hand(what="console", seconds=90.0))
    assert (since(journal, "first"), since(journal, "last"), since(journal, "other")) == (None, 60.0, None)
    last = journal.attempt("last")
    assert last is not None
    assert (last.verdict, last.result) == (Verdict.PASS, "YOUR TURN")
    seen = journal.seen_before(unit_id(1))
    assert seen is not None
    assert (seen.verdict, seen.is_by_hand) == (Verdict.PASS, True)


def test_the_next_walk_of_the_unit_is_proven_and_the_one_before_it_stays_what_it_became(journal: Journal) -> None:
    journal.record(*walked("before"), by_hand(), *walked("after"))
    assert (since(journal, "before"), since(journal, "after")) == (60.0, None)
    with journal.snapshot() as db:
        assert worked_on(db, "B1") == 0


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.ABORTED, Verdict.ERROR])
def test_what_proved_nothing_loses_nothing(journal: Journal, verdict: Verdict) -> None:
    journal.record(*walked("bad", verdict=verdict), by_hand())
    assert since(journal, "bad") is None
    assert told(journal) == [("bad", verdict.name, False)]


def test_a_unit_whose_slot_never_learned_its_id_loses_the_pass_of_the_attempt_it_shows(journal: Journal) -> None:
    journal.record(started("nobody", None), finished("nobody", unit=None), by_hand(None, attempt="nobody"))
    assert since(journal, "nobody") == 60.0


def test_a_console_that_an_older_station_recorded_counts_alike(journal: Journal, tmp_path: Path) -> None:
    journal.record(*walked("old"), ConsoleOpened(at=at(30), slot=3, device_id=unit_id(1), attempt="old"))
    assert since(journal, "old") == 30.0
    journal.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "journal" / JOURNAL_FILE)) as db, db:  # as schema 7 kept it
        db.execute("DROP INDEX attempts_by_hand")
        db.execute("ALTER TABLE attempts DROP COLUMN by_hand_seq")
        db.execute("ALTER TABLE attempts DROP COLUMN by_hand_at")
        db.execute("DELETE FROM migrations WHERE number > 7")
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()) as again:
        assert since(again, "old") == 30.0


@pytest.mark.parametrize(
    ("outcome", "verdict", "is_proven"), [(Outcome.DONE, Verdict.PASS, False), (Outcome.FAILED, Verdict.FAIL, True)]
)
def test_owed_work_that_ends_well_proves_nothing_of_a_unit_that_was_worked_on_and_one_that_fails_is_a_fail(
    journal: Journal, outcome: Outcome, verdict: Verdict, *, is_proven: bool
) -> None:
    journal.record(*pending("late", "product_add"), by_hand())
    journal.settle(item("late"), outcome, "told", "read back")
    found = journal.attempt("late")
    assert found is not None
    assert (found.verdict, since(journal, "late") is None) == (verdict, is_proven)
    assert found.result == ("FAIL" if is_proven else "YOUR TURN")


def test_a_mes_is_told_once_that_a_verdict_stands_no_more_and_never_that_owed_work_made_it_a_pass(
    journal: Journal,
) -> None:
    journal.record(*walked("passed"), by_hand(), by_hand(what="console"), *walked("again"))
    journal.record(*pending("late", "product_add", unit=2), by_hand(2))
    journal.settle(item("late", unit=2), Outcome.DONE, "", "read back")
    journal.record(*pending("clean", "product_add", unit=3))
    journal.settle(item("clean", unit=3), Outcome.DONE, "", "read back")
    assert told(journal) == [
        ("passed", "PASS", False), ("passed", "ABORTED", True), ("again", "PASS", False),
        ("late", "PENDING", False), ("late", "ABORTED", True), ("late", "ABORTED", True),
        ("clean", "PENDING", False), ("clean", "PASS", True),
    ]  # fmt: skip
    about = Following(journal)
    entries, _ = about.following(0, ("HandWorkBegun",), 1)
    message = message_of(entries[0], about)
    assert message is not None
    assert (message["device_id"], message["batch"]) == (unit_id(1), "B1")
    assert "walk it again" in message["reason"]


def test_the_figures_stay_those_of_the_verdicts_and_say_how_many_are_not_proven(journal: Journal) -> None:
    journal.record(*walked("a", 1), *walked("b", 2), *pending("c", "product_add", unit=3), *walked("d", 4))
    before = journal.figures("B1")
    journal.record(by_hand(1), by_hand(3), by_hand(4), *walked("e", 4, Verdict.FAIL))
    with journal.snapshot() as db:
        assert worked_on(db, "B1") == 2
    after = journal.figures("B1")
    assert (after.passed, after.pending) == (before.passed - 1, before.pending)  # one of them failed its next walk
