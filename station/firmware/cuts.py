"""What a cut of power or cable leaves in the middle of a plan, and which pages go invalid early because of it. Pure.

Reference firmware-and-dfu 2.3 (which image a unit prefers) and 7.1 (interrupted flash, by stage).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
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


class CutSafety(enum.StrEnum):
    """What a cut in the middle of a plan leaves."""

    ALWAYS = "always"  # a unit that starts by itself or waits in DFU, whenever it happens
    BUT_LAST_PAGE = "but for the last page"  # as above, save some 40 ms while page 0x30000 is written
    NO = "no"  # there are moments after which hands, or more, are needed: the reasons say which


def cut_safety(changing: Mapping[Key, Image], there: Mapping[Key, Held] | None) -> tuple[CutSafety, tuple[str, ...]]:
    """How safe it is to write ``changing`` into a unit that holds ``there`` (None: unknown), and why."""
    cut = CutSafety.ALWAYS
    reasons: list[str] = []
    system = changing.get(SYSTEM_PART)
    if system is not None and system.start != UNCERTAIN.second_header_page:
        cut = CutSafety.BUT_LAST_PAGE
        reasons.append(_LAST_PAGE)
    if SOFTDEVICE in changing and system is None:
        cut = CutSafety.NO
        reasons.append(_TORN_RADIO)
    held = (there or {}).get(BOOTLOADER)
    if BOOTLOADER in changing and there is not None and (held is None or held.version < SAFE_COPY_FROM):
        cut = CutSafety.NO
        reasons.append(_TORN_BOOTLOADER.format(held=held.version if held else "none reported"))
    return cut, tuple(reasons)


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
