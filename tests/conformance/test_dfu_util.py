"""dfu-util, unmodified, against the bootloaders of the virtual units."""

from __future__ import annotations

from pathlib import Path

import pytest
from conformance.bench import ForeignBench
from conformance.clients import DfuUtil
from support.showing import showing

from drivers.platforms import platform_by_slug
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.descriptors import dfu_alternates
from drivers.virtual.factory import UnitSpec, make_spec
from drivers.virtual.synthetic import SyntheticFile
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.wire.image.host import parse_image

WALKED = ["argon", "boron", "esomx", "asom", "bsom", "b5som", "tracker", "p2", "msom"]
pytestmark = [
    pytest.mark.conformance,
    pytest.mark.parametrize("platform", showing("gold", WALKED, lambda slug: slug)),
]


def in_dfu(platform: str, number: int = 1) -> UnitSpec:
    held = synthetic.usual_version(platform_by_slug(platform).id, "6.1.1")
    return make_spec(platform, 7, number, held, setup_done=True, arrives=BootRequest.DFU)


def start_of(file: SyntheticFile) -> int:
    """Where the file goes in flash, by its header; 0x30000 for system parts of Gen 3 before 6.1.2."""
    return parse_image(file.data, file.name).flash_address


def system_part(unit: VirtualUnit, version: str) -> SyntheticFile:
    return synthetic.release(unit.spec.platform_id, version)[2]


def saved(directory: Path, name: str, data: bytes) -> Path:
    path = directory / name
    path.write_bytes(data)
    return path


@pytest.mark.operation("dfu-util", "list")
def test_it_lists_the_memories_of_every_unit_in_dfu_mode(bench: ForeignBench, dfu_util: DfuUtil, platform: str) -> None:
    units = [bench.plug(f"1-{number}", in_dfu(platform, number)) for number in (1, 2)]
    bench.plug("1-3", make_spec(platform, 7, 3))
    listed = [line for line in dfu_util.list().splitlines() if line.startswith("Found")]
    assert all("DFU: [2b04:d0" in line for line in listed)
    seen = {(line.split('serial="')[1][:24], line.split('name="')[1].split('"')[0]) for line in listed}
    assert len(listed) == 2 * len(units[0].spec.platform.memories)
    shown = {
        unit: dfu_alternates(unit.spec.platform, unit.report.bootloader_version or 0)
        for unit in units
        if unit.report is not None
    }
    assert seen == {(unit.device_id, name) for unit in units for name in shown[unit]}


@pytest.mark.operation("dfu-util", "download, upload")
def test_what_it_downloads_is_in_flash_and_comes_back_the_same(
    bench: ForeignBench, dfu_util: DfuUtil, platform: str, tmp_path: Path
) -> None:
    unit = bench.plug("1-2.3", in_dfu(platform))
    file = system_part(unit, "5.8.0")
    data, start = file.data, start_of(file)
    dfu_util.download(unit, saved(tmp_path, "system.bin", data), start)
    assert unit.memory.internal.read(start, len(data)) == data
    assert dfu_util.upload(unit, 0, start, len(data), tmp_path / "back.bin") == data
    assert unit.mode is UnitMode.DFU
    assert unit.score.forbidden == []


@pytest.mark.operation("dfu-util", "upload of the configuration")
def test_it_reads_the_configuration_memory(
    bench: ForeignBench, dfu_util: DfuUtil, platform: str, tmp_path: Path
) -> None:
    unit = bench.plug("1-1", in_dfu(platform))
    assert dfu_util.upload(unit, 1, 0, 8391, tmp_path / "dct.bin") == unit.memory.dct.read(0, 8391)


@pytest.mark.operation("dfu-util", "leave")
def test_leave_starts_the_system_part_it_wrote(
    bench: ForeignBench, dfu_util: DfuUtil, platform: str, tmp_path: Path
) -> None:
    unit = bench.plug("1-1", in_dfu(platform))
    image = system_part(unit, "5.8.0")
    said = dfu_util.download(unit, saved(tmp_path, image.name, image.data), start_of(image), "leave")
    assert "Submitting leave request" in said
    bench.await_mode(unit, UnitMode.NORMAL, UnitMode.LISTENING, UnitMode.SAFE)
    assert unit.report is not None
    assert unit.report.system_version == "5.8.0"


def test_a_damaged_system_part_with_leave_comes_back_in_dfu_mode(
    bench: ForeignBench, dfu_util: DfuUtil, platform: str, tmp_path: Path
) -> None:
    unit = bench.plug("1-1", in_dfu(platform))
    first = unit.presence
    image = system_part(unit, "5.8.0")
    damaged = bytearray(image.data)
    damaged[len(damaged) // 2] ^= 0x01
    dfu_util.download(unit, saved(tmp_path, "damaged.bin", bytes(damaged)), start_of(image), "leave")
    bench.until(lambda: unit.presence not in (None, first), "the unit is back")
    bench.until(lambda: bench.kernel.shows(unit.presence), "the bus shows it")
    assert unit.mode is UnitMode.DFU
    assert unit.device_id in dfu_util.list()
