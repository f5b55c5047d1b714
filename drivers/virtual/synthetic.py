"""Firmware in the vendor's format with seeded content, for wherever a complete Device OS is needed.

Nothing in it runs; headers, checksums, dependencies and places are those of real releases. Every file says
"synthetic" in its name and in its first payload bytes, and is the same bytes every time it is made.
Reference firmware-and-dfu 2.3, 3, 4.1, 7.1.
"""

from __future__ import annotations

import functools
import hashlib
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ..platforms import ModuleFunction, OsVersion, Release, platform, release_of
from ..wire.image.tables import (
    CRC_SIZE,
    EXTENSION_ASSET_DEPENDENCY,
    EXTENSION_END,
    EXTENSION_SECURITY_MODE,
    FLAG_DROP_PREFIX,
    PREFIX,
    PREFIX_SIZE,
    PRODUCT_SUFFIX,
    PROTECTED,
    RADIO_MAGIC,
    SHA_SIZE,
    VECTORS_SIZE,
)
from .header import Dependency
from .layout import layout_of

NO_PRODUCT = 0xFFFF
_SUFFIX = struct.Struct("<HHH")  # product id, product version, reserved
_TAIL = PRODUCT_SUFFIX + CRC_SIZE
_HAS_VECTORS = (ModuleFunction.BOOTLOADER, ModuleFunction.SYSTEM_PART)
_SECOND_HEADER_SIZE = 0x400
_ABI = 6  # module version of applications
_NCP_VERSION = 5


@dataclass(frozen=True, slots=True)
class SyntheticFile:
    """A firmware file: ``synthetic-boron-system-part1@6.3.4.bin`` and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class _Release:
    """What a Device OS release holds besides the versions of its own (4.4)."""

    wants_bootloader: int
    softdevice: int = 202
    system_size: int = 160 * 1024


_RELEASES = {  # system parts are smaller than real ones, in real places
    "3.3.1": _Release(1003),
    "4.1.0": _Release(1200),
    "5.8.0": _Release(2600),
    "6.1.1": _Release(3001),
    "6.2.0": _Release(3100, system_size=192 * 1024),
    "6.3.4": _Release(3100, system_size=200 * 1024),
}
VERSIONS = tuple(_RELEASES)
"""Device OS versions `release` can make."""

SOFTDEVICES = {182: (6_001_001, 151_080), 202: (7_000_001, 153_048)}
"""Firmware id -> Nordic's decimal version, and bytes of the file, of those `softdevice` can make."""
_SOFTDEVICE_NEEDS = {182: (1300, 311), 202: (1321, 501)}  # system part, bootloader
_BOOTLOADER_SIZE = 48_800


def _known(version: str) -> Release:
    found = release_of(version)
    assert found is not None  # the real releases are all in the table
    return found


@functools.lru_cache(maxsize=64)
def release(platform_id: int, version: str) -> tuple[SyntheticFile, ...]:
    """Make bootloader, SoftDevice and system part of one Device OS version (one of `VERSIONS`; `KeyError` else)."""
    row = _RELEASES[version]
    return (
        bootloader(platform_id, version),
        softdevice(platform_id, row.softdevice, release_version=version),
        _named(platform_id, "system-part1", version, _system_part(platform_id, version)),
    )


@functools.lru_cache(maxsize=64)
def softdevice(platform_id: int, version: int, *, release_version: str | None = None) -> SyntheticFile:
    """Make a SoftDevice, 182 or 202, with Nordic's information block where a unit looks for it."""
    system, bootloader = _SOFTDEVICE_NEEDS[version]
    decimal, size = SOFTDEVICES[version]
    wants = (
        Dependency(ModuleFunction.BOOTLOADER, 0, bootloader),
        Dependency(ModuleFunction.SYSTEM_PART, 1, system),
    )
    seed, kind = f"softdevice {version}", (ModuleFunction.RADIO_STACK, 0)
    body = bytearray(_content(seed, size - PREFIX_SIZE - 40))
    unique = hashlib.sha1(seed.encode(), usedforsecurity=False).digest()
    slot = layout_of(platform_id).slot(*kind)
    assert slot.info_at is not None
    end = slot.start + slot.max_size
    info = struct.pack("<IIIHHII20s", 0xFFFFFF2C, RADIO_MAGIC, end, version, 0xFFFF, 140, decimal, unique)
    at = slot.info_at - slot.start
    body[at : at + len(info)] = info
    data = make_module(
        platform_id, kind, version, slot.start, bytes(body), wants, flags=FLAG_DROP_PREFIX, has_product=False
    )
    return _named(platform_id, "softdevice", release_version or str(version), data)


@functools.lru_cache(maxsize=64)
def application(
    platform_id: int,
    device_os: str,
    *,
    product_id: int = NO_PRODUCT,
    product_version: int = NO_PRODUCT,
    seed: str = "tinker",
    size: int = 12_000,
) -> SyntheticFile:
    """Make an application built for ``device_os`` (one of `VERSIONS`); product 0xFFFF means no product.

    ``seed`` names it and varies its bytes: ``synthetic-argon-tinker@6.3.4.bin``.
    """
    wants = (Dependency(ModuleFunction.SYSTEM_PART, 1, _known(device_os).system_version), None)
    content = _content(f"application {seed} {platform_id} {device_os}", size - PREFIX_SIZE - _TAIL)
    kind = (ModuleFunction.USER_PART, 2)
    data = make_module(
        platform_id,
        kind,
        _ABI,
        layout_of(platform_id).start(kind),
        content,
        wants,
        product=(product_id, product_version),
    )
    return _named(platform_id, seed, device_os, data)


def ncp_firmware(platform_id: int, version: int = _NCP_VERSION) -> SyntheticFile:
    """Make firmware of the network co-processor, much smaller than a real one."""
    kind = (ModuleFunction.NCP, 0)
    content = _content(f"ncp {platform_id} {version}", 16 * 1024)
    data = make_module(platform_id, kind, version, 0, content, (None, None), mcu=0x21, has_product=False)
    return _named(platform_id, "ncp", str(version), data)


def make_module(
    platform_id: int,
    kind: tuple[int, int],
    version: int,
    start: int,
    payload: bytes,
    dependencies: tuple[Dependency | None, Dependency | None] = (None, None),
    *,
    product: tuple[int, int] = (NO_PRODUCT, NO_PRODUCT),
    has_product: bool = True,
    flags: int = 0,
    mcu: int = 0,
    assets: Mapping[str, bytes] = MappingProxyType({}),
    extensions: Sequence[tuple[int, bytes]] = (),
) -> bytes:
    """Make a module file: vector table where that kind has one, header, payload, suffix, CRC.

    ``kind`` is (function, index), ``start`` the address of the file's first byte. Without ``has_product``
    the suffix has the old size of 36 bytes. ``assets``: name and content of the files the module needs;
    ``extensions``: type and content of any others.
    """
    vectors = _vectors(start) if kind[0] in _HAS_VECTORS else b""
    rows = [*_asset_dependencies(assets), *(struct.pack("<HH", kind, 4 + len(raw)) + raw for kind, raw in extensions)]
    extra = b"".join((*rows, _END)) if rows else b""
    extra += _SUFFIX.pack(*product, 0) if has_product else b"\0\0"
    end = start + len(vectors) + PREFIX_SIZE + len(payload) + len(extra) + 34
    wanted = [field for d in dependencies for field in ((d.function, d.index, d.version) if d else (0, 0, 0))]
    prefix = PREFIX.pack(start, end, mcu, flags, version, platform_id, *kind, *wanted)
    body = vectors + prefix + payload + extra
    body += hashlib.sha256(body).digest() + (len(extra) + 34).to_bytes(2, "little")
    return body + zlib.crc32(body).to_bytes(4, "big")


_END = struct.pack("<HH", EXTENSION_END, 4)
"""Closes the extensions of a suffix without product data of its own (reference 3.7)."""


def _asset_dependencies(assets: Mapping[str, bytes]) -> list[bytes]:
    """Extensions 0x0012, one a file."""
    entries = [(name.encode(), hashlib.sha256(content).digest()) for name, content in assets.items()]
    return [
        struct.pack("<HHBB", EXTENSION_ASSET_DEPENDENCY, 6 + SHA_SIZE + len(name), 0, SHA_SIZE) + digest + name
        for name, digest in entries
    ]


@functools.lru_cache(maxsize=64)
def bootloader(platform_id: int, version: str, *, is_protected: bool = False) -> SyntheticFile:
    """Make the bootloader of a Device OS; with ``is_protected`` one that puts its unit under device protection."""
    number = _known(version).bootloader_version
    size = _BOOTLOADER_SIZE - VECTORS_SIZE - PREFIX_SIZE - _TAIL
    content = _content(f"bootloader {platform_id} {number}", size)
    kind = (ModuleFunction.BOOTLOADER, 0)
    data = make_module(platform_id, kind, number, layout_of(platform_id).start(kind), content)
    if is_protected:
        return _named(platform_id, "bootloader-protected", version, locking(data))
    return _named(platform_id, "bootloader", version, data)


def locking(module: bytes) -> bytes:
    """Return the module with the security-mode extension added, if it is a bootloader; any other unchanged (3.12)."""
    has_vectors = module[3] == 0x20  # an initial stack pointer in RAM
    start, end, *_, function = PREFIX.unpack_from(module, VECTORS_SIZE)[:7]
    if not has_vectors or function != ModuleFunction.BOOTLOADER:
        return module
    extra = struct.pack("<HHB", EXTENSION_SECURITY_MODE, 5, PROTECTED) + _END
    prefix = bytearray(module[VECTORS_SIZE : VECTORS_SIZE + PREFIX_SIZE])
    struct.pack_into("<II", prefix, 0, start, end + len(extra))
    body = module[:VECTORS_SIZE] + prefix + module[VECTORS_SIZE + PREFIX_SIZE : -_TAIL] + extra + module[-_TAIL:-38]
    body += hashlib.sha256(body).digest() + (PRODUCT_SUFFIX + len(extra)).to_bytes(2, "little")
    return body + zlib.crc32(body).to_bytes(4, "big")


def _system_part(platform_id: int, version: str) -> bytes:
    """From 6.1.2 on with a second vector table, header and CRC at the legacy start, where old bootloaders look."""
    row, number = _RELEASES[version], _known(version).system_version
    kind, wants = (ModuleFunction.SYSTEM_PART, 1), _system_dependencies(platform_id, row)
    seed = f"system part {platform_id} {number}"
    content = bytearray(_content(seed, row.system_size - VECTORS_SIZE - PREFIX_SIZE - _TAIL))
    newest, legacy = layout_of(platform_id).places[kind].starts
    is_newest = OsVersion.parse(version) in platform(platform_id).region("system-part1").exists
    if is_newest:
        size = _SECOND_HEADER_SIZE - VECTORS_SIZE - PREFIX_SIZE - _TAIL
        second = make_module(platform_id, kind, number, legacy, _content(seed + " 2", size), wants)
        at = legacy - newest - VECTORS_SIZE - PREFIX_SIZE
        content[at : at + len(second)] = second
    return make_module(platform_id, kind, number, newest if is_newest else legacy, bytes(content), wants)


def _system_dependencies(platform_id: int, row: _Release) -> tuple[Dependency, Dependency]:
    """The order of the two differs by platform (reference 4.1)."""
    versions = {ModuleFunction.RADIO_STACK: row.softdevice, ModuleFunction.BOOTLOADER: row.wants_bootloader}
    first, second = platform(platform_id).system_part_needs
    return (
        Dependency(*first, versions[ModuleFunction(first[0])]),
        Dependency(*second, versions[ModuleFunction(second[0])]),
    )


def _vectors(start: int) -> bytes:
    """Initial stack pointer in RAM, a reset vector into the module, no interrupts."""
    return struct.pack("<II", 0x2003F000, start + VECTORS_SIZE + PREFIX_SIZE | 1).ljust(VECTORS_SIZE, b"\0")


def _content(seed: str, size: int) -> bytes:
    """``size`` seeded bytes that say what they are."""
    label = f"synthetic, not vendor firmware: {seed}".encode().ljust(96, b"\0")
    return label + hashlib.shake_256(label).digest(size - len(label))


def _named(platform_id: int, module: str, version: str, data: bytes) -> SyntheticFile:
    return SyntheticFile(f"synthetic-{platform(platform_id).slug}-{module}@{version}.bin", data)
