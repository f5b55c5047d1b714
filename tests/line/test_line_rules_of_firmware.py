"""Rules about firmware on every platform of the table: which Device OS a unit is brought to, and which it keeps."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import LineBench, Recipe, Walk, line_bench, replace

from drivers.platforms import Platform, platforms
from drivers.virtual import synthetic
from drivers.virtual.boot import BootMode
from drivers.virtual.unit import UnitMode, VirtualUnit
from station.engine.events import StepFinished, StepStarted, UnitIdentified
from station.model import Verdict

each_platform = pytest.mark.parametrize("row", platforms(), ids=lambda row: row.slug)

PAIRS = {"stm32": ("2.3.1", "3.3.1"), "nrf": ("6.1.1", "6.3.4"), "rtl": ("6.2.0", "6.3.4")}
"""An older and a newer Device OS of each family; on an nRF52840 their system parts begin at different addresses."""


def pair(row: Platform) -> tuple[str, str]:
    """Return the family's pair, or the last two releases of a platform that never had those."""
    made = synthetic.versions(row.id)
    older, newer = PAIRS[row.family] if {*PAIRS[row.family]} <= {*made} else made[-2:]
    return older, newer


def held(unit: VirtualUnit) -> str:
    assert unit.report is not None
    return str(unit.report.system_version)


@pytest.mark.rule("D4")
@pytest.mark.rule("D5")
@pytest.mark.rule("H4")
@pytest.mark.rule("N1")
@pytest.mark.slow
@each_platform
def test_a_unit_is_brought_out_of_safe_mode_and_back_only_on_the_profiles_word(row: Platform, tmp_path: Path) -> None:
    older, newer = pair(row)
    forward = Recipe(row.slug, device_os=newer, wifi=False)
    back = Recipe(row.slug, device_os=older, wifi=False, revision=2)
    with line_bench(tmp_path, forward) as bench:
        unit = wants_newer(bench, row, older, forward)
        walk = bench.walk(unit, during=lambda: wait_for_safe_mode(bench, unit))
        assert (walk.verdict, held(unit)) == (Verdict.PASS, newer), walk.finished
        bench.restart(back)
        walk = bench.walk(unit)
        assert (walk.finished.sentence, held(unit), walk.flash_writes) == ("downgrade_refused", newer, 0)
        assert "newer than" in walk.finished.reason
        bench.restart(replace(back, allow_downgrade=True, revision=3))
        walk = interrupted(bench, unit)
        assert (walk.verdict, held(unit)) == (Verdict.PASS, older), walk.finished
        assert bench.cloud.writes["POST /v1/products/:p/devices"] == 1


def wants_newer(bench: LineBench, row: Platform, device_os: str, recipe: Recipe) -> VirtualUnit:
    """A unit whose application, that of ``recipe``, was built for a newer Device OS than it holds (D4)."""
    application = recipe.app()
    assert application is not None
    modules = [file.data for file in synthetic.release(row.id, device_os)]
    return bench.unit(row.slug, 1, device_os, modules=(*modules, application.data))


def wait_for_safe_mode(bench: LineBench, unit: VirtualUnit) -> None:
    bench.wait_for(UnitIdentified)
    assert unit.report is not None
    assert unit.report.mode is BootMode.SAFE


def interrupted(bench: LineBench, unit: VirtualUnit) -> Walk:
    """Walk a unit with a station that is stopped while it writes, and started again."""
    since = bench.mark()
    bench.plug(unit)
    bench.wait_for(StepStarted, step="device_os", since=since)
    bench.sleep(1.0)
    assert unit.mode is UnitMode.DFU
    bench.stop()
    since = bench.mark()
    bench.start(*bench.recipes)
    return bench.told(bench.wait_finished(since=since))


@pytest.mark.rule("D8")
@pytest.mark.slow
@each_platform
def test_a_forgotten_development_mark_fails_the_final_check(row: Platform, tmp_path: Path) -> None:
    """The cloud sends such a unit neither released nor locked firmware, whatever it holds now."""
    recipe = Recipe(row.slug, device_os=None, has_application=False, wifi=False)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit(row.slug, 1, synthetic.versions(row.id)[-1], setup_done=True)
        bench.plug(unit)
        bench.wait_for(StepFinished, step="product_add")
        bench.cloud.edit_device(unit.spec.device_id, development=1)
        finished = bench.wait_finished()
        assert (finished.verdict, finished.failed_step) == (Verdict.FAIL, "final_check")
        assert "development mark" in finished.reason
