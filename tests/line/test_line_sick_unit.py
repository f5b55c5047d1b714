"""One sick unit never delays another slot."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import BORON, LineBench, line_bench, replace

from drivers.virtual.factory import make_spec
from drivers.virtual.unit import VirtualUnit
from station.engine.events import AttemptFinished, AttemptStarted
from station.model import Verdict

LIMIT_S = 60.0
RECIPE = replace(BORON, limits={"identify": LIMIT_S})


def three_healthy(bench: LineBench) -> None:
    for slot in (2, 3, 4):
        bench.plug(bench.unit(number=slot), slot)


def seconds_of(bench: LineBench, slots: tuple[int, ...]) -> list[float]:
    ends = [bench.wait_finished(slot) for slot in slots]
    assert [end.verdict for end in ends] == [Verdict.PASS] * len(slots)
    return [end.seconds for end in ends]


def healthy_alone(directory: Path) -> list[float]:
    directory.mkdir()
    with line_bench(directory, RECIPE, slots=5) as bench:
        three_healthy(bench)
        return seconds_of(bench, (2, 3, 4))


@pytest.mark.parametrize(
    "fault",
    [
        "at=plug:0,do=hang",  # descriptor and string reads included
        "at=control:1,do=hang",
        "at=control:4,do=hang",  # after its serial string was read
        "at=plug:0,do=slow,by=4",
        "at=control:3,do=garbage,times=1000",
    ],
)
def test_one_hanging_unit_ends_as_error_at_its_deadline_and_delays_nobody(fault: str, tmp_path: Path) -> None:
    alone = healthy_alone(tmp_path / "alone")
    (tmp_path / "together").mkdir()
    with line_bench(tmp_path / "together", RECIPE, slots=5) as bench:
        bench.plug(bench.unit(faults=(fault,)), 1)
        three_healthy(bench)
        together = seconds_of(bench, (2, 3, 4))
        assert together == pytest.approx(alone, abs=0.5)
        sick = bench.wait_finished(1)
        assert sick.verdict in (Verdict.ERROR, Verdict.FAIL) if "garbage" in fault else sick.verdict is Verdict.ERROR
        assert sick.seconds <= LIMIT_S + 6.0
        assert sick.reason


def test_a_fifth_unit_plugged_in_while_one_hangs_starts_within_a_second(tmp_path: Path) -> None:
    with line_bench(tmp_path, RECIPE, slots=5) as bench:
        bench.plug(bench.unit(faults=("at=plug:0,do=hang",)), 1)
        three_healthy(bench)
        bench.sleep(3.0)
        fifth = bench.finished_unit(BORON, 5)
        bench.plug(fifth, 5)
        while fifth.presence is None:  # it has to boot first
            bench.sleep(0.05)
        on_the_bus = bench.clock.now()
        started = bench.wait_for(AttemptStarted, slot=5)
        assert bench.when(started) - on_the_bus <= 1.0
        sick = bench.wait_finished(1)
        assert bench.when(sick) > bench.when(started)
        assert bench.wait_finished(5).verdict is Verdict.PASS


def test_a_unit_that_reconnects_for_ever_hurts_only_its_own_slot(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, slots=2) as bench:
        flapping = bench.unit(number=1)
        bench.plug(bench.finished_unit(BORON, 2), 2)
        for _ in range(12):
            bench.plug(flapping, 1)
            bench.sleep(2.8)
            bench.unplug(1)
            bench.sleep(0.3)
        healthy = bench.wait_finished(2)
        assert healthy.verdict is Verdict.PASS
        bench.sleep(3.0)
        ends = [event for _, event in bench.events if isinstance(event, AttemptFinished) and event.slot == 1]
        assert ends
        assert {end.verdict for end in ends} == {Verdict.ABORTED}
        assert bench.walk(flapping).verdict is Verdict.PASS


def test_a_unit_on_a_port_of_no_slot_is_told_and_left_alone(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = VirtualUnit(make_spec("boron", 7, 9), bench.clock, bench.world)
        bench.bus.plug("1-7", unit)
        told = bench.wait(lambda event: event.kind == "UnmappedPort")
        assert told.port_path == "1-7"  # type: ignore[attr-defined]
        bench.sleep(10)
        assert unit.transfers["control"] == 0
