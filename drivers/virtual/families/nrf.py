"""The nRF52840 family: MBR, bootloader with two places for a system part, SoftDevice.

The stages of a reset are those of a Gen 3 unit: pending updates are copied, the bootloader searches for a system
part, the system part checks the dependencies of the modules. Reference firmware-and-dfu 1.8, 2.3, 7.1.
"""

from __future__ import annotations

from dataclasses import replace

from ...identity import MacAddress
from ...platforms import OsVersion, Platform, platform
from .. import update_slots
from ..boot_report import BootMode, BootReport, BootRequest, Effort, running, stuck
from ..descriptors import CdcLook, Descriptors, application_descriptors, dfu_descriptors
from ..dfu_function import DfuFunction
from ..flash import NorFlash, Who
from ..header import SYSTEM, USER, USER_LEGACY, read_header, read_radio
from ..inventory import Found, SystemSearch, find, find_at, find_bootloader
from ..layout import PAGE, os_version
from ..memory import UnitMemory
from ..staging import apply_bootloader, stage_slot
from .family import Family

_V1_1_0 = OsVersion.parse("1.1.0-0")
_MICROSOFT_STRING = 300  # module version of the first bootloader that has one: 0.9.0 (reference usb-and-serial 2.5)
_SHOWS_8_KIB = 1005  # ... of the last one that shows 8 MiB of external flash in pages of 8 KiB: 2.1.0, 3.0.0 (1.6)


def _attempt_boot(memory: UnitMemory, request: BootRequest, effort: Effort) -> BootReport | None:
    """Run one reset; return None if it ends in another reset."""
    if apply_bootloader(memory, effort):
        return None
    bootloader = find_bootloader(memory)
    if bootloader is None:
        return stuck(BootMode.DEAD, "there is no intact bootloader in its place", None, effort)
    for number, record in update_slots.pending(memory).items():
        effort.seconds += update_slots.apply(memory, number, record)
    if request is BootRequest.DFU:
        return stuck(BootMode.DFU, "DFU mode was requested", bootloader, effort)
    search = _search_system(memory, bootloader.header.version)
    if search.crashes:
        return stuck(BootMode.DEAD, "the second header starts a damaged system part: crash loop", bootloader, effort)
    if search.found is None:
        return stuck(BootMode.DFU, "the bootloader finds no intact system part", bootloader, effort)
    if read_radio(memory.internal, memory.layout) is None:
        return stuck(BootMode.DFU, "there is no SoftDevice in its place", bootloader, effort)
    if stage_slot(memory, search.found, effort):
        return None
    return running(memory, search.found, bootloader, _application_of(memory, search.found), request, effort)


def _find_system(memory: UnitMemory) -> Found | None:
    bootloader = find_bootloader(memory)
    return None if bootloader is None else _search_system(memory, bootloader.header.version).found


def _search_system(memory: UnitMemory, bootloader_version: int) -> SystemSearch:
    """Search for the system part as a bootloader of that version does.

    Images for the newest start have a second, short header with its own CRC at the legacy start: a bootloader that
    accepts it boots whatever surrounds it. Before there was an application of 256 KiB, its place was that much larger.
    """
    place = memory.layout.places[SYSTEM]
    facts = platform(memory.platform_id).bootloader
    knows_newest = bootloader_version >= facts.system_at_new_start
    limit = place.end if bootloader_version >= facts.large_user_part else memory.layout.start(USER_LEGACY)
    for start in place.starts if knows_newest else place.starts[1:]:
        found = find(memory, start, limit, SYSTEM)
        if found is not None and found.header.length > PAGE:
            return SystemSearch(found)
        if found is not None:
            whole = find_at(memory, SYSTEM)
            return SystemSearch(whole, crashes=whole is None)
    return SystemSearch(None)


def _find_application(memory: UnitMemory) -> Found | None:
    """Find the active application; none is active without a system part."""
    system = _find_system(memory)
    return None if system is None else _application_of(memory, system)


def _application_of(memory: UnitMemory, system: Found) -> Found | None:
    """Find the application ``system`` runs: the 128 KiB slot takes precedence, and before 3.1.0 it is the only one."""
    knows_large = os_version(system.header.version) in platform(memory.platform_id).region("user-part").exists
    return find_at(memory, USER_LEGACY) or (find_at(memory, USER) if knows_large else None)


class NrfDfuFunction(DfuFunction):
    """The DFU interface of this family."""

    def _after_write(self, chip: NorFlash, address: int) -> float:
        """Erase the header of an application in the legacy place once a new one has its own."""
        start = self._memory.layout.start(USER)
        is_home = chip is self._memory.internal and address == start
        if not is_home or self._version < self._milestones.large_user_part:
            return 0.0
        header = read_header(chip, start, self._memory.layout.prefix_offsets)
        is_application = header.kind == USER and header.start == start and header.is_plausible
        if not is_application or header.platform_id != self._memory.platform_id:
            return 0.0
        return chip.erase_page(self._memory.layout.start(USER_LEGACY), Who.BOOT)


def _application_descriptors(platform: Platform, device_id: str, device_os: OsVersion) -> Descriptors:
    """Return descriptors by Device OS (reference usb-and-serial 2.2, 2.5): 0.8.0 has a serial function only."""
    assert platform.requests_since is not None
    vendor = 2 if device_os >= platform.requests_since else None
    is_newest = device_os >= _V1_1_0
    return application_descriptors(
        platform, device_id, CdcLook(first=0, vendor=vendor), product=f"{platform.usb_name} CDC Mode",
        bcd_device=0x0102 if is_newest else 0x0100 if vendor is None else 0x0101,
        attributes=0xC0, power_2ma=0xFA, has_microsoft_string=is_newest,
    )  # fmt: skip


def _dfu_descriptors(platform: Platform, device_id: str, bootloader_version: int, is_protected: bool) -> Descriptors:
    shown = dfu_descriptors(
        platform, device_id, bootloader_version, bcd_device=0x0251, is_protected=is_protected,
        has_microsoft_string=bootloader_version >= _MICROSOFT_STRING,
    )  # fmt: skip
    if bootloader_version > _SHOWS_8_KIB:
        return shown
    return replace(shown, strings={at: text.replace("2048*004K", "1024*008K") for at, text in shown.strings.items()})


def _ethernet_mac(device_id: str, _wifi: MacAddress | None) -> MacAddress:
    """Return an address of its own, told from the vendor's by the bit for local ones (reference usb-and-serial 1.3)."""
    first = int(device_id[-12:-10], 16) & ~0x01 | 0x02
    return MacAddress.parse(f"{first:02x}{device_id[-10:]}")


NRF = Family(
    attempt_boot=_attempt_boot,
    find_system=_find_system,
    find_application=_find_application,
    application_descriptors=_application_descriptors,
    dfu_descriptors=_dfu_descriptors,
    dfu_function=lambda memory, version, is_protected: NrfDfuFunction(memory, version, is_protected=is_protected),
    inverts_configuration=True,
    ethernet_mac=_ethernet_mac,
)
