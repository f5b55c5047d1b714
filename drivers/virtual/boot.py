"""What a unit does at reset, decided only by what its flash holds.

Stages as on a Gen 3 unit: pending updates are copied, the bootloader looks for a system part, the
system part looks at the dependencies of what is there. Reference firmware-and-dfu 1.8, 1.9, 6.1, 7.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .memory import UnitMemory


class BootMode(enum.StrEnum):
    """How a unit comes up."""

    NORMAL = "normal"  # Device OS and application run
    SAFE = "safe"  # Device OS runs, the application does not
    DFU = "dfu"  # the bootloader waits for a host
    DEAD = "dead"  # nothing on USB: no bootloader, or a crash loop; only the MODE button helps, if anything


class BootRequest(enum.StrEnum):
    """What was asked for before the reset, or is held down during it."""

    NORMAL = "normal"
    SAFE = "safe"  # control request 60, DfuSe FA, or MODE held for a second
    DFU = "dfu"  # control request 50, 14400 baud, or MODE held for three seconds


@dataclass(frozen=True, slots=True)
class Dependency:
    """A module that must be there in ``version`` or newer."""

    function: int
    index: int
    version: int


@dataclass(frozen=True, slots=True)
class UnmetDependency:
    """``wanted`` by the module (function, index) ``by``, while ``held`` is the version there (None: no such place)."""

    by: tuple[int, int]
    wanted: Dependency
    held: int | None


@dataclass(frozen=True, slots=True)
class HeldModule:
    """One row of module info: a module of the main store as the running system reports it (reference 6.1)."""

    function: int
    index: int
    version: int
    size: int  # end - start + 4; 0 for radio stack and NCP
    max_size: int
    checked: int  # validation flags: 2 integrity, 4 dependencies, 8 range, 16 platform
    passed: int
    hash: bytes  # 32 bytes of the suffix; radio stack: its unique string, zero filled
    dependencies: tuple[Dependency, ...]


@dataclass(frozen=True, slots=True)
class BootReport:
    """How a unit came up and why."""

    mode: BootMode
    reason: str  # one sentence
    modules: tuple[HeldModule, ...]  # empty unless mode is NORMAL or SAFE
    system_version: str | None  # "6.3.4"; None unless NORMAL or SAFE
    bootloader_version: int | None  # module version; None if there is no good one
    missing: tuple[UnmetDependency, ...] = ()
    seconds: float = 0.0  # flash time of updates applied on the way
    restarts: int = 0  # resets on the way


def boot(memory: UnitMemory, request: BootRequest = BootRequest.NORMAL) -> BootReport:
    """Reset: apply pending updates, then come up as the flash says."""
    raise NotImplementedError
