"""Programs of other people, unmodified, against Photon, P1 and Electron: dfu-util and the vendor's own USB library."""

from __future__ import annotations

from pathlib import Path

import pytest
from conformance.bench import ForeignBench
from conformance.clients import DfuUtil, ParticleUsb
from support.showing import showing

from drivers.platforms import platform_by_slug
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.factory import UnitSpec, make_spec
from drivers.virtual.synthetic import SyntheticFile
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.virtual.world import StoredNetwork
from drivers.wire.image.host import parse_image

pytestmark = pytest.mark.conformance

GEN_2 = ["photon", "p1", "electron"]
EACH = pytest.mark.parametrize("platform", GEN_2)
KNOWN = (StoredNetwork("elsewhere"),)
NOT_SUPPORTED = -120


def spec(platform: str, device_os: str, number: int = 1, arrives: BootRequest = BootRequest.NORMAL) -> UnitSpec:
    """A unit that has nothing to set up."""
    networks = KNOWN if platform_by_slug(platform).has_wifi else ()
    return make_spec(platform, 7, number, device_os, networks=networks, arrives=arrives)


def parts(platform: str, device_os: str) -> list[SyntheticFile]:
    """System parts and application: what may go over DFU."""
    number = platform_by_slug(platform).id
    return [*synthetic.release(number, device_os)[1:], synthetic.application(number, device_os)]


def start_of(file: SyntheticFile) -> int:
    return parse_image(file.data, file.name).flash_address


def saved(directory: Path, file: SyntheticFile) -> Path:
    path = directory / file.name
    path.write_bytes(file.data)
    return path


def held(unit: VirtualUnit, file: SyntheticFile) -> bool:
    return unit.memory.internal.read(start_of(file), len(file.data)) == file.data


# --- dfu-util -------------------------------------------------------------------------------------------------


@EACH
@pytest.mark.operation("dfu-util", "list")
def test_dfu_util_lists_the_memories(bench: ForeignBench, dfu_util: DfuUtil, platform: str) -> None:
    unit = bench.plug("1-1", spec(platform, "2.3.1", arrives=BootRequest.DFU))
    lines = [line for line in dfu_util.list().splitlines() if line.startswith("Found")]
    assert len(lines) == len(unit.spec.platform.memories)
    for memory in unit.spec.platform.memories:
        assert any(f'alt={memory.alt}, name="{memory.layout}", serial="{unit.device_id}"' in line for line in lines)


@pytest.mark.parametrize("platform", showing("gold", GEN_2, lambda slug: slug))
@pytest.mark.parametrize("device_os", ["0.6.4", "2.3.1"])
@pytest.mark.operation("dfu-util", "download, upload")
@pytest.mark.operation("dfu-util", "leave")
def test_dfu_util_writes_a_release_reads_it_back_and_has_it_started(
    bench: ForeignBench, dfu_util: DfuUtil, platform: str, device_os: str, tmp_path: Path
) -> None:
    """With a bootloader that asks for waits and shows its Device ID in capitals, and with one that does neither."""
    unit = bench.plug("1-1", spec(platform, device_os, arrives=BootRequest.DFU))
    files = parts(platform, "1.5.2" if device_os == "2.3.1" else "0.5.5")
    for file in files:
        dfu_util.download(unit, saved(tmp_path, file), start_of(file))
        assert held(unit, file)
    first = files[0]
    assert dfu_util.upload(unit, 0, start_of(first), len(first.data), tmp_path / "back.bin") == first.data
    last = files[-1]
    assert "leave request" in dfu_util.download(unit, saved(tmp_path, last), start_of(last), "leave")
    bench.await_mode(unit, UnitMode.NORMAL)
    assert unit.report is not None
    assert unit.report.system_version == ("1.5.2" if device_os == "2.3.1" else "0.5.5")
    assert unit.score.forbidden == []


@EACH
def test_dfu_util_is_refused_where_the_bootloader_lets_nobody_write(
    bench: ForeignBench, dfu_util: DfuUtil, platform: str, tmp_path: Path
) -> None:
    """The map calls those sectors writable, so it tries."""
    unit = bench.plug("1-1", spec(platform, "2.3.1", arrives=BootRequest.DFU))
    (tmp_path / "eeprom.bin").write_bytes(bytes(4096))
    with pytest.raises(AssertionError, match="dfu-util"):
        dfu_util.download(unit, tmp_path / "eeprom.bin", 0x0800C000)
    assert unit.memory.internal.is_blank(0x0800C000, 4096)
    assert unit.device_id in dfu_util.list(), "it goes on"


@EACH
@pytest.mark.operation("dfu-util", "upload of the configuration")
def test_dfu_util_reads_the_configuration(
    bench: ForeignBench, dfu_util: DfuUtil, platform: str, tmp_path: Path
) -> None:
    unit = bench.plug("1-1", spec(platform, "2.3.1", arrives=BootRequest.DFU))
    read = dfu_util.upload(unit, 1, 3618, 12, tmp_path / "id.bin")
    assert read.hex() == unit.device_id


# --- particle-usb ------------------------------------------------------------------------------------------------


@pytest.mark.operation("particle-usb", "list", "photon")
def test_particle_usb_lists_every_one_of_them_by_its_own_id(bench: ForeignBench, particle_usb: ParticleUsb) -> None:
    plugged = [("photon", "0.6.4"), ("p1", "1.5.2"), ("electron", "3.3.1"), ("photon", "2.3.1")]
    expected: dict[str, tuple[str, bool, str | None]] = {}
    for number, (platform, device_os) in enumerate(plugged):
        unit = bench.plug(f"1-{number + 1}", spec(platform, device_os, number))
        expected[unit.device_id] = (platform, False, device_os)
    dfu = bench.plug("1-5", spec("p1", "2.3.1", 9, BootRequest.DFU))
    expected[dfu.device_id] = ("p1", True, None)
    found = {one["id"]: (one["type"], one["dfu"], one["firmware"]) for one in particle_usb("list")}
    assert found == expected


@EACH
@pytest.mark.parametrize("device_os", ["1.5.2", "3.3.1"])
@pytest.mark.operation("particle-usb", "identity, modes, modules")
def test_particle_usb_reads_identity_mode_and_modules(
    bench: ForeignBench, particle_usb: ParticleUsb, platform: str, device_os: str
) -> None:
    unit = bench.plug("1-1", spec(platform, device_os))
    told = particle_usb("identity", unit.device_id)
    assert (told["id"], told["serial"]) == (unit.device_id, str(unit.spec.serial))
    assert (told["mode"], told["listening"]) == ("NORMAL", "LISTENING")
    assert unit.report is not None
    seen = {(one["type"], one["index"], one["version"]) for one in told["modules"]}
    names = {2: "BOOTLOADER", 4: "SYSTEM_PART", 5: "USER_PART"}
    assert seen == {(names[one.function], one.index, one.version) for one in unit.report.modules}


@EACH
@pytest.mark.operation("particle-usb", "DFU write, leave")
def test_particle_usb_takes_it_to_dfu_writes_a_part_and_takes_it_back(
    bench: ForeignBench, particle_usb: ParticleUsb, platform: str, tmp_path: Path
) -> None:
    unit = bench.plug("1-1", spec(platform, "2.3.1"))
    image = parts(platform, "2.3.1")[0]
    unit.memory.internal.place(start_of(image) + 0x10000, b"torn")
    seen = particle_usb("flash", unit.device_id, saved(tmp_path, image), start_of(image))
    assert held(unit, image)
    assert {(one["type"], one["index"]) for one in seen["after"]} == {
        (one["type"], one["index"]) for one in seen["before"]
    }
    assert unit.mode in (UnitMode.NORMAL, UnitMode.LISTENING)
    assert unit.score.forbidden == []


@EACH
@pytest.mark.operation("particle-usb", "DFU read")
def test_particle_usb_reads_flash_in_dfu_mode(bench: ForeignBench, particle_usb: ParticleUsb, platform: str) -> None:
    unit = bench.plug("1-1", spec(platform, "2.3.1", arrives=BootRequest.DFU))
    read = particle_usb("read", unit.device_id, 10_000, 0x08020000)
    assert bytes.fromhex(read["hex"]) == unit.memory.internal.read(0x08020000, 10_000)
