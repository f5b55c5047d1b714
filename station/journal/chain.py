"""The hash chain that makes the journal tamper-evident: every entry is bound to the one before it.

Pure. It shows a changed, removed or inserted entry; that the newest entries were cut off can only be
seen by comparing `Tail` with one noted elsewhere (the last line of an export, a plant database).
"""

from __future__ import annotations

import hashlib
import json
from json.encoder import encode_basestring
from typing import Any, NamedTuple

START = "0" * 64
"""``prev_hash`` of the first entry."""


class Tail(NamedTuple):
    """The newest entry: its number (0: none yet) and its hash, 64 hex digits."""

    seq: int = 0
    hash: str = START


class Row(NamedTuple):
    """One entry as it was hashed; ``body`` is JSON text. (No dataclass: a verification makes millions of them.)"""

    station_id: str
    seq: int
    at: str
    kind: str
    body: str
    prev_hash: str
    hash: str

    def values(self) -> dict[str, Any]:
        """Return the body as a dictionary."""
        loaded, _ = _DECODER.raw_decode(self.body)
        if not isinstance(loaded, dict):
            raise ValueError(f"the body of entry {self.seq} is no JSON object")
        return loaded


_DECODER = json.JSONDecoder()


def hash_of(station_id: str, seq: int, at: str, kind: str, body: str, prev_hash: str) -> str:
    """Return the SHA-256 (hex) over the JSON array of the six values in UTF-8.

    The array keeps their borders unambiguous: ``["bench-1",7,"2026-...","StepFinished","{...}","3f..."]``. It is
    written out here because a verification makes millions of them.
    """
    quoted = encode_basestring
    text = f"[{quoted(station_id)},{seq:d},{quoted(at)},{quoted(kind)},{quoted(body)},{quoted(prev_hash)}]"
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def link(tail: Tail, station_id: str, at: str, kind: str, body: str) -> Row:
    """Return the row that follows ``tail``."""
    seq = tail.seq + 1
    return Row(station_id, seq, at, kind, body, tail.hash, hash_of(station_id, seq, at, kind, body, tail.hash))


def flaw(before: Tail | Row, row: Row) -> str | None:
    """Say what is wrong with ``row`` as the successor of ``before``; None when it fits."""
    if row.seq != before.seq + 1:
        return f"entry {before.seq + 1} is missing: entry {row.seq} follows entry {before.seq}"
    if row.prev_hash != before.hash:
        return f"entry {row.seq} does not continue entry {before.seq}"
    return changed(row)


def changed(row: Row) -> str | None:
    """Say what is wrong if ``row`` does not match its hash; None when it does."""
    if None in row:  # a name it stands by is gone, or its time is none
        return f"entry {row.seq} was changed after it was written: it is not whole"
    if row.hash == hash_of(row.station_id, row.seq, row.at, row.kind, row.body, row.prev_hash):
        return None
    before = f", or entry {row.seq - 1} before it" if row.seq > 1 else ""
    return f"entry {row.seq} was changed after it was written{before}"
