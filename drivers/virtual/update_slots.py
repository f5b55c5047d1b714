"""Update records in the configuration area, and the copying of modules by the bootloader.

Records stay until their copy is complete, so after a power cut in the middle it is repeated.
Reference firmware-and-dfu 5.4, 7.2.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from dataclasses import dataclass

from ..platforms import ModuleFunction
from ..wire.image.tables import COMPRESSION, FLAG_COMPRESSED, FLAG_DROP_PREFIX, PREFIX_SIZE
from .flash import FlashFailed, NorFlash, Who
from .header import Header, is_intact, read_header
from .layout import Chip
from .memory import UnitMemory

_RECORD = struct.Struct("<HBBIIIBBH")
_MAGIC = 0xABCD
_FACTORY, _FIRST, _LAST = 0, 1, 4
_DEVICES = {Chip.INTERNAL: 0, Chip.EXTERNAL: 1}
_VERIFY_CRC, _VERIFY_FUNCTION, _DROP_INFO, _COMPRESSED = 0x02, 0x08, 0x10, 0x20
_COPY_TRIES = 3
_DEFLATE = 0


@dataclass(frozen=True, slots=True)
class UpdateRecord:
    """One pending copy to internal flash. ``source``: an offset in external flash, an address in internal flash."""

    chip: Chip  # of the source
    source: int
    destination: int
    length: int
    flags: int
    function: int

    def to_bytes(self) -> bytes:
        """Encode the record as the bootloader reads it."""
        return _RECORD.pack(
            _MAGIC, _DEVICES[self.chip], _DEVICES[Chip.INTERNAL], self.source, self.destination, self.length,
            self.flags, self.function, 0xFFFF,
        )  # fmt: skip


def record_for(header: Header, flash: NorFlash, address: int) -> UpdateRecord:
    """Make the record that installs the module whose file begins at ``address`` of ``flash``."""
    flags = _VERIFY_CRC | _VERIFY_FUNCTION
    flags |= _DROP_INFO if header.flags & FLAG_DROP_PREFIX else 0
    flags |= _COMPRESSED if header.flags & FLAG_COMPRESSED else 0
    source = address - flash.base if flash.name is Chip.EXTERNAL else address
    return UpdateRecord(flash.name, source, header.start, header.length, flags, header.function)


def store(memory: UnitMemory, records: list[UpdateRecord], who: Who) -> float:
    """Write records, at most two in one update, into the first update slots; return seconds."""
    raw = b"".join(r.to_bytes() for r in records)
    return memory.dct.write(_offset(memory, _FIRST), raw, who)


def pending(memory: UnitMemory) -> dict[int, UpdateRecord]:
    """Return the records by slot number, in the order they are applied: bootloaders first."""
    found = {n: r for n in range(_FIRST, _LAST + 1) if (r := _load(memory, n)) is not None}
    return dict(sorted(found.items(), key=lambda item: item[1].function != ModuleFunction.BOOTLOADER))


def apply(memory: UnitMemory, number: int, record: UpdateRecord) -> float:
    """Copy the module of ``record`` if it is intact, then erase the record; return seconds.

    Nobody looks whether the record was erased: one that was not is applied once more by the next boot.
    """
    content = _content(memory, record)
    seconds = 0.0
    if content is not None and memory.internal.holds(record.destination, len(content)):
        seconds = copy(memory, record.destination, content)
    with contextlib.suppress(FlashFailed):
        seconds += memory.dct.write(_offset(memory, number), b"\xff" * _RECORD.size, Who.BOOT)
    return seconds


def factory_image(memory: UnitMemory) -> UpdateRecord | None:
    """Find what a factory reset restores; None if no image is registered, or it is not whole."""
    record = _load(memory, _FACTORY)
    return record if record is not None and _content(memory, record) is not None else None


def restore(memory: UnitMemory, image: UpdateRecord) -> float:
    """Copy the factory image to its place; it stays registered. Returns seconds."""
    content = _content(memory, image)
    return 0.0 if content is None else copy(memory, image.destination, content)


def register_factory_image(memory: UnitMemory, image: UpdateRecord) -> None:
    """Register it as a factory does."""
    memory.dct.write(_offset(memory, _FACTORY), image.to_bytes(), Who.FACTORY)


def copy(memory: UnitMemory, destination: int, content: bytes) -> float:
    """Erase and program internal flash page by page (or sector by sector), ascending; return seconds."""
    flash, seconds = memory.internal, 0.0
    at, end = destination, destination + len(content)
    while at < end:
        page_end = min(flash.sector(at).stop, end)
        seconds += _copy_page(flash, at, content[at - destination : page_end - destination])
        at = page_end
    return seconds


def _copy_page(flash: NorFlash, at: int, content: bytes) -> float:
    """Write one page, again if that fails; whoever copies goes on without it in the end, and the next boot sees that.

    How often real ones try is not told (reference 7.1: "retries until it succeeds as long as power stays on").
    """
    for _ in range(_COPY_TRIES):
        with contextlib.suppress(FlashFailed):
            return flash.erase_page(at, Who.BOOT) + flash.program(at, content, Who.BOOT)
    return 0.0


def inflate(module: bytes) -> bytes | None:
    """Inflate a compressed module; None if it is damaged (reference 3.8)."""
    size, method, window, original = COMPRESSION.unpack_from(module, PREFIX_SIZE)
    if method != _DEFLATE or window not in (0, *range(8, 16)):
        return None
    try:
        plain = zlib.decompressobj(-(window or 15)).decompress(module[PREFIX_SIZE + size :], original)
    except zlib.error:
        return None
    is_whole = len(plain) == original and zlib.crc32(plain[:-4]) == int.from_bytes(plain[-4:], "big")
    return plain if is_whole else None


def _content(memory: UnitMemory, record: UpdateRecord) -> bytes | None:
    """Return the bytes for the destination; None if the source is not intact."""
    flash = memory.flash(record.chip)
    address = flash.base + record.source if record.chip is Chip.EXTERNAL else record.source
    if not flash.holds(address, record.length):
        return None
    header = read_header(flash, address, memory.layout.prefix_offsets)
    is_right = header.function == record.function and header.length == record.length
    if not is_right or not is_intact(flash, address, header, flash.end):
        return None
    module = flash.read(address, record.length)
    if record.flags & _COMPRESSED:
        return inflate(module)
    return module[PREFIX_SIZE:] if record.flags & _DROP_INFO else module


def _offset(memory: UnitMemory, number: int) -> int:
    return memory.layout.dct_fields["flash_modules"].offset + number * _RECORD.size


def _load(memory: UnitMemory, number: int) -> UpdateRecord | None:
    raw = memory.dct.read(_offset(memory, number), _RECORD.size)
    magic, source_device, destination_device, *fields = _RECORD.unpack(raw)
    chip = next((chip for chip, device in _DEVICES.items() if device == source_device), None)
    if magic != _MAGIC or destination_device != _DEVICES[Chip.INTERNAL] or chip is None or not memory.layout.has(chip):
        return None
    return UpdateRecord(chip, *fields[:5])
