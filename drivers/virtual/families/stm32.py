"""The STM32F205 family ("Gen 2"): a bootloader that looks at one header and no checksum, several system parts.

What a reset does is read from the vendor's sources and not tried on hardware, most of all where a part is torn.
Reference firmware-and-dfu 1.3, 1.8 (Gen 2 column), 1.11, 2.1, 2.2, 7.1; usb-and-serial 2 and 9.9.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...platforms import ModuleFunction, OsVersion, Platform
from .. import update_slots
from ..boot_report import BootMode, BootReport, BootRequest, Effort, running, stuck
from ..descriptors import CdcLook, Descriptors, application_descriptors, dfu_descriptors
from ..dfu_stm32 import Stm32DfuFunction
from ..header import SYSTEM, read_header
from ..inventory import Found, find_at, find_bootloader
from ..memory import UnitMemory
from ..staging import stage_slot
from ..world import StoredNetwork
from .family import Family

SYSTEM_2 = (ModuleFunction.SYSTEM_PART.value, 2)
"""Device OS proper, which applications are built for; the others hold what it stands on."""
APPLICATION = (ModuleFunction.USER_PART.value, 1)
_V0_6_0, _V0_7_0 = OsVersion.parse("0.6.0-0"), OsVersion.parse("0.7.0-0")
_MAX_NETWORKS = 5
_SAME_ON_EVERY_UNIT, _SAME_IN_DFU_MODE = "00000000050C", "00000000010C"


# --- reset ----------------------------------------------------------------------------------------------


def _attempt_boot(memory: UnitMemory, request: BootRequest, effort: Effort) -> BootReport | None:
    """Do one reset; None if it ended in another one."""
    bootloader = find_bootloader(memory)
    if bootloader is None:
        return stuck(BootMode.DEAD, "there is no intact bootloader in its place", None, effort)
    if request is BootRequest.DFU:
        return stuck(BootMode.DFU, "DFU mode was requested", bootloader, effort)
    records = update_slots.pending(memory)
    for number, record in records.items():
        effort.seconds += update_slots.apply(memory, number, record)
    if any(record.function == ModuleFunction.BOOTLOADER for record in records.values()):
        return None
    if not _has_started_header(memory):
        return _without_system(memory, bootloader, effort)
    parts = _system_parts(memory)
    if parts is None:
        return stuck(BootMode.DEAD, "the bootloader starts a damaged system part: crash loop", bootloader, effort)
    if stage_slot(memory, parts[0], effort):
        return None
    return running(memory, parts[0], bootloader, _find_application(memory), request, effort, others=parts[1:])


def _has_started_header(memory: UnitMemory) -> bool:
    """The bootloader's own check: a header that says where it lies and whose it is, whatever stands behind it."""
    start = memory.layout.start(SYSTEM)
    header = read_header(memory.internal, start, memory.layout.prefix_offsets)
    return header.is_plausible and header.start == start and header.platform_id == memory.platform_id


def _without_system(memory: UnitMemory, bootloader: Found, effort: Effort) -> BootReport:
    """Restore the factory application and reset, which mends nothing and is done again; DFU only without such an image.

    MODE held at the next reset gives DFU all the same.
    """
    record = update_slots.factory_image(memory)
    if record is None:
        return stuck(BootMode.DFU, "there is no system part and no factory image", bootloader, effort)
    effort.seconds += update_slots.restore(memory, record)
    return stuck(BootMode.DEAD, "there is no system part: factory reset again and again", bootloader, effort)


def _system_parts(memory: UnitMemory) -> tuple[Found, ...] | None:
    """Find what the unit starts with, all that needs, and Device OS proper last; None if one of them is torn.

    A part that is torn would be started, or called into, all the same.
    """
    found: list[Found] = []
    wanted = [SYSTEM, SYSTEM_2]
    while wanted:
        kind = wanted.pop(0)
        if any(one.header.kind == kind for one in found):
            continue
        part = find_at(memory, kind) if kind in memory.layout.places else None
        if part is None:
            return None
        found.append(part)
        wanted += [(d.function, d.index) for d in part.dependencies if d.function == ModuleFunction.SYSTEM_PART]
    return tuple(sorted(found, key=lambda one: (one.header.kind == SYSTEM_2, one.address)))


def _find_system(memory: UnitMemory) -> Found | None:
    parts = _system_parts(memory) if _has_started_header(memory) else None
    return None if parts is None else parts[0]


def _find_application(memory: UnitMemory) -> Found | None:
    return find_at(memory, APPLICATION)


# --- on the bus --------------------------------------------------------------------------------------------


def _application_descriptors(platform: Platform, device_id: str, device_os: OsVersion) -> Descriptors:
    if device_os < _V0_6_0:
        serial, vendor, device_class, bcd_device = _SAME_ON_EVERY_UNIT, None, (0x02, 0x00, 0x00), 0x0200
    else:
        serial = device_id.upper() if device_os < _V0_7_0 else device_id
        vendor, device_class, bcd_device = 2, (0xEF, 0x02, 0x01), 0x0250
    notification = 0x8A if platform.has_cellular else 0x83
    look = CdcLook(first=0, vendor=vendor, notification=notification, has_association=vendor is not None)
    return application_descriptors(
        platform,
        serial,
        look,
        product=platform.usb_name,
        bcd_device=bcd_device,
        attributes=0x80,
        power_2ma=0x32,
        device_class=device_class,
    )


def _dfu_descriptors(platform: Platform, device_id: str, bootloader_version: int, is_protected: bool) -> Descriptors:
    facts = platform.bootloader
    serial = device_id if bootloader_version >= facts.small_letters else device_id.upper()
    if bootloader_version < facts.device_id_string:
        serial = _SAME_IN_DFU_MODE
    return dfu_descriptors(platform, serial, bootloader_version, bcd_device=0x0250, is_protected=is_protected)


def _keep_newest_first(networks: Sequence[StoredNetwork], new: StoredNetwork) -> list[StoredNetwork]:
    """Replace a network of that name in its place; else the new one comes first, and the sixth is forgotten."""
    if any(one.ssid == new.ssid for one in networks):
        return [new if one.ssid == new.ssid else one for one in networks]
    return [new, *networks][:_MAX_NETWORKS]


STM32 = Family(
    attempt_boot=_attempt_boot,
    find_system=_find_system,
    find_application=_find_application,
    application_descriptors=_application_descriptors,
    dfu_descriptors=_dfu_descriptors,
    dfu_function=lambda memory, version, _is_protected: Stm32DfuFunction(memory, version),
    keep_network=_keep_newest_first,
    keeps_device_id=True,
    listens_without_sim=True,
    swallows_raw_data=False,
    mute_requests=frozenset({1, 3}),  # taken for the standard CLEAR_FEATURE and SET_FEATURE
)
