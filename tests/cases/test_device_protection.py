"""A profile that orders device protection: the unit is locked last, when all else has been read back."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import BootRequest, LineBench, Recipe, Walk, line_bench

from drivers.virtual import synthetic
from drivers.virtual.unit import VirtualUnit
from station.model import Verdict


class Protected(Recipe):
    def text(self) -> str:
        return super().text().replace('version = "6.3.4"', 'version = "6.3.4"\nprotection = true')


LOCKED = Protected(
    "boron", modules=(synthetic.bootloader(13, "6.3.4", is_protected=True), *synthetic.release(13, "6.3.4")[1:])
)
PLAIN = tuple(file.data for file in Recipe("boron").files())


def passed(walk: Walk) -> Walk:
    assert walk.verdict is Verdict.PASS, walk.finished.reason
    return walk


def is_locked(unit: VirtualUnit) -> bool:
    return unit.report is not None and unit.report.is_protected


@pytest.mark.parametrize("arrives", [BootRequest.NORMAL, BootRequest.DFU])
@pytest.mark.parametrize("held", ["3.3.1", "all but the lock"])
def test_a_unit_is_locked_last_and_a_second_walk_knows_it(held: str, arrives: BootRequest, tmp_path: Path) -> None:
    with line_bench(tmp_path, LOCKED) as bench:
        settings: dict[str, object] = {} if held == "3.3.1" else {"modules": PLAIN}
        unit = bench.unit(arrives=arrives, **settings)  # type: ignore[arg-type]
        bench.plug(unit)
        first = bench.told(bench.wait_finished())
        passed(first)
        assert is_locked(unit)
        writes = first.writes
        assert writes[-1] == "synthetic-boron-bootloader-protected@6.3.4.bin by control request"
        bench.sleep(1.0)
        bench.unplug()
        second = passed(bench.walk(unit))
        assert (second.flash_writes, second.cloud_writes) == (0, 0)
        assert "under device protection" in second.steps["device_os"].proof


def test_a_locked_unit_nobody_here_locked_is_refused(tmp_path: Path) -> None:
    with line_bench(tmp_path, LOCKED) as bench:
        walk = bench.walk(locked_elsewhere(bench))
        assert (walk.verdict, walk.finished.sentence) == (Verdict.FAIL, "protected")
        assert (walk.flash_writes, walk.cloud_writes) == (0, 0)


def locked_elsewhere(bench: LineBench) -> VirtualUnit:
    return bench.finished_unit(Recipe("boron"), is_protected=True)
