"""An application with files of its own, bundled as one ZIP: the unit has to show every one of them before it passes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from line_bench import Recipe, line_bench, replace
from support.vendor_files import needs_vendor_files, vendor_file
from support.zips import zipped

from drivers.platforms import ModuleFunction, platform_by_slug
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.header import Dependency
from drivers.virtual.synthetic import SyntheticFile, make_module
from drivers.virtual.unit import UnitMode, VirtualUnit
from station.errors import BadInput
from station.model import Verdict

FILES = {"cat.txt": b"meow\n", "pictures/house.bin": bytes(range(256)) * 200}


def application(slug: str, device_os: str, files: Mapping[str, bytes]) -> bytes:
    row = platform_by_slug(slug)
    slot = next(one for one in row.modules if one.function == ModuleFunction.USER_PART)
    needs = Dependency(4, 1, 5500)
    return make_module(row.id, (5, slot.index), 6, slot.start, b"synthetic".ljust(4000), (needs, None), assets=files)


def bundle(slug: str, files: Mapping[str, bytes] = FILES, wanted: Mapping[str, bytes] = FILES) -> SyntheticFile:
    beside = {f"assets/{name}": content for name, content in files.items()}
    return SyntheticFile(f"{slug}-app.zip", zipped({"app.bin": application(slug, "6.3.4", wanted), **beside}))


def recipe(slug: str = "argon", device_os: str | None = "6.3.4") -> Recipe:
    return Recipe(slug, device_os=device_os, application=bundle(slug), wifi=False)


def shown(unit: VirtualUnit) -> set[str]:
    assert unit.memory.assets is not None
    return {one.name for one in unit.memory.assets.held()}


@pytest.mark.parametrize(
    ("slug", "old"), [("argon", "3.3.1"), ("boron", "6.2.0"), ("b5som", "5.9.0"), ("esomx", "6.1.0")]
)
def test_a_unit_gets_application_and_assets_in_one_walk(slug: str, old: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, recipe(slug)) as bench:
        unit = bench.unit(slug, 1, old)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert "the unit shows the assets cat.txt, pictures/house.bin" in walk.steps["firmware"].proof
        assert shown(unit) == set(FILES)
        again = bench.walk(unit)
        assert (again.verdict, again.flash_writes) == (Verdict.PASS, 0)
        assert again.outcomes["firmware"] == "already"


def test_a_unit_that_lacks_nothing_but_a_file_is_not_taken_to_dfu(tmp_path: Path) -> None:
    with line_bench(tmp_path, recipe()) as bench:
        unit = bench.unit("argon", 1, "6.3.4")
        assert bench.walk(unit).verdict is Verdict.PASS
        assert unit.memory.assets is not None
        unit.memory.flash(unit.memory.layout.assets[0]).place(unit.memory.layout.assets[1], b"\xff" * 4096)  # type: ignore[index]
        assert shown(unit) != set(FILES)
        walk = bench.walk(unit)
        assert (walk.verdict, walk.outcomes["dfu"], walk.outcomes["firmware"]) == (Verdict.PASS, "skipped", "done")
        assert shown(unit) == set(FILES)


def test_a_unit_that_arrives_in_dfu_gets_its_assets_too(tmp_path: Path) -> None:
    with line_bench(tmp_path, recipe("boron")) as bench:
        unit = bench.unit("boron", 1, "6.2.0", arrives=BootRequest.DFU)
        assert bench.walk(unit).verdict is Verdict.PASS
        assert (shown(unit), unit.mode) == (set(FILES), UnitMode.OFF)


@pytest.mark.parametrize("number", range(1, 60, 4))
def test_a_power_cut_while_assets_come_in_is_mended_by_the_next_walk(number: int, tmp_path: Path) -> None:
    with line_bench(tmp_path, recipe()) as bench:
        unit = bench.unit("argon", 1, "6.3.4", faults=(f"at=flash:{number + 8},do=torn,for=2",))
        bench.plug(unit)
        first = bench.wait_finished()
        if first.verdict is not Verdict.PASS:
            assert first.verdict is Verdict.ABORTED
            assert bench.wait_finished(since=bench.mark()).verdict is Verdict.PASS
        assert shown(unit) == set(FILES)


def refusal(tmp_path: Path, wanted: Recipe) -> str:
    with pytest.raises(BadInput) as caught, line_bench(tmp_path, wanted):
        pass
    return str(caught.value)


def test_a_bundle_that_lacks_a_file_its_application_needs_opens_no_batch(tmp_path: Path) -> None:
    some = bundle("argon", {"cat.txt": FILES["cat.txt"]})
    assert "needs the asset pictures/house.bin, which is not in it" in refusal(
        tmp_path, replace(recipe(), application=some)
    )


def test_files_that_no_unit_could_prove_or_keep_open_no_batch(tmp_path: Path) -> None:
    old = replace(recipe(device_os="5.5.0"), application=bundle("argon"))
    assert "does not tell what assets a unit has" in refusal(tmp_path / "old", old)
    huge = {"noise.bin": synthetic.seeded("noise", 700_000)}
    too_large = replace(recipe(), application=bundle("argon", huge, huge))
    assert "takes 606208 in one" in refusal(tmp_path / "large", too_large)


@needs_vendor_files
def test_the_vendors_bundle_goes_to_an_argon_and_the_incomplete_one_is_refused_by_name(tmp_path: Path) -> None:
    whole = SyntheticFile("bundle.zip", vendor_file("bundle.zip"))
    with line_bench(tmp_path / "whole", replace(recipe(), application=whole)) as bench:
        unit = bench.unit("argon", 1, "5.9.0")
        assert bench.walk(unit).verdict is Verdict.PASS
        assert shown(unit) == {"cat.txt", "house.txt", "water.txt"}
    broken = SyntheticFile("bundle-missing-assets.zip", vendor_file("bundle-missing-assets.zip"))
    assert "which is not in it" in refusal(tmp_path / "broken", replace(recipe(), application=broken))
