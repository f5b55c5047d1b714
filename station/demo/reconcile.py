"""Compares what a virtual unit holds with the files it was to get, by the unit's own memories and its own boot.

Nothing here asks the station: a unit counts as equal if it came up with the module list of a unit that left its
factory with exactly those files, and if its flash holds every byte of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.virtual.boot import BootMode, HeldModule, boot
from drivers.virtual.memory import UnitMemory
from drivers.virtual.synthetic import SyntheticFile
from drivers.virtual.unit import VirtualUnit

from ..firmware.modules import module_name, version_text


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One unit beside its files and the cloud's record. ``problems``: empty if both are as wanted."""

    slot: int
    unit: str  # its serial number or Device ID
    platform: str
    came_with: str  # Device OS
    device_os: str  # it runs; "" if none
    modules: tuple[str, ...]
    bytes_equal: int
    problems: tuple[str, ...]
    record: tuple[str, ...] = ()  # fields of the cloud's record that are as wanted


def reconcile(slot: int, unit: VirtualUnit, came_with: str, files: Sequence[SyntheticFile]) -> Reconciled:
    """Compare a unit that is still powered with ``files``, the whole firmware of its profile."""
    row, report = unit.spec.platform, unit.report
    held = report.modules if report is not None else ()
    wanted = _module_list(row.id, files)
    problems = [] if report is not None and report.mode is BootMode.NORMAL else ["it does not run its application"]
    problems += [f"it lists {_words(one)}, which its files do not" for one in held if one not in wanted]
    problems += [f"it does not list {_words(one)}" for one in wanted if one not in held]
    equal = [file for file in files if unit.memory.holds(file.data)]
    problems += [f"its flash differs from {file.name}" for file in files if file not in equal]
    problems += [f"a write touched {touch}" for touch in unit.score.forbidden]
    return Reconciled(
        slot, str(unit.spec.serial or unit.device_id), row.name, came_with,
        (report and report.system_version) or "", tuple(map(_words, held)),
        sum(len(file.data) for file in equal), tuple(problems),
    )  # fmt: skip


def never_left(slot: int) -> Reconciled:
    """Return the row of a slot whose unit nobody could look at."""
    return Reconciled(slot, "", "", "", "", (), 0, ("its unit never left the slot",))


def _module_list(platform_id: int, files: Sequence[SyntheticFile]) -> tuple[HeldModule, ...]:
    """Return the module list of a unit that left its factory with exactly ``files``."""
    memory = UnitMemory(platform_id)
    memory.install(file.data for file in files)
    return boot(memory).modules


def _words(module: HeldModule) -> str:
    return f"{module_name(module.function, module.index)} {version_text(module.function, module.version, module.hash)}"
