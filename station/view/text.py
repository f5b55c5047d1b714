"""Strings that come from units, clouds and scanners, made fit for a terminal. Knows no widgets."""

from __future__ import annotations

import textwrap
import unicodedata

from rich.cells import cell_len, set_cell_size

MAX_LENGTH = 400  # characters kept of one string from outside; no honest one is longer

# Control, format (bidirectional overrides, zero width), surrogate, private, unassigned,
# line and paragraph separators, and marks that stack on the character before them.
_REFUSED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me"}


def clean(text: object, limit: int = MAX_LENGTH) -> str:
    """One line of at most ``limit`` printable characters; each refused character becomes a space.

    Nothing that leaves here can move a cursor, change a colour, or reverse the reading order.
    """
    kept = (" " if unicodedata.category(c) in _REFUSED else c for c in str(text)[: limit * 4])
    return " ".join("".join(kept).split())[:limit]


def fit(text: str, width: int) -> str:
    """``text`` cut to ``width`` terminal cells; a cut end shows as ``~`` so that nobody reads half a number."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "~"


def wrap(text: str, width: int) -> list[str]:
    """``text`` in lines of at most ``width`` cells, broken between words where possible."""
    if width <= 0 or not text:
        return []
    return [fit(line, width) for line in textwrap.wrap(text, width, break_long_words=True)]


def tail(text: str, width: int) -> str:
    """The last ``width`` characters: of two serial numbers the end is what differs."""
    if width <= 0:
        return ""
    return text if len(text) <= width else text[-width:]


def seconds(value: float) -> str:
    """``75.2`` as ``1:15``; below a minute ``21.4 s``."""
    if value < 60:
        return f"{value:.1f} s"
    return countdown(value)


def countdown(value: float) -> str:
    """Whole seconds as minutes and seconds: ``0:11``."""
    whole = max(0, round(value))
    return f"{whole // 60}:{whole % 60:02d}"
