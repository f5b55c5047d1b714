"""The station ends in the middle of a write: units come to a safe point within seconds, the next start finishes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from line_bench import BORON, LineBench, line_bench

from drivers.virtual.application import Application
from drivers.virtual.bootloader import Bootloader
from drivers.virtual.unit import VirtualUnit
from drivers.wire.dfu.tables import DfuState
from station.engine.commands import StopSlot
from station.engine.events import AttemptFinished, Event, StepProgress, WireTraced
from station.engine.records import WriteIntended
from station.model import Verdict

SAFE_S = 3.0


def progress(bench: LineBench, share: float, what: str) -> None:
    """Wait until a write of ``what`` is so far."""
    bench.wait_for(WriteIntended, within=900, what=what)
    mark = bench.mark()

    def far(event: Event) -> bool:
        return isinstance(event, StepProgress) and event.writing and event.share >= share

    bench.wait(far, since=mark, within=900)


def file_of(name: str) -> str:
    return next(file.name for file in BORON.files() if name in file.name)


def stop(bench: LineBench) -> None:
    bench.stop()


def stop_slot(bench: LineBench) -> None:
    bench.command(StopSlot(1))
    bench.wait_for(AttemptFinished, verdict=Verdict.ABORTED)


def is_idle_in_dfu(unit: VirtualUnit) -> bool:
    return isinstance(unit._software, Bootloader) and unit._software._function.state is DfuState.IDLE


@pytest.mark.parametrize("end", [stop, stop_slot])
@pytest.mark.parametrize(
    ("module", "share"), [("system-part1", 0.0), ("system-part1", 0.3), ("system-part1", 0.95), ("story", 0.5)]
)
def test_a_download_that_is_ended_leaves_the_unit_idle_with_whole_pages(
    module: str, share: float, end: Callable[[LineBench], None], tmp_path: Path
) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.unit("boron", 1)
        bench.plug(unit)
        progress(bench, share, f"{file_of(module)} over DFU")
        began = bench.clock.now()
        end(bench)
        assert bench.clock.now() - began < SAFE_S
        assert is_idle_in_dfu(unit)
        lines = [event.line for _, event in bench.events if isinstance(event, WireTraced)]
        assert not [line for line in lines if "stopped on request" in line], "a page was left half asked for"
        bench.unplug()
        bench.restart()
        assert bench.walk(unit).verdict is Verdict.PASS
        with bench.reader() as journal:
            attempts = journal.attempts(BORON.batch)
            kinds = [row.kind for row in journal.entries()]
        assert [attempt.verdict for attempt in attempts] == [Verdict.ABORTED, Verdict.PASS]
        assert kinds.count("StationStopped") == 1
        assert kinds.index("StationStopped") > kinds.index("AttemptFinished") or end is stop_slot


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_an_update_over_control_requests_that_is_ended_is_cancelled_in_the_unit(share: float, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.unit("boron", 1)
        bench.plug(unit)
        progress(bench, share, f"{file_of('bootloader')} by control request")
        side = unit._software
        assert isinstance(side, Application)
        assert side.ota._size is not None
        began = bench.clock.now()
        bench.stop()
        assert bench.clock.now() - began < SAFE_S
        assert side.ota._size is None, "the unit still waits for the rest"
        bench.unplug()
        bench.restart()
        assert bench.walk(unit).verdict is Verdict.PASS


def test_the_journal_says_how_a_run_ended(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.station.stop("told to end by the system (SIGTERM)")
        bench.station.stop("again")
        with bench.reader() as journal:
            last = list(journal.entries())[-1]
        assert (last.kind, last.values()["reason"]) == ("StationStopped", "told to end by the system (SIGTERM)")
