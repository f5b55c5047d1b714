"""The RTL872x family (Gen 4): a first stage from the chip's maker, its second part, a bootloader, one system part.

Stages of a reset: the first stage finishes a pending copy of itself's successors, the bootloader applies other
updates and looks for a system part, the system part looks at the dependencies of what is there and at the
application, which it finds from its end. Reference firmware-and-dfu 1.8, 2.4, 4.4, 7.1; usb-and-serial 2.
"""

from __future__ import annotations

import dataclasses
import struct

from ...identity import MacAddress
from ...platforms import RELEASES, ModuleFunction, OsRange, OsVersion, Platform, platform
from ...wire.image.tables import CRC_SIZE, EXTENSION_DYNAMIC_LOCATION
from ...wire.results import ResultCode
from .. import update_slots
from ..boot_report import BootMode, BootReport, BootRequest, Effort, running, stuck
from ..descriptors import CdcLook, Descriptors, application_descriptors, dfu_descriptors
from ..dfu_function import DfuFunction
from ..header import SYSTEM
from ..inventory import Found, find, find_at, find_bootloader
from ..memory import UnitMemory
from ..staging import apply_bootloader, stage_slot
from .family import Family

_FIRST_STAGE, _PART1 = (ModuleFunction.BOOTLOADER.value, 1), (ModuleFunction.BOOTLOADER.value, 2)
_USER = (ModuleFunction.USER_PART.value, 1)
_SUFFIX = 62  # bytes of the suffix of every module of the family; where it runs stands first in it
_LOCATION = struct.Struct("<HHI8x")  # type, length, and the module's first address
_NAMES_MODELS = (OsRange.parse("5.9.0-0", "6.0.0-0"), OsRange.parse("6.2.0-0", ""))
"""Releases that call a unit by the model in its efuses (platforms.json, product_string_note)."""
_FIRST_MAP = 4  # string index of the first memory map: they follow the three of the device (firmware-and-dfu 1.1)


def _attempt_boot(memory: UnitMemory, request: BootRequest, effort: Effort) -> BootReport | None:
    """Do one reset; None if it ended in another one."""
    if apply_bootloader(memory, effort):
        return None
    bootloader = find_bootloader(memory)
    if bootloader is None or find_at(memory, _FIRST_STAGE) is None or find_at(memory, _PART1) is None:
        return stuck(BootMode.DEAD, "a stage before the system part is not whole", None, effort)
    for number, record in update_slots.pending(memory).items():
        effort.seconds += update_slots.apply(memory, number, record)
    if request is BootRequest.DFU:
        return stuck(BootMode.DFU, "DFU mode was asked for", bootloader, effort)
    system = _find_system(memory)
    if system is None:
        return stuck(BootMode.DFU, "the bootloader finds no whole system part", bootloader, effort)
    if stage_slot(memory, system, effort):
        return None
    return running(memory, system, bootloader, _find_application(memory), request, effort)


def _find_system(memory: UnitMemory) -> Found | None:
    return find_at(memory, SYSTEM)


def _find_application(memory: UnitMemory) -> Found | None:
    """Look for the application from the one end they all have: its suffix says where it begins (2.4, 3.7)."""
    place, flash = memory.layout.places[_USER], memory.internal
    raw = flash.read(place.end - CRC_SIZE - _SUFFIX, _LOCATION.size)
    kind, length, start = _LOCATION.unpack(raw)
    if (kind, length) != (EXTENSION_DYNAMIC_LOCATION, _LOCATION.size) or not place.starts[0] <= start < place.end:
        return None
    found = find(memory, start, place.end, _USER)
    return found if found is not None and found.end == place.end else None


class RtlDfuFunction(DfuFunction):
    """The DFU interface of this family."""

    def _erase(self, argument: bytes) -> float:
        """Return at once from a sector that is blank already (1.8)."""
        chip, address = self._chip(), int.from_bytes(argument, "little")
        is_blank = False
        if chip is not None and chip.holds(address, 1):
            sector = chip.sector(address)
            is_blank = chip.is_blank(sector.start, len(sector))
        seconds = super()._erase(argument)
        return 0.0 if is_blank else seconds


def _shown(row: Platform, device_os: OsVersion) -> Platform:
    """Return the row as that release names it: before it looked at the model, by its platform."""
    names_models = any(device_os in one for one in _NAMES_MODELS)
    return row if names_models else dataclasses.replace(row, usb_name=platform(row.id).usb_name)


def _application_descriptors(row: Platform, device_id: str, device_os: OsVersion) -> Descriptors:
    return application_descriptors(
        row, device_id, CdcLook(first=1, vendor=0), product=_shown(row, device_os).usb_name, bcd_device=0x0251,
        attributes=0x80, power_2ma=0xFA, serial_suffix="USB Serial",
    )  # fmt: skip


def _dfu_descriptors(row: Platform, device_id: str, bootloader_version: int, is_protected: bool) -> Descriptors:
    came_with = next((one for one in RELEASES if one.bootloader_version >= bootloader_version), RELEASES[-1])
    shown = _shown(row, OsVersion.parse(came_with.device_os))
    return dfu_descriptors(
        shown, device_id, bootloader_version, bcd_device=0x0252, first_map=_FIRST_MAP, is_protected=is_protected
    )


def _ethernet_mac(_device_id: str, wifi: MacAddress | None) -> MacAddress:
    """Return the Wi-Fi MAC address with its last byte three higher; one higher than that of its soft access point."""
    base = str(wifi).replace(":", "")
    return MacAddress.parse(f"{base[:-2]}{(int(base[-2:], 16) + 3) % 256:02x}")


RTL = Family(
    attempt_boot=_attempt_boot,
    find_system=_find_system,
    find_application=_find_application,
    application_descriptors=_application_descriptors,
    dfu_descriptors=_dfu_descriptors,
    dfu_function=lambda memory, version, is_protected: RtlDfuFunction(memory, version, is_protected=is_protected),
    leave_s=0.8,  # 500 passes of the bootloader's main loop, 0.5 to 1 s (firmware-and-dfu 1.7)
    application_tells_protection_since=OsVersion.parse("6.2.0-0"),
    keeps_requests_over_bus_reset=True,
    join_refused=ResultCode.INVALID_STATE,  # not authenticated
    join_unheard=ResultCode.INTERNAL,  # after two tries
    hears_5_ghz=True,
    swallows_raw_data=False,
    ethernet_mac=_ethernet_mac,
    looks_before_joining_since=OsVersion.parse("5.7.0-0"),
)
