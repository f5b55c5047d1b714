"""Modules for planning: their names, what a unit holds, and whether it already holds a file. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from drivers.platforms import ModuleFunction, ModuleSlot, Reports, os_versions_of_module, platform, stage_name
from drivers.wire.image.host import Dependency, Image
from drivers.wire.messages.modules import ModuleInfo
from drivers.wire.messages.tables import CHECK_INTEGRITY, CHECK_PLATFORM, CHECK_RANGE, Store

Key = tuple[int, int]
"""Module function and index."""

BOOTLOADER: Key = (ModuleFunction.BOOTLOADER, 0)
SYSTEM_PART: Key = (ModuleFunction.SYSTEM_PART, 1)

_INTEGRITY_FLAGS = CHECK_INTEGRITY | CHECK_RANGE | CHECK_PLATFORM
_WITH_CRC = frozenset({
    ModuleFunction.BOOTLOADER, ModuleFunction.SYSTEM_PART, ModuleFunction.USER_PART, ModuleFunction.MONOLITHIC,
})  # fmt: skip
"""Modules whose CRC a unit checks; it has none for radio stack and NCP firmware (reference firmware-and-dfu 6.1)."""

_NAMES: Mapping[int, str] = {
    ModuleFunction.BOOTLOADER: "bootloader",
    ModuleFunction.RADIO_STACK: "SoftDevice",
    ModuleFunction.SYSTEM_PART: "system part",
    ModuleFunction.USER_PART: "application",
    ModuleFunction.NCP: "NCP firmware",
    ModuleFunction.MONOLITHIC: "monolithic firmware",
    ModuleFunction.ASSET: "asset",
}


def module_name(function: int, index: int) -> str:
    """Return a module's name for people: "SoftDevice", "system part 1", "prebootloader-part1"."""
    name = _NAMES.get(function, f"module {function}/{index}")
    if function == ModuleFunction.BOOTLOADER and index:
        return stage_name(index)
    return f"{name} {index}" if function == ModuleFunction.SYSTEM_PART else name


@dataclass(frozen=True, slots=True)
class Held:
    """One module in the main store of a unit.

    ``is_intact``: CRC, range and platform passed the unit's own check. A failed *dependency* does not mean
    that this module is damaged: writing the other one cures it.
    """

    function: int
    index: int
    version: int
    size: int  # bytes with CRC, 0 unknown
    hash: bytes | None  # None before Device OS 5.6.0
    is_intact: bool
    dependencies: tuple[Dependency, ...]

    @property
    def key(self) -> Key:
        return (self.function, self.index)


def held_modules(infos: Iterable[ModuleInfo]) -> dict[Key, Held]:
    """Return the modules in the main store, by function and index."""
    return {
        (info.function, info.index): Held(
            info.function,
            info.index,
            info.version,
            info.size,
            info.hash or None,
            _is_intact(info),
            info.dependencies,
        )
        for info in infos
        if info.store == Store.MAIN
    }


def _is_intact(info: ModuleInfo) -> bool:
    """Return whether no check failed and, where a module has a CRC, the unit reports that it checked it."""
    return not (info.failed & _INTEGRITY_FLAGS) and bool(
        info.passed & CHECK_INTEGRITY or info.function not in _WITH_CRC
    )


def image_key(image: Image) -> Key:
    """Return what tells a module from the others of its unit: its function and index."""
    return (image.function, image.index)


def slot_of(image: Image) -> ModuleSlot | None:
    """Return the slot of ``image`` on its platform; None if it has no place there. Raises `UnknownPlatform`."""
    return platform(image.platform_id).slot(image.function, image.index)


def names_only_its_build(image: Image) -> bool:
    """Return whether units report only the build's name of such a module, which does not prove its content."""
    slot = slot_of(image)
    return slot is not None and slot.reports is Reports.BUILD


def is_started_unchecked(image: Image) -> bool:
    """Return whether the system part boots on top of such a module without checking its integrity."""
    slot = slot_of(image)
    return slot is not None and not slot.is_checked_at_start


def release_text(system_version: int) -> str:
    """Name the Device OS of a system part for people; "" where it is not listed.

    Several releases may share a module version, and nothing in the file tells them apart.
    """
    names = os_versions_of_module(system_version)
    return " or ".join(names) if len(names) < 3 else f"{names[0]} to {names[-1]}"


def version_text(function: int, version: int, module_hash: bytes | None) -> str:
    """Format a version for people: of a system part with its Device OS, of an application as its hash.

    An application's version does not identify it.
    """
    if function == ModuleFunction.SYSTEM_PART:
        return f"{release_text(version) or 'unlisted'} ({version})"
    if function == ModuleFunction.USER_PART:
        return module_hash.hex()[:12] if module_hash else "unknown content"
    return str(version)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Result of `compare`. ``is_same`` None: the unit's report does not prove it, flash must be read back."""

    is_same: bool | None
    why: str


READ_EQUAL = Comparison(True, "flash read back equal")
READ_DIFFERENT = Comparison(False, "flash read back differs")
REMEMBERED = Comparison(
    True, "version and unique string are equal, proved by this station before and not written since"
)
TAKEN = Comparison(
    True, "the unit checked it before it took it, and shows it with that version since; it tells no more of it"
)

ReadBacks = Mapping[Key, Comparison]
"""Results of reading modules back from flash since they were last written."""


def compare(image: Image, held: Held | None, read_back: Comparison | None = None) -> Comparison:
    """Compare ``image`` with what the unit holds (reference firmware-and-dfu 6.2).

    Same means intact, equal version, and equal content. What a unit reports of the content depends on the kind of
    module (`Reports`), and before Device OS 5.6.0 it reports nothing; without a hash ``read_back`` decides.
    """
    slot = slot_of(image)
    reports = slot.reports if slot is not None else Reports.HASH
    if held is None:
        return Comparison(False, "the unit has none")
    if not held.is_intact:
        return Comparison(False, "the unit's own is damaged")
    if held.version != image.version:
        return Comparison(False, f"the unit holds {held.version}")
    if reports is Reports.VERSION:
        return Comparison(True, "version is equal; nothing else of this chip can be read")
    if held.hash is not None:
        if not _hashes_equal(image, slot, held.hash):
            return Comparison(False, "same version, other content")
        if reports is Reports.HASH:
            return Comparison(True, "version and hash are equal")
        name = module_name(image.function, image.index)
        return read_back or Comparison(None, f"no unit reports a {name}'s content: read back before it counts")
    if image.function == ModuleFunction.SYSTEM_PART and not _sizes_equal(image, held):
        return Comparison(False, "same version, other size")
    return read_back or Comparison(None, "this Device OS reports no hash: read back before it counts")


def _hashes_equal(image: Image, slot: ModuleSlot | None, held_hash: bytes) -> bool:
    if slot is not None and slot.info_at is not None:
        return held_hash.startswith(image.build(slot.info_at))
    return held_hash == image.sha256


def _sizes_equal(image: Image, held: Held) -> bool:
    return held.size in (0, len(image.data))
