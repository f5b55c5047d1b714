"""SIMs that do not do what they should: who is blamed, and who waits."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from line_bench import ARGON, BORON, DEVELOPER, ME, LineBench, Recipe, line_bench, replace
from support.sim_cards import (
    ELECTRON,
    SIMS,
    Harm,
    asked_to_take_back,
    electron,
    forget,
    give_away,
    make_member,
    sim_of,
    switch_off,
)

from drivers.identity import SerialNumber
from drivers.virtual.factory import make_spec
from drivers.virtual.unit import VirtualUnit
from station.cloud.virtual.faults import Fault, FaultKind
from station.engine.events import AttemptFinished, OwedWorkStuck, StepStarted, VerdictRevised
from station.model import Outcome, Verdict


@pytest.mark.rule("G7")
def test_a_sim_that_takes_its_time_sets_the_unit_aside_and_turns_it_green_later(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON)
        assert unit.spec.iccid is not None
        bench.cloud.order_sim(unit.spec.iccid, polls=28)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PENDING
        assert "sim" in walk.with_outcome(Outcome.DEFERRED)
        assert walk.finished.sentence == "sim_pending"
        assert walk.steps["sim"].seconds == pytest.approx(120, abs=15)
        revised = bench.wait_for(VerdictRevised, attempt=walk.finished.attempt, within=7200)
        assert revised.verdict is Verdict.PASS  # type: ignore[attr-defined]


@pytest.mark.parametrize(("failures", "verdict"), [(1, Verdict.PASS), (2, Verdict.FAIL)])
def test_what_the_carrier_did_not_do_for_a_product_is_asked_for_once_more(
    failures: int, verdict: Verdict, tmp_path: Path
) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON)
        bench.cloud.order_sim(sim_of(unit), failures=failures)
        walk = bench.walk(unit)
        assert walk.verdict is verdict, walk.finished
        assert walk.finished.sentence == ("pass" if verdict is Verdict.PASS else "sim_failed")
        assert bench.cloud.writes[SIMS] == 1


def test_an_activation_that_fails_after_the_unit_left_is_asked_for_once_more_and_then_pulls_it(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON)
        bench.cloud.order_sim(sim_of(unit), polls=30, failures=2)
        walk = bench.walk(unit)
        assert walk.finished.sentence == "sim_pending"
        revised = bench.wait_for(VerdictRevised, attempt=walk.finished.attempt, within=4 * 3600)
        assert revised.verdict is Verdict.FAIL  # type: ignore[attr-defined]
        assert "failed at the carrier, twice" in revised.reason  # type: ignore[attr-defined]
        assert bench.cloud.writes[SIMS] == 1


def test_a_lost_answer_is_not_one_more_activation_where_the_sim_shows_that_it_was_done(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON)
        bench.cloud.order_sim(sim_of(unit), failures=9)
        bench.cloud.order(Fault(FaultKind.DROP_AFTER, SIMS, times=1))
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.sentence) == (Verdict.FAIL, "sim_failed")
        assert bench.cloud.writes[SIMS] == 1


def test_what_was_asked_for_before_the_cloud_went_away_is_not_asked_for_again_by_owed_work(tmp_path: Path) -> None:
    with line_bench(tmp_path, replace(BORON, offline="queue")) as bench:
        unit = bench.finished_unit(BORON)
        bench.cloud.order_sim(sim_of(unit), failures=9)
        bench.plug(unit)
        bench.wait_for(StepStarted, step="sim")
        bench.sleep(10.0)
        assert bench.cloud.writes[SIMS] == 1
        bench.cloud.down_for(600)
        finished = bench.wait_for(AttemptFinished, verdict=Verdict.PENDING)
        revised = bench.wait_for(VerdictRevised, attempt=finished.attempt, within=4 * 3600)
        assert revised.verdict is Verdict.FAIL  # type: ignore[attr-defined]
        assert bench.cloud.writes[SIMS] == 1


def test_a_walk_that_ended_too_early_is_not_one_more_activation(tmp_path: Path) -> None:
    """One re-activation, then stop (reference cloud-api 8.3). A walk after that verdict is what a person wants."""
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON)
        bench.cloud.order_sim(sim_of(unit), failures=3)
        for _ in range(2):
            mark = bench.mark()
            bench.plug(unit)
            bench.wait_for(StepStarted, step="sim", since=mark)
            bench.sleep(10.0)
            bench.unplug()
            bench.wait_for(AttemptFinished, verdict=Verdict.ABORTED, since=mark)
            assert bench.cloud.writes[SIMS] == 1
        bench.stop()
        bench.start(BORON)
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.sentence) == (Verdict.FAIL, "sim_failed")
        assert walk.steps["sim"].seconds == pytest.approx(30, abs=5), "what was asked for has its time once more"
        assert bench.cloud.writes[SIMS] == 1
        assert bench.walk(unit).verdict is Verdict.FAIL
        assert bench.cloud.writes[SIMS] == 2
        assert bench.walk(unit).verdict is Verdict.PASS
        assert bench.cloud.writes[SIMS] == 3


@pytest.mark.rule("N1")
@pytest.mark.parametrize("is_owed", [False, True], ids=["at the bench", "owed"])
@pytest.mark.parametrize("arrived", [True, False], ids=["done", "not done"])
def test_a_station_that_dies_between_a_second_activation_and_its_answer_sends_no_third(
    arrived: bool, is_owed: bool, tmp_path: Path
) -> None:
    """The intention stands in the journal first; the date of the SIM's last action says whether it was done."""
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON)
        bench.cloud.order_sim(sim_of(unit), failures=9, polls=30 if is_owed else 0)
        slow = FaultKind.SLOW if arrived else FaultKind.DROP_BEFORE
        bench.cloud.order(Fault(slow, SIMS, seconds=3000.0, times=None))
        if is_owed:
            assert bench.walk(unit).finished.sentence == "sim_pending"
        else:
            bench.plug(unit)
        while not bench.cloud.writes.get(SIMS):
            bench.sleep(0.5)
        bench.die()
        bench.unplug()
        bench.sleep(60.0)
        bench.bury()
        bench.cloud.cancel_faults()
        sent = bench.cloud.writes[SIMS]
        bench.start(BORON)
        told = bench.wait_for(VerdictRevised, within=8 * 3600) if is_owed else bench.walk(unit).finished
        assert told.verdict is Verdict.FAIL  # type: ignore[attr-defined]
        assert "failed at the carrier, twice" in told.reason  # type: ignore[attr-defined]
        assert bench.cloud.writes[SIMS] == sent + (not arrived)


def test_how_long_the_slow_things_took_is_measured_and_kept(tmp_path: Path) -> None:
    recipe = replace(BORON, online=True, offline="hold")
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        assert unit.spec.iccid is not None
        bench.cloud.order_sim(unit.spec.iccid, polls=3)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        (sim,), (online,) = walk.steps["sim"].measurements, walk.steps["online"].measurements
        assert (sim.name, sim.unit, sim.high) == ("SIM active after", "s", 120.0)
        assert 10.0 <= float(sim.value) <= 30.0
        assert (online.name, online.unit) == ("online after", "s")


@pytest.mark.rule("G6")
@pytest.mark.parametrize(("serial", "budget_s"), [("P044", 120), ("E310", 300), ("B40T", 600)])
def test_a_slot_waits_for_a_sim_as_long_as_its_class_takes(serial: str, budget_s: float, tmp_path: Path) -> None:
    """Fast, not known (generally fast is believed), sometimes slow."""
    with line_bench(tmp_path, BORON) as bench:
        modules = tuple(file.data for file in BORON.files())
        known = make_spec("boron", 7, 1, modules=modules, setup_done=True)
        spec = dataclasses.replace(known, serial=SerialNumber.parse(f"{serial}AB123456789"))
        unit = bench.unit(spec=spec)
        assert spec.iccid is not None
        bench.cloud.order_sim(spec.iccid, polls=400)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PENDING, walk.finished
        assert walk.steps["sim"].seconds == pytest.approx(budget_s, abs=35)


@pytest.mark.parametrize(("failures", "verdict"), [(1, Verdict.PASS), (2, Verdict.FAIL)])
def test_an_activation_that_failed_at_the_carrier_is_asked_for_once_more(
    failures: int, verdict: Verdict, tmp_path: Path
) -> None:
    recipe = replace(DEVELOPER, platform="boron")
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        assert unit.spec.iccid is not None
        bench.cloud.order_sim(unit.spec.iccid, failures=failures)
        walk = bench.walk(unit)
        assert walk.verdict is verdict, walk.finished
        assert bench.cloud.writes["PUT /v1/sims/:iccid"] == 2


@pytest.mark.rule("G5")
def test_a_developers_sim_is_activated_by_one_call_of_its_own(tmp_path: Path) -> None:
    recipe = replace(DEVELOPER, platform="boron")
    with line_bench(tmp_path, recipe) as bench:
        walk = bench.walk(bench.finished_unit(recipe))
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert bench.cloud.writes["PUT /v1/sims/:iccid"] == 1
        assert not any("products" in route for route in bench.cloud.writes)
        assert list(walk.steps).index("sim") < list(walk.steps).index("claim")


def test_a_unit_that_never_comes_online_is_not_judged(tmp_path: Path) -> None:
    recipe = replace(ARGON, limits={"online": 30})
    with line_bench(tmp_path, recipe) as bench:
        bench.world.cloud = None  # the cloud of the units, not that of the station
        walk = bench.walk(bench.finished_unit(recipe))
        assert (walk.verdict, walk.finished.sentence) == (Verdict.ERROR, "not_online")
        assert walk.steps["online"].seconds <= 31


# --- every state, told apart -------------------------------------------------------------------------


def fail_at_the_carrier(bench: LineBench, unit: VirtualUnit) -> None:
    bench.cloud.order_sim(sim_of(unit), failures=9)


def keep_asleep(bench: LineBench, unit: VirtualUnit) -> None:
    bench.cloud.order_sim(sim_of(unit), polls=10**6)


def release(bench: LineBench, unit: VirtualUnit) -> None:
    """The unit was online with it in its product; somebody released it, and the account has it now."""
    make_member(bench, unit)
    bench.cloud.edit_device(unit.spec.device_id, iccid=str(sim_of(unit)))
    bench.cloud.edit_sim(sim_of(unit), username=ME, status="active")
    bench.cloud.order(Fault(FaultKind.LIE, SIMS, times=None))  # the import is taken and comes to nothing


CARD, SOLDERED, OF_A_DEVELOPER = ELECTRON, BORON, replace(DEVELOPER, platform="boron")
STATES: list[tuple[Recipe, Harm, Verdict, str, str]] = [
    (CARD, keep_asleep, Verdict.PENDING, "sim_pending", "is not active after"),
    (CARD, forget, Verdict.PENDING, "sim_odd", "supervisor has to put the right one in"),
    (CARD, give_away, Verdict.PENDING, "sim_foreign", "supervisor has to have it released there"),
    (CARD, release, Verdict.PENDING, "sim_released", "supervisor has to import it (station rework sim 8988"),
    (CARD, switch_off, Verdict.FAIL, "sim_off", "supervisor switches it on again"),
    (CARD, fail_at_the_carrier, Verdict.FAIL, "sim_failed", "ask the vendor"),
    (SOLDERED, keep_asleep, Verdict.PENDING, "sim_pending", "is not active after"),
    (SOLDERED, forget, Verdict.PENDING, "sim_released", "supervisor has to import it (station rework sim 8988"),
    (SOLDERED, give_away, Verdict.PENDING, "sim_foreign", "supervisor has to have it released there"),
    (SOLDERED, release, Verdict.PENDING, "sim_released", "supervisor has to import it (station rework sim 8988"),
    (SOLDERED, switch_off, Verdict.FAIL, "sim_off", "supervisor switches it on again"),
    (SOLDERED, fail_at_the_carrier, Verdict.FAIL, "sim_failed", "ask the vendor"),
    (OF_A_DEVELOPER, keep_asleep, Verdict.PENDING, "sim_pending", "is not active after"),
    (OF_A_DEVELOPER, forget, Verdict.FAIL, "sim_odd", "ask the vendor"),
    (OF_A_DEVELOPER, give_away, Verdict.FAIL, "sim_foreign", "supervisor has to have it released there"),
    (OF_A_DEVELOPER, fail_at_the_carrier, Verdict.FAIL, "sim_failed", "ask the vendor"),
]
KINDS = {id(CARD): "card", id(SOLDERED): "soldered", id(OF_A_DEVELOPER): "developer"}
NAMES = [f"{KINDS[id(recipe)]}-{harm.__name__}" for recipe, harm, *_ in STATES]
MENDED = [row for row in STATES if row[2] is Verdict.PENDING and row[1] is not keep_asleep]


def in_state(bench: LineBench, recipe: Recipe, harm: Harm) -> VirtualUnit:
    unit = electron(bench) if recipe is CARD else bench.finished_unit(recipe)
    harm(bench, unit)
    return unit


@pytest.mark.rule("G8")
@pytest.mark.parametrize(("recipe", "harm", "verdict", "sentence", "who"), STATES, ids=NAMES)
def test_a_sim_in_any_state_is_never_taken_back_by_the_line(
    recipe: Recipe, harm: Harm, verdict: Verdict, sentence: str, who: str, tmp_path: Path
) -> None:
    """And each state has a sentence of its own, and a reason that says who can mend it."""
    with line_bench(tmp_path, recipe) as bench:
        walk = bench.walk(in_state(bench, recipe, harm))
        assert (walk.verdict, walk.finished.sentence) == (verdict, sentence), walk.finished
        assert who in walk.finished.reason
        assert str(sim_of(bench.units[-1])) in walk.finished.reason
        assert asked_to_take_back(bench) == []


@pytest.mark.parametrize(
    ("recipe", "harm"), [row[:2] for row in MENDED], ids=[NAMES[STATES.index(row)] for row in MENDED]
)
def test_what_only_a_person_mends_is_told_at_once_and_goes_on_by_itself_when_it_is(
    recipe: Recipe, harm: Harm, tmp_path: Path
) -> None:
    with line_bench(tmp_path, recipe) as bench:
        unit = in_state(bench, recipe, harm)
        finished = bench.walk(unit).finished
        told = bench.wait_for(OwedWorkStuck, attempt=finished.attempt, within=600)
        assert told.sentence == finished.sentence  # type: ignore[attr-defined]
        bench.cloud.register_sim(sim_of(unit))
        make_member(bench, unit, username=None, status="active")
        bench.wait_for(VerdictRevised, attempt=finished.attempt, within=7200, verdict=Verdict.PASS)
        assert len([event for _, event in bench.events if isinstance(event, OwedWorkStuck)]) == 1


def test_a_sim_that_only_takes_long_is_told_of_after_a_day(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        finished = bench.walk(in_state(bench, BORON, keep_asleep)).finished
        bench.sleep(23 * 3600.0)
        assert not [event for _, event in bench.events if isinstance(event, OwedWorkStuck)]
        bench.wait_for(OwedWorkStuck, attempt=finished.attempt, sentence="owed_stuck", within=3 * 3600)
