"""A unit without an active SIM is not waited for online: the SIM is named, and the claim not tried."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import BORON, DEVELOPER, ME, LineBench, Recipe, line_bench, replace
from support.sim_cards import SIM, give_away, sim_of

from drivers.virtual.unit import VirtualUnit
from station.engine.events import OwedWorkStuck, VerdictRevised
from station.model import Outcome, Verdict

CLAIM = "POST /v1/devices"
DEVELOPER_BORON = replace(DEVELOPER, platform="boron")
ONLINE_BORON = replace(BORON, online=True, offline="hold")
WITHOUT_SIM_STEP = "[steps.sim]\nenabled = false"


def keep_asleep(bench: LineBench, unit: VirtualUnit) -> None:
    bench.cloud.order_sim(sim_of(unit), polls=10**6)


def wake(bench: LineBench, unit: VirtualUnit) -> None:
    bench.cloud.edit_sim(sim_of(unit), polls_left=0)


@pytest.mark.rule("E9")
@pytest.mark.parametrize("recipe", [DEVELOPER_BORON, ONLINE_BORON], ids=["developer", "product"])
def test_what_needs_the_unit_online_waits_for_its_sim_and_the_slot_is_free(recipe: Recipe, tmp_path: Path) -> None:
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        keep_asleep(bench, unit)
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.sentence) == (Verdict.PENDING, "sim_pending")
        assert walk.seconds < 180.0, "not the time of the steps behind it, too"
        assert {"sim", "online", "final_check"} <= walk.with_outcome(Outcome.DEFERRED)
        assert f"SIM {sim_of(unit)}" in walk.steps["online"].reason
        assert CLAIM not in bench.cloud.writes
        assert not any("ping" in one.route for one in bench.cloud.requests())


@pytest.mark.rule("E9")
@pytest.mark.parametrize("recipe", [DEVELOPER_BORON, ONLINE_BORON], ids=["developer", "product"])
def test_when_its_sim_works_somebody_is_told_to_plug_it_in_again(recipe: Recipe, tmp_path: Path) -> None:
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        keep_asleep(bench, unit)
        first = bench.walk(unit).finished
        bench.sleep(1800.0)
        assert not [event for _, event in bench.events if isinstance(event, OwedWorkStuck)]
        wake(bench, unit)
        told = bench.wait_for(OwedWorkStuck, attempt=first.attempt, sentence="walk_again", within=7200)
        assert told.values == (str(unit.spec.serial),)  # type: ignore[attr-defined]
        again = bench.walk(unit)
        assert again.verdict is Verdict.PASS, again.finished
        if recipe.claim:
            assert (bench.cloud.device(unit.spec.device_id) or {})["owner"] == ME
            assert bench.cloud.writes[SIM] == 1
        bench.plug(unit)  # on its way to somebody, powered
        bench.wait_for(VerdictRevised, attempt=first.attempt, within=7200, verdict=Verdict.PASS)


def test_owed_work_that_waits_for_a_unit_to_come_online_never_holds_up_that_of_others(tmp_path: Path) -> None:
    with line_bench(tmp_path, ONLINE_BORON) as bench:
        units = [bench.finished_unit(ONLINE_BORON, number) for number in (1, 2, 3)]
        for unit in units:
            keep_asleep(bench, unit)
        walks = [bench.walk(unit) for unit in units]
        for unit in units:
            wake(bench, unit)
        mark = bench.clock.now()
        for walk in walks:
            bench.wait_for(OwedWorkStuck, attempt=walk.finished.attempt, sentence="walk_again")
        assert bench.clock.now() - mark < 600.0


@pytest.mark.rule("G12")
@pytest.mark.parametrize(
    ("recipe", "step"), [(ONLINE_BORON, "online"), (DEVELOPER_BORON, "online")], ids=["product", "developer"]
)
@pytest.mark.parametrize("harm", [keep_asleep, give_away], ids=["asleep", "another account's"])
def test_a_unit_that_blinks_green_too_long_has_its_sim_named(
    recipe: Recipe, step: str, harm: object, tmp_path: Path
) -> None:
    silent = replace(recipe, more=WITHOUT_SIM_STEP, limits={"online": 60})
    with line_bench(tmp_path, silent) as bench:
        unit = bench.finished_unit(silent)
        harm(bench, unit)  # type: ignore[operator]
        bench.cloud.edit_sim(sim_of(unit), status="inactive")
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.ERROR, step)
        assert (walk.finished.sentence, walk.finished.values) == ("not_online_sim", (str(sim_of(unit)),))
        assert CLAIM not in bench.cloud.writes


@pytest.mark.rule("G12")
def test_a_claim_that_waits_for_a_unit_in_vain_names_its_sim(tmp_path: Path) -> None:
    """An early Electron cannot say whether it is online: its claim is what waits."""
    recipe = replace(
        DEVELOPER, platform="electron", device_os=None, has_application=False, more=WITHOUT_SIM_STEP,
        limits={"claim": 30},
    )  # fmt: skip
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit("electron", 1, "0.7.0")
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.ERROR, "claim")
        assert (walk.finished.sentence, walk.finished.values) == ("not_online_sim", (str(sim_of(unit)),))


@pytest.mark.rule("E9")
def test_the_sim_of_a_developer_unit_comes_before_its_claim(tmp_path: Path) -> None:
    with line_bench(tmp_path, DEVELOPER_BORON) as bench:
        walk = bench.walk(bench.finished_unit(DEVELOPER_BORON))
        assert walk.verdict is Verdict.PASS
        routes = [one.route for one in bench.cloud.requests() if one.is_write]
        assert routes.index(SIM) < routes.index(CLAIM)
