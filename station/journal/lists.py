"""What the journal knows of lists that were imported: which SIM cards the cloud was asked for."""

from __future__ import annotations

import datetime
import json

from .answers import time_of
from .reader import JournalReader

_IMPORTED = """SELECT at, body FROM entries WHERE seq IN (SELECT seq FROM journal WHERE unit IS NULL AND attempt IS NULL
    AND kind = (SELECT number FROM names WHERE name = 'SimsImported')) ORDER BY seq"""


def imported_sims(journal: JournalReader, product: int, since: datetime.datetime) -> frozenset[str]:
    """Return the ICCIDs whose import into ``product`` the cloud took since then."""
    with journal.snapshot() as db:
        told = [(time_of(row["at"]), json.loads(row["body"])) for row in db.execute(_IMPORTED)]
    return frozenset(
        iccid for at, body in told if at >= since and body["product"] == product for iccid in body["iccids"]
    )
