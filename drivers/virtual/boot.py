"""What a unit does at reset, determined by its flash alone, in the way of its chip family."""

from __future__ import annotations

from .boot_report import BootMode, BootReport, BootRequest, Effort, stuck
from .families import family_of
from .header import Dependency
from .inventory import HeldModule, UnmetDependency, find_bootloader
from .memory import UnitMemory

_MAX_RESTARTS = 16  # more than all that can wait; a record that cannot be erased is applied for ever

__all__ = ["BootMode", "BootReport", "BootRequest", "Dependency", "HeldModule", "UnmetDependency", "boot"]


def boot(memory: UnitMemory, request: BootRequest = BootRequest.NORMAL) -> BootReport:
    """Reset: apply pending updates, then come up as the flash determines.

    Raises `PowerLost` if a fault cuts the power in the middle of a copy.
    """
    attempt, effort = family_of(memory.platform_id).attempt_boot, Effort()
    report = attempt(memory, request, effort)
    while report is None and effort.restarts < _MAX_RESTARTS:
        effort.restarts += 1
        report = attempt(memory, BootRequest.NORMAL, effort)
    return report or stuck(BootMode.DEAD, "an update is applied again at every reset", find_bootloader(memory), effort)
