"""What a unit's firmware checks of the modules in its update slot before it has them installed.

Reference firmware-and-dfu 3.11, 5.4.
"""

from __future__ import annotations

from ..platforms import ModuleFunction
from ..wire.image.tables import FLAG_COMBINED, FLAG_COMPRESSED
from ..wire.results import ResultCode
from . import update_slots
from .asset_store import unwrap
from .boot_report import KNOWS_ASSETS
from .flash import NorFlash
from .header import NCP, Header, is_intact, read_header
from .inventory import Found, held_version
from .memory import UnitMemory

_COMPRESSIBLE = (ModuleFunction.SYSTEM_PART, ModuleFunction.USER_PART)


def records_in_slot(
    memory: UnitMemory, system: Found, received: int | None = None
) -> tuple[ResultCode, list[update_slots.UpdateRecord]]:
    """Validate the one or two modules in the slot of the running ``system``.

    Returns `ResultCode.NONE` and the records that install them, or another code and no records.
    """
    slot = memory.layout.update_slot(system.header.version, system.end)
    flash, address = memory.flash(slot.chip), slot.start
    end = min(address + (slot.length if received is None else received), flash.end)
    records = []
    for _ in range(2):
        header = read_header(flash, address, memory.layout.prefix_offsets)
        result = _validate(memory, flash, system, header, address, end)
        if result is not ResultCode.NONE:
            return result, []
        records.append(update_slots.record_for(header, flash, address))
        if not header.flags & FLAG_COMBINED:
            break
        address += header.length
    return ResultCode.NONE, records


def _validate(memory: UnitMemory, flash: NorFlash, system: Found, header: Header, address: int, end: int) -> ResultCode:
    """Validate one module in the slot, in a unit's order: place, CRC, dependencies, platform."""
    if not header.is_plausible or address + header.length > end:
        return ResultCode.OTA_MODULE_NOT_FOUND
    if header.function == ModuleFunction.ASSET:
        return _validate_asset(memory, flash, system, header, address, end)
    if not _has_place(memory, header):
        return ResultCode.OTA_MODULE_NOT_FOUND
    if not is_intact(flash, address, header, end):
        return ResultCode.OTA_INTEGRITY_CHECK_FAILED
    if header.flags & FLAG_COMPRESSED and not _inflates(memory, flash, address, header):
        return ResultCode.OTA_VALIDATION_FAILED
    if not _dependencies_met(memory, system, header):
        return ResultCode.OTA_DEPENDENCY_CHECK_FAILED
    return ResultCode.NONE if header.platform_id == memory.platform_id else ResultCode.OTA_INVALID_PLATFORM


def _validate_asset(
    memory: UnitMemory, flash: NorFlash, system: Found, header: Header, address: int, end: int
) -> ResultCode:
    if memory.assets is None or system.header.version < KNOWS_ASSETS:
        return ResultCode.OTA_UNSUPPORTED_MODULE
    if not is_intact(flash, address, header, end):
        return ResultCode.OTA_INTEGRITY_CHECK_FAILED
    if unwrap(flash, address, header) is None:
        return ResultCode.OTA_VALIDATION_FAILED
    return ResultCode.NONE if header.platform_id == 0 else ResultCode.OTA_INVALID_PLATFORM


def _has_place(memory: UnitMemory, header: Header) -> bool:
    if header.kind == NCP:
        return memory.ncp is not None and header.length <= memory.ncp.size
    place = memory.layout.places.get(header.kind)
    size = None if header.flags & FLAG_COMPRESSED else header.length  # what it inflates to is looked at later
    return place is not None and place.takes(header.start, size)


def _inflates(memory: UnitMemory, flash: NorFlash, address: int, header: Header) -> bool:
    """Return whether a compressed module inflates to one that fits its place."""
    if header.function not in _COMPRESSIBLE:
        return False
    plain = update_slots.inflate(flash.read(address, header.length))
    return plain is not None and memory.layout.places[header.kind].takes(header.start, len(plain))


def _dependencies_met(memory: UnitMemory, system: Found, header: Header) -> bool:
    """Check dependencies, except an application's and a second one on the bootloader, which the boot checks (5.4)."""
    if header.function == ModuleFunction.USER_PART:
        return True
    first, second = header.dependencies
    if second is not None and second.function == ModuleFunction.BOOTLOADER:
        second = None
    held = [(d, held_version(memory, system.address, (d.function, d.index))) for d in (first, second) if d is not None]
    return all(version is not None and version >= wanted.version for wanted, version in held)
