"""The platform table: ids, radios, flash map, module slots, configuration fields, requests by Device OS.

The facts are in TOML files beside this one, one for each chip family. Plug-ins add rows through the entry-point
group ``drivers.platforms``, whose objects are texts in the same format. All of it is read once and never changes.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterator
from importlib import resources

from ..errors import BadPlatformRow
from .capabilities import Kind
from .kinds import ModuleFunction, Reports, Via, WritePolicy
from .others import FILE as OTHERS_FILE
from .others import OTHER_DEVICES, PLATFORMS_WITHOUT_USB, OtherDevice, unknown_device
from .parts import NCP_TIMING, NEVER, Bootloader, DctField, FlashTiming, Memory, ModuleSlot, Region
from .table import (
    Platform,
    PlatformTable,
    Release,
    read_table,
)
from .versions import OsRange, OsVersion

__all__ = [
    "ENTRY_POINTS",
    "NCP_TIMING",
    "NEVER",
    "OTHER_DEVICES",
    "PLATFORMS_WITHOUT_USB",
    "RELEASES",
    "Bootloader",
    "DctField",
    "FlashTiming",
    "Kind",
    "Memory",
    "ModuleFunction",
    "ModuleSlot",
    "OsRange",
    "OsVersion",
    "OtherDevice",
    "Platform",
    "PlatformTable",
    "Region",
    "Release",
    "Reports",
    "Via",
    "WritePolicy",
    "is_made_for",
    "is_module_platform",
    "os_version_of_module",
    "os_versions_of_module",
    "platform",
    "platform_by_slug",
    "platforms",
    "read_table",
    "release_of",
    "stage_name",
    "unknown_device",
]

ENTRY_POINTS = "drivers.platforms"
_VENDOR_FILE = "device_os.toml"
_NO_ROWS = frozenset({_VENDOR_FILE, OTHERS_FILE})


def _texts() -> Iterator[tuple[str, str]]:
    for file in sorted(resources.files(__package__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml") and file.name not in _NO_ROWS:
            yield f"drivers/platforms/{file.name}", file.read_text("utf-8")
    from importlib import metadata  # imports sockets, which the wire's tables must not

    for point in metadata.entry_points(group=ENTRY_POINTS):
        try:
            yield f"plug-in {point.value}", point.load()
        except (ImportError, AttributeError) as error:
            raise BadPlatformRow(f"plug-in {point.value} cannot be loaded ({error}); repair or remove it") from error


@functools.cache
def _table() -> PlatformTable:
    return read_table(_texts())


_VENDOR = tomllib.loads(resources.files(__package__).joinpath(_VENDOR_FILE).read_text("utf-8"))
RELEASES = tuple(Release(*row) for row in _VENDOR["releases"])
"""Known releases, oldest first (reference firmware-and-dfu, appendix A)."""


def platforms() -> tuple[Platform, ...]:
    """List all platforms in the table, by ascending id. Raises `BadPlatformRow` for a bad plug-in."""
    return _table().platforms()


def platform(platform_id: int) -> Platform:
    """Find the row of ``platform_id``; raises `UnknownPlatform`."""
    return _table().platform(platform_id)


def platform_by_slug(slug: str) -> Platform:
    """Find the row called ``slug`` ("argon"); raises `UnknownPlatform`."""
    return _table().platform_by_slug(slug)


def is_module_platform(platform_id: int) -> bool:
    """Return whether module files exist for it: the vendor's platforms, with or without a row here, and plug-ins'."""
    return platform_id in _VENDOR["module_platforms"] or platform_id in _table().by_id


@functools.cache
def stage_name(index: int) -> str:
    """Return the vendor's name of a bootloader module of that ``index``: those above 0 are stages before it."""
    key = (ModuleFunction.BOOTLOADER, index)
    named = (slot.name for row in platforms() for slot in row.modules if (slot.function, slot.index) == key)
    return next(named, f"prebootloader {index}")


def os_versions_of_module(module_version: int) -> tuple[str, ...]:
    """Look up every Device OS version that a system part of that module version may be, oldest first.

    Now and then several pre-releases share one. It is a counter and cannot be computed.
    """
    return tuple(row.device_os for row in RELEASES if row.system_version == module_version)


def os_version_of_module(module_version: int) -> str | None:
    """Look up the newest Device OS version of a system part's module version; None if the table does not have it."""
    return next(reversed(os_versions_of_module(module_version)), None)


def is_made_for(row: Platform, device_os: OsVersion) -> bool:
    """Return whether the vendor released that Device OS for that platform, as far as is known."""
    owner = _VENDOR["platform_of_word"].get(device_os.prerelease.partition(".")[0])
    if owner is not None:
        return bool(owner == row.slug)
    is_ours = _VENDOR["family_of_release"].get(str(device_os), row.family) == row.family
    return is_ours and device_os in row.device_os


def release_of(device_os: str) -> Release | None:
    """Look up the release called ``device_os`` ("6.2.0"); None if the table does not have it."""
    return next((row for row in RELEASES if row.device_os == device_os), None)
