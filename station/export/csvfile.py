"""The batch log as CSV (RFC 4180: commas, CRLF): the vendor's own columns, then ours, then two per step."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from typing import TextIO

from ..journal.entries import stamp
from ..journal.export_rows import ExportRow, export_rows, require_batches, step_names
from ..journal.reader import JournalReader
from ..model import VERDICT_WORD, StepRecord
from .cells import guarded, number

Cell = Callable[[ExportRow], str]


def _fact(*names: str) -> Cell:
    return lambda row: guarded(row.fact(*names))


def _number_fact(name: str) -> Cell:
    """A small number stays one, so that it can be sorted and filtered."""
    return lambda row: text if (text := row.fact(name)).isdecimal() and len(text) <= 9 else guarded(text)


VENDOR_COLUMNS: dict[str, Cell] = {
    "Device ID": _fact("device_id"),
    "Device Name": _fact("name"),
    "ICCID": _fact("iccid"),
    "IMEI": _fact("imei"),
    "Serial": _fact("serial"),
    "SKU": _fact("sku"),
    "Wi-Fi MAC Address": _fact("mac"),
    "Groups": _fact("groups"),
    "Owner": _fact("owner"),
    "Device OS Version": _fact("device_os"),
    "Product ID": _number_fact("product_id"),
    "Platform ID": _number_fact("platform_id"),
    "Platform Name": _fact("platform_name", "platform"),
    "Firmware Version": _number_fact("firmware_version"),
}
"""Names as the vendor writes them in its own device lists."""


def _finished(row: ExportRow) -> str:
    return "" if row.attempt.finished_at is None else stamp(row.attempt.finished_at)


STATION_COLUMNS: dict[str, Cell] = {
    "Batch": lambda row: guarded(row.attempt.batch),
    "Attempt": lambda row: guarded(row.attempt.attempt),
    "Slot": lambda row: str(row.attempt.slot),
    "Operator": lambda row: guarded(row.attempt.operator),
    "Started": lambda row: stamp(row.attempt.started_at),
    "Finished": _finished,
    "Seconds": lambda row: number(row.attempt.seconds),
    "Verdict": lambda row: "" if row.attempt.verdict is None else row.attempt.verdict.name,
    "Result": lambda row: "" if row.attempt.verdict is None else VERDICT_WORD[row.attempt.verdict],
    "First Judged": lambda row: row.judged[0].name if row.judged else "",
    "Judged Attempts": lambda row: str(len(row.judged)),
    "Failed Step": lambda row: guarded(row.attempt.failed_step),
    "Reason": lambda row: guarded(row.attempt.reason),
}


def write_csv(journal: JournalReader, batch: str | Sequence[str], file: TextIO, *, all_attempts: bool = False) -> int:
    """Write one row a unit (its last attempt), or one an attempt; return how many.

    ``file`` is a text file opened with ``newline=""``. Cells are guarded as `station.export.cells`
    describes. Raises `BadInput` for an unknown batch, before anything is written.
    """
    batches = require_batches(journal, batch)
    with journal.exporting(batches) as db:
        steps = step_names(db, batches)
        writer = csv.writer(file)
        writer.writerow([*VENDOR_COLUMNS, *STATION_COLUMNS, *(name for step in steps for name in (step, f"{step} s"))])
        count = 0
        for row in export_rows(db, batches, all_attempts):
            writer.writerow(
                [cell(row) for cell in (*VENDOR_COLUMNS.values(), *STATION_COLUMNS.values())] + _steps(row, steps)
            )
            count += 1
    return count


def _steps(row: ExportRow, names: Sequence[str]) -> list[str]:
    """Per step: what its last try did, and the seconds of all its tries."""
    cells: list[str] = []
    for name in names:
        tries: list[StepRecord] = [step for step in row.steps if step.step == name]
        cells += [tries[-1].outcome.value, number(sum(t.seconds for t in tries))] if tries else ["", ""]
    return cells
