"""Appendix A of firmware-and-dfu: which module version belongs to which Device OS, and who got which release."""

from __future__ import annotations

import re
from itertools import groupby

import pytest
from support.reference_files import listed_releases, needs_reference
from support.vendor_files import needs_vendor_files, vendor_file

from drivers.platforms import (
    RELEASES,
    ModuleFunction,
    OsVersion,
    Platform,
    is_made_for,
    os_version_of_module,
    platform,
    platforms,
)
from drivers.virtual import synthetic
from drivers.virtual.header import read_radio
from drivers.virtual.memory import UnitMemory
from drivers.wire.image.host import parse_image

each_platform = pytest.mark.parametrize("row", platforms(), ids=lambda row: row.slug)


@needs_reference
def test_every_line_of_the_appendix_is_a_row_and_every_row_a_line() -> None:
    ours = tuple((one.system_version, one.device_os, one.bootloader_version or None) for one in RELEASES)
    assert len(ours) == 197
    assert ours == listed_releases()


@pytest.mark.parametrize(
    ("number", "names"),
    [(number, [one.device_os for one in rows]) for number, rows in groupby(RELEASES, lambda one: one.system_version)],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
def test_a_module_version_means_the_last_release_that_carried_it(number: int, names: list[str]) -> None:
    assert os_version_of_module(number) == names[-1]
    assert OsVersion.parse(names[-1]) == max(map(OsVersion.parse, names))


def test_which_module_versions_were_used_more_than_once() -> None:
    numbers = [one.system_version for one in RELEASES]
    assert {number: numbers.count(number) for number in numbers if numbers.count(number) > 1} == {
        4: 6, 13: 2, 15: 2, 312: 2,
    }  # fmt: skip


@pytest.mark.parametrize("number", [6300, 6301, 6302, 6303, 6304, 6306, 6400, 65535])
def test_unlisted_module_versions_have_no_name(number: int) -> None:
    assert os_version_of_module(number) is None


OF_ONE_PLATFORM = {
    **dict.fromkeys((*range(3010, 3015), *range(3210, 3214)), "p2"),  # pre-production lines
    **dict.fromkeys((1503, 1504, 1505, 1513), "tracker"),
    **dict.fromkeys((1407, 1408), "b5som"),
}


@pytest.mark.parametrize(("number", "slug"), OF_ONE_PLATFORM.items())
def test_releases_for_one_platform_alone(number: int, slug: str) -> None:
    version = OsVersion.parse(os_version_of_module(number) or "")
    assert [row.slug for row in platforms() if is_made_for(row, version)] == [slug]


def test_no_other_release_is_for_one_platform_by_its_name() -> None:
    """Releases one platform alone got for its age, as 0.4.0 went to all there were, do not count."""
    worded = {one.system_version for one in RELEASES if re.search("-(p2|tracker|b5som)", one.device_os)}
    assert worded == OF_ONE_PLATFORM.keys()


@pytest.mark.parametrize("device_os", ["6.1.1", "6.1.2"])
def test_two_final_releases_went_to_gen_3_only(device_os: str) -> None:
    version = OsVersion.parse(device_os)
    assert {row.family for row in platforms() if is_made_for(row, version)} == {"nrf"}


@each_platform
def test_synthetic_releases_carry_the_module_versions_of_the_appendix(row: Platform) -> None:
    """Every line of releases a virtual unit can be made with; those too new for the appendix are left out."""
    listed = {one.device_os: (one.system_version, one.bootloader_version) for one in RELEASES}
    made = [one for one in synthetic.versions(row.id) if one in listed]
    assert made or row.slug in {"electron2", "sulu"}
    for device_os in made:
        system, bootloader = listed[device_os]
        images = [parse_image(file.data, file.name) for file in synthetic.release(row.id, device_os)]
        assert {i.version for i in images if i.function is ModuleFunction.SYSTEM_PART} == {system}, device_os
        boots = {i.version for i in images if (i.function, i.index) == (ModuleFunction.BOOTLOADER, 0)}
        assert boots == {bootloader} or not bootloader, device_os


# --- SoftDevices: their module version is Nordic's firmware id ----------------------------------------

NORDIC = {169: 6_000_000, 182: 6_001_001, 202: 7_000_001}


@pytest.mark.parametrize(("firmware_id", "decimal"), NORDIC.items())
def test_a_softdevice_tells_its_firmware_id_where_the_reference_says(firmware_id: int, decimal: int) -> None:
    check_information_block(synthetic.softdevice(12, firmware_id).data, firmware_id, decimal)
    memory = UnitMemory(12)
    memory.internal.place(0x1000, synthetic.softdevice(12, firmware_id).data[24:])
    radio = read_radio(memory.internal, memory.layout)
    assert radio is not None
    assert radio.version == firmware_id


@needs_vendor_files
def test_the_vendors_softdevice_tells_its_firmware_id_there_too() -> None:
    check_information_block(vendor_file("argon-softdevice-6.1.1.bin"), 182, NORDIC[182])


def check_information_block(data: bytes, firmware_id: int, decimal: int) -> None:
    """Reference 6.3: size at 0x3000, firmware id at 0x300C, S140's own id at 0x3010, Nordic's version at 0x3014."""
    image = parse_image(data, "softdevice")
    slot = platform(12).slot(image.function, image.index)
    assert slot is not None
    assert slot.info_at == 0x3000
    at = 0x3000 - image.flash_address
    block = image.flash_bytes[at : at + 0x2C]
    numbers = [int.from_bytes(block[i : i + n], "little") for i, n in ((0x0C, 2), (0x10, 4), (0x14, 4))]
    assert numbers == [firmware_id, 140, decimal]
    assert image.version == firmware_id
