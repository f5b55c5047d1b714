"""The batch log as OpenHTF test records, one JSON object a line, as OpenHTF's own ``OutputToJSON`` writes them.

A step is a phase, an attempt a record. What is owed is a skipped phase, and an attempt that waits for it has no
outcome; nor has one whose unit was worked on by hand since.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any, TextIO

from ..journal.entries import stamp
from ..journal.export_rows import ExportRow
from ..model import ANY_VALUE, Measurement, Outcome, Verdict
from .batch_log import BatchLog
from .exporter import Exporter

_OUTCOMES = {
    Verdict.PASS: "PASS", Verdict.FAIL: "FAIL", Verdict.ABORTED: "ABORTED", Verdict.ERROR: "ERROR",
}  # fmt: skip
_PHASES = {
    Outcome.ALREADY: ("CONTINUE", "PASS"), Outcome.DONE: ("CONTINUE", "PASS"), Outcome.SKIPPED: ("SKIP", "SKIP"),
    Outcome.DEFERRED: ("SKIP", "SKIP"), Outcome.FAILED: ("FAIL_AND_CONTINUE", "FAIL"),
    Outcome.ABORTED: ("STOP", "ERROR"), Outcome.ERROR: ("STOP", "ERROR"),
}  # fmt: skip
"""What a phase returned, and what OpenHTF makes of it."""
_UNITS = {
    "s": ("second [unit of time]", "SEC"), "ms": ("millisecond", "C26"), "V": ("volt", "VLT"),
    "dBm": ("Decibel-milliwatts", "DBM"),
    "mV": ("millivolt", "2Z"), "A": ("ampere", "AMP"), "mA": ("milliampere", "4K"), "W": ("watt", "WTT"),
    "dB": ("decibel", "2N"), "°C": ("degree Celsius", "CEL"), "Hz": ("hertz", "HTZ"), "%": ("percent", "P1"),
}  # fmt: skip
"""Physical units that OpenHTF knows by a UN/ECE code; others are told by their sign alone."""
_CODE = {"name": "", "docstring": None, "sourcecode": ""}


def write_openhtf(log: BatchLog, file: TextIO) -> int:
    """Write one record for each row of ``log``; return how many."""
    count = 0
    for row in log.rows():
        file.write(_ENCODER.encode(_record(log, row)) + "\n")
        count += 1
    return count


_ENCODER = json.JSONEncoder(allow_nan=False)


def _record(log: BatchLog, row: ExportRow) -> dict[str, Any]:
    attempt = row.attempt
    outcome = None if attempt.verdict is None or attempt.by_hand_at is not None else _OUTCOMES.get(attempt.verdict)
    is_bad = bool(attempt.reason) and outcome != "PASS"
    details = [{"code": attempt.failed_step, "description": attempt.reason}] if is_bad else []
    if attempt.by_hand_at is not None:
        details.append({"code": "by_hand", "description": f"worked on by hand since {stamp(attempt.by_hand_at)}"})
    return {
        "dut_id": row.fact("serial") or attempt.device_id or attempt.attempt, "station_id": attempt.station_id,
        "start_time_millis": _millis(attempt.started_at),
        "end_time_millis": None if attempt.finished_at is None else _millis(attempt.finished_at), "outcome": outcome,
        "outcome_details": details,
        "code_info": _CODE, "metadata": _metadata(log, row), "phases": list(_phases(row)), "subtests": [],
        "branches": [], "diagnosers": [], "diagnoses": [], "log_records": [], "marginal": None,
    }  # fmt: skip


def _metadata(log: BatchLog, row: ExportRow) -> dict[str, Any]:
    attempt, record = row.attempt, log.records.get(row.attempt.batch)
    profile = None if record is None else record.batch.profile
    return {
        "test_name": attempt.profile, "test_version": "" if profile is None else profile.sha256,
        "operator_name": attempt.operator, "batch": attempt.batch, "slot": attempt.slot, "attempt": attempt.attempt,
        "verdict": None if attempt.verdict is None else attempt.verdict.name,
        "result": row.result,
        "judged": [verdict.name for verdict in row.judged], "facts": row.facts, "config": {},
    }  # fmt: skip


def _phases(row: ExportRow) -> Iterator[dict[str, Any]]:
    for number, (step, ended) in enumerate(zip(row.steps, row.ended, strict=True)):
        result, outcome = _PHASES[step.outcome]
        end = _millis(ended)
        yield {
            "measurements": {one.name: _measurement(one) for one in step.measurements}, "options": None,
            "diagnosers": [], "subtest_name": None, "start_time_millis": end - round(step.seconds * 1000),
            "end_time_millis": end, "attachments": {}, "diagnosis_results": [], "failure_diagnosis_results": [],
            "result": {"phase_result": result}, "outcome": outcome, "marginal": None, "descriptor_id": number,
            "name": step.step, "codeinfo": {**_CODE, "docstring": step.proof or step.reason or None},
        }  # fmt: skip


def _measurement(one: Measurement) -> dict[str, Any]:
    told: dict[str, Any] = {"name": one.name, "outcome": "FAIL" if one.is_out else "PASS"}
    if limits := _limits(one):
        told["validators"] = [limits]
    if one.unit:
        name, code = _UNITS.get(one.unit, (one.unit, None))
        told["units"] = {"name": name, "code": code, "suffix": one.unit}
    return told | {"measured_value": one.value}


def _limits(one: Measurement) -> str:
    """Return the limits in the words of OpenHTF's validators."""
    if one.wanted and one.wanted != ANY_VALUE:
        return f"'x' matches {one.wanted}" if one.wanted.startswith("/") else f"'x' is equal to '{one.wanted}'"
    low = "" if one.low is None else f"{one.low} <= "
    high = "" if one.high is None else f" <= {one.high}"
    return f"x == {one.low}" if low and one.low == one.high else f"{low}x{high}" if low or high else ""


def _millis(at: datetime.datetime) -> int:
    return round(at.timestamp() * 1000)


OPENHTF = Exporter(
    "openhtf", "OpenHTF test records, one JSON object an attempt", write_openhtf, ending="-openhtf.jsonl"
)
