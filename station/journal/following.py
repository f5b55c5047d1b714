"""Reads what was recorded behind some entry, for those who tell others about it (`station.hooks`)."""

from __future__ import annotations

from collections.abc import Collection

from .chain import Row
from .reader import JournalReader
from .stored import some_rows


class Following:
    """The journal as its readers follow it: entry after entry, with what is known of their units."""

    def __init__(self, journal: JournalReader) -> None:
        self._journal = journal

    def following(self, seq: int, kinds: Collection[str], most: int) -> tuple[tuple[Row, ...], int]:
        """Return the first ``most`` entries of ``kinds`` behind ``seq``, and the number of the last entry of all.

        Raises `JournalError`.
        """
        named = ", ".join("?" * len(kinds))
        where = f"WHERE seq IN (SELECT seq FROM entries WHERE seq > ? AND kind IN ({named}) ORDER BY seq LIMIT ?)"
        with self._journal.snapshot() as db:
            last = db.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()[0]
            found = tuple(some_rows(db, where, seq, *kinds, most)) if kinds and most and seq < last else ()
        return found, int(last)

    def known_facts(self, device_id: str) -> dict[str, str]:
        """Return what is known of a unit, by name."""
        return self._journal.known_facts(device_id)

    def identified_at(self, attempt: str) -> int:
        """Return the number of the entry by which the unit of ``attempt`` was identified first; 0 if none has."""
        sql = """SELECT coalesce(min(seq), 0) FROM journal JOIN names AS kind ON kind.number = journal.kind
            WHERE kind.name = 'UnitIdentified' AND journal.attempt = (SELECT number FROM names WHERE name = ?)"""
        with self._journal.snapshot() as db:
            return int(db.execute(sql, (attempt,)).fetchone()[0])

    def unproven_since(self, attempt: str) -> int:
        """Return the number of the entry since which the PASS or PENDING of ``attempt`` is not proven; 0 if it is."""
        sql = "SELECT coalesce(max(by_hand_seq), 0) FROM attempts WHERE attempt = ?"
        with self._journal.snapshot() as db:
            return int(db.execute(sql, (attempt,)).fetchone()[0])

    def unproven_by(self, seq: int) -> str:
        """Return the attempt whose PASS or PENDING is not proven any more because of entry ``seq``; "" for none."""
        with self._journal.snapshot() as db:
            found = db.execute("SELECT attempt FROM attempts WHERE by_hand_seq = ?", (seq,)).fetchone()
        return "" if found is None else str(found["attempt"])

    def batch_of(self, attempt: str) -> str:
        """Return the batch of an attempt, "" for one of none."""
        found = self._journal.attempt(attempt)
        return found.batch or "" if found is not None else ""
