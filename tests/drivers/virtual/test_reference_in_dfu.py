"""What a virtual unit of every platform shows and does in DFU mode is what dfu-segments.json says."""

from __future__ import annotations

import re
import struct
from typing import Any

import pytest
from support.raw_dfu import RawHost
from support.reference_files import needs_reference, reference

from drivers.platforms import RELEASES, OsVersion, Platform, platforms
from drivers.virtual import asset_store, synthetic
from drivers.virtual.dct import Dct
from drivers.virtual.families import family_of
from drivers.virtual.flash import NorFlash, Who
from drivers.virtual.layout import PAGE, layout_of
from drivers.virtual.memory import UnitMemory
from drivers.wire.dfu.host import block_address
from drivers.wire.dfu.memory_map import parse_layout

pytestmark = needs_reference
each_platform = pytest.mark.parametrize("row", platforms(), ids=lambda row: row.slug)
NEWEST = {"stm32": 1006, "nrf": 3200, "rtl": 3200}
DEVICE_ID = "e00fce68" + "0" * 16


def told(row: Platform) -> dict[str, Any]:
    found: dict[str, Any] = reference("dfu-segments.json")["platforms"][row.slug]
    return found


def dfu() -> dict[str, Any]:
    found: dict[str, Any] = reference("dfu-segments.json")["meta"]["dfu"]
    return found


def strings_of_maps(row: Platform, bootloader: int, *, is_protected: bool = False) -> dict[int, str]:
    """Memory map by alternate setting, as a host reads them through the interface descriptors."""
    shown = family_of(row.id).dfu_descriptors(row, DEVICE_ID, bootloader, is_protected)
    interfaces = [raw for raw in descriptors(shown.configuration) if raw[1] == 4]
    return {raw[3]: shown.strings[raw[8]] for raw in interfaces}


def descriptors(raw: bytes) -> list[bytes]:
    found = []
    while raw:
        found.append(raw[: raw[0]])
        raw = raw[raw[0] :]
    return found


@each_platform
def test_device_descriptor_of_dfu_mode(row: Platform) -> None:
    shown = family_of(row.id).dfu_descriptors(row, DEVICE_ID, NEWEST[row.family], False)
    vendor, product, version = struct.unpack_from("<HHH", shown.device, 8)
    usb = told(row)["usb"]
    assert (vendor, product, version) == (
        int(dfu()["vendorId"], 16), int(usb["dfuPid"], 16), int(usb["bcdDeviceDfu"], 16),
    )  # fmt: skip
    assert row.out_needs_data == ("controlOutTransfersRequireDataStage" in usb.get("quirks", ()))


@each_platform
def test_interface_and_functional_descriptor(row: Platform) -> None:
    """1.1: one interface without endpoints, whose functional descriptor comes once, behind the last setting."""
    shown = family_of(row.id).dfu_descriptors(row, DEVICE_ID, NEWEST[row.family], False)
    head, *interfaces, functional = descriptors(shown.configuration)
    kind = [int(dfu()[key], 16) for key in ("interfaceClass", "interfaceSubClass", "interfaceProtocol")]
    assert head[4:9] == bytes([1, 1, 0, 0xC0, 50])
    assert [[*raw[1:8]] for raw in interfaces] == [
        [4, dfu()["interface"], alt["alt"], 0, *kind] for alt in told(row)["altSettings"]
    ]
    numbers = struct.unpack("<BBBHHH", functional)
    assert numbers == (
        9, 0x21, int(dfu()["functionalDescriptorAttributes"], 16), dfu()["detachTimeoutMs"], dfu()["transferSize"],
        int(dfu()["bcdDFUVersion"], 16),
    )  # fmt: skip


@each_platform
def test_memory_maps(row: Platform) -> None:
    assert strings_of_maps(row, NEWEST[row.family]) == {
        alt["alt"]: alt["descriptor"] for alt in told(row)["altSettings"]
    }


@pytest.mark.parametrize("row", [row for row in platforms() if row.family != "stm32"], ids=lambda row: row.slug)
def test_memory_maps_under_device_protection(row: Platform) -> None:
    shown = strings_of_maps(row, NEWEST[row.family], is_protected=True)
    assert shown == {alt["alt"]: alt["descriptorProtected"] for alt in told(row)["altSettings"]}
    assert parse_layout(shown[0]).is_protected


def bootloader_of(device_os: str) -> int:
    return next(one.bootloader_version for one in RELEASES if one.device_os == device_os)


@pytest.mark.parametrize("row", [row for row in platforms() if row.family == "nrf"], ids=lambda row: row.slug)
def test_older_memory_maps(row: Platform) -> None:
    """Two texts have changed: the name of alternate setting 1, and the page size that 8 MiB parts claimed."""
    for alt in told(row)["altSettings"]:
        older = str(alt.get("descriptorOlder", ""))
        text, _, when = older.partition(" (")
        for device_os in ("1.5.0", "2.1.0", "3.0.0", "3.1.0", "4.0.0", "4.1.0", "5.0.0", "5.0.1", "6.3.4"):
            shown = strings_of_maps(row, bootloader_of(device_os))[alt["alt"]]
            assert shown == (text if _is_older(OsVersion.parse(device_os), when) else alt["descriptor"]), device_os


def _is_older(device_os: OsVersion, when: str) -> bool:
    """Read "4.0.0 and older, and 5.0.0)" or "1.5.0-2.1.0 and 3.0.0): ..."."""
    if not when:
        return False
    first, *more = map(OsVersion.parse, re.findall(r"\d+\.\d+\.\d+", when.partition(")")[0]))
    if "and older" in when:
        return device_os <= first or device_os in more
    return first <= device_os <= more[0] or device_os in more[1:]


@each_platform
def test_which_memories_have_to_be_erased_before_they_are_written(row: Platform) -> None:
    """A byte that is set back to all ones: only where no erase is needed does it take."""
    memory = UnitMemory(row.id)
    memory.install(file.data for file in synthetic.release(row.id, synthetic.versions(row.id)[-1]))
    host = RawHost(family_of(row.id).dfu_function(memory, NEWEST[row.family], False))
    for alt in told(row)["altSettings"]:
        if alt["alt"] not in layout_of(row.id).alternates:
            assert "treat as optional" in alt["note"]
            continue
        assert host.function.set_interface(alt["alt"])
        chips: dict[int, NorFlash | Dct | None] = {0: memory.internal, 1: memory.dct, 2: memory.external}
        held, at = chips[alt["alt"]], _writable(row, alt["alt"])
        assert held is not None
        assert host.write(at, b"\x00") == (0, 5)
        assert host.point(at) == (0, 5)
        host.download(2, b"\xff")
        takes = host.get(3, 0, 6)  # an STM32 compares what it wrote, and stalls here
        assert takes.stall is (row.family == "stm32" and alt["hostMustErase"])
        host.status()
        assert held.read(at, 1) == (b"\x00" if alt["hostMustErase"] else b"\xff"), alt["name"]
        assert host.write(at, b"\x00") == (0, 5)
        assert host.erase(at) == (0, 5)
        assert held.read(at, 1) == (b"\xff" if alt["hostMustErase"] else b"\x00"), alt["name"]


def _writable(row: Platform, alternate: int) -> int:
    """An address a bootloader lets anybody write; it is no matter here whether a host should."""
    if alternate == 1:
        return next(one.offset for one in row.dct_fields if one.name == "claim_code")
    return next(one for one in row.regions if one.name == "user-part").start if alternate == 0 else row.memory(2).start


@each_platform
def test_addresses_of_a_memory_are_those_of_its_map(row: Platform) -> None:
    for alt in told(row)["altSettings"]:
        start = row.memory(alt["alt"]).start
        assert parse_layout(alt["descriptor"]).segments[0].start == start
        if int(alt["addressOffset"], 16):
            assert start == int(alt["addressOffset"], 16)


@each_platform
def test_the_slot_of_a_factory_image(row: Platform) -> None:
    slot = told(row).get("factorySlot")
    regions = [one for one in row.regions if one.name == "factory-user-part"]
    assert bool(slot) == bool(regions)
    for region in regions:
        assert slot is not None
        assert (region.alt, region.start) == (slot["alt"], int(slot["address"], 16))
        assert region.size == slot["maxSize"]
        assert layout_of(row.id).factory_start == region.start


WITHOUT_LIMITS = {"photon", "p1", "electron", "xenon", "asom", "xsom"}
"""No limit is told: four have no Device OS that keeps assets, and nobody outside the vendor ever had an A-SoM."""


@each_platform
def test_limits_of_assets(row: Platform) -> None:
    limits = told(row).get("assets")
    assert (limits is None) is (row.slug in WITHOUT_LIMITS)
    if limits is not None:
        store = row.assets
        assert store is not None
        assert store.size == limits["storageTotalBlocks"] * limits["blockSize"]
        assert store.largest == limits["maxSingleAssetSize"]
        assert limits["blockSize"] == PAGE
        room = (limits["storageTotalBlocks"] - limits["reservedBlocks"]) * limits["blockSize"]
        kept = UnitMemory(row.id).assets
        assert kept is not None
        kept.add("small", b"x" * 100, ())
        (one,) = kept.held()
        assert one.storage_size == limits["blockSize"] + limits["perBlockOverhead"]
        with pytest.raises(asset_store.StoreFull):
            kept.add("whole store", bytes(room + 1), ())


def test_system_flags_lie_at_the_start_of_the_configuration_memory() -> None:
    """Of those flags this project uses one: the start in listening mode."""
    flags = reference("dfu-segments.json")["dct"]["systemFlags"]
    offset, size = flags["startup_mode"]
    for row in platforms():
        fields = {one.name: (one.offset, one.size) for one in row.dct_fields}
        assert fields["system_flags"] == (flags["header"][0], 32)
        dct = Dct(layout_of(row.id))
        before = dct.read(0, 32)
        dct.set_startup_listening(True, Who.SYSTEM)
        changed = [at for at, pair in enumerate(zip(before, dct.read(0, 32), strict=True)) if pair[0] != pair[1]]
        assert changed == [*range(offset, offset + size)]


def test_where_a_block_goes_and_what_the_letters_of_a_map_mean() -> None:
    assert dfu()["blockAddress"] == "pointer + (wBlockNum - 2) * 4096"
    for pointer, block in ((0x0806_0000, 2), (0x1000, 3), (0, 0xFFFF)):
        assert block_address(pointer, block) == pointer + (block - 2) * 4096
    assert dfu()["segmentTypeLetters"].startswith('value = letter - "a" + 1; bit0 readable')
    for mult, size in dfu()["segmentMultipliers"].items():
        for value, letter in enumerate("abcdefg", 1):
            (segment,) = parse_layout(f"@X /0x0/1*512{mult}{letter}").segments
            assert (segment.sector_size, int(segment.access)) == (512 * size, value)
