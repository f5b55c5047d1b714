"""The vendor's own USB library, unmodified, against the virtual units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conformance.bench import ForeignBench
from conformance.clients import ParticleUsb

from drivers.identity import Secret
from drivers.platforms import platform_by_slug
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.factory import make_spec
from drivers.virtual.radio import WifiStore
from drivers.virtual.synthetic import SyntheticFile
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.virtual.world import AccessPoint, World
from drivers.wire.image.host import parse_image

pytestmark = pytest.mark.conformance

PLATFORMS = pytest.mark.parametrize("platform", ["argon", "boron", "bsom", "p2", "msom"])
BOTH_FORMS = pytest.mark.parametrize(
    ("platform", "device_os"),
    [
        ("argon", "3.3.1"), ("argon", "6.3.4"), ("boron", "3.3.1"), ("boron", "6.3.4"), ("p2", "5.3.2"),
        ("p2", "6.3.4"), ("msom", "6.3.4"),
    ],
)  # fmt: skip
BAD_PLATFORM = -1360  # reference firmware-and-dfu 5.5
NOT_SUPPORTED = -120
SYSTEM_VERSIONS = {
    "3.3.1": 3302, "4.1.0": 4100, "5.3.2": 5302, "5.8.0": 5800, "6.1.0": 6100, "6.1.1": 6101, "6.3.4": 6305,
}  # fmt: skip


def held_os(platform: str) -> str:
    """6.1.1, or what comes before it where that was never made."""
    return synthetic.usual_version(platform_by_slug(platform).id, "6.1.1")


def ready(bench: ForeignBench, platform: str, device_os: str = "", **settings: Any) -> VirtualUnit:
    return bench.plug("1-1", make_spec(platform, 7, 1, device_os or held_os(platform), setup_done=True, **settings))


def firmware(platform: str) -> list[bytes]:
    """Device OS 6.1.1 with an application that needs no more than 5.8.0."""
    number = platform_by_slug(platform).id
    files = (*synthetic.release(number, held_os(platform)), synthetic.application(number, "5.8.0"))
    return [file.data for file in files]


def start_of(file: SyntheticFile) -> int:
    """Where the file goes in flash, by its header; 0x30000 for system parts of Gen 3 before 6.1.2."""
    return parse_image(file.data, file.name).flash_address


def system_version(modules: list[dict[str, Any]]) -> int:
    (found,) = (module for module in modules if module["type"] == "SYSTEM_PART")
    assert found["validityErrors"] == []
    return int(found["version"])


@pytest.mark.operation("particle-usb", "list", "argon", "p2")
def test_it_lists_units_of_every_family_and_mode(bench: ForeignBench, particle_usb: ParticleUsb) -> None:
    plugged = [
        ("1-1", "argon", "3.3.1", BootRequest.NORMAL),
        ("1-2.1", "boron", "6.3.4", BootRequest.NORMAL),
        ("1-2.2", "boron", "6.3.4", BootRequest.DFU),
        ("1-3", "p2", "6.3.4", BootRequest.NORMAL),
        ("1-4", "msom", "5.5.0", BootRequest.DFU),
    ]
    expected = []
    for number, (port, platform, device_os, arrives) in enumerate(plugged):
        unit = bench.plug(port, make_spec(platform, 7, number, device_os, arrives=arrives))
        is_dfu = arrives is BootRequest.DFU
        expected.append(
            {"id": unit.device_id, "type": platform, "dfu": is_dfu, "firmware": None if is_dfu else device_os}
        )
    found = particle_usb("list")
    assert sorted(found, key=lambda one: str(one["id"])) == sorted(expected, key=lambda one: str(one["id"]))


@BOTH_FORMS
@pytest.mark.operation("particle-usb", "identity, modes, modules")
def test_it_reads_identity_mode_and_modules(
    bench: ForeignBench, particle_usb: ParticleUsb, platform: str, device_os: str
) -> None:
    unit = ready(bench, platform, device_os)
    was_listening = unit.mode is UnitMode.LISTENING
    told = particle_usb("identity", unit.device_id)
    assert told["id"] == unit.device_id
    assert told["serial"] == str(unit.spec.serial)
    assert told["mode"] == ("LISTENING" if was_listening else "NORMAL")
    assert told["listening"] == "LISTENING"
    assert system_version(told["modules"]) == SYSTEM_VERSIONS[device_os]


@pytest.mark.parametrize("platform", ["argon", "p2", "msom"])
@pytest.mark.operation("particle-usb", "wifi")
def test_it_scans_joins_lists_and_clears_networks(
    bench: ForeignBench, particle_usb: ParticleUsb, platform: str
) -> None:
    point = AccessPoint("factory-ap", Secret("hunter2hunter2"))
    unit = bench.plug("1-1", make_spec(platform, 7, 1, "6.3.4", setup_done=True), world=World([point]))
    told = particle_usb("wifi", unit.device_id, "factory-ap", "hunter2hunter2")
    assert [(one["ssid"], one["bssid"], one["channel"], one["rssi"]) for one in told["seen"]] == [
        (point.ssid, point.bssid.hex(":"), point.channel, point.rssi)
    ]
    assert told["known"] == ["factory-ap"]
    assert (told["current"]["ssid"], told["current"]["rssi"]) == ("factory-ap", point.rssi)
    assert told["left"] == list(WifiStore(unit).networks()) == []


@pytest.mark.operation("particle-usb", "wifi", "photon")
def test_gen_2_has_none_of_its_wifi_requests(bench: ForeignBench, particle_usb: ParticleUsb) -> None:
    unit = ready(bench, "photon", "3.3.1")
    assert particle_usb("scan", unit.device_id)["result"] == NOT_SUPPORTED


@PLATFORMS
@pytest.mark.operation("particle-usb", "DFU write, leave")
def test_it_takes_a_unit_to_dfu_writes_a_system_part_and_takes_it_back(
    bench: ForeignBench, particle_usb: ParticleUsb, platform: str, tmp_path: Path
) -> None:
    unit = ready(bench, platform, modules=firmware(platform))
    image = synthetic.release(unit.spec.platform_id, "5.8.0")[2]
    (tmp_path / image.name).write_bytes(image.data)
    seen = particle_usb("flash", unit.device_id, tmp_path / image.name, start_of(image))
    assert unit.memory.internal.read(start_of(image), len(image.data)) == image.data
    before = SYSTEM_VERSIONS[held_os(platform)]
    assert (system_version(seen["before"]), system_version(seen["after"])) == (before, 5800)
    assert seen["protection"] == {"protected": False, "overridden": None}
    assert unit.mode in (UnitMode.NORMAL, UnitMode.LISTENING)
    assert unit.score.forbidden == []


@PLATFORMS
@pytest.mark.operation("particle-usb", "DFU read")
def test_it_reads_flash_in_dfu_mode(bench: ForeignBench, particle_usb: ParticleUsb, platform: str) -> None:
    """In a session of its own: straight after a write this library gets a STALL (reference firmware-and-dfu 1.7)."""
    unit = ready(bench, platform, arrives=BootRequest.DFU)
    start = start_of(synthetic.release(unit.spec.platform_id, "5.8.0")[2])
    read = particle_usb("read", unit.device_id, 10_000, start)
    assert bytes.fromhex(read["hex"]) == unit.memory.internal.read(start, 10_000)


@PLATFORMS
@pytest.mark.operation("particle-usb", "update by control requests")
def test_a_bootloader_it_sends_by_control_requests_is_applied_by_the_next_boot(
    bench: ForeignBench, particle_usb: ParticleUsb, platform: str, tmp_path: Path
) -> None:
    unit = ready(bench, platform)
    image = synthetic.release(unit.spec.platform_id, "6.3.4")[0]
    (tmp_path / image.name).write_bytes(image.data)
    first = unit.presence
    sent = particle_usb("update", unit.device_id, tmp_path / image.name)
    assert sent["steps"] == ["start-erase", "erased", "start-download", "downloaded", "complete-download"]
    bench.until(lambda: unit.presence not in (None, first), "the unit is back")
    bench.until(lambda: bench.kernel.shows(unit.presence), "the bus shows it")
    held = {(one["type"], one["index"]): one["version"] for one in particle_usb("modules", unit.device_id)}
    sent_module = parse_image(image.data, image.name)
    assert held["BOOTLOADER", sent_module.index] == sent_module.version


def test_a_module_of_another_platform_is_refused_and_nothing_restarts(
    bench: ForeignBench, particle_usb: ParticleUsb, tmp_path: Path
) -> None:
    unit = ready(bench, "boron")
    (tmp_path / "other.bin").write_bytes(synthetic.application(12, "5.8.0").data)
    first = unit.presence
    assert particle_usb("refused", unit.device_id, tmp_path / "other.bin")["result"] == BAD_PLATFORM
    bench.clock.sleep(3.0)
    assert unit.presence is first


@pytest.mark.parametrize("platform", ["photon", "electron", "argon", "boron", "p2", "msom"])
@pytest.mark.operation("particle-usb", "reset")
def test_reset_brings_the_unit_back(bench: ForeignBench, particle_usb: ParticleUsb, platform: str) -> None:
    unit = ready(bench, platform)
    first = unit.presence
    particle_usb("reset", unit.device_id)
    bench.until(lambda: unit.presence not in (None, first), "the unit is back")
    bench.until(lambda: bench.kernel.shows(unit.presence), "the bus shows it")
    assert [one["id"] for one in particle_usb("list")] == [unit.device_id]
