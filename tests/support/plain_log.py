"""The batch log as a plain script over bare sqlite3 reads it: the same columns, by somebody who trusts every cell."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

FACTS = (
    "device_id", "name", "iccid", "imei", "serial", "sku", "mac", "groups", "owner", "device_os", "product_id",
    "platform_id", "platform", "firmware_version",
)  # fmt: skip
_ATTEMPTS = """SELECT attempt, device_id, batch, slot, operator, started_at, finished_at, seconds, verdict, failed_step,
    reason, finished_seq FROM attempts WHERE batch = ? AND verdict IS NOT NULL ORDER BY started_seq"""
_FACTS = "SELECT name, value FROM facts WHERE device_id = ? AND NOT disputed AND seq <= ? ORDER BY seq, number"
_STEPS = "SELECT step, outcome, seconds FROM steps WHERE attempt = ? ORDER BY number"
_VALUES = "SELECT name, value, low, high FROM measurements WHERE attempt = ? ORDER BY step_number, number"
_STEP_NAMES = "SELECT DISTINCT step FROM steps JOIN attempts USING (attempt) WHERE batch = ?"
_VALUE_NAMES = "SELECT DISTINCT name FROM measurements JOIN attempts USING (attempt) WHERE batch = ?"


def plain_rows(file: Path, batch: str) -> Iterator[list[object]]:
    """Yield one row for each attempt of ``batch`` that ended."""
    with contextlib.closing(sqlite3.connect(file)) as db:
        known, named = ([row[0] for row in db.execute(sql, (batch,))] for sql in (_STEP_NAMES, _VALUE_NAMES))
        for attempt in db.execute(_ATTEMPTS, (batch,)):
            facts = dict(db.execute(_FACTS, (attempt[1], attempt[-1])))
            outcomes: dict[str, str] = {}
            seconds: dict[str, float] = {}
            for step, outcome, took in db.execute(_STEPS, (attempt[0],)):
                outcomes[step] = outcome
                seconds[step] = seconds.get(step, 0.0) + took
            steps = (cell for step in known for cell in (outcomes.get(step, ""), seconds.get(step, "")))
            measured = {name: told for name, *told in db.execute(_VALUES, (attempt[0],))}
            values = (cell for name in named for cell in measured.get(name, ("", "", "")))
            yield [*(facts.get(name, "") for name in FACTS), *attempt, *steps, *values]
