"""The one module that may be left in a unit's update slot over DFU, and the one byte that says so."""

from __future__ import annotations

import dataclasses

import pytest

from drivers.errors import WriteRefused
from drivers.guard import CONFIGURATION_MEMORY, WriteGuard
from drivers.platforms import ModuleFunction, OsVersion, Platform, platform_by_slug, platforms
from drivers.virtual import synthetic
from drivers.wire.image.host import Image, parse_image

FLAG = 1753  # firmware-and-dfu 2.6
SLOTS = [
    # firmware-and-dfu 2.5, 4.6: the slot of the Device OS that boots next
    ("photon", "0.7.0", 0, 0x080C0000), ("p1", "0.5.5", 0, 0x080C0000), ("electron", "0.7.0", 0, 0x080C0000),
    ("argon", "0.8.0-rc.27", 2, 0x80289000), ("boron", "6.3.4", 2, 0x8024C000), ("b5som", "3.3.1", 2, 0x80689000),
    ("p2", "6.3.4", 0, 0x08300000),
]  # fmt: skip
each_slot = pytest.mark.parametrize(("slug", "device_os", "alternate", "start"), SLOTS)


def bootloader(slug: str, device_os: str) -> Image:
    files = synthetic.release(platform_by_slug(slug).id, device_os)
    images = (parse_image(file.data, file.name) for file in files)
    return next(one for one in images if (one.function, one.index) == (2, 0))


@each_slot
def test_a_bootloader_goes_into_the_slot_of_the_device_os_that_boots_next(
    slug: str, device_os: str, alternate: int, start: int
) -> None:
    row, image = platform_by_slug(slug), bootloader(slug, device_os)
    slot, flag = WriteGuard(row).allow_update(image, OsVersion.parse(device_os))
    assert (slot.alternate, slot.start, slot.content) == (alternate, start, image.data)
    assert min(slot.pages) == start
    sectors = [row.memory(alternate).sector(page) for page in slot.pages]
    for region in (one for one in row.regions if one.alt == alternate and one.write.value != "scratch"):
        inside = [sector for sector in sectors if sector.start < region.end and region.start < sector.stop]
        assert not inside or OsVersion.parse(device_os) not in region.exists, region.name
    assert (flag.alternate, flag.start, flag.content, flag.pages) == (CONFIGURATION_MEMORY, FLAG, b"\xa5", frozenset())
    assert not slot.allows_write(alternate, start + len(image.data), b"\x00")
    assert not slot.allows_write(alternate, start, b"\x00" * 16)
    assert not flag.allows_write(CONFIGURATION_MEMORY, FLAG, b"\xff")
    assert not flag.allows_write(CONFIGURATION_MEMORY, FLAG + 1, b"\xa5")


@pytest.mark.parametrize("row", platforms(), ids=lambda row: row.slug)
def test_nothing_but_a_bootloader_goes_there(row: Platform) -> None:
    found = row
    newest = synthetic.versions(found.id)[-1]
    files = [*synthetic.release(found.id, newest), synthetic.application(found.id, newest)]
    if found.slot(ModuleFunction.NCP, 0) is not None:
        files.append(synthetic.ncp_firmware(found.id))
    others = [one for one in (parse_image(file.data, file.name) for file in files) if one.function != 2]
    assert others
    for image in others:
        with pytest.raises(WriteRefused, match="does not go into the update slot"):
            WriteGuard(found).allow_update(image, OsVersion.parse(newest))


def test_one_for_another_platform_one_that_is_damaged_and_one_without_a_slot_are_refused() -> None:
    photon, p1, p2 = map(platform_by_slug, ("photon", "p1", "p2"))
    image = bootloader("photon", "0.7.0")
    with pytest.raises(WriteRefused, match="choose the right file"):
        WriteGuard(p1).allow_update(image, OsVersion.parse("0.7.0"))
    damaged = dataclasses.replace(image, data=image.data[:-1] + bytes([image.data[-1] ^ 1]))
    with pytest.raises(WriteRefused):
        WriteGuard(photon).allow_update(damaged, OsVersion.parse("0.7.0"))
    with pytest.raises(WriteRefused, match="has no update slot"):
        WriteGuard(p2).allow_update(bootloader("p2", "5.4.1"), OsVersion.parse("5.4.1"))


def test_the_permits_end_with_their_block() -> None:
    guard, image = WriteGuard(platform_by_slug("photon")), bootloader("photon", "0.7.0")
    with guard.permit_update(image, OsVersion.parse("0.7.0")) as permits:
        assert guard._permits == list(permits)
    assert guard._permits == []
