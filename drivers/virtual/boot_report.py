"""How a unit came up: the outcome of a reset, and the parts of it that every chip family shares.

What a family does at reset is in `families`. Reference firmware-and-dfu 1.8, 1.9, 6.1, 7.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from ..platforms import ModuleFunction
from ..wire.image.tables import PROTECTED
from .header import SYSTEM as SYSTEM_KIND
from .header import AssetDependency
from .inventory import Found, HeldModule, UnmetDependency, held_modules
from .inventory import unmet as unmet_dependencies
from .layout import os_version
from .memory import UnitMemory

KNOWS_ASSETS = 5500
"""First system module version that keeps and requires an application's assets."""
_NAMES = {
    ModuleFunction.BOOTLOADER: "bootloader",
    ModuleFunction.SYSTEM_PART: "system part",
    ModuleFunction.USER_PART: "application",
    ModuleFunction.NCP: "NCP firmware",
    ModuleFunction.RADIO_STACK: "SoftDevice",
}


class BootMode(enum.StrEnum):
    """Mode in which a unit comes up."""

    NORMAL = "normal"  # Device OS and application run
    SAFE = "safe"  # Device OS runs, the application does not
    DFU = "dfu"  # the bootloader waits for a host
    DEAD = "dead"  # nothing on USB: no bootloader, or a crash loop, in which MODE held at reset still enters DFU


class BootRequest(enum.StrEnum):
    """What was requested before the reset, or is held down during it."""

    NORMAL = "normal"  # nothing
    LISTENING = "listening"  # nothing, but MODE is held until the firmware listens
    SAFE = "safe"  # control request 60, DfuSe FA, or MODE held for a second
    DFU = "dfu"  # control request 50, 14400 baud, or MODE held for three seconds


@dataclass(frozen=True, slots=True)
class BootReport:
    """How a unit came up and why."""

    mode: BootMode
    reason: str  # one sentence
    modules: tuple[HeldModule, ...]  # module info; empty unless mode is NORMAL or SAFE
    system_version: str | None  # "6.3.4"; None unless mode is NORMAL or SAFE
    bootloader_version: int | None  # module version; None if there is no intact one
    is_protected: bool = False  # as the bootloader in flash says
    missing: tuple[UnmetDependency, ...] = ()
    seconds: float = 0.0  # flash time of updates applied on the way
    restarts: int = 0  # further resets on the way

    @property
    def system_module_version(self) -> int | None:
        """Return 6305 for Device OS 6.3.4; None unless mode is NORMAL or SAFE."""
        return next((m.version for m in self.modules if (m.function, m.index) == SYSTEM_KIND), None)


@dataclass(slots=True)
class Effort:
    """Time and restarts spent before the final report."""

    seconds: float = 0.0
    restarts: int = 0


def _name(function: int, index: int) -> str:
    """Give words for a module; a bootloader with a number is a stage before the bootloader."""
    name = _NAMES.get(ModuleFunction(function), f"module {function}")
    return f"pre{name} {index}" if function == ModuleFunction.BOOTLOADER and index else name


def running(
    memory: UnitMemory,
    system: Found,
    bootloader: Found,
    application: Found | None,
    request: BootRequest,
    effort: Effort,
    others: Sequence[Found] = (),
) -> BootReport:
    """Report that the system part starts: normal unless something it needs is missing.

    ``others``: further system parts that run with it, the one that is Device OS proper last.
    """
    modules = [bootloader, system, *others, *([] if application is None else [application])]
    missing = [one for module in modules for one in unmet_dependencies(memory, system.address, module)]
    reason = _why_safe(memory, system, application, missing, request)
    return BootReport(
        mode=BootMode.SAFE if reason else BootMode.NORMAL,
        reason=reason or "every module is intact and every dependency met",
        modules=held_modules(memory, system, application),
        system_version=str(os_version((system, *others)[-1].header.version)),
        bootloader_version=bootloader.header.version,
        is_protected=_locks(bootloader),
        missing=tuple(missing),
        seconds=effort.seconds,
        restarts=effort.restarts,
    )


def missing_assets(memory: UnitMemory, application: Found) -> list[AssetDependency]:
    """List what the application needs in the asset store and is not there."""
    held = {one.wanted for one in memory.assets.held()} if memory.assets is not None else set()
    return [one for one in application.suffix.asset_dependencies if one not in held]


def _why_safe(
    memory: UnitMemory,
    system: Found,
    application: Found | None,
    missing: list[UnmetDependency],
    request: BootRequest,
) -> str:
    if missing:
        return "; ".join(_sentence(m) for m in missing)
    if application is None:
        return "there is no intact application"
    if system.header.version >= KNOWS_ASSETS and (lacking := missing_assets(memory, application)):
        return f"the application lacks {', '.join(one.name for one in lacking)}"
    return "safe mode was requested" if request is BootRequest.SAFE else ""


def _sentence(missing: UnmetDependency) -> str:
    by, wanted = _name(*missing.by), missing.wanted
    name = _name(wanted.function, wanted.index)
    held = "holds none" if missing.held is None else f"holds {missing.held}"
    return f"the {by} needs {name} {wanted.version} or newer, the unit {held}"


def stuck(mode: BootMode, reason: str, bootloader: Found | None, effort: Effort) -> BootReport:
    """Report that no Device OS starts, and why."""
    return BootReport(
        mode, reason, (), None, None if bootloader is None else bootloader.header.version,
        is_protected=bootloader is not None and _locks(bootloader),
        seconds=effort.seconds, restarts=effort.restarts,
    )  # fmt: skip


def _locks(bootloader: Found) -> bool:
    """Return whether the bootloader puts the unit under device protection (reference 3.12)."""
    return bootloader.suffix.security_mode == PROTECTED
