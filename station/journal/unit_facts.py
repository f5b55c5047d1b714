"""Keeps what the tables know of units: ids they are found by, facts and when they changed, modules they hold."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from .chain import Row
from .module_facts import hash_prefix, is_module

_NOT_KEPT = frozenset({"secret", "mode", "device_id"})
"""Facts that are masked, momentary, or the key itself."""
SEARCHED = frozenset({"serial", "iccid", "imei", "mac"})
"""Facts by which a unit is found, beside its Device ID."""


def search_key(value: str) -> str:
    """Reduce ``value`` to what counts in a search: lower case, without blanks, colons and dashes."""
    return value.lower().translate({ord(c): None for c in " :-"})


def fact(told: dict[str, str] | Sequence[str]) -> tuple[str, str, str]:
    """Return name, value and first source; older entries have one object per source."""
    name, value, source, *_ = told.values() if isinstance(told, dict) else told  # a third of `Mapping`'s time
    return name, str(value), source


def touch_unit(db: sqlite3.Connection, row: Row, device_id: str | None, platform: str = "", label: str = "") -> None:
    """Note that the unit was seen at ``row``; its first time makes its row. None: nobody knows which it is."""
    if device_id is None:
        return
    if platform or label:
        known = db.execute(
            "UPDATE units SET last_seen = ?, platform = coalesce(nullif(?, ''), platform),"
            " label = coalesce(nullif(?, ''), label) WHERE device_id = ?",
            (row.at, platform, label, device_id),
        )
    else:
        known = db.execute("UPDATE units SET last_seen = ? WHERE device_id = ?", (row.at, device_id))
    if known.rowcount == 0:
        db.execute("INSERT INTO units VALUES (?, ?, ?, ?, ?)", (device_id, platform, label, row.at, row.at))
        db.execute(_KEEP_ID, (device_id[::-1], device_id, "device_id", False))


def keep_facts(db: sqlite3.Connection, row: Row, device_id: str, facts: Iterable[tuple[str, str, str]]) -> None:
    """Insert facts that changed. Of several values of a name in one reading the first holds, the rest are disputed."""
    kept: dict[tuple[str, str], tuple[int, str, bool]] = {}
    believed = set[str]()
    for number, (name, value, source) in enumerate(facts):
        if name not in _NOT_KEPT and (name, value) not in kept:
            kept[name, value] = (number, source, name in believed)
            believed.add(name)
    for name, value in kept:
        if is_module(name):
            _hold_module(db, device_id, name, value)
    db.executemany(
        f"INSERT INTO facts SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE ?7 OR ?5 IS NOT ({_CURRENT})",
        [(device_id, name, row.seq, number, value, source, disputed)
         for (name, value), (number, source, disputed) in kept.items()],
    )  # fmt: skip
    searched = [(name, value) for name, value in kept if name in SEARCHED and value]
    if searched:
        db.executemany(
            _KEEP_ID, [(search_key(value)[::-1], device_id, name, kept[name, value][2]) for name, value in searched]
        )


def _hold_module(db: sqlite3.Connection, device_id: str, name: str, value: str) -> None:
    """Note which hash the module of that name has now. Called before the fact is kept."""
    before, image = current_fact(db, device_id, name), hash_prefix(value)
    if before is not None and (replaced := hash_prefix(before)) is not None:
        db.execute("DELETE FROM held_modules WHERE (image, device_id, name) = (?, ?, ?)", (replaced, device_id, name))
    if image is not None:
        db.execute("INSERT OR REPLACE INTO held_modules VALUES (?, ?, ?)", (image, device_id, name))


_CURRENT = "SELECT value FROM facts WHERE device_id = ?1 AND name = ?2 AND NOT disputed ORDER BY seq DESC LIMIT 1"
_KEEP_ID = (
    "INSERT INTO ids VALUES (?, ?, ?, ?)"
    " ON CONFLICT (backwards, device_id, name) DO UPDATE SET disputed = min(disputed, excluded.disputed)"
)


def current_fact(db: sqlite3.Connection, device_id: str, name: str) -> str | None:
    """Return the unit's current value of a fact; None when it was never read."""
    found = db.execute(_CURRENT, (device_id, name)).fetchone()
    return None if found is None else str(found["value"])
