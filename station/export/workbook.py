"""The batch log as an XLSX workbook: summary with charts, units, steps, measured values, failures. Streams.

Numbers that identify something are texts, so no program rounds or renames them; times are real times, in UTC.
"""

from __future__ import annotations

import contextlib
import datetime
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from drivers.plain_text import printable

from ..figures import Figures
from ..journal.export_rows import in_blocks
from ..journal.records import BatchRecord
from ..model import VERDICT_WORD
from .batch_log import BatchLog, Type, Value, Valued
from .exporter import Exporter
from .sheet_rows import MOST_CHARS, SheetRows, fill
from .steps import HEADER, TYPES, step_rows

MOST_ROWS = 1_048_576
"""Of a worksheet, its header among them."""
_WIDTHS = {
    "Device ID": 27, "Device Name": 20, "ICCID": 23, "IMEI": 18, "Serial": 18, "Started": 19, "Finished": 19,
    "By Hand Since": 19,
    "Batch": 20, "Attempt": 17, "Reason": 50, "Proof": 50, "Example": 60, "Reason Code": 20,
}  # fmt: skip
"""Of columns whose cells are longer than their names, in characters."""
_GREY, _GREEN, _RED, _TITLE = "#BFBFBF", "#548235", "#C00000", {"size": 12}
_MEASURED = ("Batch", "Attempt", "Device ID", "Serial", "Step", "Name", "Value", "Unit", "Min", "Max", "Wanted", "Out")
_MEASURED_TYPES = {"Value": Type.VALUE, "Min": Type.VALUE, "Max": Type.VALUE}
_TIMES = ("Started", "Finished")
_FAILED = ("Result", "Step", "Slot", "Attempts", "Units", "Share", "Cumulative", "Reason Code", "Example")
_JUDGED = ("Hour (UTC)", "Units judged", "Passed first time", "FPY")
_FIGURES: tuple[tuple[str, Callable[[Figures], Value]], ...] = (
    ("Units", lambda f: f.units), ("PASS", lambda f: f.passed), ("FAIL", lambda f: f.failed),
    ("SET ASIDE", lambda f: f.pending), ("STOPPED", lambda f: f.aborted), ("CHECK STATION", lambda f: f.error),
    ("Judged", lambda f: f.judged), ("Passed first time", lambda f: f.first_passed), ("Retests", lambda f: f.retests),
    ("FPY", lambda f: f.first_pass_yield), ("Final yield", lambda f: f.final_yield),
)  # fmt: skip


_ABOUT: tuple[tuple[str, Callable[[BatchRecord], Value | datetime.datetime]], ...] = (
    ("Profile", lambda of: f"{of.batch.profile.id} revision {of.batch.profile.revision}"),
    ("Profile Released By", lambda of: of.batch.release), ("Opened (UTC)", lambda of: of.opened_at),
    ("Closed (UTC)", lambda of: of.closed_at), ("Units Ordered", lambda of: of.batch.target),
)  # fmt: skip


@dataclass(slots=True)
class _Sheet:
    """A small worksheet, filled row by row."""

    sheet: Worksheet
    formats: dict[str, Format]
    at: int = 0
    columns: int = 0

    def head(self, names: Sequence[str]) -> None:
        for column, name in enumerate(names):
            self.sheet.write_string(0, column, name, self.formats["head"])
            width, format_ = _WIDTHS.get(name, max(10, len(name) + 2)), "time" if name in _TIMES else None
            self.sheet.set_column(column, column, width, self.formats[format_] if format_ else None)
        self.sheet.freeze_panes(1, 0)
        self.at, self.columns = 1, len(names)

    def row(self, cells: Iterable[Value | datetime.datetime], format_: str | None = None) -> None:
        """Write the next row; empty values leave cells empty."""
        for column, value in enumerate(cells):
            self._cell(column, value, format_)
        self.at += 1

    def _cell(self, column: int, value: Value | datetime.datetime, format_: str | None) -> None:
        if value is None or value == "":
            return
        if isinstance(value, datetime.datetime):
            self.sheet.write_datetime(self.at, column, value.replace(tzinfo=None), self.formats["time"])
        elif isinstance(value, int | float):
            self.sheet.write_number(self.at, column, value, self.formats[format_] if format_ else None)
        else:
            self.sheet.write_string(self.at, column, printable(value, " ")[:MOST_CHARS])


def write_workbook(log: BatchLog, file: IO[Any]) -> int:
    """Write the workbook of ``log`` to a binary file; return how many rows its sheet of units has.

    Made in a temporary file first: a pipe cannot be sought in, and a full disk is told by the file that is on it.
    """
    columns, values = log.valued()
    heads: dict[str, tuple[Sequence[str], Sequence[Type]]] = {
        "Units": ([column.name for column in columns], [column.type for column in columns]),
        "Steps": (HEADER, TYPES),
        "Measurements": (_MEASURED, [_MEASURED_TYPES.get(name, Type.TEXT) for name in _MEASURED]),
    }
    with contextlib.ExitStack() as kept, tempfile.TemporaryFile() as made, tempfile.TemporaryFile() as whole:
        rows = {
            name: SheetRows(kept.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8")), types, MOST_ROWS)
            for name, (_, types) in heads.items()
        }
        _fill(rows, log, values)
        _write(log, made, {name: (names, rows[name]) for name, (names, _) in heads.items()})
        fill(made, whole, rows)
        whole.seek(0)
        shutil.copyfileobj(whole, file)
        return rows["Units"].at - 1


def _fill(rows: Mapping[str, SheetRows], log: BatchLog, values: Valued) -> None:
    units, steps, measured = rows["Units"], rows["Steps"], rows["Measurements"]
    tries = log.tries()
    for some in in_blocks(log.rows(detailed=tries < MOST_ROWS)):
        for row, cells in zip(some, zip(*values(some), strict=True), strict=True):
            units.add(cells)
            for one_try in step_rows(row):
                steps.add(one_try)
            who = (row.kept.batch, row.kept.attempt, row.kept.device_id, row.shown.serial)
            for one in row.values:
                limits = (one.low, one.high, one.wanted, "out" if one.is_out else "")
                measured.add((*who, one.step, one.name, one.value, one.unit, *limits))
    if tries >= MOST_ROWS:
        steps.dropped = tries


def _write(log: BatchLog, file: IO[bytes], tables: Mapping[str, tuple[Sequence[str], SheetRows]]) -> None:
    """Write the workbook without the rows of its ``tables``, each given by its header and its rows."""
    book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    formats = {
        "head": book.add_format({"bold": True, "bg_color": "#E7E6E6", "bottom": 1}),
        "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        "share": book.add_format({"num_format": "0.0 %"}),
        "note": book.add_format({"italic": True, "font_color": "#808080"}),
    }
    names = ("Summary", *tables, "Failures")
    sheets = {name: _Sheet(book.add_worksheet(name), formats) for name in names}
    summary, failed = sheets["Summary"], sheets["Failures"]
    for one in sheets.values():  # as they are printed
        one.sheet.set_landscape()
        one.sheet.repeat_rows(0)
    for one in (summary, failed):
        one.sheet.fit_to_pages(1, 0)
    _failures(failed, log)
    _summary(book, summary, log)
    for name, (header, rows) in tables.items():
        sheets[name].head(header)
        sheets[name].sheet.autofilter(0, 0, rows.at - 1, len(header) - 1)
    failed.sheet.autofilter(0, 0, failed.at - 1, failed.columns - 1)
    _note_what_is_missing(summary, {name: rows for name, (_, rows) in tables.items()})
    try:
        book.close()
    except FileCreateError as error:  # what the file said is inside
        raise error.args[0] if error.args and isinstance(error.args[0], OSError) else OSError(str(error)) from error


def _failures(failed: _Sheet, log: BatchLog) -> None:
    """Fill the sheet of failures: like ones together, the most frequent first, as a Pareto wants them."""
    failed.head(_FAILED)
    total, so_far = sum(one.attempts for one in log.failures), 0
    for one in log.failures:
        so_far += one.attempts
        failed.row(
            (
                VERDICT_WORD[one.verdict], one.step, one.slot, one.attempts, one.units, one.attempts / total,
                so_far / total, one.sentence, one.example,
            )
        )  # fmt: skip
    failed.sheet.set_column(5, 6, 10, failed.formats["share"])


def _summary(book: Any, summary: _Sheet, log: BatchLog) -> None:
    summary.sheet.set_column(0, 0, 26)
    summary.sheet.set_column(1, len(log.batches) + 1, 20)
    summary.sheet.write_row(0, 0, ("Batch", *log.batches), summary.formats["head"])
    summary.at = 1
    for name, about in _ABOUT:
        summary.row((name, *(about(log.records[batch]) for batch in log.batches)))
    for name, figure in _FIGURES:
        summary.row((name, *(figure(log.figures[batch]) for batch in log.batches)), _share_of(name))
    summary.row(("Attempts on no known unit", *(log.on_no_unit[batch] for batch in log.batches)))
    summary.row(("Worked on by hand since", *(log.worked_on[batch] for batch in log.batches)))
    summary.at += 1
    begin = summary.at
    summary.sheet.write_row(begin, 0, _JUDGED, summary.formats["head"])
    summary.at += 1
    for hour in log.hours:
        summary.row((hour.at, hour.judged, hour.first_passed))
        summary.sheet.write_number(summary.at - 1, 3, hour.first_passed / hour.judged, summary.formats["share"])
    if log.hours:
        _chart_yield(book, summary.sheet, begin, log, 1 + len(log.batches))
    if log.failures:
        _chart_pareto(book, summary.sheet, log, 1 + len(log.batches))


def _share_of(name: str) -> str | None:
    return "share" if name in ("FPY", "Final yield") else None


def _chart_yield(book: Any, sheet: Worksheet, begin: int, log: BatchLog, column: int) -> None:
    count = len(log.hours)
    sheet.set_column(3, 3, 18)
    chart = book.add_chart({"type": "column"})
    hours = ["Summary", begin + 1, 0, begin + count, 0]
    for series, color in ((1, _GREY), (2, _GREEN)):
        values = ["Summary", begin + 1, series, begin + count, series]
        name = ["Summary", begin, series]
        chart.add_series({"name": name, "categories": hours, "values": values, "fill": {"color": color}})
    chart.set_title({"name": "First verdicts by the hour", "name_font": _TITLE})
    chart.set_x_axis({"num_format": "hh:mm", "text_axis": True})
    chart.set_y_axis({"min": 0, "num_format": "0", "major_unit": _tick(max(hour.judged for hour in log.hours))})
    share = book.add_chart({"type": "line"})
    share.add_series({
        "name": ["Summary", begin, 3], "categories": hours, "values": ["Summary", begin + 1, 3, begin + count, 3],
        "y2_axis": True, "line": {"color": "#2F5597"}, "marker": {"type": "circle"},
    })  # fmt: skip
    share.set_y2_axis({"min": 0, "max": 1, "num_format": "0 %"})
    chart.combine(share)
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 620, "height": 300})
    sheet.insert_chart(0, max(5, column + 1), chart)


def _chart_pareto(book: Any, sheet: Worksheet, log: BatchLog, column: int) -> None:
    bars, line = book.add_chart({"type": "column"}), book.add_chart({"type": "line"})
    shown = min(len(log.failures), 20)
    reasons = ["Failures", 1, 1, shown, 2]  # step and slot
    times, so_far = (["Failures", 1, column, shown, column] for column in (3, 6))
    bars.add_series({"name": "Attempts", "categories": reasons, "values": times, "fill": {"color": _RED}})
    line.add_series({"name": "Cumulative", "categories": reasons, "values": so_far, "y2_axis": True})
    bars.combine(line)
    bars.set_title({"name": "Why attempts failed: step and slot", "name_font": _TITLE})
    bars.set_y_axis({"min": 0, "num_format": "0", "major_unit": _tick(max(one.attempts for one in log.failures))})
    line.set_y2_axis({"min": 0, "max": 1, "num_format": "0 %"})
    bars.set_legend({"position": "bottom"})
    bars.set_size({"width": 620, "height": 300})
    sheet.insert_chart(16, max(5, column + 1), bars)


def _tick(most: int) -> int:
    """Return the step of an axis that counts up to ``most``: whole, and not more than ten of them."""
    return max(1, -(-most // 10))


def _note_what_is_missing(summary: _Sheet, tables: Mapping[str, SheetRows]) -> None:
    summary.at += 1
    for name, one in tables.items():
        if one.dropped:
            more = "rows, which a sheet cannot hold" if one.at == 1 else "more rows than a sheet can hold"
            words = f"{name}: {one.dropped} {more}; export them with --format steps or jsonl"
            summary.sheet.write_string(summary.at, 0, words, summary.formats["note"])
            summary.at += 1


XLSX = Exporter(
    "xlsx", "a workbook: summary with charts, units, steps, values, failures", write_workbook, True, has_secrets=True
)
