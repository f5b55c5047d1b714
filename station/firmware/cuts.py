"""What a cut of power or cable leaves in the middle of a plan, and which pages go invalid early because of it. Pure.

Reference firmware-and-dfu 2.3 (which image a unit prefers) and 7.1 (interrupted flash, by stage).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from drivers.platforms import platform
from drivers.wire.image.host import Image

from .modules import BOOTLOADER, SYSTEM_PART, Held, Key, is_started_unchecked, module_name, slot_of

_LAST_PAGE = (
    "Page {page:#x} is erased first and written last: a cut leaves a unit that waits in DFU, "
    "save for some 40 ms while that page is written (MODE and RESET then bring it to DFU)."
)
_TORN_BASE = (
    "A cut while the {name} is written leaves a system part that starts upon half a {name}: "
    "MODE and RESET bring it to DFU."
)
_TORN_BOOTLOADER = (
    "The bootloader on the unit ({held}) cannot resume an interrupted copy: "
    "a power cut in these seconds needs a debugger (SWD)."
)


_LATE = 0.97
"""A window of milliseconds at the end of a write is said from here on."""


class CutSafety(enum.StrEnum):
    """What a cut in the middle of a plan leaves."""

    ALWAYS = "always"  # a unit that starts by itself or waits in DFU, whenever it happens
    BUT_LAST_PAGE = "but for the last page"  # as above, save some 40 ms while the page written last is written
    NO = "no"  # there are moments after which hands, or more, are needed: the reasons say which


@dataclass(frozen=True, slots=True)
class CutWindow:
    """A time in which a cut leaves a unit that shows nothing: while ``image`` is written, from ``begins`` on.

    ``begins``: share of the writing, 0.0-1.0, somewhat early: it is said before. ``is_last_page``: it is as long as
    one page takes. ``needs_debugger``: no button helps.
    """

    image: Image
    begins: float
    reason: str
    is_last_page: bool = False
    needs_debugger: bool = False


def cut_windows(changing: Mapping[Key, Image], there: Mapping[Key, Held] | None) -> tuple[CutWindow, ...]:
    """Tell when a cut would leave a dark unit, of one that holds ``there`` (None: unknown) and is to get ``changing``.

    Raises `UnknownPlatform`.
    """
    windows: list[CutWindow] = []
    for image in changing.values():
        page = _deciding_page(image)
        if page not in (None, image.start):
            windows.append(CutWindow(image, _LATE, _LAST_PAGE.format(page=page), is_last_page=True))
    windows += [
        CutWindow(base, 0.0, _TORN_BASE.format(name=module_name(base.function, base.index)))
        for base in _unchecked(changing)
        if SYSTEM_PART not in changing
    ]
    held, bootloader = (there or {}).get(BOOTLOADER), changing.get(BOOTLOADER)
    if bootloader is None or there is None:
        return tuple(windows)
    if held is None or held.version < platform(bootloader.platform_id).bootloader.resumes_copy:
        reason = _TORN_BOOTLOADER.format(held=held.version if held else "none reported")
        windows.append(CutWindow(bootloader, _LATE, reason, needs_debugger=True))
    return tuple(windows)


def cut_safety(windows: Iterable[CutWindow]) -> CutSafety:
    """Say how safe a plan with these windows is."""
    rows = tuple(windows)
    if not rows:
        return CutSafety.ALWAYS
    return CutSafety.BUT_LAST_PAGE if all(row.is_last_page for row in rows) else CutSafety.NO


def _deciding_page(image: Image) -> int | None:
    slot = slot_of(image)
    return slot.erase_first_write_last if slot is not None else None


def _unchecked(changing: Mapping[Key, Image]) -> list[Image]:
    return [image for image in changing.values() if is_started_unchecked(image)]


@dataclass(frozen=True, slots=True)
class EarlyErase:
    """A page that writing ``image`` erases anyway, to be erased before ``before`` is touched."""

    image: Image
    page: int
    before: Image


def pages_to_erase_first(changing: Mapping[Key, Image]) -> tuple[EarlyErase, ...]:
    """Name what must go invalid before another module is written, so that every cut ends in DFU.

    A valid system part would be started upon a torn module that nobody checks: it goes invalid before that one.
    """
    system = changing.get(SYSTEM_PART)
    if system is None:
        return ()
    page = _deciding_page(system)
    return tuple(EarlyErase(system, system.start if page is None else page, base) for base in _unchecked(changing))
