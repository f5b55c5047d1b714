"""What the journal knows of writes to the cloud: which were announced for a unit, or at the rework desk.

A write that was announced may not have been done; with a look at the cloud that shows it done, it is the proof of who
did it.
"""

from __future__ import annotations

import json

from .reader import JournalReader

_SENT = """SELECT body FROM entries WHERE kind = 'WriteIntended' AND seq IN (SELECT seq FROM journal WHERE {})"""
_OF_UNIT = "unit = (SELECT number FROM names WHERE name = ?)"
_OF_NO_ATTEMPT = "attempt = (SELECT number FROM names WHERE name = '')"  # the desk's: nothing is walked there


def was_released(journal: JournalReader, iccid: str) -> bool:
    """Return whether the cloud was asked from here to release the SIM, by itself or as that of a unit."""
    return f"release SIM {iccid}" in _sent(journal, _OF_NO_ATTEMPT)


def was_member(journal: JournalReader, device_id: str, product: int) -> bool:
    """Return whether the unit was to be added to ``product``, or taken out of it, from here."""
    whats = {f"add {device_id} to product {product}", f"remove {device_id} from product {product}"}
    return not whats.isdisjoint(_sent(journal, _OF_UNIT, device_id.lower()))


def _sent(journal: JournalReader, where: str, *values: str) -> frozenset[str]:
    with journal.snapshot() as db:
        return frozenset(json.loads(row["body"])["what"] for row in db.execute(_SENT.format(where), values))
