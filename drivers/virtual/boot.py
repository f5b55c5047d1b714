"""What a unit does at reset, determined by its flash alone, in the way of its chip family."""

from __future__ import annotations

from .boot_report import BootMode, BootReport, BootRequest, Effort
from .families import family_of
from .header import Dependency
from .inventory import HeldModule, UnmetDependency
from .memory import UnitMemory

__all__ = ["BootMode", "BootReport", "BootRequest", "Dependency", "HeldModule", "UnmetDependency", "boot"]


def boot(memory: UnitMemory, request: BootRequest = BootRequest.NORMAL) -> BootReport:
    """Reset: apply pending updates, then come up as the flash determines.

    Raises `PowerLost` if a fault cuts the power in the middle of a copy.
    """
    attempt, effort = family_of(memory.platform_id).attempt_boot, Effort()
    report = attempt(memory, request, effort)
    while report is None:
        effort.restarts += 1
        report = attempt(memory, BootRequest.NORMAL, effort)
    return report
