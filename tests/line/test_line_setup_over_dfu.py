"""Setup-done of a Device OS without a request for it: the byte is written in DFU. Rules H7 H10."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from line_bench import Recipe, line_bench

from drivers.identity import SerialNumber
from drivers.platforms import OsVersion, platform_by_slug
from drivers.virtual.dct import SETUP_DONE
from drivers.virtual.factory import UnitSpec, make_spec
from drivers.wire.image.host import parse_image
from station.errors import StepFault
from station.model import Verdict
from station.steps.shared.foreseen import check_setup_done

OLD, OLDER = "0.8.0-rc.27", "0.8.0-rc.25"
SET = "set setup-done in DFU"
OLD_BORON = "B31K"  # a SKU that may run any Device OS (D9)
GEN_3 = [
    Recipe("argon", device_os=OLD), Recipe("argon", device_os=OLD, wifi=False), Recipe("boron", device_os=OLD),
    Recipe("xenon", device_os=OLD),
]  # fmt: skip
each_recipe = pytest.mark.parametrize("recipe", GEN_3, ids=["argon", "argon-without-wifi", "boron", "xenon"])


def old_spec(slug: str) -> UnitSpec:
    spec = make_spec(slug, 7, 1, OLDER)
    serial = SerialNumber.parse(OLD_BORON + str(spec.serial)[4:])
    return dataclasses.replace(spec, serial=serial) if slug == "boron" else spec


@pytest.mark.rule("H7")
@each_recipe
def test_a_device_os_without_a_request_for_setup_done_has_it_written_in_dfu(recipe: Recipe, tmp_path: Path) -> None:
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit(recipe.platform, 1, spec=old_spec(recipe.platform))
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert (walk.outcomes["setup_done"], walk.writes.count(SET)) == ("done", 1)
        assert unit.memory.dct.get("setup_done") == SETUP_DONE
        for file in recipe.files():
            image = parse_image(file.data, file.name)
            assert unit.memory.internal.read(image.flash_address, len(image.flash_bytes)) == image.flash_bytes
        again = bench.walk(unit)
        assert (again.verdict, again.outcomes["setup_done"]) == (Verdict.PASS, "already")
        # credentials go to such old units again each time, as no request tells whether they hold them
        assert again.flash_writes == sum(what.startswith("join ") for what in again.writes)


@pytest.mark.rule("H7")
def test_a_unit_that_keeps_such_a_device_os_is_set_up_without_any_firmware(tmp_path: Path) -> None:
    recipe = Recipe("xenon", device_os=None, has_application=False)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit("xenon", 1, OLD)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert unit.score.writes_by_region() == {"setup_done": 1}


@pytest.mark.rule("H7")
@pytest.mark.parametrize(("slug", "new"), [("boron", "5.8.0"), ("xenon", "1.5.2")])
def test_an_update_to_a_device_os_that_has_the_request_or_no_flag_ends_it(slug: str, new: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, Recipe(slug, device_os=new)) as bench:
        walk = bench.walk(bench.unit(slug, 1, OLDER))
        assert walk.verdict is Verdict.PASS, walk.finished
        assert SET not in walk.writes


@pytest.mark.rule("H10")
def test_a_byte_that_is_lost_before_the_read_back_fails_no_unit_that_takes_it_next_time(tmp_path: Path) -> None:
    recipe = Recipe("xenon", device_os=None, has_application=False)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit("xenon", 1, OLD, faults=("at=dfu-write:1,do=torn,for=3",))
        first = bench.walk(unit)
        assert first.verdict in (Verdict.ABORTED, Verdict.ERROR), first.finished.reason
        assert bench.walk(unit).verdict is Verdict.PASS
        assert unit.memory.dct.get("setup_done") == SETUP_DONE


def test_only_a_platform_with_neither_way_is_refused() -> None:
    """No such platform is sold; one that comes from outside may lack the byte."""
    row, old, asked = platform_by_slug("xenon"), OsVersion.parse(OLD), OsVersion.parse("0.9.0")
    check_setup_done(row, old)
    without = dataclasses.replace(row, dct_fields=())
    check_setup_done(without, asked)
    with pytest.raises(StepFault, match="cannot be told that setup is done"):
        check_setup_done(without, old)
