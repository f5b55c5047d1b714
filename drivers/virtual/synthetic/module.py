"""Module files in the vendor's format with seeded content; what a release holds is said beside this file.

Reference firmware-and-dfu 3.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ...errors import BadIdentity, UnknownPlatform
from ...platforms import (
    RELEASES,
    ModuleFunction,
    OsVersion,
    Release,
    is_made_for,
    is_module_platform,
    os_version_of_module,
    platform,
    release_of,
)
from ...wire.image.tables import (
    CRC_SIZE,
    EXTENSION_ASSET_DEPENDENCY,
    EXTENSION_END,
    EXTENSION_PRODUCT_DATA,
    EXTENSION_SECURITY_MODE,
    PREFIX,
    PREFIX_SIZE,
    PRODUCT_SUFFIX,
    PROTECTED,
    SHA_SIZE,
    VECTORS_SIZE,
)
from ..header import IMAGE_SIGNATURE, Dependency

NO_PRODUCT = 0xFFFF
TAIL = PRODUCT_SUFFIX + CRC_SIZE
"""Bytes behind the payload of a module without extensions."""
_STM32_VECTORS = 0x184
_STARTED = (ModuleFunction.BOOTLOADER, ModuleFunction.SYSTEM_PART)
_SUFFIX = struct.Struct("<HHH")  # product id, product version, reserved


@dataclass(frozen=True, slots=True)
class SyntheticFile:
    """A firmware file: ``synthetic-boron-system-part1@6.3.4.bin`` and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an application is made of. Product 0xFFFF means no product.

    ``seed`` is part of its name and varies its bytes: ``synthetic-argon-tinker@6.3.4.bin``. ``size``: bytes of the
    file; families whose applications fill whole pages round it up.
    """

    product_id: int = NO_PRODUCT
    product_version: int = NO_PRODUCT
    seed: str = "tinker"
    size: int = 12_000

    @property
    def product(self) -> tuple[int, int]:
        return self.product_id, self.product_version


Dependencies = tuple[Dependency | None, Dependency | None]
NO_DEPENDENCIES: Dependencies = (None, None)
_TABLE_ENDS = OsVersion.parse("6.2.0")


def known(version: str, platform_id: int) -> Release:
    """Look up a release of the vendor's; `KeyError` if there is none of that version for that platform.

    Of what came after 6.2.0 the table has little: there the module version is the one the usual convention gives.
    """
    try:
        device_os = OsVersion.parse(version)
    except BadIdentity as error:
        raise KeyError(version) from error
    found = release_of(version)
    if found is None and device_os > _TABLE_ENDS:
        found = _presumed(device_os)
    if found is None or not is_made_for(platform(platform_id), device_os):
        raise KeyError(version)
    return found


def _presumed(device_os: OsVersion) -> Release | None:
    number = device_os.major * 1000 + device_os.minor * 100 + device_os.patch
    if device_os.prerelease or os_version_of_module(number) is not None:
        return None
    older = [row for row in RELEASES if OsVersion.parse(row.device_os) < device_os]
    return Release(number, str(device_os), older[-1].bootloader_version)


def make_module(
    platform_id: int,
    kind: tuple[int, int],
    version: int,
    start: int,
    payload: bytes,
    dependencies: Dependencies = NO_DEPENDENCIES,
    *,
    product: tuple[int, int] = (NO_PRODUCT, NO_PRODUCT),
    has_product: bool = True,
    flags: int = 0,
    mcu: int = 0,
    assets: Mapping[str, bytes] = MappingProxyType({}),
    extensions: Sequence[tuple[int, bytes]] = (),
) -> bytes:
    """Make a module file: whatever stands before the header of that kind there, header, payload, suffix, CRC.

    ``kind`` is (function, index), ``start`` the address of the file's first byte. Without ``has_product``
    the suffix has the old size of 36 bytes. ``assets``: name and content of the files the module needs;
    ``extensions``: type and content of any others; with product data among them, which come last, ``product`` is
    not used.
    """
    rows = [*_asset_dependencies(assets), *(struct.pack("<HH", kind, 4 + len(raw)) + raw for kind, raw in extensions)]
    extra = b"".join(rows)
    if any(kind == EXTENSION_PRODUCT_DATA for kind, _ in extensions):
        extra += b"\0\0"
    else:
        extra += (_END if rows else b"") + (_SUFFIX.pack(*product, 0) if has_product else b"\0\0")
    offset = prefix_offset(platform_id, kind)
    vectors = _vectors(start, offset, PREFIX_SIZE + len(payload) + len(extra) + 34)
    end = start + len(vectors) + PREFIX_SIZE + len(payload) + len(extra) + 34
    wanted = [field for d in dependencies for field in ((d.function, d.index, d.version) if d else (0, 0, 0))]
    prefix = PREFIX.pack(start, end, mcu, flags, version, platform_id, *kind, *wanted)
    body = vectors + prefix + payload + extra
    body += hashlib.sha256(body).digest() + (len(extra) + 34).to_bytes(2, "little")
    return body + zlib.crc32(body).to_bytes(4, "big")


_END = struct.pack("<HH", EXTENSION_END, 4)
"""Ends the extensions of a suffix that have no product data (reference 3.7)."""


def _asset_dependencies(assets: Mapping[str, bytes]) -> list[bytes]:
    """Encode extensions 0x0012, one per file."""
    entries = [(name.encode(), hashlib.sha256(content).digest()) for name, content in assets.items()]
    return [
        struct.pack("<HHBB", EXTENSION_ASSET_DEPENDENCY, 6 + SHA_SIZE + len(name), 0, SHA_SIZE) + digest + name
        for name, digest in entries
    ]


def prefix_offset(platform_id: int, kind: tuple[int, int]) -> int:
    """Look up where the header of a module of that kind stands in its file; 0 for what the processor does not start.

    Of a platform nobody knows it stands behind a vector table of the usual size.
    """
    if kind[0] not in _STARTED:
        return 0
    try:
        slot = platform(platform_id).slot(*kind)
    except UnknownPlatform:
        return VECTORS_SIZE
    if slot is None:
        return 0
    if slot.prefix_offset is None:  # of these only the one that the bootloader starts begins with a vector table
        return _STM32_VECTORS if kind == (ModuleFunction.SYSTEM_PART, 1) else 0
    return slot.prefix_offset


IMAGE_HEADER_SIZE = 0x20


def _vectors(start: int, size: int, behind: int) -> bytes:
    """Encode what stands before the prefix: a vector table, or the image header of a boot ROM (3.5).

    The table: initial stack pointer in RAM, reset vector into the module, no interrupts. The header: how many bytes
    stand ``behind`` it, and where.
    """
    if size == IMAGE_HEADER_SIZE:
        return (IMAGE_SIGNATURE + struct.pack("<II", behind, start + size)).ljust(size, b"\xff")
    return struct.pack("<II", 0x2003F000, start + size + PREFIX_SIZE | 1).ljust(size, b"\0") if size else b""


def locking(module: bytes) -> bytes:
    """Add the security-mode extension to a bootloader; return any other module unchanged (3.12)."""
    at = next((offset for offset in _BOOTLOADER_OFFSETS if _is_bootloader_at(module, offset)), None)
    if at is None:
        return module
    size = int.from_bytes(module[-6:-CRC_SIZE], "little")
    extra = struct.pack("<HHB", EXTENSION_SECURITY_MODE, 5, PROTECTED) + (_END if size <= PRODUCT_SUFFIX else b"")
    start, end = struct.unpack_from("<II", module, at)
    prefix = bytearray(module[at : at + PREFIX_SIZE])
    struct.pack_into("<II", prefix, 0, start, end + len(extra))
    tail = size + CRC_SIZE
    body = module[:at] + prefix + module[at + PREFIX_SIZE : -tail] + extra + module[-tail:-38]
    body += hashlib.sha256(body).digest() + (size + len(extra)).to_bytes(2, "little")
    return body + zlib.crc32(body).to_bytes(4, "big")


_BOOTLOADER_OFFSETS = (VECTORS_SIZE, IMAGE_HEADER_SIZE)
"""Where the header of a bootloader stands, on the families that know device protection (3.5)."""


def _is_bootloader_at(module: bytes, offset: int) -> bool:
    _start, _end, _mcu, _flags, _version, platform_id, *kind = PREFIX.unpack_from(module, offset)[:8]
    is_bootloader = tuple(kind) == (ModuleFunction.BOOTLOADER, 0) and is_module_platform(platform_id)
    return is_bootloader and prefix_offset(platform_id, (kind[0], kind[1])) == offset


def seeded(seed: str, size: int) -> bytes:
    """Make ``size`` seeded bytes that say what they are."""
    label = f"synthetic, not vendor firmware: {seed}".encode().ljust(96, b"\0")
    return label + hashlib.shake_256(label).digest(size - len(label))


def named(platform_id: int, module: str, version: str, data: bytes) -> SyntheticFile:
    """Name a file as the vendor does, with "synthetic" before it."""
    return SyntheticFile(f"synthetic-{platform(platform_id).slug}-{module}@{version}.bin", data)
