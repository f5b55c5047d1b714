"""The batch log as CSV (RFC 4180: commas, CRLF), safe in a spreadsheet (`station.export.cells`)."""

from __future__ import annotations

import csv
from collections.abc import Callable
from typing import Any, TextIO

from .batch_log import BatchLog, Type, Value
from .cells import guarded, is_short_number, number
from .exporter import Exporter


def write_csv(log: BatchLog, file: TextIO) -> int:
    """Write a header and the rows of ``log``; return how many. ``file``: opened with ``newline=""``."""
    columns = log.columns()
    writer = csv.writer(file)
    writer.writerow([guarded(column.name) for column in columns])
    cells = [(column.value, _CELL[column.type]) for column in columns]
    count = 0
    for row in log.rows(detailed=False):
        writer.writerow(["" if (value := of(row)) is None or value == "" else cell(value) for of, cell in cells])
        count += 1
    return count


def _number(value: Value) -> str:
    text = str(value)
    return text if is_short_number(text) else guarded(text)


def _measured(value: Value) -> str:
    return f"{value:.10g}" if isinstance(value, float | int) else guarded(str(value))


_CELL: dict[Type, Callable[[Any], str]] = {
    Type.TEXT: guarded,
    Type.NUMBER: _number,
    Type.SECONDS: number,
    Type.VALUE: _measured,
    Type.TIME: str,
}

CSV = Exporter("csv", "one row a unit, safe in a spreadsheet", write_csv)
