"""Firmware in the vendor's format with seeded content, for use wherever a complete Device OS is needed.

It contains no code; headers, checksums, dependencies and addresses are those of real releases. Every file says
"synthetic" in its name and in its first payload bytes, and is generated reproducibly.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from ...platforms import ModuleFunction, OsVersion, Via, is_made_for, platform
from ...wire.image.tables import FLAG_ENCRYPTED
from . import nrf, rtl, stm32
from .module import NO_PRODUCT, Recipe, SyntheticFile, locking, make_module, named, seeded
from .nrf import SOFTDEVICES, VERSIONS, softdevice

__all__ = [
    "ALL_VERSIONS",
    "NO_PRODUCT",
    "SOFTDEVICES",
    "VERSIONS",
    "SyntheticFile",
    "application",
    "bootloader",
    "burnt_in",
    "locking",
    "make_module",
    "ncp_firmware",
    "release",
    "seeded",
    "softdevice",
    "usual_version",
    "versions",
]

_NCP_VERSIONS = {"tracker": 7}
_NCP_VERSION = 5  # of all others
_content = seeded  # the name under which older benches call it


class Factory(Protocol):
    """What the file of a chip family offers. Versions are those of Device OS; `KeyError` for one it cannot make."""

    @property
    def VERSIONS(self) -> tuple[str, ...]: ...  # noqa: N802 - a module's constant
    def release(self, platform_id: int, version: str) -> tuple[SyntheticFile, ...]:
        """Make all modules of a release but the application."""
        ...

    def bootloader(self, platform_id: int, version: str, *, is_protected: bool = False) -> SyntheticFile:
        """Make the bootloader of a release; ``is_protected``: one that puts its unit under device protection."""
        ...

    def application(self, platform_id: int, device_os: str, recipe: Recipe) -> SyntheticFile:
        """Make an application built for ``device_os``."""
        ...


_FACTORIES: Mapping[str, Factory] = MappingProxyType({"nrf": nrf, "rtl": rtl, "stm32": stm32})
ALL_VERSIONS = tuple(
    sorted({version for factory in _FACTORIES.values() for version in factory.VERSIONS}, key=OsVersion.parse)
)
"""Device OS versions that exist for some platform, oldest first."""


def _factory(platform_id: int) -> Factory:
    return _FACTORIES[platform(platform_id).family]


def versions(platform_id: int) -> tuple[str, ...]:
    """List Device OS versions `release` makes for that platform, one or more of every line, oldest first."""
    row = platform(platform_id)
    return tuple(one for one in _factory(platform_id).VERSIONS if is_made_for(row, OsVersion.parse(one)))


def usual_version(platform_id: int, version: str = "3.3.1") -> str:
    """Return ``version`` if it exists for that platform, else the newest before it, else the oldest there is."""
    made, wanted = versions(platform_id), OsVersion.parse(version)
    older = [one for one in made if OsVersion.parse(one) <= wanted]
    return older[-1] if older else made[0]


def release(platform_id: int, version: str) -> tuple[SyntheticFile, ...]:
    """Make all modules of one Device OS version but the application; `KeyError` where there never was one."""
    return _factory(platform_id).release(platform_id, version)


def bootloader(platform_id: int, version: str, *, is_protected: bool = False) -> SyntheticFile:
    """Generate the bootloader of a Device OS; with ``is_protected`` one that enables device protection."""
    return _factory(platform_id).bootloader(platform_id, version, is_protected=is_protected)


def application(
    platform_id: int,
    device_os: str,
    *,
    product_id: int = NO_PRODUCT,
    product_version: int = NO_PRODUCT,
    seed: str = "tinker",
    size: int = 12_000,
) -> SyntheticFile:
    """Make an application built for ``device_os``; what the rest is: `Recipe`."""
    return _factory(platform_id).application(platform_id, device_os, Recipe(product_id, product_version, seed, size))


def ncp_firmware(platform_id: int, version: int | None = None) -> SyntheticFile:
    """Generate firmware for the network co-processor, much smaller than the real one; None: the factory's version."""
    version = _NCP_VERSIONS.get(platform(platform_id).slug, _NCP_VERSION) if version is None else version
    kind = (ModuleFunction.NCP, 0)
    content = seeded(f"ncp {platform_id} {version}", 16 * 1024)
    data = make_module(platform_id, kind, version, 0, content, (None, None), mcu=0x21, has_product=False)
    return named(platform_id, "ncp", str(version), data)


@functools.cache
def burnt_in(platform_id: int) -> tuple[tuple[int, SyntheticFile], ...]:
    """Make what no host ever writes and every unit has from its chip's maker: address and encrypted module of each."""
    found = []
    for slot in platform(platform_id).modules:
        if slot.via is Via.NEVER:
            content = seeded(f"{slot.name} {platform_id}", 4 * 1024)
            kind = (slot.function, slot.index)
            data = make_module(platform_id, kind, 1, slot.start, content, flags=FLAG_ENCRYPTED)
            found.append((slot.start, named(platform_id, slot.name, "1", data)))
    return tuple(found)
