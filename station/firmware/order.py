"""Decides in which order, by which way and for which reasons modules are written. Pure.

Reference firmware-and-dfu 4.5 and 4.6. What has to be written at all is decided by `station.firmware.plan`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping

from drivers.platforms import ModuleFunction, Platform, Via
from drivers.wire.image.host import Image
from drivers.wire.usb import Mode

from .by_request import lost_on_the_way
from .checks import system_version_after, takes_updates
from .cuts import CutWindow
from .modules import BOOTLOADER, SYSTEM_PART, Held, Key, image_key, is_started_unchecked, slot_of

_RANK: Mapping[int, int] = {
    ModuleFunction.BOOTLOADER: 0,
    ModuleFunction.NCP: 1,
    ModuleFunction.RADIO_STACK: 2,
    ModuleFunction.SYSTEM_PART: 3,
    ModuleFunction.USER_PART: 4,
}


class Case(enum.StrEnum):
    """Which channel comes first (reference firmware-and-dfu 4.5)."""

    A = "control requests, then one DFU visit"  # the unit answers requests
    B = "one DFU visit, then control requests"  # it does not, or its bootloader is downgraded
    C = "control requests only"  # it answers requests and cannot be had in DFU


def rank(key: Key) -> tuple[int, int]:
    """Sort by kind and number; of the stages of a bootloader the first one, which has the highest number, first."""
    function, index = key
    return (_RANK.get(function, len(_RANK)), -index if function == ModuleFunction.BOOTLOADER else index)


def case_of(
    platform: Platform, mode: Mode, changing: Mapping[Key, Image], there: Mapping[Key, Held] | None, without_dfu: str
) -> Case:
    """Return C for a unit that cannot be had in DFU, ``without_dfu`` saying why. B for a unit in DFU; for one whose
    Device OS takes no updates by request; for a bootloader downgrade, as the running system part may need the newer
    one; and for a bootloader that enables device protection, as the unit accepts and reports nothing afterwards.
    """
    if without_dfu:
        return Case.C
    if mode is Mode.DFU or there is None or not takes_updates(platform, system_version_after({}, there)):
        return Case.B
    old, new = there.get(BOOTLOADER), changing.get(BOOTLOADER)
    goes_back = old is not None and new is not None and old.is_intact and new.version < old.version
    return Case.B if goes_back or (new is not None and new.is_locking) else Case.A


def ordered(changing: Mapping[Key, Image], case: Case, there: Mapping[Key, Held]) -> list[Key]:
    """Order the modules: channels as the case says; within a channel dependencies first, ties by rank.

    A bootloader on the unit may need a newer stage before it than the unit gets: then it is replaced first.
    """
    order: list[Key] = []
    for way in (Via.OTA, Via.DFU) if case is Case.A else (Via.DFU, Via.OTA):
        left = sorted((key for key in changing if _via(changing[key]) is way), key=rank)
        while left:
            held = there if way is Via.OTA else {}
            free = [
                key for key in left if not any(_waits_for(changing, held, key, other) for other in left if other != key)
            ]
            chosen = free[0] if free else left[0]
            order.append(chosen)
            left.remove(chosen)
    return order


def _waits_for(changing: Mapping[Key, Image], held: Mapping[Key, Held], key: Key, other: Key) -> bool:
    """Whether ``other`` is written before ``key``, which needs it, or which is still needed by what ``other`` replaces.

    What the system part is started on unchecked goes before that, whatever the two need of each other: the system
    part is invalid until everything under it stands.
    """
    base = other if key == SYSTEM_PART else key
    if SYSTEM_PART in (key, other) and is_started_unchecked(changing[base]):
        return base == other
    if _is_still_needed(changing[key], held.get(other)):
        return True
    is_needed = any((needed.function, needed.index) == other for needed in changing[key].dependencies)
    return is_needed and not _is_still_needed(changing[other], held.get(key))


def _is_still_needed(image: Image, holder: Held | None) -> bool:
    """Return whether ``holder``, on the unit, needs a newer module than ``image`` in the place of that."""
    needs = holder.dependencies if holder is not None and holder.is_intact else ()
    return any((one.function, one.index) == image_key(image) and image.version < one.version for one in needs)


def reasons_of(
    case: Case,
    platform: Platform,
    mode: Mode,
    changing: Mapping[Key, Image],
    there: Mapping[Key, Held] | None,
    windows: Iterable[CutWindow],
    without_dfu: str,
) -> tuple[str, ...]:
    """Say in sentences why it is done in that order, and what a cut leaves; ``without_dfu``: as for `make_plan`."""
    cuts = dict.fromkeys(one.reason for one in windows)
    return (*_order_reasons(case, platform, mode, changing, there, without_dfu), *cuts)


def _order_reasons(
    case: Case,
    platform: Platform,
    mode: Mode,
    changing: Mapping[Key, Image],
    there: Mapping[Key, Held] | None,
    without_dfu: str,
) -> tuple[str, ...]:
    if case is Case.C:
        lost = lost_on_the_way(platform, changing, there)
        return (f"Everything goes by control request: {without_dfu}.", *lost)
    if BOOTLOADER not in changing:
        return ()
    if case is Case.A:
        return ("The bootloader goes first, by control request: the system part may need the new one.",)
    if mode is Mode.DFU:
        return ("The unit is in DFU: Device OS is repaired first, the bootloader follows by control request.",)
    if not takes_updates(platform, system_version_after({}, there)):
        return ("The Device OS on the unit takes no bootloader: it follows once the new Device OS runs.",)
    if changing[BOOTLOADER].is_locking:
        return ("The bootloader puts the unit under device protection: it goes last.",)
    return ("The bootloader is downgraded and the system part on the unit may need the newer one: it goes last.",)


def way_of(image: Image, case: Case, takes_updates: bool) -> Via:
    """Return how ``image`` goes; ``takes_updates``: whether the Device OS does that runs after the DFU visit."""
    usual = Via.OTA if case is Case.C else _via(image)
    return Via.SLOT if usual is Via.OTA and not takes_updates else usual


def _via(image: Image) -> Via:
    slot = slot_of(image)
    assert slot is not None  # `check_place` refuses images without one
    return slot.via
