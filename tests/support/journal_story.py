"""What journal tests tell: short stories of batches, units and attempts, as the engine would record them."""

from __future__ import annotations

import datetime
import sqlite3

from station.engine.console_events import HandWorkBegun
from station.engine.events import (
    AttemptFinished,
    AttemptStarted,
    BatchClosed,
    BatchOpened,
    Event,
    Head,
    OperatorChanged,
    OutboxSettled,
    StationStarted,
    StepFinished,
    UnitIdentified,
)
from station.engine.records import (
    CredentialWritten,
    LotScanned,
    OutboxQueued,
    ProductCached,
    UnitFacts,
    WriteConfirmed,
    WriteIntended,
)
from station.journal import OutboxPostponed, SerialCached
from station.journal.tables import PROJECTIONS
from station.model import Batch, IdentityFact, Measurement, OutboxItem, Outcome, ProfileRef, SlotInfo, Verdict

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


def by_hand(
    unit: int | None = 1, what: str = "dfu", attempt: str | None = None, seconds: float = 60.0
) -> HandWorkBegun:
    """Return that somebody works on a unit; ``attempt``: the one its slot showed."""
    device_id = None if unit is None else unit_id(unit)
    return HandWorkBegun(at=at(seconds), slot=3, device_id=device_id, attempt=attempt, what=what)


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


def everything() -> tuple[Event, ...]:
    """A story that leaves a row in every table, with a value in every column but those nobody can have."""
    ref = ProfileRef("boron-product", 7, "5" * 64)
    head: Head = {"at": at(3), "slot": 3, "device_id": unit_id(1), "attempt": "a-1"}
    owed: Head = {"at": at(12), "slot": 0, "device_id": unit_id(2), "attempt": "a-2"}
    return (
        StationStarted(at=AT, station_id="bench-1", slots=(SlotInfo(3, "1-2.3"),), operator="0417"),
        OperatorChanged(at=AT, operator="0418"),
        BatchOpened(at=AT, batch=Batch("B1", ref, 10), title="WIDGET"),
        LotScanned(at=AT, batch="B1", lot="2231-A", part="ANT"),
        started("a-1"),
        identified("a-1", serial="P044AB1234567", iccid="89310410106543789301", imei="358227158716661"),
        WriteIntended(step="device_os", target="unit", what="system part", **head),
        WriteConfirmed(step="device_os", target="unit", what="system part", **head),
        CredentialWritten(ssid="bench", digest="ab" * 32, **head),
        UnitFacts(facts=(IdentityFact("device_os", "6.3.4", "request 90"),), **head),
        UnitFacts(facts=(IdentityFact("module system-part1", f"6305 {'3f' * 32}", "request 90"),), **head),
        LotScanned(at=at(4), slot=3, device_id=unit_id(1), lot="B-77", part="BATTERY"),
        step("a-1"),
        finished("a-1", Verdict.FAIL, reason="the unit says no"),
        *pending("a-2", "product_add", "name", unit=2),
        OutboxPostponed(action="product_add", retry_at=at(60), error="the cloud is away", **owed),
        OutboxSettled(action="product_add", outcome=Outcome.DONE, proof="read back", **owed),
        ProductCached(at=at(13), ref="widget", product_id=12345, platform_id=13, name="Widget", slug="widget"),
        SerialCached(at=at(13), device_id=unit_id(1), serial="P044AB1234567", iccid="89310410106543789301"),
        WriteIntended(step="firmware", target="unit", what="application", **head),
        BatchClosed(at=at(99), batch="B1"),
    )


def tables(db: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Every projection as sorted rows."""
    return {name: sorted((tuple(row) for row in db.execute(f"SELECT * FROM {name}")), key=repr) for name in PROJECTIONS}
