"""Builds a large journal: what a real walk of a Boron leaves, unit after unit, through the journal's own code."""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from drivers.clock import SimulatedClock
from station.engine.events import (
    AttemptFinished,
    AttemptStarted,
    BatchOpened,
    Event,
    Head,
    StepFinished,
    UnitIdentified,
)
from station.engine.records import CredentialWritten, UnitFacts, WriteConfirmed, WriteIntended
from station.journal import JOURNAL_FILE, Entry, Journal
from station.journal.schema import atomic
from station.journal.stored import tail_of
from station.journal.writer import append
from station.model import Batch, IdentityFact, Measurement, Outcome, ProfileRef, Verdict

STATION = "bench-1"
BATCH_UNITS = 10_000
"""Units in one batch."""
_AT = datetime.datetime(2026, 1, 5, 6, 0, tzinfo=datetime.UTC)
_STEPS = (
    "identify", "dfu", "device_os", "firmware", "product_add", "name", "wifi", "setup_done", "sim", "online",
    "final_check",
)  # fmt: skip
_CHUNK = 1000


def unit_id(number: int) -> str:
    return f"e00fce68{number * 2654435761 % 2**64:016x}"


def serial(number: int) -> str:
    return f"P044AB{number:07d}"


def batch_of(number: int) -> str:
    return f"widget-boron-{number // BATCH_UNITS + 1:03d}"


def build(directory: Path, units: int) -> None:
    """Make the journal of a station that walked ``units`` units in batches of `BATCH_UNITS`; every tenth one twice."""
    Journal.open(directory, STATION, SimulatedClock()).close()
    with sqlite3.connect(directory / JOURNAL_FILE, isolation_level=None) as db:
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -200000")
        tail = tail_of(db)
        for first in range(0, units, _CHUNK):
            with atomic(db):
                for number in range(first, min(first + _CHUNK, units)):
                    tail = append(db, STATION, tail, [Entry.from_event(event) for event in story(number)])
    db.close()
    (directory / "journal.seal").unlink()


def story(number: int) -> Iterator[Event]:
    """All that the journal gets to hear of unit ``number``."""
    at = _AT + datetime.timedelta(seconds=30 * number)
    if number % BATCH_UNITS == 0:
        profile = ProfileRef("widget-boron", 7, f"{number:064x}")
        yield BatchOpened(at=at, batch=Batch(batch_of(number), profile, BATCH_UNITS), title="WIDGET")
    if number % 10 == 9:
        yield from _walk(number, at, f"a-f{number:011x}", Verdict.FAIL)
    yield from _walk(number, at + datetime.timedelta(seconds=60), f"a-{number:012x}", Verdict.PASS)


def _walk(number: int, at: datetime.datetime, attempt: str, verdict: Verdict) -> Iterator[Event]:
    unit, slot = unit_id(number), number % 16 + 1
    head = Head(at=at, slot=slot, device_id=unit, attempt=attempt)

    def facts(**values: str) -> UnitFacts:
        return UnitFacts(facts=tuple(IdentityFact(name, value, "cloud") for name, value in values.items()), **head)

    def step(name: str, outcome: Outcome, proof: str = "", reason: str = "", seconds: float = 0.0) -> StepFinished:
        measured = (Measurement("SIM active after", 0.0, "s", None, 120.0),) if name == "sim" else ()
        return StepFinished(
            step=name, outcome=outcome, proof=proof, reason=reason, seconds=seconds, measurements=measured, **head
        )

    def write(step: str, target: str, what: str) -> tuple[Event, Event]:
        return (
            WriteIntended(step=step, target=target, what=what, **head),
            WriteConfirmed(step=step, target=target, what=what, **head),
        )

    yield AttemptStarted(
        at=at,
        slot=slot,
        attempt=attempt,
        port_path=f"1-{slot}",
        batch=batch_of(number),
        profile="widget-boron",
        steps=_STEPS,
    )
    read = (
        ("device_id", unit, "USB serial string"), ("platform", "boron", "USB product id"),
        ("platform_id", "13", "USB product id"), ("device_os", "3.3.1", "raw request 30"),
        ("device_id", unit, "request 20"), ("serial", serial(number), "request 21"),
        ("iccid", f"8988307{number:013d}", "request 554"), ("device_id", unit, "console"),
        ("serial", serial(number), "console"), ("imei", f"35175{number:010d}", "console"),
        ("iccid", f"8988307{number:013d}", "console"), ("secret", "***", "console"),
        ("sku", "BRN404X", "serial number"),
    )  # fmt: skip
    yield UnitIdentified(
        platform="Boron", label=serial(number), facts=tuple(IdentityFact(*fact) for fact in read), **head
    )
    yield step("identify", Outcome.ALREADY, "9 identities from 9 sources agree", seconds=10.312)
    if verdict is Verdict.FAIL:
        reason = "the radio did not answer: asked twice, expected an IMEI; put the unit into the red bin"
        yield step("dfu", Outcome.FAILED, reason=reason, seconds=31.5)
        yield AttemptFinished(
            verdict=verdict, batch=batch_of(number), failed_step="dfu", reason=reason, seconds=42.1, **head
        )
        return
    yield from write("dfu", "unit", "synthetic-boron-bootloader@6.3.4.bin by control request")
    yield from write("product_add", "cloud", f"add {unit} to product 12345")
    yield facts(product_id="12345")
    yield step("product_add", Outcome.DONE, "cloud shows product 12345")
    yield facts()
    yield from write("name", "cloud", f"name {unit} {serial(number)}")
    yield facts(name=serial(number))
    yield step("name", Outcome.DONE, f"cloud shows name {serial(number)}")
    yield from write("dfu", "unit", "restart into DFU")
    yield step("dfu", Outcome.DONE, "module info shows bootloader 3200; the unit shows DFU", seconds=8.69)
    yield facts(softdevice_in_flash="de1294a1842c77e9fa6c58dc0b2559f4f348d308e911e16121e4a04f2029b7b6")
    yield from write("device_os", "unit", "synthetic-boron-system-part1@6.3.4.bin over DFU")
    yield step("device_os", Outcome.DONE, "DFU read-back equal: system part 1 6.3.4 (6305)", seconds=7.315)
    yield from write("firmware", "unit", "synthetic-boron-widget@6.3.4.bin over DFU")
    yield facts(device_os="6.3.4")
    yield facts(firmware_version="7")
    proof = "DFU read-back equal: application f5c2d6d5f094; module info: 4 modules valid, Device OS 6.3.4"
    yield step("firmware", Outcome.DONE, proof, seconds=3.19)
    if number % 2:
        yield CredentialWritten(ssid="bench", digest=f"{number:064x}", **head)
    yield step(
        "setup_done", Outcome.SKIPPED, reason="H8: Device OS 4.0 and later have no setup-done flag (this is 6.3.4)"
    )
    yield step("sim", Outcome.ALREADY, "cloud shows SIM active after 0 s")
    yield step("final_check", Outcome.ALREADY, "6 of 6 cloud fields read back")
    yield AttemptFinished(verdict=verdict, batch=batch_of(number), seconds=29.507, **head)
