"""Releases of the nRF52840 family. Reference firmware-and-dfu 2.3, 3.13, 4.1, 4.4, 7.1."""

from __future__ import annotations

import functools
import hashlib
import struct

from ...platforms import ModuleFunction, OsVersion, platform
from ...wire.image.tables import FLAG_DROP_PREFIX, PREFIX_SIZE, RADIO_MAGIC, VECTORS_SIZE
from ..header import BOOTLOADER, NCP, SYSTEM, USER, USER_LEGACY, Dependency
from ..layout import layout_of
from .module import (
    NO_DEPENDENCIES,
    TAIL,
    Dependencies,
    Recipe,
    SyntheticFile,
    known,
    locking,
    make_module,
    named,
    seeded,
)

_SECOND_HEADER_SIZE = 0x400
_APPLICATION, _OLD_APPLICATION = 6, 5  # module versions

VERSIONS = (
    "0.8.0-rc.25", "0.8.0-rc.27", "0.9.0", "1.1.0", "1.2.1", "1.3.1", "1.4.4", "1.5.2", "2.0.1", "2.1.0", "2.2.0",
    "2.3.1", "3.0.0", "3.1.0", "3.2.0", "3.3.1", "4.0.0", "4.1.0", "4.2.0", "5.0.0", "5.1.0", "5.2.0", "5.3.2",
    "5.4.1", "5.5.0", "5.6.0", "5.7.0", "5.8.0", "5.8.2", "5.9.0", "6.0.0", "6.1.0", "6.1.1", "6.1.2",
    "6.2.0", "6.3.4", "6.4.1",
)  # fmt: skip
"""One or more versions of every Device OS line; `release` also generates any other that `known` accepts."""

_WANTS_BOOTLOADER = (
    ("0.8.0-rc.1", 101), ("1.0.0", 201), ("1.2.1", 311), ("1.3.1", 400), ("2.0.0-alpha.1", 1000), ("2.0.0", 1003),
    ("4.0.0", 1101), ("4.1.0", 1200), ("5.0.0", 2000), ("5.0.1", 2001), ("5.2.0", 2002), ("5.3.0", 2100),
    ("5.3.1", 2101), ("5.3.2", 2102), ("5.4.0", 2200), ("5.4.1", 2210), ("5.5.0", 2300), ("5.6.0", 2400),
    ("5.8.0", 2600), ("5.8.2", 2601), ("5.9.0", 2700), ("6.0.0", 3000), ("6.1.1", 3001), ("6.2.0", 3100),
)  # fmt: skip
"""Oldest bootloader a system part accepts, by the first Device OS that requires it (4.4)."""
_SOFTDEVICE_OF = (("0.8.0-rc.1", 169), ("1.3.0-alpha.1", 182), ("1.4.0-rc.1", 202))
"""SoftDevice of a release. The system part requires it from 1.4.0 (4.4); 182 requires Device OS 1.3 (appendix B)."""
_SYSTEM_SIZE = (("0.8.0-rc.1", 160 * 1024), ("6.2.0", 192 * 1024), ("6.3.0", 200 * 1024))
"""Bytes of system parts, which are smaller than real ones, at their real addresses."""
_REQUIRES_SOFTDEVICE, _TRACKER_REQUIRES_SYSTEM = OsVersion.parse("1.4.0-rc.1"), OsVersion.parse("6.2.0-0")

SOFTDEVICES = {169: (6_000_000, 151_000), 182: (6_001_001, 151_080), 202: (7_000_001, 153_048)}
"""Firmware id -> Nordic's decimal version and file size in bytes (169: estimated) `softdevice` can generate."""
_SOFTDEVICE_NEEDS = {169: None, 182: (1300, 311), 202: (1321, 501)}  # system part, bootloader
_BOOTLOADER_SIZE = 48_800
_TRACKER_REQUIRES = {ModuleFunction.NCP: 7, ModuleFunction.SYSTEM_PART: 3001}
"""What the system part of a Tracker requires (4.1)."""


def _of(rows: tuple[tuple[str, int], ...], version: str) -> int:
    """Return the number in the newest row that is not newer than ``version``."""
    return next(number for since, number in reversed(rows) if OsVersion.parse(since) <= OsVersion.parse(version))


@functools.lru_cache(maxsize=64)
def release(platform_id: int, version: str) -> tuple[SyntheticFile, ...]:
    """Generate bootloader, SoftDevice and system part of a Device OS version (`KeyError` if it does not exist)."""
    known(version, platform_id)
    return (
        bootloader(platform_id, version),
        softdevice(platform_id, _of(_SOFTDEVICE_OF, version), release_version=version),
        named(platform_id, "system-part1", version, _system_part(platform_id, version)),
    )


@functools.lru_cache(maxsize=64)
def softdevice(platform_id: int, version: int, *, release_version: str | None = None) -> SyntheticFile:
    """Generate one of `SOFTDEVICES`, with Nordic's information block where a unit expects it."""
    needs, wants = _SOFTDEVICE_NEEDS[version], NO_DEPENDENCIES
    decimal, size = SOFTDEVICES[version]
    if needs is not None:
        system, bootloader = needs
        wants = (
            Dependency(ModuleFunction.BOOTLOADER, 0, bootloader),
            Dependency(ModuleFunction.SYSTEM_PART, 1, system),
        )
    seed, kind = f"softdevice {version}", (ModuleFunction.RADIO_STACK, 0)
    body = bytearray(seeded(seed, size - PREFIX_SIZE - 40))
    unique = hashlib.sha1(seed.encode(), usedforsecurity=False).digest()
    slot = layout_of(platform_id).slot(*kind)
    assert slot.info_at is not None
    end = slot.end
    info = struct.pack("<IIIHHII20s", 0xFFFFFF2C, RADIO_MAGIC, end, version, 0xFFFF, 140, decimal, unique)
    at = slot.info_at - slot.start
    body[at : at + len(info)] = info
    data = make_module(
        platform_id, kind, version, slot.start, bytes(body), wants, flags=FLAG_DROP_PREFIX, has_product=False
    )
    return named(platform_id, "softdevice", release_version or str(version), data)


@functools.lru_cache(maxsize=64)
def application(platform_id: int, device_os: str, recipe: Recipe) -> SyntheticFile:
    """Generate an application built for ``device_os``: before 3.1.0 for the 128 KiB slot."""
    made_by = known(device_os, platform_id)
    wants = (Dependency(ModuleFunction.SYSTEM_PART, 1, made_by.system_version), None)
    content = seeded(f"application {recipe.seed} {platform_id} {device_os}", recipe.size - PREFIX_SIZE - TAIL)
    row = platform(platform_id)
    is_large = OsVersion.parse(device_os) in row.region("user-part").exists
    kind, version = (USER, _APPLICATION) if is_large else (USER_LEGACY, _OLD_APPLICATION)
    data = make_module(
        platform_id,
        kind,
        version,
        layout_of(platform_id).start(kind),
        content,
        wants,
        product=recipe.product,
    )
    return named(platform_id, recipe.seed, device_os, data)


@functools.lru_cache(maxsize=64)
def bootloader(platform_id: int, version: str, *, is_protected: bool = False) -> SyntheticFile:
    """Generate the bootloader of a Device OS; with ``is_protected`` one that enables device protection."""
    number = known(version, platform_id).bootloader_version
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
    number, system_size = known(version, platform_id).system_version, _of(_SYSTEM_SIZE, version)
    kind, wants = SYSTEM, _system_dependencies(platform_id, version)
    seed = f"system part {platform_id} {number}"
    content = bytearray(seeded(seed, system_size - VECTORS_SIZE - PREFIX_SIZE - TAIL))
    newest, legacy = layout_of(platform_id).places[kind].starts
    is_newest = OsVersion.parse(version) in platform(platform_id).region("system-part1").exists
    if is_newest:
        size = _SECOND_HEADER_SIZE - VECTORS_SIZE - PREFIX_SIZE - TAIL
        second = make_module(platform_id, kind, number, legacy, seeded(seed + " 2", size), wants)
        at = legacy - newest - VECTORS_SIZE - PREFIX_SIZE
        content[at : at + len(second)] = second
    return make_module(platform_id, kind, number, newest if is_newest else legacy, bytes(content), wants)


def _system_dependencies(platform_id: int, version: str) -> Dependencies:
    """Return the dependencies of a system part, whose order depends on the platform (reference 4.1)."""
    device_os, rows = OsVersion.parse(version), platform(platform_id).system_part_needs
    oldest = {
        ModuleFunction.RADIO_STACK: _of(_SOFTDEVICE_OF, version),
        ModuleFunction.BOOTLOADER: _of(_WANTS_BOOTLOADER, version),
        **_TRACKER_REQUIRES,
    }
    if device_os < _REQUIRES_SOFTDEVICE:
        return Dependency(*BOOTLOADER, oldest[ModuleFunction.BOOTLOADER]), None
    if device_os < _TRACKER_REQUIRES_SYSTEM:
        rows = tuple(NCP if row == SYSTEM else row for row in rows)
    first, second = (Dependency(*row, oldest[ModuleFunction(row[0])]) for row in rows)
    return first, second
