"""The cloud is away: product units are set aside and finished without them, others wait and say so."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import ARGON, BORON, DEVELOPER, ME, OTHER_PRODUCT, LineBench, Recipe, Walk, line_bench, replace
from support.journal_damage import page_of

from drivers.virtual.unit import VirtualUnit
from station.cloud.virtual.faults import Fault, FaultKind
from station.engine.commands import RetryOwed
from station.engine.events import (
    AttemptFinished,
    CloudStateChanged,
    HandsNeeded,
    OutboxChanged,
    OutboxSettled,
    StationNote,
    StepHeld,
    StepResumed,
    StepStarted,
    VerdictRevised,
)
from station.figures import Figures
from station.model import Outcome, Verdict

OWED = ["product_add", "name", "sim", "final_check"]


def bench_that_knows_the_product(bench: LineBench) -> None:
    """One unit walks while the cloud answers; then the station starts again, so that only the journal remembers."""
    assert bench.walk(bench.finished_unit(bench.recipes[0], 99)).verdict is Verdict.PASS
    bench.restart()


def set_aside(bench: LineBench, unit: VirtualUnit) -> Walk:
    """Walk ``unit`` while the cloud is away, and take it from the bench."""
    walk = bench.walk(unit)
    assert walk.verdict is Verdict.PENDING, walk.finished
    return walk


def wait_revised(bench: LineBench, walk: Walk) -> VerdictRevised:
    revised = bench.wait_for(VerdictRevised, attempt=walk.finished.attempt)
    assert isinstance(revised, VerdictRevised)
    return revised


@pytest.mark.parametrize("named", [True, False])
def test_owed_work_is_put_to_its_turn_when_a_supervisor_asks_on_the_screen(tmp_path: Path, named: bool) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench_that_knows_the_product(bench)
        bench.cloud.down_for(300)
        walk = set_aside(bench, bench.unit())
        bench.clock.sleep(60.0)  # tried in vain, and put off
        attempt = walk.finished.attempt or ""
        bench.command(RetryOwed((attempt,) if named else ()))
        assert wait_revised(bench, walk).verdict is Verdict.PASS
        with bench.reader() as journal:
            hurried = [row.values() for row in journal.entries() if row.kind == "OutboxHurried"]
        assert {one["attempt"] for one in hurried} == {attempt}
        assert {one["action"] for one in hurried} <= set(OWED)


def test_what_is_owed_is_finished_from_a_new_journal_where_the_old_file_is_damaged(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench_that_knows_the_product(bench)
        bench.cloud.down_for(300)
        walk = set_aside(bench, bench.unit())
        bench.stop()
        page_of("facts")(bench.journal_dir / "journal.db")
        bench.start(*bench.recipes)
        bench.traffic.forget_uncommitted()
        (note,) = [event.reason for _, event in bench.events if isinstance(event, StationNote) and event.reason]
        (aside,) = bench.journal_dir.glob("journal.damaged-*.db")
        assert f"is kept as {aside.name} and a new one was begun; {len(OWED)} owed items were carried over" in note
        assert wait_revised(bench, walk).verdict is Verdict.PASS


def test_a_unit_is_set_aside_and_finished_later_without_it(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench_that_knows_the_product(bench)
        bench.cloud.down_for(300)
        unit = bench.unit()
        walk = set_aside(bench, unit)
        assert walk.with_outcome(Outcome.DEFERRED) == set(OWED)
        assert walk.outcomes["firmware"] == "done"
        assert walk.finished.sentence == "pending"
        assert bench.cloud.device(unit.spec.device_id)["product_id"] == 13  # type: ignore[index]

        revised = wait_revised(bench, walk)
        assert revised.verdict is Verdict.PASS
        assert bench.bus.units() == {}  # the unit has long left
        device = bench.cloud.device(unit.spec.device_id)
        assert device is not None
        assert (device["product_id"], device["name"]) == (20001, str(unit.spec.serial))
        settled = [e for _, e in bench.events if isinstance(e, OutboxSettled) and e.attempt == walk.finished.attempt]
        assert [event.action for event in settled] == OWED
        assert all(event.proof for event in settled)
        with bench.reader() as journal:
            found = journal.attempt(walk.finished.attempt or "")
            assert found is not None
            assert found.verdict is Verdict.PASS
            assert journal.waiting() == 0


def test_the_screen_is_told_that_the_cloud_went_and_came_back(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench_that_knows_the_product(bench)
        bench.cloud.down_for(120)
        mark = bench.mark()
        walk = set_aside(bench, bench.finished_unit(BORON))
        wait_revised(bench, walk)
        changes = [e.reachable for _, e in bench.events[mark:] if isinstance(e, CloudStateChanged)]
        assert changes == [False, True]
        bench.wait_for(OutboxChanged, waiting=0, since=bench.place_of(walk.finished))
        waiting = [e.waiting for _, e in bench.events[mark:] if isinstance(e, OutboxChanged)]
        assert max(waiting) == len(OWED)


def test_a_refusal_after_recovery_fails_the_unit_and_says_which_one_to_pull(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench_that_knows_the_product(bench)
        bench.cloud.down_for(300)
        good, bad = bench.finished_unit(BORON, 1), bench.finished_unit(BORON, 2)
        walks = [set_aside(bench, unit) for unit in (good, bad)]
        bench.cloud.edit_device(bad.spec.device_id, product_id=OTHER_PRODUCT)
        assert wait_revised(bench, walks[0]).verdict is Verdict.PASS
        revised = wait_revised(bench, walks[1])
        assert revised.verdict is Verdict.FAIL
        assert revised.device_id == bad.device_id
        assert bad.device_id in revised.reason
        assert str(bad.spec.serial) in revised.reason
        assert str(OTHER_PRODUCT) in revised.reason
        left = {e.action: e for _, e in bench.events if isinstance(e, OutboxSettled) and e.device_id == bad.device_id}
        assert left["name"].outcome is Outcome.SKIPPED
        assert left["name"].reason == "not tried: product_add ended failed"


@pytest.mark.rule("N2")
def test_owed_work_done_but_not_answered_is_not_done_again_after_a_restart(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench_that_knows_the_product(bench)
        written_before = bench.cloud_writes
        bench.cloud.down_for(300)
        walk = set_aside(bench, bench.finished_unit(BORON))
        bench.cloud.order(Fault(FaultKind.DROP_AFTER, "POST /v1/products/:p/devices", times=3))
        bench.stop()  # the power goes at the worst moment
        bench.sleep(300)
        bench.start(BORON)
        assert wait_revised(bench, walk).verdict is Verdict.PASS
        assert bench.cloud_writes - written_before == 2  # one import, one name: the read showed both


def test_an_outbox_of_many_units_is_worked_off_each_item_once_in_the_order_of_its_unit(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench_that_knows_the_product(bench)
        effects_before = sum(bench.cloud.effects.values())
        bench.cloud.down_for(600)
        walks = [set_aside(bench, bench.finished_unit(BORON, number)) for number in range(1, 6)]
        bench.restart()
        for walk in walks:
            assert wait_revised(bench, walk).verdict is Verdict.PASS
        for walk in walks:  # a SIM that takes its time lets the next unit pass
            attempt = walk.finished.attempt
            assert [e.action for _, e in bench.events if isinstance(e, OutboxSettled) and e.attempt == attempt] == OWED
        assert sum(bench.cloud.effects.values()) - effects_before == 10


def test_a_unit_that_comes_back_while_its_work_is_owed_is_not_written_twice(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench_that_knows_the_product(bench)
        effects_before = sum(bench.cloud.effects.values())
        bench.cloud.down_for(200)
        unit = bench.finished_unit(BORON)
        first, second = set_aside(bench, unit), set_aside(bench, unit)
        assert {wait_revised(bench, walk).verdict for walk in (first, second)} == {Verdict.PASS}
        assert sum(bench.cloud.effects.values()) - effects_before == 2


def test_while_nobody_can_tell_of_the_product_a_queueing_bench_waits_too_and_writes_nothing(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.cloud.down_for(600)
        unit = bench.unit()
        bench.plug(unit)
        bench.wait_for(StepHeld, sentence="cloud_hold")
        bench.sleep(300.0)
        assert (bench.flash_writes, bench.cloud_writes) == (0, 0)
        assert bench.wait_finished().verdict is Verdict.PASS


def test_a_product_nobody_tells_of_for_a_whole_shift_judges_nobody(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.cloud.down_for(24 * 3600)
        walk = bench.walk(bench.finished_unit(BORON), within=10 * 3600)
        assert (walk.verdict, walk.finished.sentence) == (Verdict.ERROR, "cloud_failed")
        assert walk.flash_writes == 0


@pytest.mark.parametrize("recipe", [ARGON, DEVELOPER], ids=["product-hold", "developer"])
def test_a_holding_bench_keeps_the_unit_and_says_so_until_the_cloud_is_back(recipe: Recipe, tmp_path: Path) -> None:
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        bench.plug(unit)
        bench.wait(lambda event: isinstance(event, StepStarted) and event.step in ("product_add", "online"))
        bench.cloud.down_for(45)
        held = bench.wait_for(StepHeld, sentence="cloud_hold")
        assert held.slot == 1
        finished = bench.wait_finished()
        assert finished.verdict is Verdict.PASS, finished.reason
        assert bench.when(finished) - bench.when(held) > 20
        told = [type(e).__name__ for _, e in bench.events if isinstance(e, StepHeld | StepResumed | HandsNeeded)]
        pairs = ["StepHeld", "StepResumed"]  # nobody's hands are asked for: there is nothing to do
        assert told == pairs * (len(told) // 2)


def test_a_holding_bench_waits_already_at_the_start(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        bench.cloud.down_for(30)
        unit = bench.finished_unit(ARGON)
        mark = bench.mark()
        bench.plug(unit)
        bench.wait_for(StepHeld, sentence="cloud_hold", since=mark)
        assert bench.wait_finished(since=mark).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("away_h", "verdict", "sentence"), [(1, Verdict.PASS, "pass"), (24, Verdict.ERROR, "cloud_failed")]
)
def test_a_unit_is_held_past_its_steps_limits_but_not_past_a_shift(
    tmp_path: Path, away_h: int, verdict: Verdict, sentence: str
) -> None:
    recipe = replace(DEVELOPER, limits={"claim": 30, "online": 30})
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        bench.plug(unit)
        bench.wait(lambda event: isinstance(event, StepStarted) and event.step == "online")
        bench.cloud.down_for(away_h * 3600)
        finished = bench.wait_finished(within=10 * 3600)
        assert (finished.verdict, finished.sentence) == (verdict, sentence)


def test_the_first_pass_yield_counts_a_unit_that_was_set_aside_as_passed_once(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench_that_knows_the_product(bench)
        bench.cloud.down_for(300)
        wait_revised(bench, set_aside(bench, bench.finished_unit(BORON)))
        with bench.reader() as journal:
            assert journal.figures(BORON.batch) == Figures(units=2, passed=2, judged=2, first_passed=2)


@pytest.mark.rule("N4")
@pytest.mark.parametrize("recipe", [BORON, ARGON, DEVELOPER], ids=["queue", "hold", "developer"])
def test_a_token_that_is_refused_is_the_stations_fault_and_no_units(recipe: Recipe, tmp_path: Path) -> None:
    with line_bench(tmp_path, recipe) as bench:
        bench.cloud.revoke_tokens(ME)
        bench.plug(bench.finished_unit(recipe))
        held = bench.wait_for(StepHeld, sentence="token_rejected")
        bench.sleep(600.0)
        assert not [event for _, event in bench.events if isinstance(event, AttemptFinished)]
        bench.token = bench.cloud.create_token(ME)
        finished = bench.wait_finished()
        assert finished.verdict is Verdict.PASS, finished.reason
        assert bench.when(finished) > bench.when(held) + 600
