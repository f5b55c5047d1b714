"""What the record says of a step is what happened: which kind of end, and which writes were answered."""

from __future__ import annotations

from pathlib import Path

from line_bench import BORON, DEVELOPER, LineBench, Recipe, line_bench

from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from station.cloud.virtual.faults import Fault, FaultKind
from station.model import Verdict

OLD = "5.8.0"


class Nameless(Recipe):
    """A profile that gives its units no names."""

    def text(self) -> str:
        return super().text() + "[steps.name]\nenabled = false\n"


def test_a_profile_that_names_nobody_passes_its_final_check(tmp_path: Path) -> None:
    with line_bench(tmp_path, Nameless("boron")) as bench:
        walk = bench.walk(bench.finished_unit(BORON))
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert "name" not in walk.outcomes
        assert walk.outcomes["final_check"] == "already"


def unconfirmed(bench: LineBench) -> list[str]:
    with bench.reader() as journal:
        return [write.step for write in journal.unconfirmed_writes()]


def test_a_write_whose_answer_got_lost_is_not_recorded_as_answered(tmp_path: Path) -> None:
    with line_bench(tmp_path, DEVELOPER) as bench:
        bench.cloud.order(Fault(FaultKind.DROP_AFTER, "POST /v1/devices"))
        walk = bench.walk(bench.finished_unit(DEVELOPER))
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert walk.outcomes["claim"] == "done"
        assert unconfirmed(bench) == ["claim"]


def test_a_bootloader_that_follows_the_dfu_visit_makes_the_step_done(tmp_path: Path) -> None:
    """A unit in DFU holds everything but the bootloader, which only goes once the unit runs again."""
    old = {file for file in synthetic.release(13, OLD) if "bootloader" in file.name}
    new = [file for file in BORON.files() if "bootloader" not in file.name]
    with line_bench(tmp_path, BORON) as bench:
        modules = tuple(file.data for file in (*old, *new))
        unit = bench.finished_unit(BORON, modules=modules, arrives=BootRequest.DFU)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert unit.score.flash_writes > 0
        assert walk.outcomes["firmware"] == "done"
        assert "bootloader" in walk.steps["firmware"].proof
