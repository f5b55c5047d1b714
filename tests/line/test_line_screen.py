"""What the bench screen makes of the events of a whole line, as they really come."""

from __future__ import annotations

from pathlib import Path

from line_bench import BORON, LineBench, line_bench

from station.engine.events import VerdictRevised
from station.model import Verdict
from station.ui.look import Look
from station.ui.reduce import replay
from station.ui.state import BenchState


def screen(bench: LineBench) -> BenchState:
    """The screen after all that was told so far."""
    return replay(BenchState.of(bench.station.slots), [event for _, event in bench.events])


def looks(bench: LineBench) -> list[Look]:
    return [slot.look for slot in screen(bench).slots]


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
