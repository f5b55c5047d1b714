"""A unit may vanish for four reasons, and they are four different verdicts. And units that arrive in DFU mode."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from line_bench import ARGON, BORON, LineBench, line_bench, old_radio, replace

from drivers.virtual.boot import BootRequest
from drivers.virtual.unit import UnitMode, VirtualUnit
from station.engine.events import (
    AttemptFinished,
    AttemptStarted,
    Event,
    HandsNeeded,
    StepProgress,
    StepStarted,
    UnitIdentified,
)
from station.engine.records import WriteIntended
from station.model import Outcome, Verdict

TOLD_WITHIN_S = 2.0


def writing(step: str, share: float = 0.3) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, StepProgress) and event.step == step and event.share >= share


def started(step: str) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, StepStarted) and event.step == step


def asked(sentence: str) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, HandsNeeded) and event.sentence == sentence


def intends(what: str) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, WriteIntended) and event.what == what


def pulled_when(bench: LineBench, unit: VirtualUnit, moment: Callable[[Event], bool], wait_s: float = 0.0) -> float:
    """Plug in, pull at ``moment``; returns when."""
    bench.plug(unit)
    bench.wait(moment)
    bench.sleep(wait_s)
    bench.unplug()
    return bench.clock.now()


# --- row 1: gone, and nothing announced it --------------------------------------------------------


@pytest.mark.parametrize(
    "moment",
    [started("identify"), writing("device_os", 0.1), writing("device_os", 0.9), writing("firmware", 0.5)],
    ids=["identify", "device-os-early", "device-os-late", "firmware"],
)
def test_a_unit_pulled_unannounced_is_aborted_within_two_seconds(
    moment: Callable[[Event], bool], tmp_path: Path
) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.unit()
        at = pulled_when(bench, unit, moment)
        finished = bench.wait_finished()
        assert finished.verdict is Verdict.ABORTED
        assert finished.sentence == "unplugged_too_early"
        assert bench.when(finished) - at <= TOLD_WITHIN_S


@pytest.mark.parametrize("moment", [started("online"), started("wifi")], ids=["online", "wifi"])
def test_a_unit_pulled_in_a_long_wait_is_aborted_within_two_seconds(
    moment: Callable[[Event], bool], tmp_path: Path
) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        at = pulled_when(bench, bench.unit("argon"), moment, wait_s=1.0)
        finished = bench.wait_finished()
        assert (finished.verdict, finished.sentence) == (Verdict.ABORTED, "unplugged_too_early")
        assert bench.when(finished) - at <= TOLD_WITHIN_S


def test_a_unit_pulled_while_its_label_is_asked_for_is_aborted_within_two_seconds(tmp_path: Path) -> None:
    with line_bench(tmp_path, replace(BORON, label=True)) as bench:
        at = pulled_when(bench, bench.unit(), asked("scan_label"), wait_s=5.0)
        finished = bench.wait_finished()
        assert (finished.verdict, finished.sentence) == (Verdict.ABORTED, "unplugged_too_early")
        assert bench.when(finished) - at <= TOLD_WITHIN_S


def test_a_unit_pulled_after_its_verdict_keeps_it(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        walk = bench.walk(bench.finished_unit(BORON))
        bench.sleep(30)
        ends = [event for _, event in bench.events if isinstance(event, AttemptFinished)]
        assert ends == [walk.finished]
        assert walk.verdict is Verdict.PASS


@pytest.mark.rule("N1")
def test_a_unit_pulled_in_a_download_passes_when_it_is_plugged_in_again(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.unit()
        pulled_when(bench, unit, writing("device_os", 0.6))
        torn = bench.wait_finished()
        assert torn.verdict is Verdict.ABORTED
        bench.sleep(1.0)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        with bench.reader() as journal:
            attempts = journal.attempts(BORON.batch)
        assert [attempt.verdict for attempt in attempts] == [Verdict.ABORTED, Verdict.PASS]
        assert sum(bench.cloud.effects.values()) == 2  # added once, named once


# --- row 2: gone inside an announced restart ------------------------------------------------------


@pytest.mark.rule("H3")
def test_a_unit_that_does_not_return_from_an_announced_restart_is_an_error(tmp_path: Path) -> None:
    recipe = replace(BORON, limits={"dfu": 40})
    with line_bench(tmp_path, recipe) as bench:
        at = pulled_when(bench, bench.unit(), intends("restart into DFU"), wait_s=1.5)
        finished = bench.wait_finished()
        assert finished.verdict is Verdict.ERROR
        assert finished.sentence == "did_not_return"
        assert finished.failed_step == "dfu"
        assert "not back" in finished.reason
        assert TOLD_WITHIN_S < bench.when(finished) - at <= 40


def test_a_unit_that_returns_from_an_announced_restart_after_a_blackout_goes_on(tmp_path: Path) -> None:
    """Same Device ID, same attempt: the restart after flashing, with the cable out for three seconds."""
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.unit()
        bench.plug(unit)
        bench.wait(started("firmware"))
        bench.wait(lambda event: event.kind == "WriteConfirmed" and "story" in getattr(event, "what", ""))
        while unit.mode is not UnitMode.STARTING:
            bench.sleep(0.05)
        bench.unplug()
        bench.sleep(3.0)
        bench.plug(unit)
        finished = bench.wait_finished()
        assert finished.verdict is Verdict.PASS, finished.reason
        assert len([event for _, event in bench.events if isinstance(event, AttemptStarted)]) == 1


# --- row 3: another unit on that port -------------------------------------------------------------


def check_newcomer(bench: LineBench, first: VirtualUnit, second: VirtualUnit, swapped_at: float) -> None:
    finished = bench.wait_finished()
    assert finished.device_id == first.device_id
    assert finished.verdict is Verdict.ABORTED
    seen = next((at for at, event in bench.events if event.kind == "UnitArrived" and at > swapped_at), swapped_at)
    assert bench.when(finished) - seen <= TOLD_WITHIN_S
    mark = next(i for i, (_, event) in enumerate(bench.events) if event is finished) + 1
    own = bench.wait_finished(since=mark)
    assert own.device_id == second.device_id
    assert own.verdict is Verdict.PASS, own.reason
    starts = [event for _, event in bench.events if isinstance(event, AttemptStarted)]
    assert len(starts) == 2


@pytest.mark.rule("H2")
def test_another_unit_on_the_port_aborts_the_attempt_and_gets_its_own(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        first, second = bench.unit(number=1), bench.finished_unit(BORON, 2)
        at = pulled_when(bench, first, writing("device_os"))
        bench.plug(second)
        check_newcomer(bench, first, second, at)
        assert second.score.flash_writes == 0


@pytest.mark.rule("H2")
@pytest.mark.parametrize("arrives", [BootRequest.NORMAL, BootRequest.DFU])
def test_another_unit_inside_an_announced_restart_aborts_at_once_and_gets_its_own_attempt(
    arrives: BootRequest, tmp_path: Path
) -> None:
    """Even one that is in the very mode the first one was to come back in."""
    with line_bench(tmp_path, BORON) as bench:
        first, second = bench.unit(number=1), bench.finished_unit(BORON, 2, arrives=arrives)
        at = pulled_when(bench, first, intends("restart into DFU"), wait_s=1.5)
        bench.plug(second)
        finished = bench.wait_finished()
        assert finished.sentence == "swapped"
        assert first.device_id in finished.reason
        assert second.device_id in finished.reason
        check_newcomer(bench, first, second, at)
        assert second.score.flash_writes == 0


# --- row 4: there, but silent ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "step", "limit"),
    [
        ("at=control:1,do=hang", "identify", 20.0),
        ("at=request:250,do=hang", "dfu", 30.0),
        ("at=dfu-write:5,do=hang", "device_os", 30.0),
    ],
)
def test_a_silent_unit_is_an_error_at_its_deadline(fault: str, step: str, limit: float, tmp_path: Path) -> None:
    recipe = replace(BORON, limits={step: limit})
    with line_bench(tmp_path, recipe) as bench:
        walk = bench.walk(bench.unit(faults=(fault,)))
        assert walk.verdict is Verdict.ERROR
        assert walk.finished.failed_step == step
        assert walk.finished.sentence == "silent"
        assert walk.steps[step].seconds <= limit + TOLD_WITHIN_S


# --- units that arrive in DFU mode ------------------------------------------------------------------


def test_a_unit_of_the_journal_that_arrives_in_dfu_is_known_and_brought_back(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.unit()
        bench.walk(unit)
        again = bench.finished_unit(BORON, 1, arrives=BootRequest.DFU)
        walk = bench.walk(again)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        first = next(event for event in walk.events if isinstance(event, UnitIdentified))
        facts = {fact.name: fact for fact in first.facts}
        assert facts["serial"].source == "journal"
        assert facts["serial"].value == str(unit.spec.serial)
        assert first.seen is not None
        assert (walk.flash_writes, walk.cloud_writes) == (0, 0)


@pytest.mark.rule("A5")
def test_a_stranger_that_arrives_in_dfu_is_repaired_first_and_then_its_label_checked_before_the_cloud(
    tmp_path: Path,
) -> None:
    recipe = replace(BORON, label=True)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit(arrives=BootRequest.DFU)
        bench.plug(unit)
        asked_for = bench.wait(asked("scan_label"))
        assert unit.score.flash_writes > 0
        assert bench.cloud_writes == 0
        assert str(unit.spec.serial) in asked_for.values  # type: ignore[attr-defined]
        bench.scan_when_asked(unit.label)
        finished = bench.wait_finished()
        assert finished.verdict is Verdict.PASS, finished.reason
        walk = bench.told(finished)
        order = [event.step for event in walk.of(StepStarted)]  # type: ignore[attr-defined]
        assert order.index("firmware") < order.index("product_add")


def test_a_stranger_in_dfu_with_the_wrong_label_never_reaches_the_cloud(tmp_path: Path) -> None:
    recipe = replace(BORON, label=True)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit(arrives=BootRequest.DFU, faults=("do=wrong-label",))
        bench.plug(unit)
        for _ in range(2):
            bench.scan_when_asked(unit.label)
            bench.sleep(5.0)
        finished = bench.wait_finished()
        assert (finished.verdict, finished.sentence) == (Verdict.FAIL, "wrong_label")
        assert bench.cloud_writes == 0


@pytest.mark.rule("H9")
@pytest.mark.parametrize("write", [20, 60], ids=["SoftDevice", "system part"])
def test_a_torn_unit_that_waits_in_dfu_is_repaired_and_passes(write: int, tmp_path: Path) -> None:
    """A power cut in the middle of a module, then a fresh station that never saw the unit."""
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.unit(modules=old_radio(), faults=(f"at=dfu-write:{write},do=torn,for=2",))
        bench.plug(unit)
        torn = bench.wait_finished()
        assert torn.verdict is Verdict.ABORTED
        mark = bench.mark()
        finished = bench.wait_finished(since=mark)
        assert finished.verdict is Verdict.PASS, finished.reason
        walk = bench.told(finished)
        assert walk.outcomes["dfu"] == "already"
        assert walk.steps["dfu"].proof == "the unit arrived in DFU"
        assert {"device_os"} <= walk.with_outcome(Outcome.DONE)
        assert unit.mode is UnitMode.NORMAL


def test_an_argon_that_arrives_in_dfu_goes_all_the_way(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        walk = bench.walk(bench.unit("argon", arrives=BootRequest.DFU))
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert walk.outcomes["wifi"] == "done"
