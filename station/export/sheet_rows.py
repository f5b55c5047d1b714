"""Fills worksheets of a finished workbook with rows: XlsxWriter makes an object of every cell, which takes its time.

XlsxWriter makes the workbook with all but these rows; they are written here as ECMA-376, part 1, 18.3 describes them,
and put into the sheets' own parts of the package. Nothing of XlsxWriter's inside is touched: what is read back of its
file is the standard's (relationships, ``sheetData``, ``dimension``, the style of a column).
"""

from __future__ import annotations

import datetime
import math
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO, Any
from xml.etree import ElementTree

from drivers.plain_text import printable

from .batch_log import Type, Value
from .cells import Cells, is_short_number

MOST_CHARS = 32_767
"""Of a cell, as UTF-16."""
_ESCAPE = re.compile("(_x[0-9A-Fa-f]{4}_)")
"""Where a text would be taken for the escape of a character (22.9.2.19, ST_Xstring)."""
_XML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
_STYLE = b's="time"'
"""Stands in rows for the style of a time, whose number only the finished workbook has; no text has these quotes."""
_FIRST_DAY = datetime.datetime(1899, 12, 30, tzinfo=datetime.UTC)
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


class SheetRows:
    """Rows below the header of a sheet, kept in ``file``; more than ``most_rows`` with it are counted as dropped."""

    def __init__(self, file: IO[str], types: Sequence[Type], most_rows: int) -> None:
        self.at = 1
        self.dropped = 0
        self._most_rows = most_rows
        self._cells = [(column_name(place), _cell_of(type_)) for place, type_ in enumerate(types)]
        self._file = file

    @property
    def last_cell(self) -> str:
        """Return the place of the last cell, such as ``"K17"``."""
        return f"{self._cells[-1][0]}{self.at}"

    def add(self, values: Iterable[Value]) -> None:
        """Write the next row; empty values leave cells empty."""
        if self.at >= self._most_rows:
            self.dropped += 1
            return
        self.at = at = self.at + 1
        pairs = zip(self._cells, values, strict=True)
        row = "".join([f'<c r="{name}{at}"{made}' for (name, cell), value in pairs if (made := cell(value))])
        self._file.write(f'<row r="{at}">{row}</row>\n')

    def copy_to(self, file: IO[bytes], style: bytes) -> None:
        """Write all rows to ``file``, times in ``style``."""
        self._file.flush()
        self._file.seek(0)
        file.writelines(line[:-1].encode().replace(_STYLE, style) for line in self._file)


def column_name(place: int) -> str:
    """Return the letters of a column, numbered from 0."""
    rest, letter = divmod(place, 26)
    return (column_name(rest - 1) if rest else "") + chr(ord("A") + letter)


def fill(made: IO[bytes], file: IO[bytes], rows: Mapping[str, SheetRows]) -> None:
    """Write the workbook in ``made`` to ``file``, with ``rows`` below the headers of the sheets of these names."""
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        parts = _parts(source)
        filled = {parts[name]: some for name, some in rows.items()}
        for name in source.namelist():
            if name not in filled:
                target.writestr(name, source.read(name))
                continue
            with target.open(name, "w", force_zip64=True) as part:
                _fill_part(source.read(name), part, filled[name])


def _parts(book: zipfile.ZipFile) -> dict[str, str]:
    """Return the part of each sheet by its name (18.2.19, 12.3.24)."""
    relations = ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))
    targets = {one.attrib["Id"]: f"xl/{one.attrib['Target']}" for one in relations}
    sheets = ElementTree.fromstring(book.read("xl/workbook.xml")).iter(f"{_MAIN}sheet")
    return {one.attrib["name"]: targets[one.attrib[_ID]] for one in sheets}


def _fill_part(part: bytes, file: IO[bytes], rows: SheetRows) -> None:
    before, end, after = part.partition(b"</sheetData>")
    styled = re.search(rb'<col [^>]*style="(\d+)"', before)
    area = f'<dimension ref="A1:{rows.last_cell}"'.encode()
    file.write(re.sub(rb'<dimension ref="[^"]*"', area, before, count=1))
    rows.copy_to(file, b's="%s"' % styled[1] if styled else b"")
    file.write(end + after)


def _cell_of(type_: Type) -> Callable[[Any], str]:
    """Return what makes a cell of a column of ``type_``, behind its place; None and "" make none."""
    if type_ is Type.VALUE:  # 0.0 and -0.0 would be one key
        return lambda value: "" if value is None or value == "" else _measured(value)
    if type_ is Type.SECONDS:
        return lambda value: "" if value is None else f"><v>{value}</v></c>"
    made: dict[Type, Callable[[Any], str]] = {Type.TEXT: _text, Type.NUMBER: _counted, Type.TIME: _moment}
    return Cells(made[type_]).__getitem__


def _text(value: Value) -> str:
    clean = printable(str(value), " ")
    if len(clean) > MOST_CHARS // 2:
        clean = clean.encode("utf-16-le")[: 2 * MOST_CHARS].decode("utf-16-le", "ignore")
    space = ' xml:space="preserve"' if clean != clean.strip() else ""
    told = _ESCAPE.sub(r"_x005F\1", clean).translate(_XML)
    return f' t="inlineStr"><is><t{space}>{told}</t></is></c>'


def _measured(value: Value) -> str:
    is_number = isinstance(value, int | float) and math.isfinite(value)
    return f"><v>{value:.16G}</v></c>" if is_number else _text(value)


def _counted(value: Value) -> str:
    text = str(value)
    return f"><v>{int(text)}</v></c>" if is_short_number(text) else _text(text)


def _moment(value: str) -> str:
    since = datetime.datetime.fromisoformat(value) - _FIRST_DAY
    days = since.days + (since.seconds + since.microseconds / 1e6) / 86_400
    return f" {_STYLE.decode()}><v>{days:.16G}</v></c>"
