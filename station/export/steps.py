"""Every try of every step as CSV, one a row: for programs that evaluate times and reasons."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import IO, Any

from ..journal.entries import stamp
from ..journal.export_rows import ExportRow
from .batch_log import BatchLog, Value
from .cells import guarded, number
from .exporter import Exporter

HEADER = (
    "Batch", "Attempt", "Device ID", "Serial", "Started", "Step", "Outcome", "Seconds", "Reason", "Proof",
)  # fmt: skip


def step_rows(row: ExportRow) -> Iterator[tuple[Value, ...]]:
    """Yield the cells of each try of a step of one attempt, in the order of `HEADER`."""
    attempt = row.attempt
    for one in row.steps:
        yield (
            attempt.batch, attempt.attempt, attempt.device_id, row.facts.get("serial"), stamp(attempt.started_at),
            one.step, one.outcome.value, one.seconds, one.reason, one.proof,
        )  # fmt: skip


def write_steps(log: BatchLog, file: IO[Any]) -> int:
    """Write a header and one row a try; return how many tries."""
    writer = csv.writer(file)
    writer.writerow(HEADER)
    count = 0
    for row in log.rows():
        for cells in step_rows(row):
            writer.writerow([number(one) if isinstance(one, float) else guarded(str(one or "")) for one in cells])
            count += 1
    return count


STEPS = Exporter("steps", "CSV with one row for every try of every step", write_steps)
