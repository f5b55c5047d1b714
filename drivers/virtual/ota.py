"""The receiving end of an update, by control requests or over the air: a slot in the external flash, and the records
that make the next boot apply it. Nothing is written through to where a module belongs, but for the co-processor's
firmware.

Reference firmware-and-dfu 5, 7.2; usb-and-serial 4.4. Compressed modules are inflated by the boot that applies them.
"""

from __future__ import annotations

from typing import NamedTuple

from ..platforms import ModuleFunction
from ..wire.results import ResultCode
from . import update_slots
from .asset_store import StoreFull, unwrap
from .families import family_of
from .flash import FlashFailed, Who
from .header import read_header
from .layout import PAGE, Chip, os_version
from .memory import UnitMemory
from .update_check import records_in_slot

CHUNK = 1024


class OtaReply(NamedTuple):
    """Result code of a request (0 or negative), and the seconds the flash was busy."""

    code: int
    seconds: float = 0.0


class OtaUpdate:
    """One unit's update in progress. Lives in RAM: created anew at every boot."""

    def __init__(self, memory: UnitMemory, system_module_version: int) -> None:
        self._memory = memory
        system = family_of(memory.platform_id).find_system(memory)
        slot = memory.layout.update_slot(system_module_version, 0 if system is None else system.end)
        self._flash, self._slot, self._room = memory.flash(slot.chip), slot.start, slot.length
        self._device_os = os_version(system_module_version)
        self._who = Who.CONTROL  # sends the update in progress
        self._size: int | None = None  # None: no update in progress
        self._received = 0
        self._records: list[update_slots.UpdateRecord] | None = None

    @property
    def is_staged(self) -> bool:
        """Return whether FINISH succeeded: `apply` it once the host has read (or reset) the result, then reset."""
        return self._records is not None

    def runs_for(self, who: Who) -> bool:
        """Return whether an update that ``who`` sends is in progress."""
        return self._size is not None and self._who is who

    def begin(self, size: int, who: Who = Who.CONTROL) -> OtaReply:
        """Handle START: cancel a running update, erase as much of the slot as ``size`` bytes need."""
        self.cancel()
        if not 0 < size <= self._room:
            return OtaReply(ResultCode.OTA_INVALID_SIZE)
        try:
            seconds = self._flash.erase_range(self._slot, size, who)
        except FlashFailed:
            return OtaReply(ResultCode.FLASH_IO)
        self._size, self._who = size, who
        return OtaReply(ResultCode.NONE, seconds)

    def data(self, piece: bytes) -> OtaReply:
        """Handle DATA: the next bytes, strictly in sequence; any error cancels the update."""
        if self._size is None:
            return OtaReply(ResultCode.INVALID_STATE)
        if not 0 < len(piece) <= self._size - self._received:
            self.cancel()
            return OtaReply(ResultCode.OUT_OF_RANGE)
        try:
            seconds = self._flash.program(self._slot + self._received, piece, self._who)
        except FlashFailed:
            self.cancel()
            return OtaReply(ResultCode.FLASH_IO)
        self._received += len(piece)
        return OtaReply(ResultCode.NONE, seconds)

    def finish(self, validate_only: bool = False) -> OtaReply:
        """Handle FINISH: validate the content of the slot, and end the update.

        With code 0 and without ``validate_only``, `is_staged` becomes true.
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
        """Handle CANCEL; its result is always 0."""
        self._size, self._received, self._records = None, 0, None
        return OtaReply(ResultCode.NONE)

    def apply(self) -> OtaReply:
        """Write the update records for the next boot; NCP firmware is written to its chip at once.

        The unit resets afterwards, whatever the result, which no host learns.
        """
        records, self._records = self._records, None
        if records is None:
            return OtaReply(ResultCode.INVALID_STATE)
        for_ncp = [r for r in records if r.function == ModuleFunction.NCP]
        if for_ncp and not self._streams_ncp():
            return OtaReply(ResultCode.NOT_SUPPORTED)
        for_store = [r for r in records if r.function == ModuleFunction.ASSET]
        for_boot = [r for r in records if r.function not in (ModuleFunction.NCP, ModuleFunction.ASSET)]
        try:
            seconds = sum(_stream(self._memory, r) for r in for_ncp) + sum(_keep(self._memory, r) for r in for_store)
            if for_boot:
                seconds += update_slots.store(self._memory, for_boot, self._who)
        except FlashFailed:
            return OtaReply(ResultCode.FLASH_IO)
        except StoreFull:
            return OtaReply(ResultCode.TOO_LARGE)
        return OtaReply(ResultCode.NONE, seconds)

    def _streams_ncp(self) -> bool:
        last = self._memory.layout.slot(ModuleFunction.NCP, 0).taken_before
        return last is None or self._device_os < last

    def _validated(self, received: int) -> tuple[ResultCode, list[update_slots.UpdateRecord]]:
        system = family_of(self._memory.platform_id).find_system(self._memory)
        if system is None:  # overwritten under the running system
            return ResultCode.OTA_VALIDATION_FAILED, []
        return records_in_slot(self._memory, system, received)


def _keep(memory: UnitMemory, record: update_slots.UpdateRecord) -> float:
    """Put a file into the asset store, in place of what no application asks for if need be; return seconds."""
    flash = memory.flash(record.chip)
    address = flash.base + record.source if record.chip is Chip.EXTERNAL else record.source
    found = unwrap(flash, address, read_header(flash, address, memory.layout.prefix_offsets))
    assert found is not None  # validated
    assert memory.assets is not None
    application = family_of(memory.platform_id).find_application(memory)
    return memory.assets.add(*found, () if application is None else application.suffix.asset_dependencies)


def _stream(memory: UnitMemory, record: update_slots.UpdateRecord) -> float:
    """Write an NCP image to the co-processor; return seconds."""
    assert memory.ncp is not None  # validated
    source = memory.flash(record.chip)
    image = source.read(source.base + record.source, record.length)
    seconds = memory.ncp.erase_range(memory.ncp.base, len(image), Who.SYSTEM)
    for done in range(0, len(image), PAGE):
        seconds += memory.ncp.program(memory.ncp.base + done, image[done : done + PAGE], Who.SYSTEM)
    return seconds
