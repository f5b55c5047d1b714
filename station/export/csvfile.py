"""The batch log as CSV (RFC 4180: commas, CRLF), safe in a spreadsheet (`station.export.cells`)."""

from __future__ import annotations

import csv
from typing import TextIO

from .batch_log import BatchLog, Type, Value
from .cells import guarded, number
from .exporter import Exporter


def write_csv(log: BatchLog, file: TextIO) -> int:
    """Write a header and the rows of ``log``; return how many. ``file``: opened with ``newline=""``."""
    columns = log.columns()
    writer = csv.writer(file)
    writer.writerow([column.name for column in columns])
    count = 0
    for row in log.rows(detailed=False):
        writer.writerow([_cell(column.type, column.value(row)) for column in columns])
        count += 1
    return count


def _cell(type_: Type, value: Value) -> str:
    if value is None or value == "":
        return ""
    match type_:
        case Type.TIME:
            return str(value)
        case Type.SECONDS:
            return number(float(value))
        case Type.NUMBER if (text := str(value)).isdecimal() and len(text) <= 9:
            return text
        case _:
            return guarded(str(value))


CSV = Exporter("csv", "one row a unit, safe in a spreadsheet", write_csv)
