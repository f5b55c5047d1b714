"""Device protection on every platform that knows it: recognised in both modes, ordered by the profile, read back."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from line_bench import LineBench, Recipe, line_bench
from support.device_protection import Ordered, ordered
from support.wrapped import combined

from drivers.platforms import Platform, platform_by_slug, platforms
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.faults import parse_fault
from drivers.virtual.synthetic import SyntheticFile
from drivers.virtual.unit import VirtualUnit
from station.errors import BadInput
from station.export import export
from station.firmware.checks import can_be_protected
from station.model import Verdict

KNOWS = ("argon", "boron", "esomx", "bsom", "b5som", "tracker", "trackerm", "p2", "msom", "sulu")
"""Platforms with the flag deviceProtection (dfu-segments.json)."""
FEW = ("argon", "tracker", "p2", "msom")
BOTH = (BootRequest.NORMAL, BootRequest.DFU)


def plain(slug: str) -> Recipe:
    return Recipe(slug, wifi=False)


def is_locked(unit: VirtualUnit) -> bool:
    return unit.report is not None and unit.report.is_protected


def columns(bench: LineBench, recipe: Recipe) -> dict[str, str]:
    """What the batch log says of the last unit."""
    file = io.StringIO(newline="")
    with bench.reader() as journal:
        export(journal, recipe.batch, file)
    row = list(csv.DictReader(io.StringIO(file.getvalue())))[-1]
    return {name: row[f"Protection {name}"] for name in ("Intended", "Observed")}


@pytest.mark.parametrize("row", platforms(), ids=lambda row: row.slug)
def test_platforms_that_know_it(row: Platform) -> None:
    assert can_be_protected(row) is (row.slug in KNOWS)


@pytest.mark.parametrize("arrives", BOTH)
@pytest.mark.parametrize("slug", FEW)
def test_a_unit_is_locked_last_as_ordered_and_both_columns_say_so(
    slug: str, arrives: BootRequest, tmp_path: Path
) -> None:
    recipe = ordered(slug)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit(slug, 1, "6.2.0", arrives=arrives)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert is_locked(unit)
        assert walk.writes[-1] == f"synthetic-{slug}-bootloader-protected@6.3.4.bin by control request"
        assert columns(bench, recipe) == {"Intended": "protected", "Observed": "protected"}
        again = bench.walk(unit)
        assert (again.verdict, again.flash_writes) == (Verdict.PASS, 0)
        assert columns(bench, recipe) == {"Intended": "protected", "Observed": "protected"}


@pytest.mark.parametrize("slug", FEW)
def test_a_unit_that_nobody_locked_is_open_in_both_columns(slug: str, tmp_path: Path) -> None:
    recipe = plain(slug)
    with line_bench(tmp_path, recipe) as bench:
        assert bench.walk(bench.finished_unit(recipe)).verdict is Verdict.PASS
        assert columns(bench, recipe) == {"Intended": "open", "Observed": "open"}


def test_of_units_that_know_no_protection_nothing_is_said(tmp_path: Path) -> None:
    recipe = Recipe("photon", device_os="2.3.1", wifi=False)
    with line_bench(tmp_path, recipe) as bench:
        assert bench.walk(bench.finished_unit(recipe)).verdict is Verdict.PASS
        assert columns(bench, recipe) == {"Intended": "", "Observed": ""}


@pytest.mark.parametrize("arrives", BOTH)
@pytest.mark.parametrize("slug", KNOWS)
def test_a_protected_unit_is_refused_in_one_sentence_before_any_write(
    slug: str, arrives: BootRequest, tmp_path: Path
) -> None:
    recipe = plain(slug)
    with line_bench(tmp_path, recipe) as bench:
        walk = bench.walk(bench.finished_unit(recipe, is_protected=True, arrives=arrives))
        assert (walk.verdict, walk.finished.sentence) == (Verdict.FAIL, "protected")
        assert "is a protected device; its owner has to take device protection off it first" in walk.finished.reason
        assert (set(walk.steps), walk.flash_writes, walk.cloud_writes) == ({"identify"}, 0, 0)
        assert columns(bench, recipe) == {"Intended": "open", "Observed": "protected"}


@pytest.mark.parametrize("at", ["request:76", "control:1", "control:3", "control:6", "control:9"])
@pytest.mark.parametrize("arrives", BOTH)
@pytest.mark.parametrize("slug", ["boron", "p2"])
def test_a_protected_unit_that_stalls_is_never_written_and_never_passes(
    slug: str, arrives: BootRequest, at: str, tmp_path: Path
) -> None:
    recipe = plain(slug)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe, is_protected=True, arrives=arrives, faults=(f"at={at},do=stall",))
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.FAIL, walk.finished
        assert (walk.finished.sentence, walk.flash_writes) == ("protected", 0)


@pytest.mark.parametrize("number", range(1, 40, 6))
def test_a_unit_this_station_locked_may_stall_once_when_it_comes_back(number: int, tmp_path: Path) -> None:
    recipe = ordered("boron")
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit("boron", 1, "6.2.0")
        assert bench.walk(unit).verdict is Verdict.PASS
        unit.order(parse_fault(f"at=control:{unit.transfers['control'] + number},do=stall"))
        walk = bench.walk(unit)
        assert (walk.verdict, walk.flash_writes) == (Verdict.PASS, 0), walk.finished


def refusal(recipe: Recipe, tmp_path: Path) -> str:
    with pytest.raises(BadInput) as caught, line_bench(tmp_path, recipe):
        pass
    assert str(caught.value).count(". ") == 0
    return str(caught.value)


@pytest.mark.parametrize("slug", KNOWS)
def test_a_locking_bootloader_nobody_ordered_opens_no_batch(slug: str, tmp_path: Path) -> None:
    bad = Recipe(slug, modules=ordered(slug).modules, wifi=False)
    said = refusal(bad, tmp_path)
    assert f"synthetic-{slug}-bootloader-protected@6.3.4.bin puts every unit it is written to" in said


@pytest.mark.parametrize("slug", ["asom", "electron2"])
def test_an_order_for_a_platform_that_knows_none_is_refused_by_name(slug: str, tmp_path: Path) -> None:
    recipe = ordered(slug)
    name = platform_by_slug(slug).name
    assert f"protection = true, but a {name} has no device protection" in refusal(recipe, tmp_path)


def test_an_order_without_a_locking_bootloader_and_one_too_old_are_refused(tmp_path: Path) -> None:
    modules = synthetic.release(13, "6.3.4")
    assert "none of its modules of platform 13 locks a unit" in refusal(
        Ordered("boron", modules=modules, wifi=False), tmp_path / "none"
    )
    old = synthetic.bootloader(13, "6.1.0", is_protected=True)
    modules = (old, *synthetic.release(13, "6.1.1")[1:])
    said = refusal(Ordered("boron", device_os="6.1.1", modules=modules), tmp_path / "old")
    assert "version 3000 protects no unit; name the protected bootloader of Device OS 6.1.1 or later (3001)" in said


def test_a_locking_bootloader_inside_a_combined_file_is_found(tmp_path: Path) -> None:
    whole = SyntheticFile("everything.bin", combined(*(file.data for file in ordered("p2").modules or ())))
    said = refusal(Recipe("p2", modules=(whole,), wifi=False), tmp_path)
    assert "everything.bin part 1 puts every unit it is written to" in said
