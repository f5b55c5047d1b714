"""Keeps what an export shows of an attempt that ended, in one row: facts, steps, measured values.

Made when the attempt ends, and renewed by what the cloud tells of it later, so that exporting a batch need not gather
the hundred rows of each attempt. A running attempt has no row yet; `told_of` gathers the same for it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple


class Shown(NamedTuple):
    """Facts of a unit that have a column in exports; None: nobody read it."""

    name: str | None = None
    iccid: str | None = None
    imei: str | None = None
    serial: str | None = None
    sku: str | None = None
    mac: str | None = None
    groups: str | None = None
    owner: str | None = None
    device_os: str | None = None
    product_id: str | None = None
    platform_id: str | None = None
    platform_name: str | None = None
    platform: str | None = None
    firmware_version: str | None = None
    protection_intended: str | None = None
    protection: str | None = None


class Told(NamedTuple):
    """Columns of the table ``kept_rows``, lists of JSON each. Those of most attempts of a batch differ by few."""

    facts: str  # values, in the order of `Shown`
    steps: str  # names, in the order of their first tries
    outcomes: str  # of each step, by its last try
    seconds: str  # of each step, all its tries; as `in_milliseconds` writes them
    measured: str  # place of its step, whether by the last try of it, and all of a `Measurement`


_FACTS = "SELECT name, value FROM facts WHERE device_id = ? AND NOT disputed ORDER BY seq, number"
_LATER = "SELECT name, value FROM facts WHERE device_id = ? AND NOT disputed AND seq = ? ORDER BY number"
_STEPS = "SELECT number, step, outcome, seconds FROM steps WHERE attempt = ? ORDER BY number"
_VALUES = """SELECT step_number, name, value, unit, low, high, wanted, is_out FROM measurements WHERE attempt = ?
    ORDER BY step_number, number"""
_KEPT = "SELECT started_seq, device_id, facts FROM attempts JOIN kept_rows USING (started_seq) WHERE attempt = ?"


def told_of(db: sqlite3.Connection, attempt: str, device_id: str | None) -> Told:
    """Gather what an export shows of ``attempt`` now, with the facts of its unit."""
    facts = dict(map(tuple, db.execute(_FACTS, (device_id,))))
    return Told(_written([facts.get(name) for name in Shown._fields]), *_tries(db, attempt))


def keep_row(db: sqlite3.Connection, attempt: str, started_seq: int, device_id: str | None) -> None:
    """Keep what is known of ``attempt`` at its end."""
    db.execute("INSERT INTO kept_rows VALUES (?, ?, ?, ?, ?, ?)", (started_seq, *told_of(db, attempt, device_id)))


def renew_row(db: sqlite3.Connection, values: Mapping[str, Any], seq: int) -> None:
    """Add to the row of an attempt that had ended what entry ``seq``, which says ``values``, tells of it."""
    kept = db.execute(_KEPT, (values["attempt"],)).fetchone()
    if kept is None:
        return
    later = dict(map(tuple, db.execute(_LATER, (kept["device_id"], seq))))
    facts = [later.get(name, value) for name, value in zip(Shown._fields, json.loads(kept["facts"]), strict=True)]
    db.execute(
        "INSERT OR REPLACE INTO kept_rows VALUES (?, ?, ?, ?, ?, ?)",
        (kept["started_seq"], _written(facts), *_tries(db, values["attempt"])),
    )


def in_milliseconds(seconds: float) -> str:
    """Write ``seconds`` with a point and at most three decimals."""
    return f"{seconds:.3f}".rstrip("0").rstrip(".")


def _tries(db: sqlite3.Connection, attempt: str) -> tuple[str, str, str, str]:
    outcomes: dict[str, str] = {}
    seconds: dict[str, float] = {}
    names, last = [], {}
    for number, step, outcome, took in db.execute(_STEPS, (attempt,)):
        outcomes[step] = outcome
        seconds[step] = seconds.get(step, 0.0) + took
        last[step] = number
        names.append(step)
    places = {step: place for place, step in enumerate(outcomes)}
    measured = [
        (places[names[number]], number == last[names[number]], *rest)
        for number, *rest in db.execute(_VALUES, (attempt,))
    ]
    times = f"[{','.join(map(in_milliseconds, seconds.values()))}]"
    return _written(list(outcomes)), _written(list(outcomes.values())), times, _written(measured)


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
