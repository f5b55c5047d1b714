"""What the journal knows of lists: which SIM cards the cloud was asked for, which units a batch was to get."""

from __future__ import annotations

import datetime
import json
import sqlite3
from dataclasses import dataclass

from .answers import time_of
from .reader import JournalReader
from .unit_facts import search_key

_LISTS = """SELECT at, body FROM entries WHERE seq IN (SELECT seq FROM journal WHERE unit IS NULL AND attempt IS NULL
    AND kind = (SELECT number FROM names WHERE name = ?)) ORDER BY seq"""


def imported_sims(journal: JournalReader, product: int, since: datetime.datetime) -> frozenset[str]:
    """Return the ICCIDs whose import into ``product`` the cloud took since then."""
    with journal.snapshot() as db:
        told = [(time_of(row["at"]), json.loads(row["body"])) for row in db.execute(_LISTS, ("SimsImported",))]
    return frozenset(
        iccid for at, body in told if at >= since and body["product"] == product for iccid in body["iccids"]
    )


@dataclass(frozen=True, slots=True)
class ExpectedUnits:
    """The units a batch was opened for, by one number each, and those of them that never came to it."""

    listed: int
    missing: tuple[str, ...]


def expected_units(db: sqlite3.Connection, batch: str) -> ExpectedUnits | None:
    """Return what of the last list that ``batch`` was given came to it; None if it was given none."""
    told = (json.loads(row["body"]) for row in db.execute(_LISTS, ("UnitsExpected",)))
    lists = [body for body in told if body["batch"] == batch]
    if not lists:
        return None
    units = [tuple(one.split()) for one in lists[-1]["units"]]
    missing = [unit[0] for unit in units if not any(_came(db, batch, number) for number in unit)]
    return ExpectedUnits(len(units), tuple(missing))


def _came(db: sqlite3.Connection, batch: str, number: str) -> bool:
    found = db.execute(
        "SELECT 1 FROM ids JOIN attempts USING (device_id) WHERE backwards = ? AND batch = ? LIMIT 1",
        (search_key(number)[::-1], batch),
    )
    return found.fetchone() is not None
