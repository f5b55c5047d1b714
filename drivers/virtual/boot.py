"""What a unit does at reset, decided only by what its flash holds.

Stages as on a Gen 3 unit: pending updates are copied, the bootloader looks for a system part, the
system part looks at the dependencies of what is there. Reference firmware-and-dfu 1.8, 1.9, 6.1, 7.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ..platforms import ModuleFunction
from ..wire.image.tables import PROTECTED
from . import update_slots
from .dct import OTA_FLAG_OFF
from .flash import Who
from .header import SYSTEM as SYSTEM_KIND
from .header import Dependency, read_radio
from .inventory import Found, HeldModule, UnmetDependency, find_application, find_bootloader, find_system, held_modules
from .inventory import unmet as unmet_dependencies
from .layout import os_version
from .memory import UnitMemory
from .ota import records_in_slot

__all__ = ["BootMode", "BootReport", "BootRequest", "Dependency", "HeldModule", "UnmetDependency", "boot"]

_KNOWS_ASSETS = 5500  # first system module version that wants an application's assets to be there
_NAMES = {
    ModuleFunction.BOOTLOADER: "bootloader",
    ModuleFunction.SYSTEM_PART: "system part",
    ModuleFunction.USER_PART: "application",
    ModuleFunction.NCP: "NCP firmware",
    ModuleFunction.RADIO_STACK: "SoftDevice",
}


class BootMode(enum.StrEnum):
    """How a unit comes up."""

    NORMAL = "normal"  # Device OS and application run
    SAFE = "safe"  # Device OS runs, the application does not
    DFU = "dfu"  # the bootloader waits for a host
    DEAD = "dead"  # nothing on USB: no bootloader, or a crash loop; in the latter MODE held at reset still gives DFU


class BootRequest(enum.StrEnum):
    """What was asked for before the reset, or is held down during it."""

    NORMAL = "normal"  # nothing
    SAFE = "safe"  # control request 60, DfuSe FA, or MODE held for a second
    DFU = "dfu"  # control request 50, 14400 baud, or MODE held for three seconds


@dataclass(frozen=True, slots=True)
class BootReport:
    """How a unit came up and why."""

    mode: BootMode
    reason: str  # one sentence
    modules: tuple[HeldModule, ...]  # module info; empty unless mode is NORMAL or SAFE
    system_version: str | None  # "6.3.4"; None unless mode is NORMAL or SAFE
    bootloader_version: int | None  # module version; None if there is no whole one
    is_protected: bool = False  # as the bootloader in flash says
    missing: tuple[UnmetDependency, ...] = ()
    seconds: float = 0.0  # flash time of updates applied on the way
    restarts: int = 0  # further resets on the way

    @property
    def system_module_version(self) -> int | None:
        """6305 for Device OS 6.3.4; None unless mode is NORMAL or SAFE."""
        return next((m.version for m in self.modules if (m.function, m.index) == SYSTEM_KIND), None)


@dataclass(slots=True)
class _Effort:
    """What the way to the final report cost."""

    seconds: float = 0.0
    restarts: int = 0


def boot(memory: UnitMemory, request: BootRequest = BootRequest.NORMAL) -> BootReport:
    """Reset: apply pending updates, then come up as the flash says.

    Raises `PowerLost` if a fault ordered it in the middle of a copy.
    """
    effort = _Effort()
    report = _attempt(memory, request, effort)
    while report is None:
        effort.restarts += 1
        report = _attempt(memory, BootRequest.NORMAL, effort)
    return report


def _attempt(memory: UnitMemory, request: BootRequest, effort: _Effort) -> BootReport | None:
    """One reset; None if it ended in another one."""
    if _apply_bootloader(memory, effort):
        return None
    bootloader = find_bootloader(memory)
    if bootloader is None:
        return _stuck(BootMode.DEAD, "there is no whole bootloader in its place", None, effort)
    for number, record in update_slots.pending(memory).items():
        effort.seconds += update_slots.apply(memory, number, record)
    if request is BootRequest.DFU:
        return _stuck(BootMode.DFU, "DFU mode was asked for", bootloader, effort)
    search = find_system(memory, bootloader.header.version)
    if search.crashes:
        return _stuck(
            BootMode.DEAD, "the second header starts a system part that is torn: crash loop", bootloader, effort
        )
    if search.found is None:
        return _stuck(BootMode.DFU, "the bootloader finds no whole system part", bootloader, effort)
    if read_radio(memory.internal, memory.layout) is None:
        return _stuck(BootMode.DFU, "there is no SoftDevice in its place", bootloader, effort)
    if _stage_slot(memory, search.found, effort):
        return None
    return _run(memory, search.found, bootloader, request, effort)


def _apply_bootloader(memory: UnitMemory, effort: _Effort) -> bool:
    """Let the MBR finish the copy of a bootloader, which survives power cuts; a reset follows."""
    for number, record in update_slots.pending(memory).items():
        if record.function == ModuleFunction.BOOTLOADER:
            effort.seconds += update_slots.apply(memory, number, record)
            return True
    return False


def _stage_slot(memory: UnitMemory, system: Found, effort: _Effort) -> bool:
    """Act on the OTA flag: clear it, and make records of a good module in the slot; a reset follows if so."""
    if not memory.dct.ota_flag_is_on:
        return False
    effort.seconds += memory.dct.set("ota_update_flag", OTA_FLAG_OFF, Who.SYSTEM)
    _, records = records_in_slot(memory, system)
    if not records:
        return False
    effort.seconds += update_slots.store(memory, records, Who.SYSTEM)
    return True


def _run(memory: UnitMemory, system: Found, bootloader: Found, request: BootRequest, effort: _Effort) -> BootReport:
    """The system part starts: normal unless something it needs is missing."""
    application = find_application(memory)
    missing = unmet_dependencies(memory, system.address, system)
    if application is not None:
        missing += unmet_dependencies(memory, system.address, application)
    reason = _why_safe(system, application, missing, request)
    return BootReport(
        mode=BootMode.SAFE if reason else BootMode.NORMAL,
        reason=reason or "every module is whole and every dependency met",
        modules=held_modules(memory, system),
        system_version=str(os_version(system.header.version)),
        bootloader_version=bootloader.header.version,
        is_protected=_locks(bootloader),
        missing=tuple(missing),
        seconds=effort.seconds,
        restarts=effort.restarts,
    )


def _why_safe(system: Found, application: Found | None, missing: list[UnmetDependency], request: BootRequest) -> str:
    if missing:
        return "; ".join(_sentence(m) for m in missing)
    if application is None:
        return "there is no whole application"
    if application.suffix.asset_dependencies and system.header.version >= _KNOWS_ASSETS:
        return f"{len(application.suffix.asset_dependencies)} assets of the application are missing"
    return "safe mode was asked for" if request is BootRequest.SAFE else ""


def _sentence(missing: UnmetDependency) -> str:
    by, wanted = _NAMES.get(ModuleFunction(missing.by[0]), "module"), missing.wanted
    name = _NAMES[ModuleFunction(wanted.function)] if wanted.function in _NAMES else f"module {wanted.function}"
    held = "holds none" if missing.held is None else f"holds {missing.held}"
    return f"the {by} wants {name} {wanted.version} or newer, the unit {held}"


def _stuck(mode: BootMode, reason: str, bootloader: Found | None, effort: _Effort) -> BootReport:
    return BootReport(
        mode, reason, (), None, None if bootloader is None else bootloader.header.version,
        is_protected=bootloader is not None and _locks(bootloader),
        seconds=effort.seconds, restarts=effort.restarts,
    )  # fmt: skip


def _locks(bootloader: Found) -> bool:
    """A unit is under device protection because its bootloader says so (reference 3.12)."""
    return bootloader.suffix.security_mode == PROTECTED
