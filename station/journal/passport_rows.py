"""What a device passport tells of one attempt: its facts with their sources, its program, its entry in the chain."""

from __future__ import annotations

import datetime
import json
import sqlite3
from dataclasses import dataclass

from .answers import time_of
from .records import AttemptRecord


@dataclass(frozen=True, slots=True)
class Told:
    """One finished attempt of a unit. ``facts``: name -> (value, first source of it), as of its end.

    ``program``: version of the station that made the attempt, "" if it recorded none. ``entry`` and ``hash``: of what
    ended the attempt. ``tries``: attempts on this unit in this batch up to this one.
    """

    attempt: AttemptRecord
    label: str
    first_seen: datetime.datetime
    facts: dict[str, tuple[str, str]]
    program: str
    entry: int
    hash: str
    tries: int


_ABOUT = """SELECT label, first_seen, finished_seq, lower(hex(hash)) AS hash, (
        SELECT count(*) FROM attempts AS one WHERE one.batch IS this.batch AND one.device_id = this.device_id
        AND one.started_seq <= this.started_seq) AS tries, (
        SELECT coalesce(json_extract(body, '$.program'), '') FROM journal WHERE journal.unit IS NULL
        AND journal.attempt IS NULL AND kind = (SELECT number FROM names WHERE name = 'StationStarted')
        AND seq < this.started_seq ORDER BY seq DESC LIMIT 1) AS program
    FROM attempts AS this JOIN units USING (device_id) JOIN journal ON journal.seq = finished_seq WHERE this.attempt = ?
"""
_FACTS = """SELECT facts.name, value, source FROM facts WHERE device_id = ?1 AND NOT disputed
    AND (seq <= ?2 OR ?3 = (SELECT names.name FROM journal JOIN names ON number = journal.attempt
        WHERE journal.seq = facts.seq)) ORDER BY seq, number"""


def told_of(db: sqlite3.Connection, attempt: AttemptRecord) -> Told | None:
    """Return what a passport tells of ``attempt``; None where it has not ended, or its unit was never identified.

    And where somebody worked on the unit by hand since: its next walk gives it one.
    """
    about = db.execute(_ABOUT, (attempt.attempt,)).fetchone()
    if about is None or attempt.device_id is None or attempt.verdict is None or attempt.by_hand_at is not None:
        return None
    found = db.execute(_FACTS, (attempt.device_id, about["finished_seq"], attempt.attempt))
    facts = {row["name"]: (str(row["value"]), str(row["source"])) for row in found}
    facts["device_id"] = (attempt.device_id, _first_source(db, attempt.attempt, "device_id"))
    return Told(
        attempt, about["label"], time_of(about["first_seen"]), facts, about["program"] or "", about["finished_seq"],
        about["hash"], about["tries"],
    )  # fmt: skip


def _first_source(db: sqlite3.Connection, attempt: str, name: str) -> str:
    """Return who told a fact that no table keeps."""
    for row in db.execute(
        "SELECT body FROM journal WHERE attempt = (SELECT number FROM names WHERE name = ?)"
        " AND kind = (SELECT number FROM names WHERE name = 'UnitIdentified') ORDER BY seq LIMIT 1",
        (attempt,),
    ):
        for fact in json.loads(row["body"]).get("facts", ()):
            if isinstance(fact, list) and fact[0] == name and len(fact) > 2:
                return str(fact[2])
    return ""
