"""What the bench screen makes of the events of a whole line, as they really come."""

from __future__ import annotations

from pathlib import Path

from line_bench import BORON, LineBench, line_bench, replace
from support.spoken import ENGLISH

from station.engine.events import CloudStateChanged, UnitIdentified, VerdictRevised
from station.model import Verdict
from station.view.look import Look
from station.view.reduce import replay
from station.view.state import BenchState


def screen(bench: LineBench) -> BenchState:
    """The screen after all that was told so far."""
    return replay(BenchState.of(bench.station.slots, ENGLISH), [event for _, event in bench.events])


def looks(bench: LineBench) -> list[Look]:
    return [slot.look for slot in screen(bench).slots]


def test_units_that_wait_for_the_scanner_say_how_many_are_before_them(tmp_path: Path) -> None:
    labelled = replace(BORON, label=True)
    with line_bench(tmp_path, labelled, slots=3) as bench:
        units = [bench.finished_unit(labelled, number) for number in (1, 2, 3)]
        for slot, unit in enumerate(units, 1):
            bench.plug(unit, slot)
            bench.wait_for(UnitIdentified, slot=slot)
        bench.sleep(0.1)
        assert waiting(bench) == [None, 1, 2]
        for slot, unit in enumerate(units, 1):
            bench.scan_when_asked(unit.label, slot)
            bench.sleep(0.5)
            assert waiting(bench) == [None, None, 1 if slot == 1 else None]
        assert [bench.wait_finished(slot).verdict for slot in (1, 2, 3)] == [Verdict.PASS] * 3


def test_the_light_of_the_cloud_is_what_the_station_knows_of_it_from_its_start_on(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.sleep(1.0)
        assert screen(bench).is_cloud_up is bench.station.client.reachable  # opening a batch may have asked
        bench.walk(bench.finished_unit(BORON))
        assert screen(bench).is_cloud_up is bench.station.client.reachable is True
        bench.cloud.down_for(3600)
        bench.restart()
        bench.plug(bench.finished_unit(BORON, 2))
        bench.wait_for(CloudStateChanged, reachable=False)
        assert screen(bench).is_cloud_up is False


def waiting(bench: LineBench) -> list[int | None]:
    """For each slot that waits for the scanner how many are before it; None: it need not wait."""
    running = [slot.current.held if slot.current else None for slot in screen(bench).slots]
    assert [slot.look is Look.WAITS for slot in screen(bench).slots] == [held is not None for held in running]
    return [held.before if held else None for held in running]


def test_a_unit_set_aside_but_left_in_its_slot_turns_green_when_the_cloud_is_back(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        assert bench.walk(bench.finished_unit(BORON, 99)).verdict is Verdict.PASS
        bench.restart()  # so that only the journal remembers the product
        bench.cloud.down_for(300)
        bench.plug(bench.finished_unit(BORON))
        assert bench.wait_finished(since=bench.mark()).verdict is Verdict.PENDING
        assert looks(bench) == [Look.PENDING]
        bench.wait_for(VerdictRevised)
        assert looks(bench) == [Look.PASS]
        bench.unplug()
        bench.sleep(1.0)
        assert looks(bench) == [Look.EMPTY]
