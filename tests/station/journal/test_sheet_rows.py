"""Rows of a workbook, written beside XlsxWriter: read back, they are what XlsxWriter would have written."""

from __future__ import annotations

import datetime
import io
import math
import zipfile
from xml.etree import ElementTree

import openpyxl
import xlsxwriter
from support.journal_story import AT

from station.export.batch_log import Type
from station.export.sheet_rows import MOST_CHARS, SheetRows, column_name, fill

TEXTS = (
    '<r>&"', " x", "x ", "_x0041_x0042_", "a\x07b", "0123", "", None, "\U0001f600" * 17_000, "\ufffe", "é", "a\nb",
    's="time"', "]]>", "1E23", "=1+1",
)  # fmt: skip
NUMBERS = (0.0, -0.0, 0.0, 1, 1 / 3, 1e-9, 1e22, -2.5, None, "text", 12, float("inf"), "3", 120.0, 0.1 + 0.2, True)


def test_rows_are_read_as_those_that_xlsxwriter_writes() -> None:
    at = [AT + datetime.timedelta(seconds=86_401 * number, milliseconds=number) for number in range(len(TEXTS))]
    ours, theirs, filled = io.BytesIO(), io.BytesIO(), io.BytesIO()
    rows = SheetRows(io.StringIO(), (Type.TEXT, Type.VALUE, Type.TIME), 100)
    for file in (ours, theirs):
        book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False})
        book.add_worksheet("Before")
        sheet_, time = book.add_worksheet("S"), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet_.set_column(2, 2, 19, time)
        sheet_.write_row(0, 0, ("A", "B", "C"))
        for number, (text, value, moment) in enumerate(zip(TEXTS, NUMBERS, at, strict=True), 1):
            if file is ours:
                rows.add((text, value, moment.isoformat()))
                continue
            if text:
                clean = "".join(char if char.isprintable() else " " for char in text)
                sheet_.write_string(number, 0, clean[: MOST_CHARS // (2 if clean[0] > "\uffff" else 1)])
            if value is not None:
                is_number = isinstance(value, int | float) and math.isfinite(value)
                (sheet_.write_number if is_number else sheet_.write_string)(
                    number, 1, value if is_number else str(value)
                )
            sheet_.write_datetime(number, 2, moment.replace(tzinfo=None), time)
        book.close()
    fill(ours, filled, {"S": rows})
    parts = [zipfile.ZipFile(file).read("xl/worksheets/sheet2.xml") for file in (filled, theirs)]
    ours_rows, their_rows = (ElementTree.canonicalize(part).split("<row ") for part in parts)
    assert ours_rows == their_rows
    read = openpyxl.load_workbook(filled)["S"]
    assert (read.dimensions, read["C2"].value) == (f"A1:C{len(TEXTS) + 1}", AT.replace(tzinfo=None))


def test_columns_are_named_as_a_spreadsheet_names_them() -> None:
    assert [column_name(place) for place in (0, 25, 26, 51, 52, 701, 702, 16383)] == [
        "A", "Z", "AA", "AZ", "BA", "ZZ", "AAA", "XFD",
    ]  # fmt: skip
