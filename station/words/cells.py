"""Clean, measure, cut and wrap text in terminal cells. A wide character takes two.

The only file that asks the terminal library how wide a character is.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence

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


Breaks = Mapping[str, Sequence[str]]
"""The parts of long words, between which a narrow tile may break them."""


def wrap(text: str, width: int, breaks: Breaks | None = None) -> list[str]:
    """Break ``text`` into lines of at most ``width`` cells, between words where possible; wide characters anywhere.

    A word that is too long is broken as in `break_words` if ``breaks`` are given, else wherever the line ends.
    """
    if width <= 0 or not text:
        return []
    if breaks and max(map(cell_len, text.split())) > width and (broken := break_words(text, width, breaks)):
        return broken
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


_OWN_HYPHENS = re.compile(r"[^-]+-*|-+")
_WORD = re.compile(r"\w+")


def break_words(text: str, width: int, breaks: Breaks) -> list[str]:
    """Break ``text`` as `wrap` does, but a word that is too long only at its hyphens and where ``breaks`` says.

    Its full stop is left out where that saves a line. [] if a word has no such place: half of one says nothing.
    """
    forms = (_break_words(form, width, breaks) for form in (text, text.removesuffix(".")))
    return min(filter(None, forms), key=len, default=[])


def _break_words(text: str, width: int, breaks: Breaks) -> list[str]:
    lines, line, gap = [], "", ""
    for word in _PIECES.findall(text.strip()):
        hyphen = ""  # what the line gets if it ends between two parts of the word
        parts = [word.rstrip()] if cell_len(word.rstrip()) <= width else _parts(word.rstrip(), breaks)
        for part in parts:
            end = "" if part is parts[-1] or part.endswith("-") else "-"
            if line and cell_len(line + gap + part + end) > width:
                lines.append(line + hyphen)
                line = gap = ""
            if cell_len(part + end) > width:
                return []
            line, gap, hyphen = line + gap + part, "", end
        gap = word[len(word.rstrip()) :] and " "
    return [*lines, line] if line else []


def _parts(word: str, breaks: Breaks) -> list[str]:
    parts = []
    for one in _OWN_HYPHENS.findall(word):
        known = _WORD.search(one)
        inner = [*breaks.get(known[0], (known[0],))] if known else [one]
        if known:
            inner[0], inner[-1] = one[: known.start()] + inner[0], inner[-1] + one[known.end() :]
        parts += inner
    return parts


def tail(text: str, width: int) -> str:
    """Return the last ``width`` characters: of two serial numbers the end is what differs."""
    if width <= 0:
        return ""
    return text if len(text) <= width else text[-width:]
