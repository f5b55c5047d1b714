"""The batch log as CSV (RFC 4180, CRLF), in the dialect of whoever reads it (`station.export.dialect`)."""

from __future__ import annotations

import csv
import datetime
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TextIO

from drivers.plain_text import printable

from ..journal.export_rows import in_blocks
from ..journal.kept_rows import in_milliseconds
from .batch_log import BatchLog, Type, Value
from .cells import Cells, guarded, guarded_all, is_short_number
from .dialect import BOM, SAFE, Dialect
from .exporter import Exporter


def write_csv(log: BatchLog, file: TextIO, dialect: Dialect = SAFE) -> int:
    """Write a header and the rows of ``log``; return how many. ``file``: opened with ``newline=""``."""
    columns, values = log.valued()
    lines = Lines(file, [column.type for column in columns], dialect)
    lines.head(column.name for column in columns)
    return sum(lines.add(values(some)) for some in in_blocks(log.rows(detailed=False)))


class Lines:
    """Writes the lines of a CSV in ``dialect``, whose columns, two or more, are of ``types``."""

    def __init__(self, file: TextIO, types: Iterable[Type], dialect: Dialect) -> None:
        self._file, self._dialect = file, dialect
        self._makers = [cells_of(type_, dialect) for type_ in types]
        self._writer = csv.writer(file, delimiter=dialect.delimiter)
        if dialect.has_bom:
            file.write(BOM)

    def head(self, names: Iterable[str]) -> None:
        """Write the names of the columns."""
        self._writer.writerow(map(cell_of(Type.TEXT, self._dialect), names))

    def add(self, columns: Iterable[Sequence[Value]]) -> int:
        """Write some lines, given by the values of each column; return how many.

        A line without quotes, ends of lines, and delimiters in its cells is the cells joined; `csv`, which looks at
        each of their characters, takes five times as long for the same.
        """
        cells = [make(values) for make, values in zip(self._makers, columns, strict=True)]
        rows = list(zip(*cells, strict=True))
        delimiter = self._dialect.delimiter
        for row in rows:
            line = delimiter.join(row)
            if line.count(delimiter) != len(cells) - 1 or '"' in line or "\n" in line or "\r" in line:
                self._writer.writerow(row)
            else:
                self._file.write(line + "\r\n")
        return len(rows)


def cells_of(type_: Type, dialect: Dialect) -> Callable[[Sequence[Any]], Iterable[str]]:
    """Return what writes some values of one column of ``type_``, much faster than `cell_of` writes each."""
    cell = cell_of(type_, dialect)
    if type_ is Type.SECONDS and dialect.decimal == ".":
        return lambda values: [value if isinstance(value, str) else cell(value) for value in values]
    if type_ is not Type.TEXT or not dialect.guards:
        return lambda values: map(cell, values)

    def texts(values: Sequence[Any]) -> Iterable[str]:
        kinds = set(values)
        if len(kinds) == 1:
            return itertools.repeat(cell(values[0]), len(values))
        is_mostly_new = len(kinds) > len(values) // 4  # others were made for rows above
        made = guarded_all(values) if is_mostly_new and None not in kinds else None
        return map(cell, values) if made is None else made

    return texts


def cell_of(type_: Type, dialect: Dialect) -> Callable[[Any], str]:
    """Return what writes a value of a column of ``type_``; None and "" leave a cell empty."""
    text: Callable[[str], str] = guarded if dialect.guards else _clean

    def counted(value: Value) -> str:
        return told if is_short_number(told := str(value)) else text(told)

    def measured(value: Value) -> str:
        return _pointed(f"{value:.10g}", dialect) if isinstance(value, float | int) else text(str(value))

    def moment(value: str) -> str:
        return f"{datetime.datetime.fromisoformat(value):%Y-%m-%d %H:%M:%S}" if dialect.has_excel_times else value

    cells: dict[Type, Callable[[Any], str]] = {
        Type.TEXT: text, Type.NUMBER: counted, Type.TIME: moment,
    }  # fmt: skip
    if type_ is Type.SECONDS:  # mostly each another
        return lambda value: "" if value is None else _took(value, dialect)
    if type_ is Type.VALUE:  # 0.0 and -0.0 would be one key
        return lambda value: "" if value is None or value == "" else measured(value)
    return Cells(cells[type_]).__getitem__


def _clean(text: str) -> str:
    return printable(text, " ")


def _took(value: float | str, dialect: Dialect) -> str:
    return _pointed(value if isinstance(value, str) else in_milliseconds(value), dialect)


def _pointed(text: str, dialect: Dialect) -> str:
    return text.replace(".", dialect.decimal)


CSV = Exporter("csv", "one row a unit, safe in a spreadsheet", write_csv, has_secrets=True, in_dialect=write_csv)
