"""Clean, measure, cut and wrap text in terminal cells. A wide character takes two.

The only file that asks the terminal library how wide a character is.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata

from rich.cells import cell_len, set_cell_size

MAX_LENGTH = 400  # characters kept of one string from outside; no honest one is longer

# What leaves a terminal's cell alone, stricter than `drivers.plain_text` and without it: words know no drivers.
# Control, format (bidirectional overrides, zero width), surrogate, private, unassigned,
# line and paragraph separators, and marks that stack on the character before them.
_REFUSED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me"}
_NEVER_FIRST = "，。！？：；）、”》"
"""Wide punctuation that stays with the character before it."""
_PIECES = re.compile(rf"(?:[\u1100-\U0010FFFF]|[^\s\u1100-\U0010FFFF]+)[{_NEVER_FIRST}]*\s*")


def clean(text: object, limit: int = MAX_LENGTH) -> str:
    """Return one line of at most ``limit`` printable characters; each refused character becomes a space.

    Nothing that leaves here can move a cursor, change a colour, or reverse the reading order.
    """
    kept = (" " if unicodedata.category(c) in _REFUSED else c for c in str(text)[: limit * 4])
    return " ".join("".join(kept).split())[:limit]


def width_of(text: str) -> int:
    """Return how many cells ``text`` takes."""
    return cell_len(text)


def fit(text: str, width: int) -> str:
    """Cut ``text`` to ``width`` cells; a cut end shows as ``~`` so that nobody reads half a number."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "~"


def pad(text: str, width: int) -> str:
    """Fill ``text`` up to ``width`` cells with spaces; a longer one stays as it is."""
    return text + " " * (width - cell_len(text))


def wrap(text: str, width: int) -> list[str]:
    """Break ``text`` into lines of at most ``width`` cells, between words where possible; wide characters anywhere."""
    if width <= 0 or not text:
        return []
    lines = textwrap.wrap(text, width) if cell_len(text) == len(text) else _wrap_wide(text, width)
    return [fit(line, width) for line in lines]


def _wrap_wide(text: str, width: int) -> list[str]:
    lines = [""]
    whole = _PIECES.findall(text.strip())
    for piece in (part for one in whole for part in ([one] if cell_len(one.rstrip()) <= width else one)):
        if lines[-1] and cell_len(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def tail(text: str, width: int) -> str:
    """Return the last ``width`` characters: of two serial numbers the end is what differs."""
    if width <= 0:
        return ""
    return text if len(text) <= width else text[-width:]
