"""The unit's own reader of firmware modules in flash. Shares no code with the host's parser, on purpose.

A module is looked for where the unit's code looks: at a fixed address, with its header behind a vector
table on some families. Reference firmware-and-dfu 3.1-3.7, 6.3.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..platforms import ModuleFunction
from ..wire.image.tables import (
    DEPENDENCY_DATA,
    EXTENSION_ASSET_DEPENDENCY,
    EXTENSION_DEPENDENCY,
    EXTENSION_END,
    EXTENSION_SECURITY_MODE,
    FLAG_PREFIX_EXTENSIONS,
    MIN_SUFFIX,
    PREFIX,
    PREFIX_SIZE,
    PRODUCT_SUFFIX,
    RADIO_BUILD_AT,
    RADIO_BUILD_SIZE,
    RADIO_MAGIC,
    RADIO_MAGIC_AT,
    RADIO_VERSION_AT,
    SHA_SIZE,
)
from .flash import NorFlash
from .layout import Layout

# (function, index) of modules; not every family has a place for each
BOOTLOADER = (ModuleFunction.BOOTLOADER.value, 0)
SYSTEM = (ModuleFunction.SYSTEM_PART.value, 1)
USER = (ModuleFunction.USER_PART.value, 2)
USER_LEGACY = (ModuleFunction.USER_PART.value, 1)
NCP = (ModuleFunction.NCP.value, 0)
RADIO = (ModuleFunction.RADIO_STACK.value, 0)

IMAGE_SIGNATURE = bytes.fromhex("999996963fcc66fc")
"""How the image header begins that stands before a module which the boot ROM of an RTL872x starts (reference 3.5)."""
_MAX_EXTENSIONS = 4096  # bytes of them that a header may carry


@dataclass(frozen=True, slots=True)
class Dependency:
    """A module that must be present, in ``version`` or newer."""

    function: int
    index: int
    version: int


@dataclass(frozen=True, slots=True)
class Header:
    """The 24-byte prefix of a module. ``offset``: its distance from the module's first byte."""

    offset: int
    start: int
    end: int
    flags: int
    version: int
    platform_id: int
    function: int
    index: int
    dependencies: tuple[Dependency | None, Dependency | None]

    @property
    def kind(self) -> tuple[int, int]:
        return self.function, self.index

    @property
    def length(self) -> int:
        """Return the size of the module in bytes, including its CRC."""
        return self.end - self.start + 4

    @property
    def is_plausible(self) -> bool:
        smallest = self.offset + PREFIX_SIZE + MIN_SUFFIX + 4
        return self.end != 0xFFFFFFFF and 0 < self.function < 0xFF and self.length >= smallest


@dataclass(frozen=True, slots=True)
class AssetDependency:
    """A file an application needs in the asset store."""

    name: str
    hash: bytes  # SHA-256 of the file


@dataclass(frozen=True, slots=True)
class Suffix:
    """The data before the CRC of a module."""

    sha256: bytes
    asset_dependencies: tuple[AssetDependency, ...] = ()
    security_mode: int = 0  # 0 none, 1 protected
    dependencies: tuple[Dependency, ...] = ()  # beyond the two of the prefix


@dataclass(frozen=True, slots=True)
class RadioInfo:
    """A SoftDevice's information block; nothing in flash proves that the rest of it is intact."""

    version: int
    unique: bytes  # 20 bytes


def read_header(flash: NorFlash, address: int, offsets: Sequence[int]) -> Header:
    """Read the header of whatever lies at ``address``; all ones if that is nothing (then its version is 65535).

    ``offsets``: where a header may stand behind a module's first byte (`Layout.prefix_offsets`), the first of them
    that holds a plausible one counts.
    """
    found = [_header_at(flash, address, offset) for offset in offsets]
    first = flash.read(address, 8)
    has_vectors = int.from_bytes(first[:4], "little") & 0x2FFC0000 == 0x20000000  # a stack pointer in RAM
    is_behind = has_vectors or first == IMAGE_SIGNATURE
    return next((header for header in found if header.is_plausible), found[-1 if is_behind else 0])


def _header_at(flash: NorFlash, address: int, offset: int) -> Header:
    fields = PREFIX.unpack(flash.read(address + offset, PREFIX_SIZE))
    start, end, _mcu, flags, version, platform_id, function, index, *wanted = fields
    dependencies = (_dependency(*wanted[:3]), _dependency(*wanted[3:]))
    return Header(offset, start, end, flags, version, platform_id, function, index, dependencies)


def is_intact(flash: NorFlash, address: int, header: Header, limit: int) -> bool:
    """Return whether the module at ``address`` is plausible, ends by ``limit`` and matches its CRC-32 (big endian)."""
    if not header.is_plausible or address + header.length > limit or not flash.holds(address, header.length):
        return False
    content = memoryview(flash.read(address, header.length))
    return zlib.crc32(content[:-4]) == int.from_bytes(content[-4:], "big")


def read_suffix(flash: NorFlash, address: int, header: Header) -> Suffix:
    """Parse the suffix of an intact module, and the extensions of its prefix if it has any (3.7)."""
    tail = flash.read(address + header.length - 6, 2)
    size = min(int.from_bytes(tail, "little"), header.length - header.offset - PREFIX_SIZE - 4)
    if size < MIN_SUFFIX:
        return Suffix(flash.read(address + header.length - 38, 32))
    raw = flash.read(address + header.length - 4 - size, size)
    found = (*_prefix_extensions(flash, address, header), *extensions(raw[:-PRODUCT_SUFFIX]))
    assets = (_asset_dependency(content) for kind, content in found if kind == EXTENSION_ASSET_DEPENDENCY)
    modes = [content[0] for kind, content in found if kind == EXTENSION_SECURITY_MODE and content]
    more = (
        Dependency(*DEPENDENCY_DATA.unpack_from(content)[:3])
        for kind, content in found
        if kind == EXTENSION_DEPENDENCY and len(content) >= DEPENDENCY_DATA.size
    )
    return Suffix(raw[-34:-2], tuple(assets), modes[0] if modes else 0, tuple(more))


def _prefix_extensions(flash: NorFlash, address: int, header: Header) -> Iterator[tuple[int, bytes]]:
    if header.flags & FLAG_PREFIX_EXTENSIONS:
        at = header.offset + PREFIX_SIZE
        yield from extensions(flash.read(address + at, min(_MAX_EXTENSIONS, header.length - at)))


def read_radio(flash: NorFlash, layout: Layout) -> RadioInfo | None:
    """Read the SoftDevice's version and unique string; None if there is no information block."""
    at = _radio_info(layout)
    if int.from_bytes(flash.read(at + RADIO_MAGIC_AT, 4), "little") != RADIO_MAGIC:
        return None
    return RadioInfo(radio_version(flash, layout), flash.read(at + RADIO_BUILD_AT, RADIO_BUILD_SIZE))


def radio_version(flash: NorFlash, layout: Layout) -> int:
    """Read the version field of the SoftDevice's information block without checking the block."""
    return int.from_bytes(flash.read(_radio_info(layout) + RADIO_VERSION_AT, 2), "little")


def _radio_info(layout: Layout) -> int:
    at = layout.slot(ModuleFunction.RADIO_STACK, 0).info_at
    assert at is not None
    return at


def _dependency(function: int, index: int, version: int) -> Dependency | None:
    return Dependency(function, index, version) if function else None


def extensions(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and content of each extension."""
    while len(raw) >= 4:
        kind, length = struct.unpack_from("<HH", raw)
        if kind == EXTENSION_END or length < 4:
            break
        yield kind, raw[4:length]
        raw = raw[length:]


def _asset_dependency(content: bytes) -> AssetDependency:
    """Parse hash and name, which follow type and size of the hash."""
    return AssetDependency(content[2 + SHA_SIZE :].decode("utf-8", "replace"), content[2 : 2 + SHA_SIZE])
