"""The receiving end of a control-request update: a slot in the external flash, and the records that make the
next boot apply it. Nothing is written through to where a module belongs, but for the co-processor's firmware.

Reference firmware-and-dfu 5, 7.2; usb-and-serial 4.4. Compressed modules are inflated by the boot that
applies them. Assets are refused: there is no asset store here.
"""

from __future__ import annotations

from typing import NamedTuple

from ..platforms import ModuleFunction
from ..wire.image.tables import FLAG_COMBINED, FLAG_COMPRESSED
from ..wire.results import ResultCode
from . import update_slots
from .flash import FlashFailed, Who
from .header import (
    NCP,
    SYSTEM,
    USER,
    USER_LEGACY,
    Header,
    is_intact,
    read_header,
)
from .inventory import Found, find_bootloader, find_system, held_version
from .layout import PAGE
from .memory import UnitMemory

CHUNK = 1024


class OtaReply(NamedTuple):
    """ResultCode code of a request (0, or negative), and the seconds the flash was busy."""

    code: int
    seconds: float = 0.0


OTA_SLOT_LENGTH = 1500 * 1024
"""Nominal bytes of the update slot, which on 4 MiB parts reach into the assets (reference 2.3)."""
_COMPRESSIBLE = (SYSTEM, USER, USER_LEGACY)


def records_in_slot(
    memory: UnitMemory, system: Found, received: int = OTA_SLOT_LENGTH
) -> tuple[ResultCode, list[update_slots.UpdateRecord]]:
    """Validate the one or two modules in the slot of the running ``system``.

    Returns `ResultCode.NONE` and the records that install them, or why not and nothing.
    """
    address = memory.layout.update_slot(system.header.version)
    end = min(address + received, memory.external.end)
    records = []
    for _ in range(2):
        header = read_header(memory.external, address)
        result = _validate(memory, system, header, address, end)
        if result is not ResultCode.NONE:
            return result, []
        records.append(update_slots.record_for(header, address - memory.external.base))
        if not header.flags & FLAG_COMBINED:
            break
        address += header.length
    return ResultCode.NONE, records


class OtaUpdate:
    """One unit's update in progress. Lives in RAM: make a new one at every boot."""

    def __init__(self, memory: UnitMemory, system_module_version: int) -> None:
        self._memory = memory
        self._slot = memory.layout.update_slot(system_module_version)
        self._size: int | None = None  # None: no update in progress
        self._received = 0
        self._records: list[update_slots.UpdateRecord] | None = None

    @property
    def is_staged(self) -> bool:
        """FINISH succeeded: call `apply` once the host fetched the result (or reset it), then reset the unit."""
        return self._records is not None

    def begin(self, size: int) -> OtaReply:
        """START: cancel a running update, erase as much of the slot as ``size`` bytes need."""
        self.cancel()
        if not 0 < size <= OTA_SLOT_LENGTH:
            return OtaReply(ResultCode.OTA_INVALID_SIZE)
        try:
            seconds = self._memory.external.erase_range(self._slot, size, Who.CONTROL)
        except FlashFailed:
            return OtaReply(ResultCode.FLASH_IO)
        self._size = size
        return OtaReply(ResultCode.NONE, seconds)

    def data(self, piece: bytes) -> OtaReply:
        """Take DATA: the next bytes, strictly in sequence; any error cancels the update."""
        if self._size is None:
            return OtaReply(ResultCode.INVALID_STATE)
        if not 0 < len(piece) <= self._size - self._received:
            self.cancel()
            return OtaReply(ResultCode.OUT_OF_RANGE)
        try:
            seconds = self._memory.external.program(self._slot + self._received, piece, Who.CONTROL)
        except FlashFailed:
            self.cancel()
            return OtaReply(ResultCode.FLASH_IO)
        self._received += len(piece)
        return OtaReply(ResultCode.NONE, seconds)

    def finish(self, validate_only: bool = False) -> OtaReply:
        """FINISH: validate what is in the slot, and end the update.

        With code 0 and not ``validate_only``, `is_staged` becomes true.
        """
        size, received = self._size, self._received
        self.cancel()
        if size is None or received < size:
            return OtaReply(ResultCode.INVALID_STATE)
        result, records = self._validated(received)
        if result is ResultCode.NONE and not validate_only:
            self._records = records
        return OtaReply(result)

    def cancel(self) -> OtaReply:
        """CANCEL: always 0."""
        self._size, self._received, self._records = None, 0, None
        return OtaReply(ResultCode.NONE)

    def apply(self) -> OtaReply:
        """Write the update records the next boot acts on; NCP firmware goes to its own chip at once.

        The unit resets afterwards whatever the outcome.
        """
        records, self._records = self._records, None
        if records is None:
            return OtaReply(ResultCode.INVALID_STATE)
        for_ncp = [r for r in records if r.function == ModuleFunction.NCP]
        for_boot = [r for r in records if r.function != ModuleFunction.NCP]
        try:
            seconds = sum(_stream(self._memory, r) for r in for_ncp)
            if for_boot:
                seconds += update_slots.store(self._memory, for_boot, Who.CONTROL)
        except FlashFailed:
            return OtaReply(ResultCode.FLASH_IO)
        return OtaReply(ResultCode.NONE, seconds)

    def _validated(self, received: int) -> tuple[ResultCode, list[update_slots.UpdateRecord]]:
        bootloader = find_bootloader(self._memory)
        system = find_system(self._memory, bootloader.header.version).found if bootloader else None
        if system is None:  # overwritten under the running system
            return ResultCode.OTA_VALIDATION_FAILED, []
        return records_in_slot(self._memory, system, received)


def _validate(memory: UnitMemory, system: Found, header: Header, address: int, end: int) -> ResultCode:
    """One module in the slot, in the order a unit checks: place, CRC, dependencies, platform."""
    if not header.is_plausible or address + header.length > end:
        return ResultCode.OTA_MODULE_NOT_FOUND
    if header.function == ModuleFunction.ASSET:
        return ResultCode.OTA_UNSUPPORTED_MODULE
    if not _has_place(memory, header):
        return ResultCode.OTA_MODULE_NOT_FOUND
    if not is_intact(memory.external, address, header, end):
        return ResultCode.OTA_INTEGRITY_CHECK_FAILED
    if header.flags & FLAG_COMPRESSED and not _inflates(memory, address, header):
        return ResultCode.OTA_VALIDATION_FAILED
    if not _dependencies_met(memory, system, header):
        return ResultCode.OTA_DEPENDENCY_CHECK_FAILED
    return ResultCode.NONE if header.platform_id == memory.platform_id else ResultCode.OTA_INVALID_PLATFORM


def _has_place(memory: UnitMemory, header: Header) -> bool:
    if header.kind == NCP:
        return memory.ncp is not None and header.length <= memory.ncp.size
    place = memory.layout.places.get(header.kind)
    return place is not None and header.start in place.starts and header.end + 4 <= place.end


def _inflates(memory: UnitMemory, address: int, header: Header) -> bool:
    """Whether a compressed module holds one of its own kind that fits where it belongs."""
    if header.kind not in _COMPRESSIBLE:
        return False
    plain = update_slots.inflate(memory.external.read(address, header.length))
    return plain is not None and header.start + len(plain) <= memory.layout.places[header.kind].end


def _dependencies_met(memory: UnitMemory, system: Found, header: Header) -> bool:
    """An application's dependencies and a second one on the bootloader are left to the boot (reference 5.4)."""
    if header.function == ModuleFunction.USER_PART:
        return True
    first, second = header.dependencies
    if second is not None and second.function == ModuleFunction.BOOTLOADER:
        second = None
    held = [(d, held_version(memory, system.address, (d.function, d.index))) for d in (first, second) if d is not None]
    return all(version is not None and version >= wanted.version for wanted, version in held)


def _stream(memory: UnitMemory, record: update_slots.UpdateRecord) -> float:
    """Hand an NCP image to the co-processor."""
    assert memory.ncp is not None  # validated
    image = memory.external.read(memory.external.base + record.source, record.length)
    seconds = memory.ncp.erase_range(memory.ncp.base, len(image), Who.SYSTEM)
    for done in range(0, len(image), PAGE):
        seconds += memory.ncp.program(memory.ncp.base + done, image[done : done + PAGE], Who.SYSTEM)
    return seconds
