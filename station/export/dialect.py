"""How a CSV is written: delimiter, decimal sign, byte order mark, and what protects text from a spreadsheet.

What Excel and LibreOffice really do with a CSV that is opened by a double click: a number of over 15 digits (an
ICCID) loses the rest of them, ``1E23`` and ``0123`` become other numbers, a cell that begins with ``=`` is evaluated,
and nothing in the file can declare a column as text; quotes around a cell change nothing. So where the reader is a
spreadsheet a text it would change begins with one apostrophe, which shows (`station.export.cells`); the workbook
declares its columns and needs none. For a program every value is written exactly as it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..errors import BadInput

BOM = "\ufeff"
"""By it Excel knows that a file is UTF-8."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """``guards``: text that a spreadsheet would change is marked. ``has_excel_times``: date and time without zone."""

    delimiter: str = ","
    decimal: str = "."
    has_bom: bool = False
    guards: bool = True
    has_excel_times: bool = False


SAFE = Dialect()
"""What neither a spreadsheet changes nor a program trips over."""
PLAIN = Dialect(guards=False)
FOR = ("excel", "plain")
_COMMA = frozenset({
    "af", "az", "be", "bg", "bs", "ca", "cs", "da", "de", "el", "es", "et", "eu", "fi", "fo", "fr", "gl", "hr", "hu",
    "hy", "id", "is", "it", "ka", "kk", "lt", "lv", "mk", "nb", "nl", "nn", "no", "pl", "pt", "ro", "ru", "sk", "sl",
    "sq", "sr", "sv", "tr", "uk", "uz", "vi",
})  # fmt: skip
"""Languages that write ``3,6``; spreadsheets set to them part the cells of a CSV by semicolons (Unicode CLDR)."""
_POINT_THERE = frozenset({"de-CH", "de-LI", "es-MX", "es-US", "es-PR", "es-GT", "es-HN", "es-NI", "es-PA", "es-PE",
                          "es-SV", "es-DO", "it-CH"})  # fmt: skip
_DELIMITERS: Mapping[str, str] = {"comma": ",", "semicolon": ";", "tab": "\t"}


def dialect_of(reader: str | None, delimiter: str | None, locale: str | None) -> Dialect:
    """Return the dialect for ``reader`` (one of `FOR`, None: safe for both).

    ``delimiter``: one character, or comma, semicolon, tab. ``locale``: a language and region such as ``de-AT``; None
    is that of this login where a spreadsheet reads it, else none. Raises `BadInput` for what is neither.
    """
    if reader == "plain" and locale:
        raise BadInput("--locale is for people: with --for plain numbers are written with a point; leave one of both")
    found = PLAIN if reader == "plain" else SAFE
    if reader == "excel":
        found = replace(found, has_bom=True, has_excel_times=True)
    if reader == "excel" or locale:
        comma = _writes_comma(locale or _own_locale())
        found = replace(found, delimiter=";" if comma else ",", decimal="," if comma else ".")
    if delimiter is not None:
        found = replace(found, delimiter=_delimiter(delimiter))
    if found.delimiter == found.decimal:
        raise BadInput(f"--delimiter {delimiter} is the decimal sign of --locale {locale}; name semicolon or tab")
    return found


def _own_locale() -> str:
    names = (os.environ.get(name, "") for name in ("LC_ALL", "LC_NUMERIC", "LANG"))
    return next((name.split(".")[0].split("@")[0] for name in names if name), "en")


def _writes_comma(locale: str) -> bool:
    parts = re.fullmatch(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{2}|\d{3}))?|C|POSIX", locale)
    if parts is None:
        raise BadInput(f"--locale {locale} is none; give a language and a region, such as en-US, de-AT or zh-CN")
    language, region = (parts[1] or "en").lower(), (parts[2] or "").upper()
    return language in _COMMA and f"{language}-{region}" not in _POINT_THERE


def _delimiter(text: str) -> str:
    found = _DELIMITERS.get(text.lower(), text.replace("\\t", "\t"))
    if len(found) != 1 or found.isalnum() or found in "\"'\r\n.-+:" or (not found.isprintable() and found != "\t"):
        raise BadInput(f"--delimiter {text!r} parts no cells; give comma, semicolon, tab or another sign such as |")
    return found
