"""What journal tests tell: short stories of batches, units and attempts, as the engine would record them."""

from __future__ import annotations

import datetime
import sqlite3

from station.engine.events import (
    AttemptFinished,
    AttemptStarted,
    BatchOpened,
    Event,
    StepFinished,
    UnitIdentified,
)
from station.engine.records import OutboxQueued
from station.journal.schema import PROJECTIONS
from station.model import Batch, IdentityFact, Measurement, OutboxItem, Outcome, ProfileRef, Verdict

AT = datetime.datetime(2026, 1, 5, 6, 0, tzinfo=datetime.UTC)
STEPS = ("identify", "device_os", "product_add", "wifi")


def unit_id(number: int) -> str:
    return f"e00fce68{number:016x}"


def at(seconds: float = 0.0) -> datetime.datetime:
    return AT + datetime.timedelta(seconds=seconds)


def opened(batch: str = "B1", profile: str = "boron-product", target: int | None = 10) -> BatchOpened:
    ref = ProfileRef(profile, 7, (profile * 64)[:64].replace("-", "0"))
    return BatchOpened(at=AT, batch=Batch(batch, ref, target), title="WIDGET")


def started(attempt: str, unit: int | None = 1, batch: str = "B1", seconds: float = 0.0) -> AttemptStarted:
    return AttemptStarted(
        at=at(seconds), slot=3, device_id=None if unit is None else unit_id(unit), attempt=attempt,
        port_path="1-2.3", batch=batch, profile="boron-product r7", steps=STEPS,
    )  # fmt: skip


def identified(attempt: str, unit: int = 1, **facts: str) -> UnitIdentified:
    read = tuple(IdentityFact(name, value, "request 21") for name, value in facts.items())
    return UnitIdentified(
        at=at(1), slot=3, device_id=unit_id(unit), attempt=attempt, platform="boron",
        label=facts.get("serial", unit_id(unit)), facts=read,
    )  # fmt: skip


def step(attempt: str, name: str = "device_os", outcome: Outcome = Outcome.DONE, seconds: float = 2.5) -> StepFinished:
    return StepFinished(
        at=at(2), slot=3, attempt=attempt, step=name, outcome=outcome, proof="read back", seconds=seconds,
        measurements=(Measurement("download", seconds, "s", 0.0, 60.0),),
    )  # fmt: skip


def finished(attempt: str, verdict: Verdict = Verdict.PASS, unit: int | None = 1, reason: str = "") -> AttemptFinished:
    return AttemptFinished(
        at=at(9), slot=3, device_id=None if unit is None else unit_id(unit), attempt=attempt, verdict=verdict,
        batch="B1", failed_step="device_os" if verdict > Verdict.PENDING else "", reason=reason, seconds=9.25,
    )  # fmt: skip


def item(attempt: str, action: str = "product_add", unit: int = 1) -> OutboxItem:
    return OutboxItem(attempt, unit_id(unit), action, '{"product_id":12345}')


def pending(attempt: str, *actions: str, unit: int = 1) -> tuple[Event, ...]:
    """A whole attempt that ends PENDING and owes ``actions``."""
    return (
        started(attempt, unit),
        *(step(attempt, action, Outcome.DEFERRED) for action in actions),
        finished(attempt, Verdict.PENDING, unit),
        OutboxQueued(at=at(9), attempt=attempt, items=tuple(item(attempt, action, unit) for action in actions)),
    )


def walked(attempt: str, unit: int = 1, verdict: Verdict = Verdict.PASS) -> tuple[Event, ...]:
    """A whole attempt with one step."""
    return (started(attempt, unit), step(attempt), finished(attempt, verdict, unit))


def tables(db: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Every projection as sorted rows."""
    return {name: sorted((tuple(row) for row in db.execute(f"SELECT * FROM {name}")), key=repr) for name in PROJECTIONS}
