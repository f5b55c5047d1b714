"""Releases of the STM32F205 family ("Gen 2"). Reference firmware-and-dfu 2.1, 2.2, 4.1 and appendices A and B.

Where the reference does not tell a dependency, a part needs its release's own bootloader and its neighbour.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from ...platforms import ModuleFunction, platform
from ...wire.image.tables import PREFIX_SIZE
from ..header import BOOTLOADER, Dependency
from ..layout import layout_of
from .module import TAIL, Recipe, SyntheticFile, known, make_module, named, prefix_offset, seeded

_BOOTLOADER_SIZE = 15_000
_SYSTEM, _USER = ModuleFunction.SYSTEM_PART.value, ModuleFunction.USER_PART.value
_DEVICE_OS = (_SYSTEM, 2)
_APPLICATION = (_USER, 1)


@dataclass(frozen=True, slots=True)
class _Release:
    """What a Device OS release holds besides the version of its system parts."""

    abi: int  # module version of applications
    bootloader: int  # where appendix A tells none, of the release before
    wants_bootloader: int | None
    wants_part_2: int | None = 207  # what part 1 of a Photon needs of part 2
    part_size: int = 150 * 1024  # smaller than real ones, yet more than a sector on a Photon


_RELEASES = {
    "0.4.9": _Release(3, 7, None, None),
    "0.5.5": _Release(3, 7, None, None),
    "0.6.4": _Release(4, 11, None, None),
    "0.7.0": _Release(5, 101, 101),
    "1.0.1": _Release(5, 201, 201),
    "1.4.4": _Release(6, 501, 501),
    "1.5.2": _Release(6, 502, 501),
    "2.3.1": _Release(6, 1006, 1003),
    "3.3.1": _Release(6, 1100, 1003),
}
VERSIONS = tuple(_RELEASES)
"""Device OS versions `release` can make."""


@functools.lru_cache(maxsize=64)
def release(platform_id: int, version: str) -> tuple[SyntheticFile, ...]:
    """Make bootloader and system parts of one Device OS version (one of `VERSIONS`; `KeyError` else)."""
    slots = [slot for slot in platform(platform_id).modules if slot.function == _SYSTEM]
    parts = (named(platform_id, slot.name, version, _part(platform_id, version, slot.index)) for slot in slots)
    return (bootloader(platform_id, version), *parts)


@functools.lru_cache(maxsize=64)
def application(platform_id: int, device_os: str, recipe: Recipe) -> SyntheticFile:
    """Make an application built for ``device_os`` (one of `VERSIONS`)."""
    content = seeded(f"application {recipe.seed} {platform_id} {device_os}", recipe.size - PREFIX_SIZE - TAIL)
    start = layout_of(platform_id).start(_APPLICATION)
    wants = (Dependency(*_DEVICE_OS, known(device_os, platform_id).system_version), None)
    abi = _RELEASES[device_os].abi
    data = make_module(platform_id, _APPLICATION, abi, start, content, wants, product=recipe.product)
    return named(platform_id, recipe.seed, device_os, data)


@functools.lru_cache(maxsize=64)
def bootloader(platform_id: int, version: str, *, is_protected: bool = False) -> SyntheticFile:
    """Make the bootloader of a Device OS. None of this family knows device protection: `ValueError` for that."""
    if is_protected:
        raise ValueError("no bootloader of this family knows device protection")
    number = _RELEASES[version].bootloader
    offset = prefix_offset(platform_id, BOOTLOADER)
    content = seeded(f"bootloader {platform_id} {number}", _BOOTLOADER_SIZE - offset - PREFIX_SIZE - TAIL)
    start = layout_of(platform_id).start(BOOTLOADER)
    return named(platform_id, "bootloader", version, make_module(platform_id, BOOTLOADER, number, start, content))


def _part(platform_id: int, version: str, index: int) -> bytes:
    kind, number = (_SYSTEM, index), known(version, platform_id).system_version
    offset = prefix_offset(platform_id, kind)
    place = layout_of(platform_id).places[kind]
    size = min(_RELEASES[version].part_size, place.end - place.starts[0] - 4096)
    content = seeded(f"system part {index} {platform_id} {number}", size - offset - PREFIX_SIZE - TAIL)
    first, second = _needs(platform_id, version, index)
    return make_module(platform_id, kind, number, place.starts[0], content, (first, second))


def _needs(platform_id: int, version: str, index: int) -> tuple[Dependency | None, Dependency | None]:
    """Each part is chained to the one below it; Device OS proper, index 2, needs a bootloader as well."""
    row, number = _RELEASES[version], known(version, platform_id).system_version
    if index == _DEVICE_OS[1]:
        wants = row.wants_bootloader
        return Dependency(_SYSTEM, 1, number), Dependency(*BOOTLOADER, wants) if wants is not None else None
    if index == 1 and (_SYSTEM, 3) in layout_of(platform_id).places:
        return Dependency(_SYSTEM, 3, number), None
    if index == 1 and row.wants_part_2 is not None:
        return Dependency(*_DEVICE_OS, row.wants_part_2), None
    return None, None
