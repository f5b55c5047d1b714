"""Every try of every step as CSV, one a row: for programs that evaluate times and reasons."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TextIO

from ..journal.entries import stamped
from ..journal.export_rows import ExportRow, in_blocks
from .batch_log import BatchLog, Type, Value
from .csvfile import Lines
from .dialect import SAFE, Dialect
from .exporter import Exporter

HEADER = (
    "Batch", "Attempt", "Device ID", "Serial", "Started", "Step", "Outcome", "Seconds", "Reason", "Proof",
)  # fmt: skip
TYPES = tuple({"Started": Type.TIME, "Seconds": Type.SECONDS}.get(name, Type.TEXT) for name in HEADER)


def step_rows(row: ExportRow) -> Iterator[tuple[Value, ...]]:
    """Yield the cells of each try of a step of one attempt, in the order of `HEADER`."""
    kept = row.kept
    whose = kept.batch, kept.attempt, kept.device_id, row.shown.serial, stamped(kept.started_at)
    for one in row.steps:
        yield (*whose, one.step, one.outcome.value, one.seconds, one.reason, one.proof)


def write_steps(log: BatchLog, file: TextIO, dialect: Dialect = SAFE) -> int:
    """Write a header and one row a try; return how many tries."""
    lines = Lines(file, TYPES, dialect)
    lines.head(HEADER)
    rows = itertools.chain.from_iterable(map(step_rows, log.rows()))
    return sum(lines.add(zip(*some, strict=True)) for some in in_blocks(rows))


STEPS = Exporter(
    "steps", "CSV with one row for every try of every step", write_steps, ending="-steps.csv", in_dialect=write_steps
)
