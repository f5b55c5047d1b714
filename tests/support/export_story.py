"""A story with all that makes rows of an export differ: retries, values, facts told later, walks that still run."""

from __future__ import annotations

from station.engine.events import Event, OutboxSettled, StepFinished
from station.engine.records import OutboxQueued, UnitFacts
from station.model import IdentityFact, Measurement, Outcome, Verdict

from .journal_story import at, everything, finished, identified, item, opened, started, step, unit_id


def retried() -> tuple[Event, ...]:
    """Tell `everything`, and the walks of `second_batch`."""
    return (*everything(), *second_batch())


def second_batch() -> tuple[Event, ...]:
    """Tell of a batch B2: two walks of unit 3, one of 4 that is finished later, two that run."""
    weak = Measurement("signal", -91.5, "dBm", -80.0, None, "", True)
    elsewhere = Measurement("network", "hall 3", "", None, None, "bench", True)
    good, there = Measurement("signal", -61, "dBm", -80.0), Measurement("network", "bench", wanted="bench")
    return (
        opened("B2"),
        started("b-1", 3, "B2", 30),
        identified("b-1", 3, serial="P044AB0000003", iccid="89310410106543780003", device_os="3.3.1"),
        _tried("b-1", "identify", Outcome.ALREADY, 1.25),
        _tried("b-1", "wifi", Outcome.FAILED, 0.1, weak, elsewhere, reason="too weak"),
        _tried("b-1", "wifi", Outcome.DONE, 0.2, good, there),
        finished("b-1", Verdict.FAIL, 3, "=1+1;x"),
        started("b-2", 3, "B2", 50),
        identified("b-2", 3, serial="P044AB0000003", iccid="89310410106543780003", device_os="6.3.4"),
        _tried("b-2", "wifi", Outcome.DONE, 30.0004, good),
        started("b-3", 4, "B2", 52),
        step("b-3", "product_add", Outcome.DEFERRED),
        finished("b-3", Verdict.PENDING, 4),
        OutboxQueued(at=at(53), attempt="b-3", items=(item("b-3", "product_add", 4),)),
        _facts("b-3", 4, name="after the end", owner="somebody"),
        _facts("b-2", 3, name="while it ran"),
        finished("b-2", Verdict.PASS, 3),
        _facts("b-2", 3, product_id="12345"),
        OutboxSettled(
            at=at(64), slot=0, device_id=unit_id(4), attempt="b-3", action="product_add", outcome=Outcome.DONE,
            proof="read back",
        ),
        started("b-4", None, "B2", 70),
        _tried("b-4", "identify", Outcome.ERROR, 2.0),
        started("b-5", 5, "B2", 80),
        identified("b-5", 5, serial="P044AB0000005"),
        _tried("b-5", "identify", Outcome.ALREADY, 0.5, Measurement("volts", 3.3, "V", 3.0, 3.6)),
        _facts("b-1", 3, owner="told of the first walk after the second"),
    )  # fmt: skip


def _tried(
    attempt: str, name: str, outcome: Outcome, seconds: float, *measured: Measurement, reason: str = ""
) -> StepFinished:
    return StepFinished(
        at=at(40), slot=3, attempt=attempt, step=name, outcome=outcome, seconds=seconds, reason=reason,
        proof="" if reason else "read back", measurements=measured,
    )  # fmt: skip


def _facts(attempt: str, unit: int, **read: str) -> UnitFacts:
    told = tuple(IdentityFact(name, value, "cloud") for name, value in read.items())
    return UnitFacts(facts=told, at=at(60), slot=3, device_id=unit_id(unit), attempt=attempt)
