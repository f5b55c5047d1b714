"""Slow hands, a slow cloud and lost answers: nobody is judged by them, and the unit passes in the end."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import ARGON, BORON, DEVELOPER, LineBench, line_bench, replace

from drivers.virtual.unit import UnitMode
from station.cloud.virtual.faults import Fault, FaultKind
from station.engine.commands import Command, RetrySlot, RunStep, Scan, SignalUnit, StopSlot
from station.engine.events import (
    AttemptStarted,
    CommandRefused,
    HandsNeeded,
    StepHeld,
    StepStarted,
    VerdictRevised,
    WireTraced,
)
from station.model import Verdict

CLAIM = "POST /v1/devices"
LABELLED = replace(BORON, label=True, limits={"identify": 60})


@pytest.mark.rule("N2")
@pytest.mark.rule("E12")
@pytest.mark.parametrize("lost", [FaultKind.STATUS, FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER])
def test_a_claim_whose_answer_got_lost_is_decided_by_the_owner_read_back(lost: FaultKind, tmp_path: Path) -> None:
    with line_bench(tmp_path, DEVELOPER) as bench:
        bench.cloud.order(Fault(lost, CLAIM, status=502))
        walk = bench.walk(bench.finished_unit(DEVELOPER))
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert bench.cloud.effects[CLAIM] == 1


def test_a_claim_that_is_never_answered_judges_nobody(tmp_path: Path) -> None:
    with line_bench(tmp_path, DEVELOPER) as bench:
        bench.cloud.order(Fault(FaultKind.DROP_BEFORE, CLAIM, times=None))
        bench.plug(bench.finished_unit(DEVELOPER))
        bench.wait_for(StepHeld, step="claim", sentence="cloud_hold")
        bench.cloud.cancel_faults()
        finished = bench.wait_finished()
        assert finished.verdict is Verdict.PASS, finished.reason
        assert bench.cloud.effects[CLAIM] == 1


@pytest.mark.rule("N2")
@pytest.mark.parametrize("lost", [FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER, FaultKind.STATUS, FaultKind.HTML])
def test_every_write_whose_answer_got_lost_is_read_before_it_is_sent_again(lost: FaultKind, tmp_path: Path) -> None:
    """The bench looks through the traffic when the story ends: no two equal writes without a look between."""
    recipe = replace(BORON, claim=True)
    with line_bench(tmp_path, recipe) as bench:
        routes = ("POST /v1/products/:p/devices", "PUT /v1/products/:p/devices/:id", CLAIM)
        for route in routes:
            bench.cloud.order(Fault(lost, route, status=502))
        walk = bench.walk(bench.finished_unit(recipe))
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        sent_again = 1 if lost is FaultKind.DROP_AFTER else 2
        assert bench.cloud.writes == dict.fromkeys(routes, sent_again)
        assert bench.cloud.effects == dict.fromkeys(routes, 1)


def test_writes_that_are_never_answered_set_the_unit_aside_and_are_finished_later(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.cloud.order(Fault(FaultKind.DROP_BEFORE, "PUT /v1/products/:p/devices/:id", times=None))
        walk = bench.walk(bench.finished_unit(BORON))
        assert (walk.verdict, walk.outcomes["product_add"], walk.outcomes["name"]) == (
            Verdict.PENDING, "done", "deferred",
        )  # fmt: skip
        bench.cloud.cancel_faults()
        revised = bench.wait_for(VerdictRevised, attempt=walk.finished.attempt)
        assert revised.verdict is Verdict.PASS  # type: ignore[attr-defined]


def test_an_activation_whose_answer_got_lost_is_asked_for_again(tmp_path: Path) -> None:
    recipe = replace(DEVELOPER, platform="boron")
    with line_bench(tmp_path, recipe) as bench:
        bench.cloud.order(Fault(FaultKind.DROP_BEFORE, "PUT /v1/sims/:iccid"))
        walk = bench.walk(bench.finished_unit(recipe))
        assert walk.verdict is Verdict.PASS, walk.finished.reason


def test_a_claim_the_cloud_refuses_is_asked_a_second_time_and_never_again(tmp_path: Path) -> None:
    with line_bench(tmp_path, DEVELOPER) as bench:
        body = {"ok": False, "errors": ["device does not exist"]}
        bench.cloud.order(Fault(FaultKind.STATUS, CLAIM, times=None, status=404, body=body))
        walk = bench.walk(bench.finished_unit(DEVELOPER))
        assert (walk.verdict, walk.finished.sentence) == (Verdict.FAIL, "bad_device_id")
        claims = [one.status for one in bench.cloud.requests() if (one.method, one.path) == ("POST", "/v1/devices")]
        assert claims == [404, 404]


def test_a_cloud_that_hangs_holds_the_unit_as_one_that_is_away_does(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        unit = bench.finished_unit(ARGON)
        bench.plug(unit)
        bench.wait_for(StepStarted, step="product_add")
        bench.cloud.order(Fault(FaultKind.SLOW, "GET /v1/products/:p/devices/:id", times=4, seconds=200.0))
        bench.wait_for(StepHeld, sentence="cloud_hold")
        assert bench.wait_finished(within=3600).verdict is Verdict.PASS


def test_a_product_look_up_that_hangs_does_not_cost_a_unit_its_time_when_the_journal_knows_the_product(
    tmp_path: Path,
) -> None:
    with line_bench(tmp_path, BORON) as bench:
        assert bench.walk(bench.finished_unit(BORON, 99)).verdict is Verdict.PASS
        bench.restart()
        bench.cloud.order(Fault(FaultKind.SLOW, "GET /v1/products/:p", times=1, seconds=400.0))
        walk = bench.walk(bench.finished_unit(BORON))
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert walk.steps["identify"].seconds < 60


def test_the_time_a_hand_needs_for_a_scan_is_no_time_of_the_step(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        unit = bench.finished_unit(LABELLED)

        def slowly() -> None:
            bench.wait_for(HandsNeeded, sentence="scan_label")
            bench.sleep(59.0)
            bench.cloud.order(Fault(FaultKind.SLOW, "GET /v1/products/:p/devices/:id", seconds=10.0))
            bench.command(Scan(unit.label))

        walk = bench.walk(unit, during=slowly)
        assert walk.verdict is Verdict.PASS, walk.finished.reason


def signals(bench: LineBench) -> list[str]:
    lines = [event.line for _, event in bench.events if isinstance(event, WireTraced)]
    return [request for line in lines for request in ("request 230", "request 231") if request in line]


def test_a_light_asked_of_a_slot_at_work_is_refused_and_not_switched_later(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.plug(bench.finished_unit(BORON))
        bench.wait_for(StepStarted, step="sim")
        bench.command(SignalUnit(1, True))
        assert "Slot 1 is at work" in bench.wait_for(CommandRefused).reason  # type: ignore[attr-defined]
        assert bench.wait_finished().verdict is Verdict.PASS
        bench.sleep(30.0)
        assert not signals(bench)


@pytest.mark.parametrize("command", [RetrySlot(1), RunStep(1, "name")])
def test_a_walk_asked_of_a_slot_at_work_is_refused_and_the_verdict_stays(command: Command, tmp_path: Path) -> None:
    """Queued, it took the verdict away in the moment it was told."""
    with line_bench(tmp_path, BORON) as bench:
        bench.plug(bench.finished_unit(BORON))
        bench.wait_for(StepStarted, step="sim")
        bench.command(command)
        refused = bench.wait_for(CommandRefused)
        assert "Slot 1 is at work" in refused.reason  # type: ignore[attr-defined]
        bench.wait_finished()
        bench.sleep(60.0)
        assert len([event for _, event in bench.events if isinstance(event, AttemptStarted)]) == 1


def test_a_unit_that_is_stopped_while_it_listens_for_us_does_not_go_on_listening(tmp_path: Path) -> None:
    recipe = replace(BORON, keep_secret=True)  # only its console tells the secret
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        bench.plug(unit)
        while unit.mode is not UnitMode.LISTENING:
            bench.sleep(0.05)
        bench.command(StopSlot(1))
        assert bench.wait_finished().verdict is Verdict.ABORTED
        bench.sleep(3.0)
        assert unit.mode is UnitMode.NORMAL
