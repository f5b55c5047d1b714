"""The batch log as CSV (RFC 4180, CRLF), in the dialect of whoever reads it (`station.export.dialect`)."""

from __future__ import annotations

import csv
import datetime
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TextIO

from drivers.plain_text import printable

from ..journal.kept_rows import in_milliseconds
from .batch_log import BatchLog, Type, Value
from .cells import Cells, guarded, guarded_all, is_short_number
from .dialect import BOM, SAFE, Dialect
from .exporter import Exporter


def write_csv(log: BatchLog, file: TextIO, dialect: Dialect = SAFE) -> int:
    """Write a header and the rows of ``log``; return how many. ``file``: opened with ``newline=""``."""
    columns, values = log.valued()
    writer = begin(file, dialect)
    writer.writerow(map(cell_of(Type.TEXT, dialect), (column.name for column in columns)))
    return write_lines(writer, [column.type for column in columns], map(values, log.rows(detailed=False)), dialect)


def write_lines(writer: Any, types: Iterable[Type], lines: Iterator[Sequence[Value]], dialect: Dialect) -> int:
    """Write ``lines``, each the values of columns of ``types``; return how many."""
    makers = [cells_of(type_, dialect) for type_ in types]
    count = 0
    while some := list(itertools.islice(lines, _AT_ONCE)):
        cells = [make(told) for make, told in zip(makers, zip(*some, strict=True), strict=True)]
        writer.writerows(zip(*cells, strict=True))
        count += len(some)
    return count


_AT_ONCE = 500
"""Rows whose cells are made column by column."""


def begin(file: TextIO, dialect: Dialect) -> Any:
    """Begin a file in ``dialect``; return what writes its rows."""
    if dialect.has_bom:
        file.write(BOM)
    return csv.writer(file, delimiter=dialect.delimiter)


def cells_of(type_: Type, dialect: Dialect) -> Callable[[Sequence[Any]], Iterable[str]]:
    """Return what writes some values of one column of ``type_``, much faster than `cell_of` writes each."""
    cell = cell_of(type_, dialect)
    if type_ is not Type.TEXT or not dialect.guards:
        return lambda values: map(cell, values)

    def texts(values: Sequence[Any]) -> Iterable[str]:
        is_mostly_new = len(set(values)) > len(values) // 4  # others were made for rows above
        made = guarded_all(values) if is_mostly_new and None not in values else None
        return map(cell, values) if made is None else made

    return texts


def cell_of(type_: Type, dialect: Dialect) -> Callable[[Any], str]:
    """Return what writes a value of a column of ``type_``; None and "" leave a cell empty."""
    text: Callable[[str], str] = guarded if dialect.guards else _clean

    def counted(value: Value) -> str:
        return told if is_short_number(told := str(value)) else text(told)

    def measured(value: Value) -> str:
        return _pointed(f"{value:.10g}", dialect) if isinstance(value, float | int) else text(str(value))

    def took(value: float | str) -> str:
        return _pointed(value if isinstance(value, str) else in_milliseconds(value), dialect)

    def moment(value: str) -> str:
        return f"{datetime.datetime.fromisoformat(value):%Y-%m-%d %H:%M:%S}" if dialect.has_excel_times else value

    cells: dict[Type, Callable[[Any], str]] = {
        Type.TEXT: text, Type.NUMBER: counted, Type.SECONDS: took, Type.TIME: moment,
    }  # fmt: skip
    if type_ is Type.VALUE:  # 0.0 and -0.0 would be one key
        return lambda value: "" if value is None or value == "" else measured(value)
    return Cells(cells[type_]).__getitem__


def _clean(text: str) -> str:
    return printable(text, " ")


def _pointed(text: str, dialect: Dialect) -> str:
    return text.replace(".", dialect.decimal)


CSV = Exporter("csv", "one row a unit, safe in a spreadsheet", write_csv, has_secrets=True, in_dialect=write_csv)
