"""The batch log as JSON lines: one attempt a line, with its facts, steps and measurements in full."""

from __future__ import annotations

import datetime
import json
from typing import Any, TextIO

from ..journal.entries import stamp
from ..journal.export_rows import ExportRow
from ..model import Measurement, StepRecord
from .batch_log import BatchLog
from .exporter import Exporter


def write_jsonl(log: BatchLog, file: TextIO) -> int:
    """Write one line for each row of ``log``; return how many."""
    count = 0
    for row in log.rows():
        file.write(
            _ENCODER.encode(_line(row) | ({} if log.secret is None else {"mobile_secret": log.secret_of(row)})) + "\n"
        )
        count += 1
    return count


_ENCODER = json.JSONEncoder(allow_nan=False)


def _line(row: ExportRow) -> dict[str, Any]:
    attempt = row.attempt
    return {
        "attempt": attempt.attempt, "batch": attempt.batch, "station_id": attempt.station_id,
        "device_id": attempt.device_id, "slot": attempt.slot, "port_path": attempt.port_path,
        "profile": attempt.profile, "operator": attempt.operator, "released_by": attempt.release,
        "started": stamp(attempt.started_at),
        "finished": None if attempt.finished_at is None else stamp(attempt.finished_at), "seconds": attempt.seconds,
        "verdict": None if attempt.verdict is None else attempt.verdict.name,
        "judged": [verdict.name for verdict in row.judged],
        "failed_step": attempt.failed_step, "reason": attempt.reason,
        "by_hand_since": None if attempt.by_hand_at is None else stamp(attempt.by_hand_at),
        "facts": row.facts, "steps": [_step(step, at) for step, at in zip(row.steps, row.ended, strict=True)],
    } | ({"wire": row.wire} if row.wire else {})  # fmt: skip


def _step(step: StepRecord, ended: datetime.datetime) -> dict[str, Any]:
    return {
        "step": step.step, "outcome": step.outcome.value, "reason": step.reason, "proof": step.proof,
        "seconds": step.seconds, "ended": stamp(ended),
        "measurements": [_measurement(one) for one in step.measurements],
    }  # fmt: skip


def _measurement(one: Measurement) -> dict[str, Any]:
    return {
        "name": one.name, "value": one.value, "unit": one.unit, "low": one.low, "high": one.high,
        "wanted": one.wanted, "is_out": one.is_out,
    }  # fmt: skip


JSONL = Exporter(
    "jsonl",
    "one JSON object a unit: facts, steps, measurements, wire of a failure",
    write_jsonl,
    has_secrets=True,
)
