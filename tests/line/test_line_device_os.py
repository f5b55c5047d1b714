"""A unit of every platform is brought from the Device OS it came with to that of its profile, in one walk."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from line_bench import LineBench, Recipe, line_bench

from drivers.platforms import platform_by_slug, platforms
from drivers.virtual import synthetic
from drivers.virtual.flash import Touch, Who
from drivers.virtual.layout import Chip
from drivers.virtual.unit import VirtualUnit
from drivers.wire.image.host import parse_image
from station.model import Verdict

UPDATES = [
    ("photon", "0.5.5", "2.3.1"), ("photon", "0.7.0", "2.3.1"), ("photon", "2.3.1", "3.3.1"), ("p1", "1.5.2", "2.3.1"),
    ("electron", "0.5.5", "3.3.1"), ("electron", "1.4.4", "3.3.1"), ("argon", "1.4.4", "6.3.4"),
    ("boron", "3.3.1", "6.3.4"), ("xenon", "0.8.0-rc.27", "1.5.2"), ("esomx", "4.0.0", "6.3.4"),
    ("asom", "3.3.1", "6.3.4"), ("bsom", "2.3.1", "6.3.4"), ("xsom", "1.1.0", "1.4.4"), ("b5som", "3.3.1", "6.3.4"),
    ("tracker", "3.3.1", "6.3.4"), ("trackerm", "5.0.1", "6.3.4"), ("p2", "3.2.1-p2.3", "6.3.4"),
    ("p2", "5.0.1", "6.3.4"), ("msom", "5.5.0", "6.3.4"), ("electron2", "6.3.4", "6.4.1"), ("sulu", "6.3.4", "6.4.1"),
]  # fmt: skip
PLATFORM_OLD_NEW = pytest.mark.parametrize(("slug", "old", "new"), UPDATES, ids=["-".join(row) for row in UPDATES])


def update(slug: str, new: str) -> Recipe:
    return Recipe(slug, device_os=new, wifi=False)


def arrives_where_it_should(bench: LineBench, unit: VirtualUnit, recipe: Recipe) -> None:
    """Walk until nothing is left to do: the unit runs exactly the profile's files, and nothing else was touched."""
    assert bench.walk(unit).verdict is Verdict.PASS
    assert unit.report is not None
    assert (unit.report.system_version, unit.report.missing) == (recipe.device_os, ())
    for file in recipe.files():
        image = parse_image(file.data, file.name)
        assert unit.memory.internal.read(image.flash_address, len(image.flash_bytes)) == image.flash_bytes, file.name
    assert unit.score.forbidden == []
    again = bench.walk(unit)
    assert (again.verdict, again.flash_writes) == (Verdict.PASS, 0)


def test_every_platform_has_an_update_here() -> None:
    assert {slug for slug, _, _ in UPDATES} == {row.slug for row in platforms()}


@PLATFORM_OLD_NEW
def test_a_unit_gets_the_device_os_of_its_profile_byte_for_byte(slug: str, old: str, new: str, tmp_path: Path) -> None:
    recipe = update(slug, new)
    with line_bench(tmp_path, recipe) as bench:
        arrives_where_it_should(bench, bench.unit(slug, 1, old), recipe)


@pytest.mark.parametrize("slug", ["photon", "p1", "electron"])
def test_the_part_a_gen_2_bootloader_starts_is_invalid_until_all_others_stand(slug: str, tmp_path: Path) -> None:
    """It looks at that header and at no checksum, so a power cut has to find no header (firmware-and-dfu 1.11)."""
    recipe = update(slug, "3.3.1")
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit(slug, 1, "2.3.1")
        flash = unit.memory.internal
        headers: list[bool] = []  # at each write of a system part: whether the header stands

        counted = unit.score.on_host_write
        assert counted is not None

        def look(touch: Touch) -> None:
            counted(touch)
            if touch.who is Who.DFU and {
                r.name for r in unit.memory.layout.touched(Chip.INTERNAL, touch.address, 1)
            } != {"user-part"}:
                headers.append(flash.read(0x08020000, 0x200) != b"\xff" * 0x200)

        unit.score.on_host_write = look
        assert bench.walk(unit).verdict is Verdict.PASS
    assert len(headers) > 60
    assert headers.index(False) <= 1  # from the first erase on
    assert True not in headers[1:-1]


@pytest.mark.parametrize("write", [1, 2, 30, 60, 75])
@pytest.mark.parametrize(("slug", "old", "new"), [row for row in UPDATES if row[0] in ("photon", "electron", "p1")])
def test_a_gen_2_unit_torn_by_a_power_cut_waits_in_dfu_and_is_repaired(
    slug: str, old: str, new: str, write: int, tmp_path: Path
) -> None:
    with line_bench(tmp_path, update(slug, new)) as bench:
        unit = bench.unit(slug, 1, old, faults=(f"at=dfu-write:{write},do=torn,for=2",))
        bench.plug(unit)
        assert bench.wait_finished().verdict is Verdict.ABORTED
        mark = bench.mark()
        finished = bench.wait_finished(since=mark)
        assert finished.verdict is Verdict.PASS, finished.reason
        assert bench.told(finished).steps["dfu"].proof == "the unit arrived in DFU"
        assert unit.score.forbidden == []


# --- the network co-processor ---


def with_ncp(slug: str, version: int) -> Recipe:
    row = platform_by_slug(slug)
    modules = (*synthetic.release(row.id, "6.3.4"), synthetic.ncp_firmware(row.id, version))
    return dataclasses.replace(update(slug, "6.3.4"), modules=modules)


@pytest.mark.parametrize(("slug", "old"), [("argon", "1.4.4"), ("asom", "3.3.1"), ("tracker", "3.3.1")])
def test_the_co_processor_gets_its_firmware_by_request_and_is_asked_what_it_holds(
    slug: str, old: str, tmp_path: Path
) -> None:
    with line_bench(tmp_path, with_ncp(slug, 9)) as bench:
        unit = bench.unit(slug, 1, old)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert "module info shows NCP firmware 9" in walk.steps["dfu"].proof
        assert (bench.walk(unit).verdict, bench.walk(unit).flash_writes) == (Verdict.PASS, 0)


@pytest.mark.parametrize(("version", "verdict"), [(7, Verdict.PASS), (9, Verdict.FAIL)], ids=["its own", "another"])
def test_a_tracker_that_no_longer_updates_its_co_processor_is_told_before_the_first_write(
    version: int, verdict: Verdict, tmp_path: Path
) -> None:
    """From 5.6.0 on it says yes to the file and does not apply it (firmware-and-dfu 4.4)."""
    with line_bench(tmp_path, with_ncp("tracker", version)) as bench:
        unit = bench.unit("tracker", 1, "5.9.0")
        walk = bench.walk(unit)
        assert walk.verdict is verdict, walk.finished.reason
        if verdict is Verdict.FAIL:
            assert walk.flash_writes == 0
            assert "does not take it over USB" in walk.finished.reason
