"""Decides the order in which a module's pages are erased and written, and compares it with the unit's own map.

Pure; the write guard decides what is allowed.

Erase first: the old module is invalid from the start, so an interruption never leaves a mixture that
looks complete. Reference firmware-and-dfu 1.11 and 7.1.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import DeviceRefused, WriteRefused
from ..guard import INTERNAL_FLASH, Permit
from ..platforms import Memory, platform
from ..wire.dfu.memory_map import Access, MemoryLayout
from ..wire.image.host import Image

PAGE = 4096


@dataclass(frozen=True, slots=True)
class Block:
    """What one transfer writes; it lies in one page, though a page may hold several (up to 128 KiB on an STM32)."""

    address: int
    data: bytes
    page: int  # where that begins


@dataclass(frozen=True, slots=True)
class WritePlan:
    """Steps of one write, in order: erase ``first``, then what is not blank of ``stale`` (older images) and of
    ``erase``, and write ``blocks``. All pages are start addresses.
    """

    first: tuple[int, ...]
    stale: tuple[int, ...]
    erase: tuple[int, ...]
    blocks: tuple[Block, ...]

    @property
    def operations(self) -> int:
        """Return the number of erases and writes, for progress; ``stale`` is not counted."""
        return len(self.first) + len(self.erase) + len(self.blocks)


def plan_write(image: Image) -> WritePlan:
    """Order the pages and blocks of ``image`` so that the write survives an interruption at any moment.

    A page whose content alone makes a bootloader start the module (`ModuleSlot.erase_first_write_last`) is erased
    before and written after everything else, whether the old image, the new one, both or neither uses it that
    way: no case is worse for it. Raises `UnknownPlatform`.
    """
    row = platform(image.platform_id)
    slot, memory = row.slot(image.function, image.index), row.memory(INTERNAL_FLASH)
    decides = slot.erase_first_write_last if slot is not None else None
    content, start = image.flash_bytes, image.flash_address
    blocks = _blocks(memory, start, content)
    pages = list(dict.fromkeys(block.page for block in blocks))
    first: list[int] = []
    if decides is not None and decides in pages:
        first = [decides]
        pages.remove(decides)
        blocks.sort(key=lambda block: block.address == decides)  # stable: ascending but for the last
    stale = [page for page in _stale_pages(image) if page not in pages]
    return WritePlan(tuple(first), tuple(stale), tuple(pages), tuple(blocks))


def check_map(layout: MemoryLayout, permit: Permit, sectors: Iterable[range]) -> None:
    """Raise unless the unit's own map shows what ``permit`` allows; ``sectors``: those of its pages (1.7)."""
    if layout.is_protected:
        raise DeviceRefused(
            f"{permit.what} not written: the unit is under device protection; "
            "it has to be put in service mode through its owner's account"
        )
    wanted = Access.WRITABLE | (Access.ERASABLE if permit.pages else Access(0))
    for start, end in [(permit.start, permit.end), *((sector.start, sector.stop) for sector in sectors)]:
        at = layout.first_without(wanted, start, end)
        if at is not None:
            raise WriteRefused(
                f"{permit.what} not written: the bootloader's map of {layout.name} shows nothing to write "
                f"at {at:#010x}; hand the unit to the technician"
            )


def _blocks(memory: Memory, start: int, content: bytes) -> list[Block]:
    """Cut ``content`` where pages end: a module that ends at a fixed place may begin in the middle of one."""
    edges = [start, *range(start - start % PAGE + PAGE, start + len(content), PAGE), start + len(content)]
    pieces = itertools.pairwise(edges)
    return [Block(at, content[at - start : end - start], memory.sector(at).start) for at, end in pieces]


def _stale_pages(image: Image) -> tuple[int, ...]:
    """Return the first pages of images that the bootloader checks before this one, from the platform table."""
    kind = (image.function, image.index)
    regions = platform(image.platform_id).regions
    return next((r.also_erase for r in regions if kind in r.modules and r.start == image.flash_address), ())
