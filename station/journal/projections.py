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
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..errors import JournalError
from ..model import EVERYWHERE, GOOD, NO_LOT, Verdict
from .chain import Row
from .counts import count_figures, set_figures
from .entries import Entry
from .kept_rows import keep_row, renew_row
from .stored import rows
from .tables import PROJECTIONS
from .unit_facts import current_fact, fact, keep_facts, touch_unit

Project = Callable[[sqlite3.Connection, Row, Mapping[str, Any]], None]


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
            names = Counter(one[0] for one in facts if isinstance(one, list))
            new = [
                one
                for one in facts
                if not isinstance(one, list) or names[one[0]] > 1 or current_fact(db, unit, one[0]) != str(one[1])
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


# --- lots ---


def _lot_scanned(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    """Note the lot for the attempts to come; the last attempt of a unit had it, too. `NO_LOT` takes one out again."""
    part, lot, unit = values.get("part", ""), values["lot"], values["device_id"]
    if lot == NO_LOT:
        _take_lot_out(db, part, values.get("batch", ""), unit)
        return
    if unit is None:
        db.execute("INSERT OR REPLACE INTO batch_lots VALUES (?, ?, ?, ?)", (values["batch"], part, lot, row.seq))
        return
    touch_unit(db, row, unit)
    db.execute("INSERT OR REPLACE INTO unit_lots VALUES (?, ?, ?, ?)", (unit, part, lot, row.seq))
    db.execute(
        "INSERT OR REPLACE INTO attempt_lots SELECT attempt, ?, ?, started_seq FROM attempts WHERE device_id = ?"
        " ORDER BY started_seq DESC LIMIT 1",
        (part, lot, unit),
    )


def _take_lot_out(db: sqlite3.Connection, part: str, batch: str, unit: str | None) -> None:
    if unit is None:
        db.execute("DELETE FROM batch_lots WHERE batch = ? AND part = ?", (batch, part))
        return
    db.execute("DELETE FROM unit_lots WHERE device_id = ? AND part = ?", (unit, part))
    db.execute(
        "DELETE FROM attempt_lots WHERE part = ? AND attempt ="
        " (SELECT attempt FROM attempts WHERE device_id = ? ORDER BY started_seq DESC LIMIT 1)",
        (part, unit),
    )


def _add_unit_lots(db: sqlite3.Connection, attempt: str, device_id: str | None) -> None:
    """Add what is built into the unit to what its attempt was made with; it goes before what its batch uses."""
    db.execute(
        "INSERT OR REPLACE INTO attempt_lots SELECT attempt, part, lot, started_seq FROM attempts, unit_lots"
        " WHERE attempt = ? AND unit_lots.device_id = ?",
        (attempt, device_id),
    )


# --- attempts ---


def _attempt_started(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    touch_unit(db, row, values["device_id"])
    operator = db.execute("SELECT operator FROM operators WHERE station_id = ?", (row.station_id,)).fetchone()
    db.execute(
        "INSERT INTO attempts (attempt, station_id, batch, device_id, slot, port_path, profile, planned, operator,"
        " started_seq, started_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (values["attempt"], row.station_id, values.get("batch") or None, values["device_id"], values["slot"],
         values.get("port_path", ""), values.get("profile", ""), json.dumps(list(values.get("steps", ()))),
         operator["operator"] if operator else "", row.seq, row.at),
    )  # fmt: skip
    db.execute(
        "INSERT INTO attempt_lots SELECT ?, part, lot, ? FROM batch_lots WHERE batch = ?",
        (values["attempt"], row.seq, values.get("batch") or None),
    )
    _add_unit_lots(db, values["attempt"], values["device_id"])


def _unit_identified(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    device_id = values["device_id"]
    if device_id is None:
        return
    touch_unit(db, row, device_id, values.get("platform", ""), values.get("label", ""))
    db.execute("UPDATE attempts SET device_id = ? WHERE attempt = ?", (device_id, values["attempt"]))
    _add_unit_lots(db, values["attempt"], device_id)
    facts = list(map(fact, values.get("facts", ())))
    if values.get("platform") and not any(name == "platform" for name, _, _ in facts):
        facts.append(("platform", values["platform"], "identify"))
    keep_facts(db, row, device_id, facts)
    renew_row(db, values, row.seq)


def _unit_facts(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    if values["device_id"] is not None:
        touch_unit(db, row, values["device_id"])
        keep_facts(db, row, values["device_id"], map(fact, values["facts"]))
        renew_row(db, values, row.seq)


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
            " (?1, (SELECT max(number) FROM steps WHERE attempt = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            [(attempt, place, m["name"], m["value"], m.get("unit", ""), m.get("low"), m.get("high"),
              m.get("wanted", ""), m.get("is_out", False)) for place, m in enumerate(measurements)],
        )  # fmt: skip
    renew_row(db, values, row.seq)


def _attempt_finished(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    _finish(db, row, {"seconds": 0.0, **values}, Verdict[values["verdict"]])


def _attempt_abandoned(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    _finish(db, row, values, Verdict.ERROR)


def _finish(db: sqlite3.Connection, row: Row, values: Mapping[str, Any], verdict: Verdict) -> None:
    if values["device_id"] is not None:
        touch_unit(db, row, values["device_id"])
    finished = db.execute(
        "UPDATE attempts SET verdict = ?, finished_seq = ?, finished_at = ?, seconds = ?, failed_step = ?, reason = ?,"
        " sentence = ?, device_id = coalesce(device_id, ?) WHERE attempt = ? AND verdict IS NULL"
        " RETURNING started_seq, device_id",
        (verdict.name, row.seq, row.at, values.get("seconds"), values.get("failed_step", ""), values.get("reason", ""),
         values.get("sentence", ""), values["device_id"], values["attempt"]),
    ).fetchone()  # fmt: skip
    if finished is None:
        raise JournalError(f"attempt {values['attempt']} is not running: it never started or has its verdict already")
    keep_row(db, values["attempt"], finished["started_seq"], finished["device_id"])


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
    verdict = Verdict[values["verdict"]]
    by_hand = "" if verdict in GOOD else ", by_hand_seq = NULL, by_hand_at = NULL"
    changed = db.execute(
        f"UPDATE attempts SET verdict = ?, failed_step = ?, reason = ? {by_hand}"
        " WHERE attempt = ? AND verdict = 'PENDING'",
        (verdict.name, failed["action"] if failed else "", values.get("reason", ""), values["attempt"]),
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


def _labels_missed(db: sqlite3.Connection, _row: Row, values: Mapping[str, Any]) -> None:
    db.executemany(
        "DELETE FROM writes WHERE attempt = ? AND what = ? AND target = 'printer'",
        zip(values["attempts"], values["what"], strict=True),
    )


def _credential_written(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    db.execute(
        "INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?, ?)",
        (values["device_id"], values["ssid"], values["digest"], values["attempt"], row.at),
    )


def _worked_by_hand(db: sqlite3.Connection, row: Row, values: Mapping[str, Any]) -> None:
    """Take the proof from the last PASS or PENDING of the unit: the one definition of what work by hand means."""
    unit = values["device_id"]
    # a person may store another password, and none can be read back
    db.execute("DELETE FROM digests WHERE device_id = ?", (unit,))
    db.execute(
        "UPDATE attempts SET by_hand_seq = ?, by_hand_at = ? WHERE verdict IN ('PASS', 'PENDING')"
        " AND by_hand_seq IS NULL AND attempt = coalesce(("
        "SELECT attempt FROM attempts WHERE device_id = ? ORDER BY started_seq DESC LIMIT 1), ?)",
        (row.seq, row.at, unit, values["attempt"]),
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
    "LotScanned": _lot_scanned,
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
    "LabelsMissed": _labels_missed,
    "CredentialWritten": _credential_written,
    "HandWorkBegun": _worked_by_hand,
    "ConsoleOpened": _worked_by_hand,  # older stations recorded nothing else
    "ProductCached": _product_cached,
    "SerialCached": _serial_cached,
}
