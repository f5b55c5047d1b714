"""Turns journal rows into the tables people query: one function per kind, in one table.

A projection reads nothing but the row and the tables as they are, so replaying the journal gives the
same tables again. It refuses (`JournalError`) what cannot have happened; kinds it does not know it
leaves alone, for they may come from a newer station.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..errors import JournalError
from ..model import EVERYWHERE, Verdict
from .chain import Row
from .counts import count_figures, set_figures
from .entries import Entry
from .stored import rows
from .tables import PROJECTIONS

Project = Callable[[sqlite3.Connection, Row, Mapping[str, Any]], None]

_NOT_KEPT = frozenset({"secret", "mode", "device_id"})
"""Facts that are masked, momentary, or the key itself."""
SEARCHED = frozenset({"serial", "iccid", "imei", "mac"})
"""Facts by which a unit is found, beside its Device ID."""


def search_key(value: str) -> str:
    """Reduce ``value`` to what counts in a search: lower case, without blanks, colons and dashes."""
    return value.lower().translate({ord(c): None for c in " :-"})


def project(db: sqlite3.Connection, row: Row, values: Mapping[str, Any] | None = None) -> None:
    """Bring the tables up to ``row``, all but the figures of its batch (`added_to_figures`)."""
    if handler := _HANDLERS.get(row.kind):
        handler(db, row, row.values() if values is None else values)


def shortened(db: sqlite3.Connection, entry: Entry) -> Entry | None:
    """Return ``entry`` without what the journal already holds; None when nothing of it is new."""
    body = entry.body
    match entry.kind:
        case "UnitFacts" if entry.device_id:
            unit, facts = entry.device_id.lower(), list(body["facts"])
            names = Counter(fact[0] for fact in facts if isinstance(fact, list))
            new = [
                fact
                for fact in facts
                if not isinstance(fact, list) or names[fact[0]] > 1 or current_fact(db, unit, fact[0]) != str(fact[1])
            ]
            return dataclasses.replace(entry, body={**body, "facts": new}) if new else None
        case "WriteConfirmed":
            known = db.execute(
                "SELECT max(seq) AS seq FROM writes WHERE attempt IS ? AND step = ? AND target = ? AND what = ?",
                (entry.attempt, body["step"], body["target"], body["what"]),
            ).fetchone()
            return entry if known["seq"] is None else dataclasses.replace(entry, body={"write": known["seq"]})
    return entry


def check(db: sqlite3.Connection, told: Iterable[tuple[Row, Mapping[str, Any]]]) -> None:
    """Check what must hold at the end of one append: an attempt that ends PENDING owes something by then."""
    for row, values in told:
        if row.kind == "AttemptFinished" and values.get("verdict") == Verdict.PENDING.name:
            owed = db.execute("SELECT 1 FROM outbox WHERE attempt = ? LIMIT 1", (values["attempt"],)).fetchone()
            if owed is None:
                raise JournalError(
                    f"attempt {values['attempt']} ended PENDING but owes nothing; queue its work in the same append"
                )


def rebuild(db: sqlite3.Connection) -> None:
    """Empty all projections and replay the journal. Runs inside the caller's transaction."""
    for table in PROJECTIONS:
        db.execute(f"DELETE FROM {table}")
    for row in rows(db):
        project(db, row)
    count_figures(db)


# --- station and batches ---


def _operator_changed(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    db.execute(
        "INSERT INTO operators VALUES (?, ?) ON CONFLICT (station_id) DO UPDATE SET operator = excluded.operator",
        (row.station_id, values.get("operator", "")),
    )


def _batch_opened(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    batch = values["batch"]
    profile = batch["profile"]
    held = db.execute("SELECT * FROM batches WHERE batch = ?", (batch["id"],)).fetchone()
    if held is None:
        db.execute(
            "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
            (batch["id"], values.get("title", ""), profile["id"], profile["revision"], profile["sha256"],
             batch.get("target"), row.at),
        )  # fmt: skip
        set_figures(db, batch["id"])
        return
    if held["profile_sha256"] != profile["sha256"]:
        raise JournalError(
            f"batch {batch['id']} was opened with profile {held['profile_id']} r{held['profile_revision']} "
            f"({held['profile_sha256'][:8]}), not {profile['id']} r{profile['revision']} ({profile['sha256'][:8]}); "
            "give the new profile a new batch"
        )
    db.execute(
        "UPDATE batches SET title = ?, target = ?, closed_at = NULL WHERE batch = ?",
        (values.get("title", ""), batch.get("target"), batch["id"]),
    )


def _batch_closed(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    closed = db.execute("UPDATE batches SET closed_at = ? WHERE batch = ?", (row.at, values["batch"]))
    if closed.rowcount == 0:
        raise JournalError(f"batch {values['batch']} was never opened; see the list of batches")


# --- attempts ---


def _attempt_started(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    _touch_unit(db, row, values["device_id"])
    operator = db.execute("SELECT operator FROM operators WHERE station_id = ?", (row.station_id,)).fetchone()
    db.execute(
        "INSERT INTO attempts (attempt, station_id, batch, device_id, slot, port_path, profile, planned, operator,"
        " started_seq, started_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (values["attempt"], row.station_id, values.get("batch") or None, values["device_id"], values["slot"],
         values.get("port_path", ""), values.get("profile", ""), json.dumps(list(values.get("steps", ()))),
         operator["operator"] if operator else "", row.seq, row.at),
    )  # fmt: skip


def _unit_identified(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    device_id = values["device_id"]
    if device_id is None:
        return
    _touch_unit(db, row, device_id, values.get("platform", ""), values.get("label", ""))
    db.execute("UPDATE attempts SET device_id = ? WHERE attempt = ?", (device_id, values["attempt"]))
    facts = list(map(_fact, values.get("facts", ())))
    if values.get("platform") and not any(name == "platform" for name, _, _ in facts):
        facts.append(("platform", values["platform"], "identify"))
    _keep_facts(db, row, device_id, facts)


def _unit_facts(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    if values["device_id"] is not None:
        _touch_unit(db, row, values["device_id"])
        _keep_facts(db, row, values["device_id"], map(_fact, values["facts"]))


def _fact(told: Mapping[str, str] | Sequence[str]) -> tuple[str, str, str]:
    """Return name, value and first source; older entries have one object per source."""
    name, value, source, *_ = told.values() if isinstance(told, Mapping) else told
    return name, str(value), source


def _touch_unit(db: sqlite3.Connection, row: Row, device_id: str | None, platform: str = "", label: str = "") -> None:
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


def _keep_facts(db: sqlite3.Connection, row: Row, device_id: str, facts: Iterable[tuple[str, str, str]]) -> None:
    """Insert facts that changed. Of several values of a name in one reading the first holds, the rest are disputed."""
    kept: dict[tuple[str, str], tuple[int, str, bool]] = {}
    believed = set[str]()
    for number, (name, value, source) in enumerate(facts):
        if name not in _NOT_KEPT and (name, value) not in kept:
            kept[name, value] = (number, source, name in believed)
            believed.add(name)
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


_CURRENT = "SELECT value FROM facts WHERE device_id = ?1 AND name = ?2 AND NOT disputed ORDER BY seq DESC LIMIT 1"
_KEEP_ID = (
    "INSERT INTO ids VALUES (?, ?, ?, ?)"
    " ON CONFLICT (backwards, device_id, name) DO UPDATE SET disputed = min(disputed, excluded.disputed)"
)


def current_fact(db: sqlite3.Connection, device_id: str, name: str) -> str | None:
    """Return the unit's current value of a fact; None when it was never read."""
    found = db.execute(_CURRENT, (device_id, name)).fetchone()
    return None if found is None else str(found["value"])


def _step_finished(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    _add_step(db, row, values, values["step"])


def _add_step(db: sqlite3.Connection, row: Row, values: Mapping[str, Any], step: str) -> None:
    attempt = values["attempt"]
    db.execute(
        "INSERT INTO steps VALUES"
        " (?1, (SELECT coalesce(max(number) + 1, 0) FROM steps WHERE attempt = ?1), ?2, ?3, ?4, ?5)",
        (attempt, step, values["outcome"], values.get("seconds", 0.0), row.seq),
    )
    if measurements := values.get("measurements"):
        db.executemany(
            "INSERT INTO measurements VALUES"
            " (?1, (SELECT max(number) FROM steps WHERE attempt = ?1), ?2, ?3, ?4, ?5, ?6, ?7)",
            [(attempt, place, m["name"], m["value"], m.get("unit", ""), m.get("low"), m.get("high"))
             for place, m in enumerate(measurements)],
        )  # fmt: skip


def _attempt_finished(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    _finish(db, row, {"seconds": 0.0, **values}, Verdict[values["verdict"]])


def _attempt_abandoned(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    _finish(db, row, values, Verdict.ERROR)


def _finish(db: sqlite3.Connection, row: Row, values: Mapping[str, Any], verdict: Verdict) -> None:
    if values["device_id"] is not None:
        _touch_unit(db, row, values["device_id"])
    finished = db.execute(
        "UPDATE attempts SET verdict = ?, finished_seq = ?, finished_at = ?, seconds = ?, failed_step = ?, reason = ?,"
        " device_id = coalesce(device_id, ?) WHERE attempt = ? AND verdict IS NULL",
        (verdict.name, row.seq, row.at, values.get("seconds"), values.get("failed_step", ""), values.get("reason", ""),
         values["device_id"], values["attempt"]),
    )  # fmt: skip
    if finished.rowcount == 0:
        raise JournalError(f"attempt {values['attempt']} is not running: it never started or has its verdict already")


# --- cloud work owed ---


def _outbox_queued(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    for number, item in enumerate(values["items"]):
        db.execute(
            "INSERT INTO outbox (attempt, action, queued_seq, number, device_id, body) VALUES (?, ?, ?, ?, ?, ?)",
            (item["attempt"], item["action"], row.seq, number, item["device_id"].lower(), item["body"]),
        )


def _outbox_postponed(db: sqlite3.Connection, _row: Row, values: Mapping[str, Any]) -> None:
    changed = db.execute(
        "UPDATE outbox SET tries = tries + ?, retry_at = ?, last_error = ?"
        " WHERE attempt = ? AND action = ? AND settled_at IS NULL",
        (values.get("scope") != EVERYWHERE, values["retry_at"], values["error"], values["attempt"], values["action"]),
    )
    _require_owed(changed, values)


def _outbox_hurried(db: sqlite3.Connection, _row: Row, values: Mapping[str, Any]) -> None:
    changed = db.execute(
        "UPDATE outbox SET tries = 0, retry_at = NULL WHERE attempt = ? AND action = ? AND settled_at IS NULL",
        (values["attempt"], values["action"]),
    )
    _require_owed(changed, values)


def _outbox_settled(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    changed = db.execute(
        "UPDATE outbox SET settled_at = ?, outcome = ?, reason = ?, tries = tries + 1"
        " WHERE attempt = ? AND action = ? AND settled_at IS NULL",
        (row.at, values["outcome"], values.get("reason", ""), values["attempt"], values["action"]),
    )
    _require_owed(changed, values)
    _add_step(db, row, values, values["action"])


def _require_owed(changed: sqlite3.Cursor, values: Mapping[str, Any]) -> None:
    if changed.rowcount == 0:
        raise JournalError(f"attempt {values['attempt']} does not owe {values['action']}; nothing was changed")


def _verdict_revised(db: sqlite3.Connection, _row: Row, values: Mapping[str, Any]) -> None:
    failed = db.execute(
        "SELECT action FROM outbox WHERE attempt = ? AND outcome IN ('failed', 'aborted', 'error')"
        " ORDER BY queued_seq, number LIMIT 1",
        (values["attempt"],),
    ).fetchone()
    changed = db.execute(
        "UPDATE attempts SET verdict = ?, failed_step = ?, reason = ? WHERE attempt = ? AND verdict = 'PENDING'",
        (
            Verdict[values["verdict"]].name,
            failed["action"] if failed else "",
            values.get("reason", ""),
            values["attempt"],
        ),
    )
    if changed.rowcount == 0:
        raise JournalError(f"attempt {values['attempt']} is not PENDING; its verdict stands")


# --- writes, digests, caches ---


def _write_intended(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    db.execute(
        "INSERT INTO writes VALUES (?, ?, ?, ?, ?, ?, ?)",
        (row.seq, values["attempt"], values["device_id"], values["step"], values["target"], values["what"], row.at),
    )


def _write_confirmed(db: sqlite3.Connection, _row: Row, values: Mapping[str, Any]) -> None:
    """Confirm every open intention of the same write: a repeat after a crash proves the earlier one too."""
    if "write" in values:  # the number of the entry that announced it
        done = db.execute(
            "DELETE FROM writes WHERE attempt IS (SELECT attempt FROM writes WHERE seq = ?1)"
            " AND (step, target, what) = (SELECT step, target, what FROM writes WHERE seq = ?1)",
            (values["write"],),
        )
        if done.rowcount == 0:
            raise JournalError(f"write {values['write']} is not open: it was never announced or is confirmed already")
        return
    db.execute(
        "DELETE FROM writes WHERE attempt IS ? AND step = ? AND target = ? AND what = ?",
        (values["attempt"], values["step"], values["target"], values["what"]),
    )


def _credential_written(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    db.execute(
        "INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?, ?)",
        (values["device_id"], values["ssid"], values["digest"], values["attempt"], row.at),
    )


def _product_cached(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    db.execute(
        "INSERT OR REPLACE INTO products VALUES (?, ?, ?, ?, ?, ?)",
        (int(values["product_id"]), values.get("slug", ""), values.get("ref", ""), values.get("name", ""),
         int(values["platform_id"]), row.at),
    )  # fmt: skip


def _serial_cached(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    db.execute(
        "INSERT OR REPLACE INTO serials VALUES (?, ?, ?, ?)",
        (values["serial"].upper(), values["device_id"], values.get("iccid", ""), row.at),
    )


_HANDLERS: dict[str, Project] = {
    "StationStarted": _operator_changed,  # a new start begins with the operator it names, or nobody
    "OperatorChanged": _operator_changed,
    "BatchOpened": _batch_opened,
    "BatchClosed": _batch_closed,
    "AttemptStarted": _attempt_started,
    "UnitIdentified": _unit_identified,
    "UnitFacts": _unit_facts,
    "StepFinished": _step_finished,
    "AttemptFinished": _attempt_finished,
    "AttemptAbandoned": _attempt_abandoned,
    "OutboxQueued": _outbox_queued,
    "OutboxPostponed": _outbox_postponed,
    "OutboxHurried": _outbox_hurried,
    "OutboxSettled": _outbox_settled,
    "VerdictRevised": _verdict_revised,
    "WriteIntended": _write_intended,
    "WriteConfirmed": _write_confirmed,
    "CredentialWritten": _credential_written,
    "ProductCached": _product_cached,
    "SerialCached": _serial_cached,
}
