"""In which order the pages of a module are erased and written. Pure; where it may go is the write guard's word.

Erase first: the old module is invalid from the first moment, so a cut never leaves a mixture that
looks complete. Reference firmware-and-dfu 1.11 and 7.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..platforms import ModuleFunction
from ..wire.module import Image

PAGE = 4096
SECOND_HEADER_PAGE = 0x30000
"""From 6.1.2 a system part carries a second, short header here that a bootloader trusts by itself: while this
page is blank, every interruption ends in DFU mode; with it, a torn image is started."""
SYSTEM_START, LEGACY_SYSTEM_START = 0x28000, 0x30000
USER_START, LEGACY_USER_START = 0xB4000, 0xD4000


@dataclass(frozen=True, slots=True)
class Block:
    """At most one page of content; ``address`` is where it goes, the start of its page."""

    address: int
    data: bytes


@dataclass(frozen=True, slots=True)
class WritePlan:
    """Erase ``first``; erase what is not blank of ``stale`` (pages of older images); erase ``erase``; write ``blocks``.

    Each in its order.
    """

    first: tuple[int, ...]
    stale: tuple[int, ...]
    erase: tuple[int, ...]
    blocks: tuple[Block, ...]

    @property
    def operations(self) -> int:
        """Erases and writes, for progress."""
        return len(self.first) + len(self.erase) + len(self.blocks)


def plan_write(image: Image) -> WritePlan:
    """Pages and blocks of ``image`` in the order that survives being cut off at any moment.

    For system parts the page at 0x30000 is erased before everything else and written after everything
    else, whether the old image, the new one, both or none of them uses it: no case is worse for it.
    """
    content, start = image.flash_bytes, image.flash_address
    blocks = [Block(start + at, content[at : at + PAGE]) for at in range(0, len(content), PAGE)]
    pages = [block.address for block in blocks]
    first: list[int] = []
    if image.function == ModuleFunction.SYSTEM_PART and SECOND_HEADER_PAGE in pages:
        first = [SECOND_HEADER_PAGE]
        pages.remove(SECOND_HEADER_PAGE)
        blocks.sort(key=lambda block: block.address == SECOND_HEADER_PAGE)  # stable: ascending but for the last
    stale = [page for page in _stale_pages(image) if page not in pages]
    return WritePlan(tuple(first), tuple(stale), tuple(pages), tuple(blocks))


def _stale_pages(image: Image) -> tuple[int, ...]:
    """First pages of images that would be looked at before this one (reference firmware-and-dfu 2.3)."""
    stale: dict[tuple[int, int], tuple[int, ...]] = {
        (ModuleFunction.SYSTEM_PART, LEGACY_SYSTEM_START): (SYSTEM_START,),
        (ModuleFunction.USER_PART, USER_START): (LEGACY_USER_START,),
    }
    return stale.get((image.function, image.flash_address), ())
