"""Plans an update by control requests alone, for a unit that cannot be had in DFU. Pure.

Reference firmware-and-dfu 5: what a unit looks at before it takes a module. Each module is followed by a restart, so
each has to agree with what the unit holds by then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from drivers.platforms import ModuleFunction, OsVersion, Platform, Via, os_version_of_module
from drivers.wire.image.host import Dependency, Image

from ..errors import StationError
from .checks import system_version_after, takes_updates
from .modules import SYSTEM_PART, Held, Key, slot_of

_IN_STAGES = frozenset({ModuleFunction.SYSTEM_PART, ModuleFunction.BOOTLOADER})
"""Kinds of modules that need others of their kind."""


class NotByRequest(StationError):
    """The unit does not take the files by control request alone. Says nothing about the unit."""


def order_by_request(
    platform: Platform, ranked: Sequence[Key], changing: Mapping[Key, Image], there: Mapping[Key, Held] | None
) -> list[Key]:
    """Order the modules so that the unit takes every one of them, with a restart after each; raises `NotByRequest`.

    What others need goes first; of the parts of a Device OS, one with which the others on the unit still agree. As far
    as that leaves a choice, as ``ranked``; but a bootloader that is downgraded goes when nothing else may need the
    newer one any more, and one that locks the unit after everything.
    """
    if there is None:
        raise NotByRequest("a unit that does not run takes nothing by control request")
    _check(platform, changing, there)
    versions = {key: row.version for key, row in there.items()}
    needs = {key: row.dependencies for key, row in there.items()}
    order: list[Key] = []
    left = sorted(ranked, key=lambda key: _is_late(changing[key], there.get(key)))
    while left:
        free = [key for key in left if _is_taken(key, changing[key], versions, needs)]
        if not free:
            raise NotByRequest(
                f"{changing[left[0]].name} and what is on the unit do not agree in any order of one after the other"
            )
        order.append(free[0])
        left.remove(free[0])
        versions[free[0]], needs[free[0]] = changing[free[0]].version, changing[free[0]].dependencies
    return order


def _is_late(image: Image, held: Held | None) -> bool:
    goes_back = held is not None and held.is_intact and image.version < held.version
    return image.is_locking or (image.function == ModuleFunction.BOOTLOADER and goes_back)


def _is_taken(key: Key, image: Image, versions: Mapping[Key, int], needs: Mapping[Key, tuple[Dependency, ...]]) -> bool:
    """Whether a unit that holds ``versions``, of which each needs ``needs``, takes ``image`` (5.4).

    An application's needs are looked at when it starts. Only what is of its kind is asked what it thinks of another:
    parts of a Device OS by the unit, stages of a bootloader by us, as the unit would not start with a wrong one.
    """
    if image.function == ModuleFunction.USER_PART:
        return True
    met = all(versions.get((one.function, one.index), -1) >= one.version for one in image.dependencies if one.function)
    others = (
        one.version
        for part, rows in needs.items()
        if key[0] == part[0] in _IN_STAGES and part != key
        for one in rows
        if (one.function, one.index) == key
    )
    return met and all(image.version >= wanted for wanted in others)


def _check(platform: Platform, changing: Mapping[Key, Image], there: Mapping[Key, Held]) -> None:
    runs = system_version_after({}, there)
    text = os_version_of_module(runs) if runs is not None else None
    if not takes_updates(platform, runs):
        raise NotByRequest(f"Device OS {text} of a {platform.name} takes no updates by control request")
    device_os = OsVersion.parse(text) if text is not None else None
    through, system = platform.updates_through, changing.get(SYSTEM_PART)
    if through is not None and system is not None and device_os is not None and device_os < through:
        wanted = os_version_of_module(system.version)
        if wanted is not None and OsVersion.parse(wanted) > through:
            raise NotByRequest(
                f"by control request a {platform.name} goes from Device OS {text} to {through} first, then to {wanted}"
            )
    for image in changing.values():
        _check_one(platform, image, there, device_os)


def _check_one(platform: Platform, image: Image, there: Mapping[Key, Held], device_os: OsVersion | None) -> None:
    """Check that ``image`` fits where the unit keeps it meanwhile, and that it counts when it is in its place."""
    slot = slot_of(image)
    room = platform.ota_slot(device_os) if device_os is not None else None
    if slot is None or slot.via is Via.OTA:
        return  # that is its usual way
    if room is not None and len(image.data) > room.size:
        raise NotByRequest(f"{image.name} has {len(image.data)} bytes, an update of this unit {room.size} at most")
    older = (image.function, slot.legacy_index) if slot.legacy_index is not None else None
    if older is not None and older in there and image.index != slot.legacy_index:
        until = slot.legacy_start or 0
        if image.flash_address + len(image.flash_bytes) <= until:
            raise NotByRequest(
                f"the application on the unit lies at {until:#x}, counts before {image.name}, and only DFU erases it"
            )


def lost_on_the_way(
    platform: Platform, changing: Mapping[Key, Image], there: Mapping[Key, Held] | None
) -> tuple[str, ...]:
    """Say what an update passes over while the unit keeps it, which DFU would leave alone (2.1, 2.3)."""
    runs = system_version_after({}, there)
    text = os_version_of_module(runs) if runs is not None else None
    slot = platform.ota_slot(OsVersion.parse(text)) if text is not None else None
    if slot is None:
        return ()
    largest = max((len(image.data) for image in changing.values()), default=0)
    return tuple(
        f"An update of {largest} bytes passes over what lies at {one.start:#x} ({one.name}), which is lost."
        for one in platform.regions
        if one.alt == slot.alt and slot.start < one.start < slot.start + largest and one.name == "factory-user-part"
    )
