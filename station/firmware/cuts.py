"""What a cut of power or cable leaves in the middle of a plan, and which pages go invalid early because of it. Pure.

Reference firmware-and-dfu 2.3 (which image a unit prefers) and 7.1 (interrupted flash, by stage).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from drivers.platforms import UNCERTAIN
from drivers.wire.module import Image

from .modules import BOOTLOADER, SOFTDEVICE, SYSTEM_PART, Held, Key

SAFE_COPY_FROM = 1001
"""Bootloaders from this version on resume an interrupted copy of their successor."""

_LAST_PAGE = (
    f"Page {UNCERTAIN.second_header_page:#x} is erased first and written last: a cut leaves a unit that waits in DFU, "
    "save for some 40 ms while that page is written (MODE and RESET then bring it to DFU)."
)
_TORN_RADIO = (
    "A cut while the SoftDevice is written leaves a system part that starts upon half a SoftDevice: "
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
    BUT_LAST_PAGE = "but for the last page"  # as above, save some 40 ms while page 0x30000 is written
    NO = "no"  # there are moments after which hands, or more, are needed: the reasons say which


@dataclass(frozen=True, slots=True)
class CutWindow:
    """A time in which a cut leaves a unit that shows nothing: while ``image`` is written, from ``begins`` on.

    ``begins``: share of the writing, 0.0-1.0, somewhat early: it is said before. ``needs_debugger``: no button helps.
    """

    image: Image
    begins: float
    reason: str
    needs_debugger: bool = False


def cut_windows(changing: Mapping[Key, Image], there: Mapping[Key, Held] | None) -> tuple[CutWindow, ...]:
    """When a cut would leave a dark unit, of one that holds ``there`` (None: unknown) and is to get ``changing``."""
    windows: list[CutWindow] = []
    system, radio, bootloader = (changing.get(key) for key in (SYSTEM_PART, SOFTDEVICE, BOOTLOADER))
    if system is not None and system.start != UNCERTAIN.second_header_page:
        windows.append(CutWindow(system, _LATE, _LAST_PAGE))
    if radio is not None and system is None:
        windows.append(CutWindow(radio, 0.0, _TORN_RADIO))
    held = (there or {}).get(BOOTLOADER)
    if bootloader is not None and there is not None and (held is None or held.version < SAFE_COPY_FROM):
        reason = _TORN_BOOTLOADER.format(held=held.version if held else "none reported")
        windows.append(CutWindow(bootloader, _LATE, reason, needs_debugger=True))
    return tuple(windows)


def cut_safety(windows: Iterable[CutWindow]) -> CutSafety:
    """How safe a plan with these windows is."""
    reasons = {window.reason for window in windows}
    if not reasons:
        return CutSafety.ALWAYS
    return CutSafety.BUT_LAST_PAGE if reasons == {_LAST_PAGE} else CutSafety.NO


@dataclass(frozen=True, slots=True)
class EarlyErase:
    """A page that writing ``image`` erases anyway, to be erased before ``before`` is touched."""

    image: Image
    page: int
    before: Image


def pages_to_erase_first(changing: Mapping[Key, Image]) -> tuple[EarlyErase, ...]:
    """What must go invalid before another module is written, so that every cut ends in DFU.

    A torn SoftDevice below a valid system part would be started: the system part goes invalid before it.
    """
    system, radio = changing.get(SYSTEM_PART), changing.get(SOFTDEVICE)
    if system is None or radio is None:
        return ()
    return (EarlyErase(system, UNCERTAIN.second_header_page, radio),)
