"""Place the slots on a screen of a given size. Pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

HEADER_ROWS = 1
FOOTER_ROWS = 2  # the keys, and above them the line of messages and of the selected slot
MAX_LOG_ROWS = 10
FRAME = 2  # cells the border of a tile takes, across and down
WHOLE_TILE_ROWS = 7 + FRAME  # letters, two lines, gauge, name: below this the log shrinks first
LETTER_TILE = (16 + FRAME, 4 + FRAME)  # columns and rows of the smallest tile with block letters and a line of text
EASY_TILE_COLUMNS = 20
GAP = 0.1  # what a place without a slot weighs against the shape of the tiles
LOG_SHARE = 4  # the log takes at most one row in four,
LOG_SHARE_ALONE = 8  # and one in eight beside a single slot: its verdict is the screen
MIN_TILE_COLUMNS = 10
MIN_TILE_ROWS = 1 + FRAME

Rows = tuple[tuple[int, ...], ...]
"""The numbers of the slots as they are on the bench, row by row; 0: a place without a slot."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A grid filled row by row in the order of the configuration, so that a slot never moves.

    ``bench``: the rows of the bench, if the grid is drawn after them.
    """

    columns: int
    rows: int
    tile_rows: int  # of each tile: all have the same grid
    log_rows: int
    bench: Rows = ()


def in_order(numbers: Sequence[int], bench: Rows) -> list[int]:
    """Return the slots in the order of the ``bench``, if it has exactly these, else as they come."""
    order = [number for row in bench for number in row if number]
    return order if sorted(order) == sorted(numbers) else [*numbers]


def places(numbers: Sequence[int], plan: Layout) -> list[int]:
    """Return what is in each place of the grid, row by row: the number of a slot, 0: nothing."""
    if not plan.bench:
        return [*numbers]
    return [number for row in plan.bench for number in (*row, *[0] * (plan.columns - len(row)))]


def arrange(slots: int, width: int, height: int, bench: Rows = ()) -> Layout:
    """Choose the grid for ``width`` x ``height`` cells: 1 slot fills it, 2-4 make one row, 5-8 two, more a grid.

    As on the ``bench`` where that is known, unless the screen is too small for so many rows or columns.
    """
    slots = max(1, slots)
    free = max(0, height - HEADER_ROWS - FOOTER_ROWS)
    across = max(map(len, bench), default=0)
    if across * MIN_TILE_COLUMNS > width or len(bench) * MIN_TILE_ROWS > free:
        bench = ()
    columns = across if bench else _columns(slots, width, free)
    rows = len(bench) if bench else math.ceil(slots / columns)
    share = LOG_SHARE_ALONE if slots == 1 else LOG_SHARE
    log_rows = max(0, min(MAX_LOG_ROWS, free // share, free - rows * WHOLE_TILE_ROWS))
    tile_rows = (free - log_rows) // rows
    return Layout(columns, rows, tile_rows, max(log_rows, min(MAX_LOG_ROWS, free - rows * tile_rows)), bench)


def _columns(slots: int, width: int, free: int) -> int:
    most = max(1, width // MIN_TILE_COLUMNS)
    if slots <= 8:
        return min(slots if slots <= 4 else math.ceil(slots / 2), most)
    return max(range(1, min(slots, most) + 1), key=lambda columns: _ease(slots, columns, width, free))


def _ease(slots: int, columns: int, width: int, free: int) -> tuple[bool, float, float]:
    """Rank a number of columns: block letters first, then whole tiles, then tiles of the shape of a whole one."""
    rows = math.ceil(slots / columns)
    across, down = width // columns, max(1, free // rows)
    has_letters = across >= LETTER_TILE[0] and down >= LETTER_TILE[1]
    whole = min(1.0, across / EASY_TILE_COLUMNS, down / WHOLE_TILE_ROWS)
    shape = abs(math.log(across / down * WHOLE_TILE_ROWS / EASY_TILE_COLUMNS))
    return has_letters, whole, -shape - GAP * (columns * rows - slots)
