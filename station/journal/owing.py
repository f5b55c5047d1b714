"""Questions about owed cloud work: what is due, what stands in its way, and what follows when an item is settled."""

from __future__ import annotations

import dataclasses
import datetime
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from ..engine.events import Event, OutboxSettled, VerdictRevised
from ..errors import JournalError
from ..model import EVERYWHERE, OUTCOME_VERDICT, Mender, OutboxItem, Outcome, Verdict, place_of
from .answers import owed_record, time_of
from .entries import OutboxHurried, stamp
from .records import OwedRecord, OwedUnit

LONGEST_PAUSE = datetime.timedelta(minutes=65)
"""No owed work is ever put off for longer; what claims to be was written before the clock was set back."""
OWED = "SELECT * FROM outbox WHERE settled_at IS NULL ORDER BY queued_seq, number"
TRIED = "SELECT * FROM outbox WHERE settled_at IS NULL AND tries > 0"


def due(owed: Iterable[OwedRecord], now: datetime.datetime) -> Iterator[OutboxItem]:
    """Yield the items of ``owed`` whose time has come. None comes out before an earlier one of its attempt."""
    moment, never = stamp(now), stamp(now + LONGEST_PAUSE)
    blocked: set[str] = set()
    for one in owed:
        if one.retry_at is not None and moment < stamp(one.retry_at) < never:
            blocked.add(one.item.attempt)
        elif one.item.attempt not in blocked:
            yield one.item


def next_due(db: sqlite3.Connection, now: datetime.datetime) -> datetime.datetime:
    """Return when the first item comes due that no earlier one of its attempt holds back, but not before ``now``."""
    first = db.execute(_FIRST).fetchone()
    at = None if first is None or first["retry_at"] is None else time_of(first["retry_at"])
    return at if at is not None and now < at < now + LONGEST_PAUSE else now


_FIRST = """SELECT retry_at FROM outbox o WHERE settled_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM outbox before WHERE before.attempt = o.attempt AND before.settled_at IS NULL
    AND (before.queued_seq, before.number) < (o.queued_seq, o.number)) ORDER BY retry_at LIMIT 1"""


# --- what a person is told -------------------------------------------------------------------

_KIND = "kind = (SELECT number FROM names WHERE name = '{}')"
_UNITS = f"""SELECT o.*, u.label, coalesce(a.batch, '') AS batch, coalesce(a.finished_at, a.started_at) AS since,
    coalesce((SELECT json_extract(body, '$.reason') FROM steps JOIN journal USING (seq)
        WHERE steps.attempt = o.attempt AND steps.step = o.action ORDER BY steps.number DESC LIMIT 1), '') AS deferred,
    (SELECT json_extract(body, '$.menders[' || o.number || ']') FROM journal WHERE seq = o.queued_seq) AS first_mender,
    (SELECT json_extract(body, '$.mender') FROM journal JOIN names n ON journal.attempt = n.number
        WHERE n.name = o.attempt AND {_KIND.format("OutboxPostponed")}
        AND json_extract(body, '$.action') = o.action ORDER BY seq DESC LIMIT 1) AS mender
    FROM outbox o JOIN attempts a USING (attempt) JOIN units u ON u.device_id = o.device_id
    WHERE o.settled_at IS NULL ORDER BY o.queued_seq, o.number"""
_HELD = f"""SELECT max(seq) AS seq, json_extract(journal.body, '$.scope') AS scope,
    json_extract(journal.body, '$.mender') AS mender, json_extract(journal.body, '$.error') AS error
    FROM (SELECT DISTINCT attempt FROM outbox INDEXED BY outbox_waiting WHERE settled_at IS NULL) o
    CROSS JOIN names n ON n.name = o.attempt CROSS JOIN journal ON journal.attempt = n.number
    WHERE {_KIND.format("OutboxPostponed")} AND json_extract(journal.body, '$.scope') IS NOT NULL
    GROUP BY json_extract(journal.body, '$.scope')"""


def owed_units(db: sqlite3.Connection) -> tuple[OwedUnit, ...]:
    """Return all owed items, in the order they were queued, each with what stands in its way.

    One that was not tried since it was queued waits for what the newest try of any item met, where that is a matter
    of all of them; else for its turn.
    """
    held = {row["scope"]: row for row in db.execute(_HELD)}
    first: dict[str, str] = {}
    found: list[OwedUnit] = []
    for row in db.execute(_UNITS):
        after = first.setdefault(row["attempt"], row["action"])
        reason, mender = row["last_error"] or row["deferred"], row["mender"] or row["first_mender"]
        for scope in (place_of(row["body"]), EVERYWHERE) if row["mender"] is None else ():
            if scope in held and held[scope]["seq"] > row["queued_seq"]:
                reason, mender = reason or held[scope]["error"], held[scope]["mender"]
        found.append(
            OwedUnit(
                owed_record(row), row["label"], row["batch"], time_of(row["since"]), reason,
                Mender(mender or Mender.NOBODY), "" if after == row["action"] else after,
            )
        )  # fmt: skip
    return tuple(found)


def making_due(db: sqlite3.Connection, attempts: Collection[str], at: datetime.datetime) -> Iterator[Event]:
    """Yield what makes due all that is owed of ``attempts`` and was put off."""
    for record in map(owed_record, db.execute(OWED)):
        if record.item.attempt in attempts and (record.retry_at is not None or record.tries):
            item = record.item
            yield OutboxHurried(at=at, device_id=item.device_id, attempt=item.attempt, action=item.action)


# --- settling --------------------------------------------------------------------------------


def settling(db: sqlite3.Connection, settled: OutboxSettled) -> Sequence[Event]:
    """Return what follows when an item is settled: nothing (it was already), itself, or the final verdict too."""
    found = db.execute("SELECT action, outcome, reason FROM outbox WHERE attempt = ?", (settled.attempt,)).fetchall()
    items = {row["action"]: (row["outcome"], row["reason"]) for row in found}
    if settled.action not in items:
        raise JournalError(f"attempt {settled.attempt} does not owe {settled.action}; nothing was changed")
    if items[settled.action][0] is not None:
        return ()
    items[settled.action] = (settled.outcome.value, settled.reason)
    given_up = () if OUTCOME_VERDICT[settled.outcome] is Verdict.PASS else _given_up(settled, items)
    for other in given_up:
        items[other.action] = (other.outcome.value, other.reason)
    held = db.execute("SELECT verdict FROM attempts WHERE attempt = ?", (settled.attempt,)).fetchone()
    if held["verdict"] != Verdict.PENDING.name or any(outcome is None for outcome, _ in items.values()):
        return (settled, *given_up)
    verdict, reason = max((OUTCOME_VERDICT[Outcome(outcome)], reason) for outcome, reason in items.values())
    revised = VerdictRevised(
        at=settled.at, device_id=settled.device_id, attempt=settled.attempt, verdict=verdict,
        reason="" if verdict is Verdict.PASS else reason,
    )  # fmt: skip
    return (settled, *given_up, revised)


def _given_up(settled: OutboxSettled, items: Mapping[str, tuple[str | None, str]]) -> tuple[OutboxSettled, ...]:
    """What was to follow an item that ended badly is not tried any more."""
    reason = f"not tried: {settled.action} ended {settled.outcome.value}"
    return tuple(
        dataclasses.replace(settled, action=action, outcome=Outcome.SKIPPED, reason=reason, proof="")
        for action, (outcome, _) in items.items()
        if outcome is None
    )
