"""Protects text from being changed by a spreadsheet.

A cell that Excel or LibreOffice would evaluate, round or turn into a date is written with one leading
apostrophe: ``'89310410106543789301``, ``'=HYPERLINK(...)``, ``'1E23``, ``'6.3.4``. Both programs then keep
it as text, character for character, without any import settings; neither evaluates it, unlike the
``="..."`` form. Where semicolons separate cells, a formula may begin after one: there, too, it gets an
apostrophe (``x;'=1+1``). To read a cell back (`unguarded`), drop one leading apostrophe, and one of those
between a semicolon and a formula.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from drivers.plain_text import printable

MARK = "'"

_FORMULA = "=+-@＝＋－＠"
"""First characters of a formula; the full-width forms count in Japanese editions."""
_MARKS = re.compile(rf";([\s\"]*)(?={MARK}*[{re.escape(_FORMULA)}])")
_MARKED = re.compile(rf";([\s\"]*){MARK}(?={MARK}*[{re.escape(_FORMULA)}])")
"""A formula after a semicolon, with any apostrophes of its own: before and after guarding."""
_NUMBER = re.compile(r"(?=\D*\d)[\s\d.,:/%$€+\-]+([eE][+\-]?\d+)?\s*")
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_SHORT = re.compile(
    rf"(\d+[\s.\-/]*{_MONTH}|{_MONTH}[\s.\-/]*\d+)[\s.\-/\d]*"  # 3-Mar, SEP1
    r"|\d[\d:.]*\s*[ap]\.?m?\.?"  # 3 PM, 4a
    r"|true|false",
    re.IGNORECASE,
)
_SHORT_CHARS = 40
"""No date is longer; longer texts are not matched."""


_HARMLESS = re.compile(rf"(?!{_MONTH}|true|false)[a-z][a-z0-9_.\-]*", re.ASCII | re.IGNORECASE)
"""Ids, names and words that no program takes for anything else."""


_LINES = re.compile(rf"{_HARMLESS.pattern}(\n{_HARMLESS.pattern})*", _HARMLESS.flags)
_DIGITS = re.compile(r"\d+(\n\d+)*", re.ASCII)


def guarded_all(texts: Sequence[str]) -> Sequence[str] | None:
    """Return what `guarded` makes of each of ``texts``, where all are harmless or all digits; None: ask for each."""
    together = "\n".join(texts)
    if together.count("\n") != len(texts) - 1:
        return None
    if _LINES.fullmatch(together):
        return texts
    return [MARK + text for text in texts] if _DIGITS.fullmatch(together) else None


def guarded(text: str) -> str:
    """Prepare ``text`` for a cell: replace control characters by blanks, and put the mark before what would change."""
    if _HARMLESS.fullmatch(text):
        return text
    clean = printable(text, " ")
    inside = _MARKS.sub(rf";\1{MARK}", clean) if ";" in clean else clean
    return MARK + inside if _would_change(clean) else inside


def _would_change(text: str) -> bool:
    bare = text.strip()
    if text.startswith(MARK) or (bare and bare[0] in _FORMULA):
        return True
    if _NUMBER.fullmatch(bare):
        return True
    return len(bare) <= _SHORT_CHARS and _SHORT.fullmatch(bare) is not None


def unguarded(cell: str) -> str:
    """Return the text of a cell made by `guarded`."""
    return _MARKED.sub(r";\1", cell.removeprefix(MARK))


class Cells(dict[Any, str]):
    """Cells by their values, each made once, "" for None and "": most repeat those of the rows above."""

    def __init__(self, make: Callable[[Any], str]) -> None:
        super().__init__(_EMPTY)
        self._make = make

    def __missing__(self, value: Any) -> str:
        if len(self) >= _MOST_CELLS:
            self.clear()
            self.update(_EMPTY)
        cell = self[value] = self._make(value)
        return cell


_EMPTY = {None: "", "": ""}
_MOST_CELLS = 1024


def is_short_number(text: str) -> bool:
    """Return whether ``text`` is a whole number that no program rounds or takes for an identity: up to 9 digits."""
    return text.isdecimal() and len(text) <= 9
