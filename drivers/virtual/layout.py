"""The memory layout of a platform, from its row of the platform table: places of modules and updates, and the regions
that no host may ever touch. Reference firmware-and-dfu 2.3, 2.5, 2.6.
"""

from __future__ import annotations

import enum
import functools
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..platforms import (
    DctField,
    Memory,
    ModuleFunction,
    ModuleSlot,
    OsVersion,
    Platform,
    WritePolicy,
    os_version_of_module,
    platform,
)

PAGE = 4096
_USUAL_SLOT = 1500 * 1024
"""Nominal bytes of an update slot; in external flash of 4 MiB they reach into the assets (reference 2.3)."""
_OPEN_TO_OTHERS = frozenset({"ota_update_flag"})
"""Configuration fields that a host writes over DFU for another reason than their own: an update waits (4.6)."""


class Chip(enum.StrEnum):
    """The memories of a unit; each is one file on disk."""

    INTERNAL = "internal-flash"
    EXTERNAL = "external-flash"
    DCT = "dct"
    NETWORK = "network"  # the Wi-Fi store; on a real unit a file in the external flash
    NCP = "ncp"  # flash of the network co-processor


_ALTERNATES = {Chip.INTERNAL: 0, Chip.DCT: 1, Chip.EXTERNAL: 2}


@dataclass(frozen=True, slots=True)
class Region:
    """``start`` to ``end`` (exclusive) of one memory. ``host_may_write`` applies to raw writes over DFU."""

    name: str
    start: int
    end: int
    host_may_write: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where one kind of module (function, index) may start, and the end of its region."""

    starts: tuple[int, ...]  # the newest first
    end: int
    is_right_aligned: bool = False  # it ends at `end`, and begins wherever that leaves it

    def takes(self, start: int, size: int | None) -> bool:
        """Return whether a module of ``size`` bytes in flash may start at ``start``; None: of some size or other."""
        if self.is_right_aligned:
            return self.starts[0] <= start < self.end and size in (None, self.end - start)
        return start in self.starts and start + (size or 0) <= self.end


@dataclass(frozen=True, slots=True)
class UpdateSlot:
    """Where a unit keeps an update until the next boot."""

    chip: Chip
    start: int
    length: int  # nominal


class Layout:
    """The memories of all units of one platform."""

    def __init__(self, row: Platform) -> None:
        self._row, self.family = row, row.family
        held = {memory.alt for memory in row.memories}
        self.alternates: Mapping[int, Chip] = {alt: chip for chip, alt in _ALTERNATES.items() if alt in held}
        self.places: Mapping[tuple[int, int], Place] = dict(_places(row))
        offsets = {module.prefix_offset for module in row.modules}
        self.prefix_offsets = tuple(sorted({0} | {offset for offset in offsets if offset is not None}))
        """Where the headers of this platform's modules may stand, behind their first bytes."""
        self.dct_fields: Mapping[str, DctField] = {field.name: field for field in row.dct_fields}
        self.dct_size, self.dct_limit = row.dct_length, row.memory(_ALTERNATES[Chip.DCT]).end
        self._regions = {
            Chip.INTERNAL: tuple(_regions(row, Chip.INTERNAL)),
            Chip.EXTERNAL: tuple(_regions(row, Chip.EXTERNAL)),  # none on units without one
            Chip.DCT: tuple(_fields(row.dct_fields, self.dct_limit)),
            Chip.NETWORK: (Region("network-store", 0, 1 << 20, False),),
            Chip.NCP: (Region("ncp-firmware", 0, 1 << 20, False),),
        }

    def memory(self, chip: Chip) -> Memory:
        return self._row.memory(_ALTERNATES[chip])

    def touched(self, chip: Chip, address: int, length: int) -> list[Region]:
        """List every region that ``length`` bytes from ``address`` overlap."""
        return [r for r in self._regions[chip] if r.start < address + length and address < r.end]

    def has(self, chip: Chip) -> bool:
        """Return whether these units have that memory as an alternate setting in DFU mode."""
        return chip in self.alternates.values()

    def slot(self, function: ModuleFunction, index: int) -> ModuleSlot:
        """Return the slot of a module that every unit of this family has a place for."""
        found = self._row.slot(function, index)
        assert found is not None
        return found

    def start(self, kind: tuple[int, int]) -> int:
        """Return the newest start address of that kind of module."""
        return self.places[kind].starts[0]

    @property
    def assets(self) -> tuple[Chip, int, int] | None:
        """Where the files of applications are kept: memory, start and end (exclusive); None where there is no place."""
        region = self._row.assets
        return None if region is None else (self.alternates[region.alt], region.start, region.end)

    @property
    def factory_start(self) -> int:
        """Where an application lies that a factory reset restores."""
        return self._row.region("factory-user-part").start

    def update_slot(self, system_module_version: int, system_end: int = 0) -> UpdateSlot:
        """Return where a system part of that version stores an update while receiving it (reference 2.4, 2.5).

        ``system_end``: the address behind the system part; some old ones put it right after that.
        """
        region = self._row.ota_slot(os_version(system_module_version))
        if region is None:
            return UpdateSlot(Chip.INTERNAL, system_end - system_end % PAGE + PAGE, _USUAL_SLOT)
        chip = self.alternates[region.alt]
        return UpdateSlot(chip, region.start, min(region.size, _USUAL_SLOT) if chip is Chip.INTERNAL else _USUAL_SLOT)


def os_version(system_module_version: int) -> OsVersion:
    """Return the Device OS version of a system part; for versions not in the table, by the usual convention."""
    known = os_version_of_module(system_module_version)
    major, rest = divmod(system_module_version, 1000)
    return OsVersion.parse(known) if known else OsVersion(major, *divmod(rest, 100))


@functools.cache
def layout_of(platform_id: int) -> Layout:
    """Return the layout of a platform; raises `UnknownPlatform`."""
    return Layout(platform(platform_id))


def _places(row: Platform) -> Iterable[tuple[tuple[int, int], Place]]:
    """List the places of modules: a legacy index counts as a separate kind, a mere legacy start as another start."""
    for slot in row.modules:
        kind, end = (slot.function, slot.index), slot.end
        if slot.legacy_start is not None and slot.legacy_index is not None:
            yield (slot.function, slot.legacy_index), Place((slot.legacy_start,), end)
        older = (slot.legacy_start,) if slot.legacy_start is not None and slot.legacy_index is None else ()
        yield kind, Place((slot.start, *older), end, slot.is_right_aligned)


def _regions(row: Platform, chip: Chip) -> Iterable[Region]:
    """Split into regions without overlap; a host may write one if any Device OS has something writable there."""
    ours = [region for region in row.regions if region.alt == _ALTERNATES[chip]]
    edges = sorted({edge for region in ours for edge in (region.start, region.end)})
    for start, end in itertools.pairwise(edges):
        there = [region for region in ours if region.start <= start < region.end]
        if there:
            is_open = any(region.write in (WritePolicy.DFU, WritePolicy.SCRATCH) for region in there)
            yield Region(there[0].name, start, end, is_open)


def _fields(fields: Iterable[DctField], limit: int) -> Iterable[Region]:
    at = 0
    for field in fields:
        if field.offset > at:
            yield Region("unnamed", at, field.offset, False)
        at = field.offset + field.size
        yield Region(field.name, field.offset, at, field.writable or field.name in _OPEN_TO_OTHERS)
    yield Region("unnamed", at, limit, False)
