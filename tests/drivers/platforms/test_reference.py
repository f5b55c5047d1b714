"""Every fact of the platform table is the reference's: compared here, typed nowhere twice."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Any

import pytest
from support.reference_files import needs_reference, reference

from drivers.platforms import (
    RELEASES,
    ModuleFunction,
    OsRange,
    OsVersion,
    Platform,
    Region,
    WritePolicy,
    is_made_for,
    platforms,
)
from drivers.wire.dfu import tables as dfu_tables
from drivers.wire.dfu.tables import DfuseCommand
from drivers.wire.usb import PARTICLE_VENDOR_ID, Mode, UsbId

pytestmark = needs_reference
each_platform = pytest.mark.parametrize("row", platforms(), ids=lambda row: row.slug)


def segments(row: Platform) -> dict[str, Any]:
    """What dfu-segments.json says of a platform."""
    found: dict[str, Any] = reference("dfu-segments.json")["platforms"][row.slug]
    return found


def described(row: Platform) -> dict[str, Any]:
    """What platforms.json says of a platform."""
    found: dict[str, Any] = next(one for one in reference("platforms.json")["platforms"] if one["slug"] == row.slug)
    return found


@each_platform
def test_ids_radios_and_identity(row: Platform) -> None:
    told = described(row)
    assert (row.id, row.name) == (told["platform_id"], told["label"])
    assert {"stm32": "gen2"}.get(row.family, row.family) == told["usb_family"]
    assert (row.has_wifi, row.has_cellular) == (told["radios"]["wifi"], told["radios"]["cellular"])
    assert row.device_id_prefix == (told["identity"]["device_id_fixed_prefix_hex"] or "")
    assert row.has_serial_numbers == (told["identity"]["serial_number"]["available"] is True)
    assert row.has_cellular == told["identity"]["imei_iccid"]
    for mode, name in ((Mode.APPLICATION, "run_mode"), (Mode.DFU, "dfu_mode")):
        assert UsbId.of(mode, row.id) == UsbId(told[name]["vid"], told[name]["pid"])
    assert segments(row)["id"] == row.id
    assert row.scans_wifi == told["radios"]["wifi_scan_only"]
    assert row.was_sold == told["public_product"]
    assert {row.slug, *row.other_slugs} >= {told["slug"], *told["other_slugs"]}


def test_the_button_is_called_setup_where_that_is_printed_beside_it() -> None:
    """The reference says "on some boards SETUP" (provisioning-rules 3.1); pinouts of the vendor say on which."""
    assert {row.slug for row in platforms() if row.button == "SETUP"} == {"photon", "p1"}
    assert {row.button for row in platforms()} == {"MODE", "SETUP"}


CDC_TEXTS = {"nrf": "{} CDC Mode"}


@each_platform
def test_product_strings(row: Platform) -> None:
    told = described(row)
    shown = CDC_TEXTS.get(row.family, "{}").format(row.usb_name)
    assert told["product_string_run_mode"] in (shown, None)
    assert told["product_string_dfu_mode"] in (f"{row.usb_name} DFU Mode", None)


@each_platform
def test_first_and_last_device_os(row: Platform) -> None:
    """`last` is a release or a line such as "1.5.x"; releases for one platform alone stand outside of its range."""
    told = described(row)["device_os"]
    first, last = told["first_tag_with_platform"], told["last_tag_with_platform"]
    made = [one.device_os for one in RELEASES if is_made_for(row, OsVersion.parse(one.device_os))]
    common = [one for one in made if not re.search("-(b5som|tracker|p2)", one)]
    if first is not None:
        assert common[0] == first or common[0].startswith(f"{first}-")
    if last is not None:
        assert re.match(re.escape(last).replace("x", r"\d+"), common[-1])
    else:
        assert common[-1] == RELEASES[-1].device_os


@each_platform
def test_quirks(row: Platform) -> None:
    told = described(row)
    assert row.out_needs_data == told["usb_quirks"]["vendor_out_needs_data_byte"]
    assert row.is_named_by_mac == ("last 3 MAC bytes" in str(told["identity"]["serial_number"]["where"]))


@each_platform
def test_the_setup_done_flag_ends_where_the_reference_says(row: Platform) -> None:
    told = described(row)["identity"]["setup_done_flag"]
    limit = re.fullmatch(r"Device OS < (\d+\.\d+\.\d+) only", told) if told else None
    ends = OsVersion.parse(f"{limit[1]}-0") if limit else None
    assert row.setup_done_before == ends


@each_platform
def test_groups_of_requests(row: Platform) -> None:
    groups = described(row)["request_groups"]
    newest = OsVersion.parse(RELEASES[-1].device_os)
    for name, types in (
        ("generic", (20, 21, 30, 72, 90, 250)),
        ("netif_400_401", (400, 401)),
        ("wifi_500_507", range(500, 508)),
        ("cellular_550_554", range(550, 555)),
    ):
        assert {row.knows_request(one, newest) for one in types} == {groups[name]}, name
    assert (
        row.knows_request(76, newest) == described(row)["device_protection_listed"] == segments(row)["deviceProtection"]
    )


@each_platform
def test_memories(row: Platform) -> None:
    shown = {one["alt"]: one["text"] for one in described(row)["dfu_alt_strings"]}
    assert not shown or {memory.alt: memory.layout for memory in row.memories} == shown
    for told in segments(row)["altSettings"]:
        memory = row.memory(told["alt"])
        assert (memory.name, memory.layout) == (told["name"], told["descriptor"])
        assert memory.start == int(told["descriptor"].split("/")[1], 16)
        assert memory.sectors == _sectors(row, told["descriptor"])
    if size := segments(row).get("externalFlashMiB"):
        assert row.memory(2).end - row.memory(2).start == size << 20


def _sectors(row: Platform, descriptor: str) -> tuple[tuple[int, int], ...]:
    """As the text of the map has them where the reference says so; neighbours of one size counted together."""
    size = segments(row)["eraseSectorBytes"]
    memory = next(one for one in row.memories if one.layout == descriptor)
    if isinstance(size, int):
        return (((memory.end - memory.start) // size, size),)
    runs: list[tuple[int, int]] = []
    for count, kib in re.findall(r"(\d+)\*(\d+)K", descriptor):
        run = (int(count), int(kib) * 1024)
        runs = [*runs[:-1], (runs[-1][0] + run[0], run[1])] if runs and runs[-1][1] == run[1] else [*runs, run]
    return tuple(runs)


@each_platform
def test_since_when_a_serial_number_is_told(row: Platform) -> None:
    told = str(described(row)["identity"]["serial_number"]["available"])
    since = re.fullmatch(r"if programmed, Device OS >= (\d+\.\d+\.\d+)", told)
    for device_os in map(OsVersion.parse, ("0.4.9", "0.9.0", "1.4.0", "1.4.1", "3.3.1", "6.3.4")):
        is_told = since is None or device_os >= OsVersion.parse(since[1])
        assert row.reports("21.serial", device_os) is row.reports("i.serial", device_os) is is_told, device_os


STRICTER = {"factory-user-part"}
"""Regions the reference counts as DFU targets and this station writes for no reason it knows."""
ONLY_IN_FILES = {"system-part1-oldest"}
"""Regions that the reference's maps leave out, and its files of that time show."""
RENAMED = {"user-part-legacy-128K": "user-part-legacy"}


@each_platform
def test_regions(row: Platform) -> None:
    told = {_name(one["name"]): one for one in segments(row)["regions"]}
    assert {region.name for region in row.regions} - ONLY_IN_FILES == told.keys()
    for region in row.regions:
        if region.name not in ONLY_IN_FILES:
            _compare(region, told[region.name])


def _name(told: str) -> str:
    """Without the name of the file, which stands behind that of the module on an Electron."""
    return RENAMED.get(told, told.partition(" (")[0])


def _compare(region: Region, told: dict[str, Any]) -> None:
    place = (region.alt, region.start, region.end, region.size)
    assert place == (told["alt"], int(told["start"], 16), int(told["end"], 16), told["size"])
    if region.name in STRICTER:
        assert (region.write, region.modules) == (WritePolicy.NO, ())
    else:
        assert region.write == told["hostWrite"]
        assert [list(kind) for kind in region.modules] == told.get("modules", [])
    since = OsVersion.parse(told["since"]) if "since" in told else None
    before = _after(told["until"]) if "until" in told else None
    assert region.exists == OsRange(since, before)


def _after(last: str) -> OsVersion:
    """The first version behind ``last`` ("6.1.1", or "5.4.x")."""
    major, minor, patch = last.split(".")
    return (
        OsVersion(int(major), int(minor) + 1, 0) if patch == "x" else OsVersion(int(major), int(minor), int(patch) + 1)
    )


@each_platform
def test_what_may_be_written_over_dfu_is_what_the_reference_calls_safe(row: Platform) -> None:
    safe = {page for start, end in segments(row)["dfuSafeRanges"] for page in range(int(start, 16), int(end, 16), 4096)}
    ours = {page for r in row.regions if r.write is WritePolicy.DFU for page in range(r.start, r.end, 4096)}
    others = {page for r in row.regions if r.write is not WritePolicy.DFU and r.alt == 0 for page in _pages(r)}
    assert ours == safe - (others - ours)


def _pages(region: Region) -> range:
    return range(region.start, region.end, 4096)


FILES = {"user-part": "tinker"}


@each_platform
def test_modules(row: Platform) -> None:
    told = {one["file"]: one for one in segments(row)["modules"]}
    assert {FILES.get(slot.name, slot.name) for slot in row.modules} == told.keys()
    for slot in row.modules:
        one = told[FILES.get(slot.name, slot.name)]
        assert (slot.function, slot.index, slot.via) == (one["function"], one["index"], one["via"])
        longest = max(one.get("nominalLength", one["maxSize"]) for one in segments(row)["otaSlot"])
        assert slot.max_size == one.get("maxSize", longest)
        assert slot.prefix_offset == one["prefixOffset"]
        assert slot.drop_prefix == one.get("dropPrefix", False)
        assert slot.legacy_index == one.get("legacyIndex")
        if slot.is_right_aligned:
            assert (slot.end, one["start"]) == (int(one["fixedEnd"], 16), None)
        elif slot.is_readable:
            assert slot.start == int(one["start"], 16)
        if "legacyStart" in one:
            assert slot.legacy_start == int(one["legacyStart"], 16)
    user = row.slot(ModuleFunction.USER_PART, 2) or row.slot(ModuleFunction.USER_PART, 1)
    assert user is not None
    assert user.max_size == segments(row).get("maxUserSize", user.max_size)


@each_platform
def test_where_updates_wait(row: Platform) -> None:
    for told in segments(row)["otaSlot"]:
        example = OsVersion.parse(told["since"] if "since" in told else told.get("until", "2.3.1").replace("x", "0"))
        slot = row.ota_slot(example)
        if slot is None:
            assert told["address"].startswith("computed: first 4 KiB boundary after the end of system-part1")
            continue
        assert (slot.alt, slot.start, slot.size) == (told["alt"], int(told["address"], 16), told["maxSize"])


FILLING = {"unused", "reserved1", "padding", "reserved2"}


@each_platform
def test_configuration_memory(row: Platform) -> None:
    dct = reference("dfu-segments.json")["dct"]
    fields = dct["variants"][segments(row)["dctVariant"]]
    told = {(one["name"], one["offset"], one["size"]) for one in fields if one["name"] not in FILLING}
    assert {(one.name, one.offset, one.size) for one in row.dct_fields} == told
    assert (row.dct_length, row.memory(dct["alt"]).end) == (dct["length"], int(dct["maxAddress"], 16))


@each_platform
def test_serial_prefixes_are_of_a_sku_of_the_platform(row: Platform) -> None:
    told = {one["serial_prefix"] for one in reference("skus.json")["skus"] if one["platform_id"] == row.id}
    assert row.serial_prefix in told or not told


def test_releases() -> None:
    told = [
        (one["module"], one["version"], one["bootloader"]) for one in reference("dfu-segments.json")["deviceOsVersions"]
    ]
    ours = [(one.system_version, one.device_os, one.bootloader_version or None) for one in RELEASES]
    assert ours == told


def _plain(names: Mapping[str, int | str]) -> dict[str, int]:
    """Names without their case, prefix and underscores, and the number each text begins with."""
    return {
        re.sub("^DFU|_", "", name.upper()).replace("PKT", "PACKET"): int(str(value).split()[0], 0)
        for name, value in names.items()
    }


def _members(kind: type[enum.IntEnum]) -> dict[str, int]:
    return _plain({one.name: int(one) for one in kind})


NUMBERS: dict[str, int | str] = {
    "vendorId": PARTICLE_VENDOR_ID,
    "interface": dfu_tables.INTERFACE,
    "transferSize": dfu_tables.TRANSFER_SIZE,
    "detachTimeoutMs": dfu_tables.DETACH_TIMEOUT_MS,
    "functionalDescriptorAttributes": dfu_tables.ATTRIBUTES,
    "bcdDFUVersion": dfu_tables.DFUSE_VERSION,
}


def test_numbers_of_dfu_and_modules() -> None:
    told = reference("dfu-segments.json")["meta"]["dfu"]
    assert _members(dfu_tables.DfuRequest) == _plain(told["requests"])
    assert _members(dfu_tables.DfuState) == _plain(told["states"])
    assert _members(dfu_tables.DfuStatusCode) == _plain(told["statuses"])
    assert sorted(DfuseCommand) == sorted(_plain(told["dfuseCommands"]).values())
    assert _plain({name: value for name, value in told.items() if name in NUMBERS}) == _plain(NUMBERS)
    functions = reference("dfu-segments.json")["meta"]["conventions"]["module.function"]
    assert sorted(ModuleFunction) == sorted(functions.values())
