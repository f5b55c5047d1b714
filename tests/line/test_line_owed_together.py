"""Owed work of many units at once: as few requests as the API allows, nothing lost, nothing done twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import cloud_bench
from support.owing import ADD, RENAME, device, owing, serial

from station.cloud.virtual.faults import Fault, FaultKind
from station.engine.events import VerdictRevised
from station.model import Outcome, Verdict


def test_a_shift_of_owed_units_costs_little_more_than_a_request_a_unit(tmp_path: Path) -> None:
    """One import and a few lists for all of them; only a name takes a request of its own (N3)."""
    with owing(tmp_path, 300) as shift:
        shift.drain()
        assert (shift.journal.waiting(), shift.passed) == (0, 300)
        assert shift.cloud.effects == {ADD: 1, RENAME: 300}
        assert shift.cloud.writes == {ADD: 1, RENAME: 300}
        assert len(shift.cloud.requests()) < 1.2 * 300
        assert not [request for request in shift.cloud.requests() if request.status == 429]
        assert set(shift.settled("product_add")) == set(shift.settled("name")) == {Outcome.DONE}
        assert set(shift.settled("final_check")) == {Outcome.ALREADY}


def test_a_few_units_are_looked_up_one_by_one(tmp_path: Path) -> None:
    with owing(tmp_path, 3) as shift:
        shift.drain()
        assert shift.passed == 3
        assert not [request for request in shift.cloud.requests() if request.path.endswith("/devices")
                    and request.method == "GET"]  # fmt: skip


def test_one_refused_unit_among_many_fails_alone_and_by_its_own_sentence(tmp_path: Path) -> None:
    with owing(tmp_path, 20) as shift:
        shift.cloud.edit_device(device(7), owner="stranger@example.com")
        shift.drain()
        assert shift.passed == 19
        (failed,) = [e for e in shift.events if isinstance(e, VerdictRevised) and e.verdict is Verdict.FAIL]
        assert failed.device_id == str(device(7))
        assert f"{serial(7)} ({device(7)}): " in failed.reason or f"pull {serial(7)}" in failed.reason


@pytest.mark.rule("N2")
@pytest.mark.parametrize("kind", [FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER])
def test_an_import_of_many_whose_answer_got_lost_is_decided_by_the_list(kind: FaultKind, tmp_path: Path) -> None:
    with owing(tmp_path, 20) as shift:
        shift.cloud.order(Fault(kind, ADD))
        shift.drain()
        assert shift.passed == 20
        assert shift.cloud.effects[RENAME] == 20
        units = [shift.cloud.device(device(number)) for number in range(20)]
        assert {unit and unit["product_id"] for unit in units} == {cloud_bench.PRODUCT}


def test_a_token_that_may_not_list_looks_each_unit_up(tmp_path: Path) -> None:
    scopes = ("devices:import", "devices:get", "devices:update", "sims:get")
    with owing(tmp_path, 20, scopes) as shift:
        shift.drain()
        assert shift.passed == 20
        assert shift.cloud.effects == {ADD: 20, RENAME: 20}


def test_what_was_written_for_many_is_announced_for_each_before_and_confirmed_after(tmp_path: Path) -> None:
    with owing(tmp_path, 20) as shift:
        shift.drain()
        assert shift.journal.unconfirmed_writes() == ()
        kinds = [row.kind for row in shift.journal.entries()]
        assert kinds.count("WriteIntended") == kinds.count("WriteConfirmed") == 40
