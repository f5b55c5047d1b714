"""Releases of the RTL872x family. Reference firmware-and-dfu 2.4, 3.6, 3.7, 4.1, 4.4."""

from __future__ import annotations

import functools
import struct
from dataclasses import dataclass

from ...platforms import ModuleFunction
from ...wire.image.tables import (
    CRC_SIZE,
    EXTENSION_DYNAMIC_LOCATION,
    EXTENSION_PRODUCT_DATA,
    PREFIX_SIZE,
)
from ..header import Dependency
from ..layout import PAGE, layout_of
from .module import (
    IMAGE_HEADER_SIZE,
    NO_PRODUCT,
    Recipe,
    SyntheticFile,
    known,
    locking,
    make_module,
    named,
    prefix_offset,
    seeded,
)

_ABI = 6  # module version of applications
_SUFFIX = 62  # bytes: where it runs, its product, and the 36 of every module
_LOCATION = struct.Struct("<III")  # where the module starts, where its dynalib table is loaded, where it stands
_PRODUCT = struct.Struct("<HHH")  # upper half of the product id (none), lower half, version
_DYNALIB = 0x10080000

_BOOTLOADER, _PART1 = (ModuleFunction.BOOTLOADER, 0), (ModuleFunction.BOOTLOADER, 2)
_SYSTEM, _USER = (ModuleFunction.SYSTEM_PART, 1), (ModuleFunction.USER_PART, 1)
_BOOTLOADER_SIZE, _PART1_SIZE = 61_748, 79_804  # of the P2 with 6.3.4


@dataclass(frozen=True, slots=True)
class _Release:
    """What a Device OS release holds besides the versions of its own (4.1, 4.4).

    ``part1``: version of its prebootloader-part1, the least its bootloader asks for.
    """

    wants_bootloader: int
    part1: int = 7  # told of 5.6.0, 6.2.0 and 6.3.4 only; taken for all of 5.x
    system_size: int = 160 * 1024


_RELEASES = {  # system parts are smaller than real ones, in real places; 6.1.1 was made for the nRF52840 alone
    "3.2.1-p2.3": _Release(1008),  # a P2 may come with it from its factory (4.4)
    "5.0.1": _Release(2001),
    "5.1.0": _Release(2001),
    "5.2.0": _Release(2002),
    "5.3.2": _Release(2102),
    "5.4.1": _Release(2210),
    "5.5.0": _Release(2300),
    "5.6.0": _Release(2400),
    "5.7.0": _Release(2400),
    "5.8.0": _Release(2600),
    "5.8.2": _Release(2601),
    "5.9.0": _Release(2700),
    "6.0.0": _Release(3000),
    "6.1.0": _Release(3000),
    "6.2.0": _Release(3100, part1=9, system_size=192 * 1024),
    "6.3.4": _Release(3200, part1=11, system_size=200 * 1024),
    "6.4.1": _Release(3200, part1=11, system_size=200 * 1024),
}
VERSIONS = tuple(_RELEASES)
"""Device OS versions `release` can make, one or more of every line."""


@functools.lru_cache(maxsize=64)
def release(platform_id: int, version: str) -> tuple[SyntheticFile, ...]:
    """Make prebootloader-part1, bootloader and system part (one of `VERSIONS`; `KeyError` else).

    The first stage is in no file: every unit has it from the chip's maker, and no tool writes it.
    """
    number, row = known(version, platform_id).system_version, _RELEASES[version]
    wants = (Dependency(*_BOOTLOADER, row.wants_bootloader), None)
    size = row.system_size - PREFIX_SIZE - _SUFFIX - CRC_SIZE
    content = seeded(f"system part {platform_id} {version}", size)
    system = _module(platform_id, _SYSTEM, number, content, wants)
    return (
        _part1(platform_id, version, row.part1),
        bootloader(platform_id, version),
        named(platform_id, "system-part1", version, system),
    )


def _part1(platform_id: int, version: str, number: int) -> SyntheticFile:
    content = seeded(f"prebootloader-part1 {platform_id} {number}", _PART1_SIZE - PREFIX_SIZE - _SUFFIX - CRC_SIZE)
    data = _module(platform_id, _PART1, number, content)
    return named(platform_id, "prebootloader-part1", version, data)


@functools.lru_cache(maxsize=64)
def bootloader(platform_id: int, version: str, *, is_protected: bool = False) -> SyntheticFile:
    """Make the bootloader of a Device OS; with ``is_protected`` one that puts its unit under device protection."""
    row, number = _RELEASES[version], known(version, platform_id).bootloader_version
    size = _BOOTLOADER_SIZE - IMAGE_HEADER_SIZE - PREFIX_SIZE - _SUFFIX - CRC_SIZE
    content = seeded(f"bootloader {platform_id} {number}", size)
    data = _module(platform_id, _BOOTLOADER, number, content, (Dependency(*_PART1, row.part1), None))
    if is_protected:
        return named(platform_id, "bootloader-protected", version, locking(data))
    return named(platform_id, "bootloader", version, data)


@functools.lru_cache(maxsize=64)
def application(platform_id: int, device_os: str, recipe: Recipe) -> SyntheticFile:
    """Make an application built for ``device_os`` (one of `VERSIONS`).

    It fills whole pages, as the vendor's do, and ends where all applications of the family end.
    """
    total = -(-recipe.size // PAGE) * PAGE
    wants = (Dependency(*_SYSTEM, known(device_os, platform_id).system_version), None)
    content = seeded(f"application {recipe.seed} {platform_id} {device_os}", total - PREFIX_SIZE - _SUFFIX - CRC_SIZE)
    data = _module(platform_id, _USER, _ABI, content, wants, product=recipe.product)
    return named(platform_id, recipe.seed, device_os, data)


def _module(
    platform_id: int,
    kind: tuple[int, int],
    version: int,
    content: bytes,
    wants: tuple[Dependency | None, Dependency | None] = (None, None),
    *,
    product: tuple[int, int] = (NO_PRODUCT, NO_PRODUCT),
) -> bytes:
    """Make a module with the suffix all modules of the family have, at its place."""
    slot = layout_of(platform_id).slot(ModuleFunction(kind[0]), kind[1])
    start = slot.begin(prefix_offset(platform_id, kind) + PREFIX_SIZE + len(content) + _SUFFIX + CRC_SIZE)
    extensions = (
        (EXTENSION_DYNAMIC_LOCATION, _LOCATION.pack(start, _DYNALIB, _DYNALIB)),
        (EXTENSION_PRODUCT_DATA, _PRODUCT.pack(NO_PRODUCT, *product)),
    )
    return make_module(platform_id, kind, version, start, content, wants, extensions=extensions)
