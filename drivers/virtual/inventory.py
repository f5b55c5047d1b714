"""What a unit holds: modules at their places, radio stack, co-processor.

It only finds out what is present and intact; `families` decide which modules run. Reference firmware-and-dfu 2.3,
6.1, 7.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..platforms import ModuleFunction
from ..wire.messages.tables import CHECK_DEPENDENCIES, CHECK_INTEGRITY, CHECK_PLATFORM, CHECK_RANGE
from .flash import NorFlash
from .header import (
    BOOTLOADER,
    NCP,
    RADIO,
    SYSTEM,
    Dependency,
    Header,
    Suffix,
    is_intact,
    radio_version,
    read_header,
    read_radio,
    read_suffix,
)
from .memory import UnitMemory

_IN_CODE_FLASH = (ModuleFunction.BOOTLOADER, ModuleFunction.SYSTEM_PART)
ALL_CHECKS = CHECK_INTEGRITY | CHECK_DEPENDENCIES | CHECK_RANGE | CHECK_PLATFORM


@dataclass(frozen=True, slots=True)
class Found:
    """An intact module at its place in internal flash."""

    address: int
    limit: int  # end of its region
    header: Header
    suffix: Suffix

    @property
    def end(self) -> int:
        """Return the address behind its last byte."""
        return self.address + self.header.length

    @property
    def dependencies(self) -> tuple[Dependency, ...]:
        return (*(one for one in self.header.dependencies if one is not None), *self.suffix.dependencies)


@dataclass(frozen=True, slots=True)
class SystemSearch:
    """Result of a bootloader's search for a system part."""

    found: Found | None
    crashes: bool = False  # it starts something that cannot run


@dataclass(frozen=True, slots=True)
class UnmetDependency:
    """``wanted`` by the module (function, index) ``by``; ``held`` is the version present (None: no such place)."""

    by: tuple[int, int]
    wanted: Dependency
    held: int | None


@dataclass(frozen=True, slots=True)
class HeldModule:
    """One row of module info: a module of the main store as the running system reports it (reference 6.1)."""

    function: int
    index: int
    version: int
    size: int  # end - start + 4; 0 for radio stack and co-processor, which have no meaningful one
    max_size: int
    checked: int  # validation flags: 2 integrity, 4 dependencies, 8 range, 16 platform
    passed: int
    hash: bytes  # 32 bytes: of the suffix; radio stack: its unique string, zero-filled
    dependencies: tuple[Dependency, ...]


def find_bootloader(memory: UnitMemory) -> Found | None:
    return find_at(memory, BOOTLOADER)


def held_version(memory: UnitMemory, system_address: int, kind: tuple[int, int]) -> int | None:
    """Read the version in an installed module's header without checking the module; erased flash gives 65535.

    None: this unit has no place for such a module.
    """
    if kind not in memory.layout.places:
        return None
    if kind == RADIO:
        return radio_version(memory.internal, memory.layout)
    if kind == NCP:
        return None if memory.ncp is None else read_header(memory.ncp, memory.ncp.base, (0,)).version
    start = system_address if kind == SYSTEM else memory.layout.start(kind)
    return read_header(memory.internal, start, memory.layout.prefix_offsets).version


def unmet(memory: UnitMemory, system_address: int, module: Found) -> list[UnmetDependency]:
    """List the dependencies of a module that the unit does not meet."""
    missing = []
    for wanted in module.dependencies:
        held = held_version(memory, system_address, (wanted.function, wanted.index))
        if held is None or held < wanted.version:
            missing.append(UnmetDependency(module.header.kind, wanted, held))
    return missing


def held_modules(memory: UnitMemory, system: Found, application: Found | None) -> tuple[HeldModule, ...]:
    """List module info as the running system part ``system`` reports it; without modules that are not intact.

    The co-processor stands before the radio stack (reference 4.4).
    """
    own = [kind for kind in memory.layout.places if kind[0] in _IN_CODE_FLASH]
    parts = [system if kind == SYSTEM else find_at(memory, kind) for kind in own]
    rows = [_row(memory, system, module) for module in (*parts, application) if module is not None]
    ncp = _find_ncp(memory.ncp) if memory.ncp is not None else None
    if ncp is not None:
        digest = ncp.version.to_bytes(2, "little") * 16  # the version, repeated
        limit = memory.layout.slot(ModuleFunction.NCP, 0).max_size
        rows.append(HeldModule(*NCP, ncp.version, 0, limit, ALL_CHECKS, ALL_CHECKS, digest, ()))
    radio = read_radio(memory.internal, memory.layout) if RADIO in memory.layout.places else None
    if radio is not None:
        unique = radio.unique.ljust(32, b"\0")
        limit = memory.layout.slot(ModuleFunction.RADIO_STACK, 0).max_size
        rows.append(HeldModule(*RADIO, radio.version, 0, limit, ALL_CHECKS, ALL_CHECKS, unique, ()))
    return tuple(rows)


def _row(memory: UnitMemory, system: Found, module: Found) -> HeldModule:
    header = module.header
    failed = CHECK_DEPENDENCIES if unmet(memory, system.address, module) else 0
    place = memory.layout.places[header.kind]
    first = place.starts[0] if place.is_right_aligned else module.address
    return HeldModule(
        function=header.function,
        index=header.index,
        version=header.version,
        size=header.length,
        max_size=module.limit - first,
        checked=ALL_CHECKS,
        passed=ALL_CHECKS & ~failed,
        hash=module.suffix.sha256,
        dependencies=module.dependencies,
    )


def find_at(memory: UnitMemory, kind: tuple[int, int]) -> Found | None:
    """Find the module of that kind at its newest place; None if there is no intact one."""
    place = memory.layout.places[kind]
    return find(memory, place.starts[0], place.end, kind)


def find(memory: UnitMemory, address: int, limit: int, kind: tuple[int, int]) -> Found | None:
    """Find the module of that kind at ``address`` if it is intact and built for this platform and address."""
    flash = memory.internal
    header = read_header(flash, address, memory.layout.prefix_offsets)
    is_ours = header.kind == kind and header.start == address and header.platform_id == memory.platform_id
    if not is_ours or not is_intact(flash, address, header, limit):
        return None
    return Found(address, limit, header, read_suffix(flash, address, header))


def _find_ncp(flash: NorFlash) -> Header | None:
    header = read_header(flash, flash.base, (0,))
    return header if header.kind == NCP and is_intact(flash, flash.base, header, flash.end) else None
