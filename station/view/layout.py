"""Place the slots on a screen of a given size. Pure arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass

HEADER_ROWS = 1
FOOTER_ROWS = 1
MAX_LOG_ROWS = 10
EASY_TILE_ROWS = 8  # below this the log shrinks first, then the tile drops its second line
LETTER_TILE_ROWS = 11  # YOUR TURN in the smallest block letters, its light, two lines of what to do, the border
LOG_SHARE = 4  # the log takes at most one row in four,
LOG_SHARE_ALONE = 8  # and one in eight beside a single slot: its verdict is the screen
MIN_TILE_COLUMNS = 10


@dataclass(frozen=True, slots=True)
class Layout:
    """A grid filled row by row in the order of the configuration, so that a slot never moves."""

    columns: int
    rows: int
    log_rows: int


def arrange(slots: int, width: int, height: int) -> Layout:
    """Choose the grid for ``width`` x ``height`` cells: 1 slot fills it, 2-4 make one row, 5-8 two, more a grid."""
    columns = _columns(max(1, slots), width)
    rows = math.ceil(max(1, slots) / columns)
    free = max(0, height - HEADER_ROWS - FOOTER_ROWS)
    share = LOG_SHARE_ALONE if slots == 1 else LOG_SHARE
    log_rows = max(0, min(MAX_LOG_ROWS, free // share, free - rows * EASY_TILE_ROWS))
    if (beside_letters := free - rows * LETTER_TILE_ROWS) > 0:
        log_rows = min(log_rows, beside_letters)
    return Layout(columns, rows, log_rows)


def _columns(slots: int, width: int) -> int:
    most = max(1, width // MIN_TILE_COLUMNS)
    if slots <= 4:
        wanted = slots
    elif slots <= 8:
        wanted = math.ceil(slots / 2)
    else:
        wanted = 8 if slots > 24 else math.ceil(slots / math.ceil(slots / 6))
    return min(wanted, most)
