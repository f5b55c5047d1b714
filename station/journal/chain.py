"""The hash chain that makes the journal tamper-evident: every entry is bound to the one before it.

Pure. It shows a changed, removed or inserted entry; that the newest entries were cut off can only be
seen by comparing `Tail` with one noted elsewhere (the last line of an export, a plant database).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

START = "0" * 64
"""``prev_hash`` of the first entry."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The newest entry: its number (0: none yet) and its hash, 64 hex digits."""

    seq: int = 0
    hash: str = START


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the journal table; ``body`` is JSON text exactly as hashed."""

    station_id: str
    seq: int
    at: str
    kind: str
    body: str
    prev_hash: str
    hash: str

    def values(self) -> dict[str, Any]:
        """The body as a dictionary."""
        loaded: dict[str, Any] = json.loads(self.body)
        return loaded


def hash_of(station_id: str, seq: int, at: str, kind: str, body: str, prev_hash: str) -> str:
    """SHA-256 (hex) over the JSON array of the six values in UTF-8; the array keeps their borders unambiguous."""
    text = json.dumps([station_id, seq, at, kind, body, prev_hash], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def link(tail: Tail, station_id: str, at: str, kind: str, body: str) -> Row:
    """The row that follows ``tail``."""
    seq = tail.seq + 1
    return Row(station_id, seq, at, kind, body, tail.hash, hash_of(station_id, seq, at, kind, body, tail.hash))


def flaw(tail: Tail, row: Row) -> str | None:
    """What is wrong with ``row`` as the successor of ``tail``, in words; None when it fits."""
    if row.seq != tail.seq + 1:
        return f"entry {tail.seq + 1} is missing: entry {row.seq} follows entry {tail.seq}"
    if row.prev_hash != tail.hash:
        return f"entry {row.seq} does not continue entry {tail.seq}"
    if row.hash != hash_of(row.station_id, row.seq, row.at, row.kind, row.body, row.prev_hash):
        return f"entry {row.seq} was changed after it was written"
    return None
