"""Releases of the nRF52840 family. Reference firmware-and-dfu 2.3, 4.1, 4.4, 7.1."""

from __future__ import annotations

import functools
import hashlib
import struct
from dataclasses import dataclass

from ...platforms import ModuleFunction, OsVersion, platform
from ...wire.image.tables import FLAG_DROP_PREFIX, PREFIX_SIZE, RADIO_MAGIC, VECTORS_SIZE
from ..header import Dependency
from ..layout import layout_of
from .module import NO_PRODUCT, TAIL, SyntheticFile, known, locking, make_module, named, seeded

_SECOND_HEADER_SIZE = 0x400
_ABI = 6  # module version of applications


@dataclass(frozen=True, slots=True)
class _Release:
    """Facts of a Device OS release besides its own versions (4.4)."""

    wants_bootloader: int
    softdevice: int = 202
    system_size: int = 160 * 1024


_RELEASES = {  # system parts are smaller than real ones, at their real addresses
    "3.3.1": _Release(1003),
    "4.1.0": _Release(1200),
    "5.8.0": _Release(2600),
    "6.1.1": _Release(3001),
    "6.2.0": _Release(3100, system_size=192 * 1024),
    "6.3.4": _Release(3100, system_size=200 * 1024),
}
VERSIONS = tuple(_RELEASES)
"""Device OS versions `release` can generate."""

SOFTDEVICES = {182: (6_001_001, 151_080), 202: (7_000_001, 153_048)}
"""Firmware id -> Nordic's decimal version and file size in bytes, of those `softdevice` can generate."""
_SOFTDEVICE_NEEDS = {182: (1300, 311), 202: (1321, 501)}  # system part, bootloader
_BOOTLOADER_SIZE = 48_800


@functools.lru_cache(maxsize=64)
def release(platform_id: int, version: str) -> tuple[SyntheticFile, ...]:
    """Generate bootloader, SoftDevice and system part of a Device OS version in `VERSIONS` (else `KeyError`)."""
    row = _RELEASES[version]
    return (
        bootloader(platform_id, version),
        softdevice(platform_id, row.softdevice, release_version=version),
        named(platform_id, "system-part1", version, _system_part(platform_id, version)),
    )


@functools.lru_cache(maxsize=64)
def softdevice(platform_id: int, version: int, *, release_version: str | None = None) -> SyntheticFile:
    """Generate SoftDevice 182 or 202, with Nordic's information block where a unit expects it."""
    system, bootloader = _SOFTDEVICE_NEEDS[version]
    decimal, size = SOFTDEVICES[version]
    wants = (
        Dependency(ModuleFunction.BOOTLOADER, 0, bootloader),
        Dependency(ModuleFunction.SYSTEM_PART, 1, system),
    )
    seed, kind = f"softdevice {version}", (ModuleFunction.RADIO_STACK, 0)
    body = bytearray(seeded(seed, size - PREFIX_SIZE - 40))
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
    return named(platform_id, "softdevice", release_version or str(version), data)


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
    """Generate an application built for ``device_os`` (one of `VERSIONS`); product 0xFFFF means no product.

    ``seed`` is part of its name and varies its bytes: ``synthetic-argon-tinker@6.3.4.bin``.
    """
    wants = (Dependency(ModuleFunction.SYSTEM_PART, 1, known(device_os).system_version), None)
    content = seeded(f"application {seed} {platform_id} {device_os}", size - PREFIX_SIZE - TAIL)
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
    return named(platform_id, seed, device_os, data)


@functools.lru_cache(maxsize=64)
def bootloader(platform_id: int, version: str, *, is_protected: bool = False) -> SyntheticFile:
    """Generate the bootloader of a Device OS; with ``is_protected`` one that enables device protection."""
    number = known(version).bootloader_version
    size = _BOOTLOADER_SIZE - VECTORS_SIZE - PREFIX_SIZE - TAIL
    content = seeded(f"bootloader {platform_id} {number}", size)
    kind = (ModuleFunction.BOOTLOADER, 0)
    data = make_module(platform_id, kind, number, layout_of(platform_id).start(kind), content)
    if is_protected:
        return named(platform_id, "bootloader-protected", version, locking(data))
    return named(platform_id, "bootloader", version, data)


def _system_part(platform_id: int, version: str) -> bytes:
    """Generate a system part, from 6.1.2 with a second vector table, header and CRC at the legacy start.

    Old bootloaders look there.
    """
    row, number = _RELEASES[version], known(version).system_version
    kind, wants = (ModuleFunction.SYSTEM_PART, 1), _system_dependencies(platform_id, row)
    seed = f"system part {platform_id} {number}"
    content = bytearray(seeded(seed, row.system_size - VECTORS_SIZE - PREFIX_SIZE - TAIL))
    newest, legacy = layout_of(platform_id).places[kind].starts
    is_newest = OsVersion.parse(version) in platform(platform_id).region("system-part1").exists
    if is_newest:
        size = _SECOND_HEADER_SIZE - VECTORS_SIZE - PREFIX_SIZE - TAIL
        second = make_module(platform_id, kind, number, legacy, seeded(seed + " 2", size), wants)
        at = legacy - newest - VECTORS_SIZE - PREFIX_SIZE
        content[at : at + len(second)] = second
    return make_module(platform_id, kind, number, newest if is_newest else legacy, bytes(content), wants)


def _system_dependencies(platform_id: int, row: _Release) -> tuple[Dependency, Dependency]:
    """Return the dependencies of a system part, whose order depends on the platform (reference 4.1)."""
    versions = {ModuleFunction.RADIO_STACK: row.softdevice, ModuleFunction.BOOTLOADER: row.wants_bootloader}
    first, second = platform(platform_id).system_part_needs
    return (
        Dependency(*first, versions[ModuleFunction(first[0])]),
        Dependency(*second, versions[ModuleFunction(second[0])]),
    )
