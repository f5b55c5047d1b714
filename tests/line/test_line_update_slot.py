"""A bootloader for a Device OS that takes no updates by request goes through the unit's update slot, in DFU."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import Recipe, Walk, line_bench

from drivers.platforms import OsVersion, Platform, platform_by_slug, platforms
from drivers.virtual import synthetic
from drivers.virtual.flash import Operation, Touch
from drivers.virtual.layout import Chip
from drivers.virtual.unit import VirtualUnit
from drivers.wire.control.tables import RequestType
from drivers.wire.image.host import parse_image
from station.engine.records import WriteConfirmed
from station.model import Verdict


def is_mute(row: Platform, device_os: str) -> bool:
    return not row.knows_request(RequestType.START_FIRMWARE_UPDATE, OsVersion.parse(device_os))


MUTE = [(row.slug, one) for row in platforms() for one in synthetic.versions(row.id) if is_mute(row, one)]
"""Every platform and Device OS for which there is no other way (firmware-and-dfu 5.2)."""
UPDATES = [
    ("photon", "0.5.5", "0.7.0"),
    ("p1", "0.5.5", "0.6.4"),
    ("electron", "0.6.4", "0.7.0"),
    ("argon", "0.8.0-rc.25", "0.8.0-rc.27"),
    ("xenon", "0.8.0-rc.25", "0.8.0-rc.27"),
]


def test_only_the_first_lines_of_two_families_need_the_slot() -> None:
    """Everywhere else bootloaders go by request, from the Device OS that was there or the one that came over DFU."""
    assert {(slug, one) for slug, one in MUTE} == {
        *((slug, one) for slug in ("photon", "p1", "electron") for one in ("0.4.9", "0.5.5", "0.6.4", "0.7.0")),
        *((slug, one) for slug in ("argon", "boron", "xenon") for one in ("0.8.0-rc.25", "0.8.0-rc.27")),
    }


def staged(walk: Walk) -> list[str]:
    """What was left in the slot, in order."""
    writes = (one.what for one in walk.events if isinstance(one, WriteConfirmed) and one.target == "unit")
    return [one for one in writes if one.endswith("into its update slot")]


def holds(unit: VirtualUnit, recipe: Recipe) -> None:
    for file in recipe.files():
        image = parse_image(file.data, file.name)
        held = unit.memory.internal.read(image.flash_address, len(image.flash_bytes))
        assert held == image.flash_bytes, file.name


def older_start(slug: str) -> int:
    return next(one.start for one in platform_by_slug(slug).modules if one.name == "bootloader")


def recipe_slot(recipe: Recipe) -> int:
    slot = platform_by_slug(recipe.platform).ota_slot(OsVersion.parse(recipe.runs))
    assert slot is not None
    return slot.start


GEN_2 = tuple(row.slug for row in platforms() if row.family == "stm32")


@pytest.mark.rule("D5")
@pytest.mark.parametrize(("slug", "old", "new"), UPDATES)
def test_a_unit_gets_the_bootloader_of_a_device_os_without_requests(
    slug: str, old: str, new: str, tmp_path: Path
) -> None:
    recipe = Recipe(slug, device_os=new, wifi=False)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit(slug, 1, old)
        walk = bench.walk(unit)
        assert [walk.outcomes[step] for step in ("device_os", "firmware")] == ["done", "done"], walk.finished.reason
        assert walk.verdict is Verdict.PASS
        holds(unit, recipe)
        assert staged(walk) == [f"{recipe.release()[0].name} into its update slot"]
        assert not unit.memory.dct.ota_flag_is_on
        again = bench.walk(unit)
        assert (again.verdict, again.flash_writes) == (walk.verdict, 0), again.finished.reason


@pytest.mark.rule("D5")
@pytest.mark.parametrize("slug", GEN_2)
def test_one_that_lacks_only_the_bootloader_gets_it_without_a_write_elsewhere(slug: str, tmp_path: Path) -> None:
    recipe = Recipe(slug, device_os="0.7.0", wifi=False)
    older = synthetic.release(recipe.platform_id, "0.6.4")[0]
    with line_bench(tmp_path, recipe) as bench:
        modules = (older.data, *(file.data for file in recipe.files()[1:]))
        unit = bench.unit(slug, 1, "0.7.0", modules=modules)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        holds(unit, recipe)
        assert set(unit.score.writes_by_region()) == {"ota-slot", "ota_update_flag"}


@pytest.mark.parametrize("slug", GEN_2)
def test_a_cut_while_the_slot_is_written_leaves_a_unit_that_the_next_walk_finishes(slug: str, tmp_path: Path) -> None:
    recipe = Recipe(slug, device_os="0.7.0", wifi=False)
    older = synthetic.release(recipe.platform_id, "0.6.4")[0]
    with line_bench(tmp_path, recipe) as bench:
        modules = (older.data, *(file.data for file in recipe.files()[1:]))
        unit = bench.unit(slug, 1, "0.7.0", modules=modules, faults=("at=dfu-write:2,do=torn,for=3",))
        first = bench.walk(unit)
        assert first.verdict in (Verdict.ABORTED, Verdict.ERROR), first.finished.reason
        assert unit.memory.internal.read(older_start(slug), len(older.data)) == older.data
        assert bench.walk(unit).verdict is Verdict.PASS
        holds(unit, recipe)


def test_a_unit_that_passes_over_what_is_in_its_slot_is_no_good_one(tmp_path: Path) -> None:
    """The flag is cleared first and nothing is said (4.6): only its own report tells."""
    recipe = Recipe("photon", device_os="0.7.0", wifi=False)
    older = synthetic.release(recipe.platform_id, "0.6.4")[0]
    with line_bench(tmp_path, recipe) as bench:
        modules = (older.data, *(file.data for file in recipe.files()[1:]))
        unit = bench.unit("photon", 1, "0.7.0", modules=modules)

        count = unit.score.on_host_write
        assert count is not None

        def forget(touch: Touch) -> None:
            count(touch)
            if touch.chip is Chip.DCT and touch.operation is Operation.PROGRAM:  # the flag, which counts from now on
                unit.memory.internal.place(recipe_slot(recipe), bytes(64))

        unit.score.on_host_write = forget
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.sentence) == (Verdict.FAIL, "update_not_applied")
        assert staged(walk) == 2 * [f"{recipe.release()[0].name} into its update slot"]
