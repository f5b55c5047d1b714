"""Text that stays what it is in a spreadsheet.

A cell that Excel or LibreOffice would evaluate, round or turn into a date is written with one leading
apostrophe: ``'89310410106543789301``, ``'=HYPERLINK(...)``, ``'1E23``, ``'6.3.4``. Both programs then keep
it as text, character for character, with no import setting to remember; neither evaluates it, as it would the
``="..."`` form. Where a semicolon parts the cells a formula may begin behind one: there too an apostrophe is put
before it (``x;'=1+1``). To read a cell back (`unguarded`), drop one leading apostrophe, and one of those that stand
between a semicolon and a formula.
"""

from __future__ import annotations

import functools
import re

from drivers.plain_text import printable

MARK = "'"

_FORMULA = "=+-@＝＋－＠"
"""How a formula may begin; the wide forms count in Japanese editions."""
_MARKS = re.compile(rf";([\s\"]*)(?={MARK}*[{re.escape(_FORMULA)}])")
_MARKED = re.compile(rf";([\s\"]*){MARK}(?={MARK}*[{re.escape(_FORMULA)}])")
"""A formula behind a semicolon, with the apostrophes it had by itself: before and after it is guarded."""
_NUMBER = re.compile(r"[\s\d.,:/%$€+\-]+([eE][+\-]?\d+)?\s*")
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_SHORT = re.compile(
    rf"(\d+[\s.\-/]*{_MONTH}|{_MONTH}[\s.\-/]*\d+)[\s.\-/\d]*"  # 3-Mar, SEP1
    r"|\d[\d:.]*\s*[ap]\.?m?\.?"  # 3 PM, 4a
    r"|true|false",
    re.IGNORECASE,
)
_SHORT_CHARS = 40
"""No date is longer; longer texts are not even tried."""


@functools.lru_cache(maxsize=1024)  # most cells of a log are those of the row above
def guarded(text: str) -> str:
    """``text`` for a cell: control characters become blanks, and the mark is put before what would be changed."""
    clean = printable(text, " ")
    inside = _MARKS.sub(rf";\1{MARK}", clean) if ";" in clean else clean
    return MARK + inside if _would_change(clean) else inside


def _would_change(text: str) -> bool:
    bare = text.strip()
    if text.startswith(MARK) or (bare and bare[0] in _FORMULA):
        return True
    if _NUMBER.fullmatch(bare) and any(char.isdigit() for char in bare):
        return True
    return len(bare) <= _SHORT_CHARS and _SHORT.fullmatch(bare) is not None


def unguarded(cell: str) -> str:
    """The text that `guarded` made this cell from."""
    return _MARKED.sub(r";\1", cell.removeprefix(MARK))


def number(value: float | None) -> str:
    """A number for a cell: at most three decimals, always a point; empty when there is none."""
    return "" if value is None else f"{value:.3f}".rstrip("0").rstrip(".")
