"""Cloud work owed: queued with the verdict, settled once, in order, and the verdict that follows."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.journal_story import at, finished, item, opened, pending, started, step, unit_id

from drivers.clock import SimulatedClock
from station.engine.events import OutboxSettled, VerdictRevised
from station.engine.records import OutboxQueued
from station.errors import JournalError
from station.figures import Figures
from station.journal import Journal
from station.model import Outcome, Verdict


def verdict(journal: Journal, attempt: str = "a-1") -> Verdict | None:
    found = journal.attempt(attempt)
    assert found is not None
    return found.verdict


def test_items_are_queued_with_the_verdict_or_not_at_all(journal: Journal) -> None:
    with pytest.raises(JournalError, match="ended PENDING but owes nothing"):
        journal.record(started("a-1"), finished("a-1", Verdict.PENDING))
    assert journal.attempt("a-1") is None
    journal.record(*pending("a-1", "product_add", "name"))
    assert verdict(journal) is Verdict.PENDING
    assert journal.due(at()) == (item("a-1", "product_add"), item("a-1", "name"))
    assert journal.waiting() == 2


def test_the_last_settled_item_turns_the_attempt_pass(journal: Journal) -> None:
    journal.record(*pending("a-1", "product_add", "name"))
    (first,) = journal.settle(item("a-1", "product_add"), Outcome.DONE, "", "product_id 12345 read back")
    assert isinstance(first, OutboxSettled)
    assert verdict(journal) is Verdict.PENDING
    settled, revised = journal.settle(item("a-1", "name"), Outcome.ALREADY, "", "name read back")
    assert isinstance(settled, OutboxSettled)
    assert isinstance(revised, VerdictRevised)
    assert (revised.verdict, revised.device_id, revised.attempt) == (Verdict.PASS, unit_id(1), "a-1")
    assert verdict(journal) is Verdict.PASS
    assert journal.waiting() == 0
    assert journal.figures("B1") == Figures(units=1, passed=1, judged=1, first_passed=1)
    assert [row.kind for row in journal.entries()][-3:] == ["OutboxSettled", "OutboxSettled", "VerdictRevised"]


def test_a_refusal_turns_the_attempt_fail_names_its_step_and_gives_up_what_was_to_follow(journal: Journal) -> None:
    journal.record(*pending("a-1", "product_add", "name"))
    refused, given_up, revised = journal.settle(
        item("a-1", "product_add"), Outcome.FAILED, "the unit is in product 99", ""
    )
    assert isinstance(refused, OutboxSettled)
    assert isinstance(given_up, OutboxSettled)
    assert (given_up.action, given_up.outcome) == ("name", Outcome.SKIPPED)
    assert given_up.reason == "not tried: product_add ended failed"
    assert isinstance(revised, VerdictRevised)
    assert (revised.verdict, revised.reason) == (Verdict.FAIL, "the unit is in product 99")
    assert journal.waiting() == 0
    assert journal.settle(item("a-1", "name"), Outcome.DONE, "", "name read back") == ()
    attempt = journal.attempt("a-1")
    assert attempt is not None
    assert (attempt.verdict, attempt.failed_step) == (Verdict.FAIL, "product_add")
    assert journal.figures("B1") == Figures(units=1, failed=1, judged=1)


@pytest.mark.rule("N1")
def test_settling_twice_changes_nothing(journal: Journal) -> None:
    journal.record(*pending("a-1", "product_add"))
    assert len(journal.settle(item("a-1"), Outcome.DONE, "", "read back")) == 2
    before = journal.verify().entries
    assert journal.settle(item("a-1"), Outcome.FAILED, "late", "") == ()
    assert journal.verify().entries == before
    assert verdict(journal) is Verdict.PASS


def test_what_is_not_owed_can_not_be_settled_or_postponed(journal: Journal) -> None:
    journal.record(*pending("a-1", "product_add"))
    with pytest.raises(JournalError, match="does not owe claim"):
        journal.settle(item("a-1", "claim"), Outcome.DONE, "", "")
    with pytest.raises(JournalError, match="postpone it instead"):
        journal.settle(item("a-1"), Outcome.DEFERRED, "", "")
    journal.settle(item("a-1"), Outcome.DONE, "", "")
    with pytest.raises(JournalError, match="does not owe product_add"):
        journal.postpone(item("a-1"), at(60), "503")


def test_a_postponed_item_is_due_at_its_time_and_holds_back_the_items_behind_it(journal: Journal) -> None:
    journal.record(*pending("a-1", "product_add", "name"), *pending("a-2", "product_add", unit=2))
    journal.postpone(item("a-1", "product_add"), at(60), "the cloud answered 503")
    assert journal.due(at(59.9)) == (item("a-2", unit=2),)
    assert journal.due(at(60)) == (item("a-1", "product_add"), item("a-1", "name"), item("a-2", unit=2))
    owed = journal.owed()[0]
    assert (owed.tries, owed.last_error, owed.retry_at) == (1, "the cloud answered 503", at(60))
    assert journal.waiting() == 3


def test_an_attempt_owes_an_action_once(journal: Journal) -> None:
    twice = OutboxQueued(at=at(9), attempt="a-1", items=(item("a-1"), item("a-1")))
    with pytest.raises(JournalError, match="UNIQUE"):
        journal.record(started("a-1"), finished("a-1", Verdict.PENDING), twice)


def test_the_settled_step_replaces_the_deferred_one_in_the_record(journal: Journal) -> None:
    journal.record(*pending("a-1", "product_add"))
    journal.settle(item("a-1"), Outcome.DONE, "", "product_id 12345 read back")
    assert [(s.step, s.outcome, s.proof) for s in journal.steps("a-1")][-1] == (
        "product_add", Outcome.DONE, "product_id 12345 read back",
    )  # fmt: skip


def test_a_full_outbox_outlives_the_station(data: Path, clock: SimulatedClock) -> None:
    with Journal.open(data, "bench-1", clock) as journal:
        journal.record(opened(), *pending("a-1", "product_add", "name"), *pending("a-2", "name", unit=2))
        journal.settle(item("a-1", "product_add"), Outcome.DONE, "", "")
        journal.postpone(item("a-2", "name", 2), at(30), "no answer")
    with Journal.open(data, "bench-1", clock) as journal:
        assert journal.abandoned == ()  # PENDING is a verdict
        assert journal.due(at(31)) == (item("a-1", "name"), item("a-2", "name", 2))
        assert verdict(journal) is Verdict.PENDING


def test_work_owed_by_a_unit_that_was_walked_again_meanwhile_settles_its_own_attempt(journal: Journal) -> None:
    journal.record(*pending("a-1", "product_add"))
    journal.record(started("a-2"), step("a-2"), finished("a-2", Verdict.FAIL, reason="Wi-Fi"))
    journal.settle(item("a-1"), Outcome.ALREADY, "", "read back")
    assert (verdict(journal, "a-1"), verdict(journal, "a-2")) == (Verdict.PASS, Verdict.FAIL)
    assert journal.figures("B1") == Figures(units=1, failed=1, judged=1, first_passed=1, retests=1)


def test_work_put_off_before_the_clock_was_set_back_is_due_at_once(journal: Journal) -> None:
    """A pause lasts seconds; a year of waiting can only be the clock."""
    journal.record(*pending("a-1", "product_add"))
    journal.postpone(item("a-1", "product_add"), at(30), "the cloud does not answer")
    assert journal.due(at(29)) == ()
    assert journal.due(at(-365 * 24 * 3600)) == (item("a-1", "product_add"),)
