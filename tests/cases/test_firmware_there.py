"""What counts as "already there" is proved as what was written is: by the bytes in flash, or a hash of them."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from line_bench import ARGON, BORON, LineBench, Recipe, Walk, line_bench, old_radio, replace

from drivers.platforms import platform_by_slug
from drivers.virtual import synthetic
from drivers.virtual.factory import factory_modules
from drivers.virtual.header import Dependency
from drivers.virtual.unit import VirtualUnit
from station.engine.events import StepFinished
from station.model import Outcome, Verdict

RADIO, BOOTLOADER, SYSTEM, APPLICATION = (8, 0), (2, 0), (4, 1), (5, 2)


def other_radio(platform: str, unique: bytes = b"other") -> bytes:
    """A SoftDevice 202 of another build; with the string of ours it is a damaged one, as far as a unit tells."""
    body = bytearray(synthetic.seeded("some other build of 202", 153_048 - 24 - 40))
    named = hashlib.sha1(unique, usedforsecurity=False).digest()
    info = struct.pack("<IIIHHII20s", 0xFFFFFF2C, 0x51B1E5DB, 0x27000, 202, 0xFFFF, 140, 7_000_001, named)
    body[0x2000 : 0x2000 + len(info)] = info
    wants = (Dependency(2, 0, 501), Dependency(4, 1, 1321))
    number = platform_by_slug(platform).id
    return synthetic.make_module(number, RADIO, 202, 0x1000, bytes(body), wants, flags=1, has_product=False)


OUR_UNIQUE = b"softdevice 202"


def passed(walk: Walk) -> Walk:
    assert walk.verdict is Verdict.PASS, walk.finished.reason
    return walk


def holds(unit: VirtualUnit, files: Sequence[synthetic.SyntheticFile]) -> bool:
    """Whether the flash holds exactly these modules, as the unit's own memory shows it."""
    for file in files:
        radio = "softdevice" in file.name
        start = 0x1000 if radio else min(at for at in (0xB4000, 0xF4000, 0x28000, 0x30000) if _starts(file.data, at))
        content = file.data[24:] if radio else file.data
        if unit.memory.internal.read(start, len(content)) != content:
            return False
    return True


def _starts(data: bytes, at: int) -> bool:
    return at.to_bytes(4, "little") in (data[:4], data[0x200:0x204])


@pytest.mark.parametrize("unique", [b"other", OUR_UNIQUE], ids=["other string", "our string"])
@pytest.mark.parametrize("device_os", ["3.3.1", "4.1.0", "6.3.4"])
@pytest.mark.parametrize("recipe", [ARGON, BORON], ids=lambda one: one.platform)
def test_a_softdevice_of_the_wanted_version_but_other_content_is_replaced_in_one_walk(
    recipe: Recipe, device_os: str, unique: bytes, tmp_path: Path
) -> None:
    with line_bench(tmp_path, recipe) as bench:
        number = platform_by_slug(recipe.platform).id
        modules = (*factory_modules(number, device_os), other_radio(recipe.platform, unique))
        unit = bench.unit(recipe.platform, modules=modules)
        walk = passed(bench.walk(unit))
        assert holds(unit, recipe.files())
        assert "DFU read-back equal: SoftDevice 202" in walk.steps["device_os"].proof
        again = passed(bench.walk(unit))
        assert (again.flash_writes, again.with_outcome(Outcome.DONE)) == (0, set())


def other(recipe: Recipe, kind: tuple[int, int]) -> bytes:
    """A module of the recipe's release with the same version, header and size, and other content, in good order."""
    number = platform_by_slug(recipe.platform).id
    version = recipe.device_os or ""
    files = {
        BOOTLOADER: synthetic.bootloader(number, version), SYSTEM: synthetic.release(number, version)[2],
        APPLICATION: synthetic.application(number, version, seed="story"),
    }  # fmt: skip
    data = bytearray(files[kind].data)
    data[0x1000] ^= 0x55
    body = bytes(data[:-38])
    body += hashlib.sha256(body).digest() + bytes(data[-6:-4])
    return body + zlib.crc32(body).to_bytes(4, "big")


OLD = {
    "4.1.0": Recipe("boron", device_os="4.1.0"),
    "6.3.4": BORON,
}


@pytest.mark.parametrize("kind", [BOOTLOADER, SYSTEM, APPLICATION], ids=["bootloader", "system part", "application"])
@pytest.mark.parametrize("device_os", ["4.1.0", "6.3.4"])
def test_a_module_of_the_wanted_version_but_other_content_is_replaced_in_one_walk(
    device_os: str, kind: tuple[int, int], tmp_path: Path
) -> None:
    """Device OS 4.1.0 reports no hash: all that can be read back is, the bootloader too."""
    recipe = OLD[device_os]
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe, modules=(*(file.data for file in recipe.files()), other(recipe, kind)))
        assert not holds(unit, recipe.files())
        passed(bench.walk(unit))
        assert holds(unit, recipe.files())


@pytest.mark.parametrize("recipe", list(OLD.values()), ids=list(OLD))
def test_a_finished_unit_is_not_written_again_and_the_proof_says_how_it_is_known(
    recipe: Recipe, tmp_path: Path
) -> None:
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        walk = passed(bench.walk(unit))
        assert walk.flash_writes == 0
        assert "SoftDevice: flash read back equal" in walk.steps["device_os"].proof
        again = passed(bench.walk(unit))
        assert again.flash_writes == 0
        if recipe is BORON:  # from Device OS 5.6.0 on units report hashes
            assert again.steps["dfu"].reason == "nothing to write"
            assert "by this station before and not written since" in again.steps["device_os"].proof
            assert again.seconds < walk.seconds - 5  # no visit to DFU


def test_a_write_of_the_softdevice_that_broke_off_voids_what_was_read_back_before(tmp_path: Path) -> None:
    """The unit comes back with the string of the wanted build over a half of another: it is read back, not believed."""
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON)
        passed(bench.walk(unit))
        unit.memory.install([synthetic.softdevice(13, 182).data])  # on another bench
        bench.plug(unit)
        bench.wait_for(StepFinished, step="dfu", since=bench.mark() - 1)
        bench.sleep(2.0)
        bench.unplug()
        bench.wait_for(StepFinished, step="device_os")
        bench.sleep(1.0)
        flash = unit.memory.internal
        wanted = BORON.release()[1].data[24:]
        flash.place(0x1000, wanted[:0x8000] + b"\xff" * (len(wanted) - 0x8000))
        flash.place(0x28000, BORON.release()[2].data)
        walk = passed(bench.walk(unit))
        assert holds(unit, BORON.files())
        assert "DFU read-back equal: SoftDevice 202" in walk.steps["device_os"].proof


def test_a_bootloader_sent_to_a_device_os_without_hashes_is_read_back_in_a_visit_of_its_own(tmp_path: Path) -> None:
    """A bootloader that goes back goes last, when the DFU visit is over."""
    recipe = Recipe("boron", device_os="4.1.0", allow_downgrade=True)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit(device_os="6.3.4")
        walk = passed(bench.walk(unit))
        assert holds(unit, recipe.files())
        writes = walk.writes
        assert writes.count("restart into DFU") == 2


def test_a_unit_with_an_old_softdevice_in_safe_mode_passes(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.unit(modules=old_radio())
        passed(bench.walk(unit))
        assert holds(unit, BORON.files())


def test_what_another_station_read_back_proves_nothing_here(tmp_path: Path) -> None:
    def first(bench: LineBench, unit: VirtualUnit) -> Walk:
        return passed(bench.walk(unit))

    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON)
        first(bench, unit)
        bench.stop()
        bench.directory = tmp_path / "second"
        bench.directory.mkdir()
        bench.start(replace(BORON, revision=2))
        assert first(bench, unit).outcomes["dfu"] == "done"
        bench.directory = tmp_path
