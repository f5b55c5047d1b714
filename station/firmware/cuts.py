"""Consequences of losing power or cable in the middle of a plan, and the pages invalidated early to limit them. Pure.

Reference firmware-and-dfu 2.3 (which image a unit prefers) and 7.1 (interrupted flash, by stage). A loss of either
is called a cut.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from drivers.platforms import NEVER, Bootloader, ModuleFunction, platform
from drivers.wire.image.host import Image

from .modules import BOOTLOADER, SYSTEM_PART, Held, Key, is_started_unchecked, module_name, slot_of

_LAST_PAGE = (
    "Page {page:#x} is erased first and written last: a cut leaves a unit that waits in DFU, "
    "except for about 40 ms while that page is written (MODE and RESET then put it into DFU)."
)
_TORN_BASE = (
    "A cut while the {name} is written leaves a system part that boots on top of an incomplete {name}: "
    "MODE and RESET put it into DFU."
)
_FACTORY_LOOP = (
    "A power cut while the system parts are written leaves a unit that waits in DFU or, where it keeps a factory "
    "image, restarts over and over: {button} and RESET put it into DFU."
)
_TORN_BOOTLOADER = (
    "The bootloader on the unit ({held}) cannot resume an interrupted copy: "
    "a power cut in these seconds needs a debugger (SWD)."
)


_LATE = 0.97
"""Share of a write from which a window of milliseconds at its end is announced."""


class CutSafety(enum.StrEnum):
    """State of a unit after a cut in the middle of a plan."""

    ALWAYS = "always"  # it boots on its own or waits in DFU, whenever the cut happens
    BUT_LAST_PAGE = "but for the last page"  # as above, except for about 40 ms while the last page is written
    NO = "no"  # at some moments it needs its buttons, or more, afterwards; the reasons say which


@dataclass(frozen=True, slots=True)
class CutWindow:
    """A time in which a cut leaves a dead unit: while ``image`` is written, from ``begins`` on.

    ``begins``: share of the writing, 0.0-1.0, somewhat early so that it can be announced. ``is_last_page``: it lasts
    as long as writing one page. ``needs_debugger``: the buttons do not help.
    """

    image: Image
    begins: float
    reason: str
    is_last_page: bool = False
    needs_debugger: bool = False


def cut_windows(
    changing: Mapping[Key, Image], there: Mapping[Key, Held] | None, *, by_request: bool = False
) -> tuple[CutWindow, ...]:
    """List the times at which a cut leaves a dead unit while ``changing`` is written over ``there`` (None: unknown).

    ``by_request``: the unit copies everything itself, and goes on after a cut with all but a bootloader. Raises
    `UnknownPlatform`.
    """
    windows: list[CutWindow] = []
    for image in () if by_request else changing.values():
        page = _deciding_page(image)
        if image.function == ModuleFunction.SYSTEM_PART and _bootloader(image).restores_factory_image:
            button = platform(image.platform_id).button
            windows.append(CutWindow(image, 0.0, _FACTORY_LOOP.format(button=button)))
        elif page not in (None, image.start):
            windows.append(CutWindow(image, _LATE, _LAST_PAGE.format(page=page), is_last_page=True))
    windows += [
        CutWindow(base, 0.0, _TORN_BASE.format(name=module_name(base.function, base.index)))
        for base in _unchecked(changing)
        if SYSTEM_PART not in changing and not by_request
    ]
    bootloader = changing.get(BOOTLOADER)
    if bootloader is None or not _may_tear(bootloader, there):
        return tuple(windows)
    held = (there or {}).get(BOOTLOADER)
    reason = _TORN_BOOTLOADER.format(held=held.version if held else "none reported")
    return (*windows, CutWindow(bootloader, _LATE, reason, needs_debugger=True))


def _may_tear(bootloader: Image, there: Mapping[Key, Held] | None) -> bool:
    """Tell whether the one on the unit cannot resume the copy; of a unit that says nothing, whether none ever could."""
    resumes_from = _bootloader(bootloader).resumes_copy
    if there is None:
        return resumes_from == NEVER
    held = there.get(BOOTLOADER)
    return held is None or held.version < resumes_from


def _bootloader(image: Image) -> Bootloader:
    return platform(image.platform_id).bootloader


def cut_safety(windows: Iterable[CutWindow]) -> CutSafety:
    """Classify how safe a plan with these windows is."""
    rows = tuple(windows)
    if not rows:
        return CutSafety.ALWAYS
    return CutSafety.BUT_LAST_PAGE if all(row.is_last_page for row in rows) else CutSafety.NO


def _deciding_page(image: Image) -> int | None:
    slot = slot_of(image)
    return slot.erase_first_write_last if slot is not None else None


def _unchecked(changing: Mapping[Key, Image]) -> list[Image]:
    return [image for key, image in changing.items() if key != SYSTEM_PART and is_started_unchecked(image)]


@dataclass(frozen=True, slots=True)
class EarlyErase:
    """A page that writing ``image`` erases anyway, to be erased before ``before`` is touched."""

    image: Image
    page: int
    before: Image


def pages_to_erase_first(changing: Mapping[Key, Image]) -> tuple[EarlyErase, ...]:
    """List the pages to erase before another module is written, so that every cut ends in DFU.

    A valid system part would boot on top of an incomplete module that is not checked: it is invalidated first.
    """
    system = changing.get(SYSTEM_PART)
    if system is None:
        return ()
    page = _deciding_page(system)
    return tuple(EarlyErase(system, system.start if page is None else page, base) for base in _unchecked(changing))
