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
_BAD_RADIO = "the radio did not answer: asked twice, expected an IMEI; put the unit into the red bin"
_DIGEST = "de1294a1842c77e9fa6c58dc0b2559f4f348d308e911e16121e4a04f2029b7b6"


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
    """Tell all that the journal gets to hear of unit ``number``."""
    at = _AT + datetime.timedelta(seconds=30 * number)
    if number % BATCH_UNITS == 0:
        profile = ProfileRef("widget-boron", 7, f"{number:064x}")
        yield BatchOpened(at=at, batch=Batch(batch_of(number), profile, BATCH_UNITS), title="WIDGET")
    if number % 10 == 9:
        yield from _Attempt(number, at, f"a-f{number:011x}").fails()
    yield from _Attempt(number, at + datetime.timedelta(seconds=60), f"a-{number:012x}").passes()


def walk(number: int, attempt: str) -> Iterator[Event]:
    """Tell one more walk of unit ``number`` that passes."""
    return _Attempt(number, _AT, attempt).passes()


class _Attempt:
    """One attempt on unit ``number``, told as the engine records it."""

    def __init__(self, number: int, at: datetime.datetime, attempt: str) -> None:
        self._number, self._unit, self._serial = number, unit_id(number), serial(number)
        self._head = Head(at=at, slot=number % 16 + 1, device_id=self._unit, attempt=attempt)

    def fails(self) -> Iterator[Event]:
        yield from self._identified()
        yield self._step("dfu", Outcome.FAILED, reason=_BAD_RADIO, seconds=31.5)
        yield self._finished(Verdict.FAIL, 42.1, failed_step="dfu", reason=_BAD_RADIO)

    def passes(self) -> Iterator[Event]:
        yield from self._identified()
        yield from self._write("dfu", "unit", "synthetic-boron-bootloader@6.3.4.bin by control request")
        yield from self._registered()
        yield from self._flashed()
        if self._number % 2:
            yield CredentialWritten(ssid="bench", digest=f"{self._number:064x}", **self._head)
        yield from self._checked()
        yield self._finished(Verdict.PASS, 29.507)

    def _identified(self) -> Iterator[Event]:
        head, serial_number, iccid = self._head, self._serial, f"8988307{self._number:013d}"
        slot = head["slot"]
        yield AttemptStarted(
            at=head["at"], slot=slot, attempt=head["attempt"], port_path=f"1-{slot}", batch=batch_of(self._number),
            profile="widget-boron", steps=_STEPS,
        )  # fmt: skip
        read = (
            ("device_id", self._unit, "USB serial string"), ("platform", "boron", "USB product id"),
            ("platform_id", "13", "USB product id"), ("device_os", "3.3.1", "raw request 30"),
            ("device_id", self._unit, "request 20"), ("serial", serial_number, "request 21"),
            ("iccid", iccid, "request 554"), ("device_id", self._unit, "console"),
            ("serial", serial_number, "console"), ("imei", f"35175{self._number:010d}", "console"),
            ("iccid", iccid, "console"), ("secret", "***", "console"), ("sku", "BRN404X", "serial number"),
        )  # fmt: skip
        facts = tuple(IdentityFact(*fact) for fact in read)
        yield UnitIdentified(platform="Boron", label=serial_number, facts=facts, **head)
        yield self._step("identify", Outcome.ALREADY, "9 identities from 9 sources agree", seconds=10.312)

    def _registered(self) -> Iterator[Event]:
        """Tell what the cloud's lane does meanwhile."""
        yield from self._write("product_add", "cloud", f"add {self._unit} to product 12345")
        yield self._facts(product_id="12345")
        yield self._step("product_add", Outcome.DONE, "cloud shows product 12345")
        yield self._facts()
        yield from self._write("name", "cloud", f"name {self._unit} {self._serial}")
        yield self._facts(name=self._serial)
        yield self._step("name", Outcome.DONE, f"cloud shows name {self._serial}")

    def _flashed(self) -> Iterator[Event]:
        yield from self._write("dfu", "unit", "restart into DFU")
        proof = "module info shows bootloader 3200; the unit shows DFU"
        yield self._step("dfu", Outcome.DONE, proof, seconds=8.69)
        yield self._facts(softdevice_in_flash=_DIGEST)
        yield from self._write("device_os", "unit", "synthetic-boron-system-part1@6.3.4.bin over DFU")
        proof = "DFU read-back equal: system part 1 6.3.4 (6305)"
        yield self._step("device_os", Outcome.DONE, proof, seconds=7.315)
        yield from self._write("firmware", "unit", "synthetic-boron-widget@6.3.4.bin over DFU")
        yield self._facts(device_os="6.3.4")
        yield self._facts(firmware_version="7")
        proof = "DFU read-back equal: application f5c2d6d5f094; module info: 4 modules valid, Device OS 6.3.4"
        yield self._step("firmware", Outcome.DONE, proof, seconds=3.19)

    def _checked(self) -> Iterator[Event]:
        no_flag = "H8: Device OS 4.0 and later have no setup-done flag, this is 6.3.4"
        yield self._step("setup_done", Outcome.SKIPPED, reason=no_flag)
        active = Measurement("SIM active after", 0.0, "s", None, 120.0)
        yield self._step("sim", Outcome.ALREADY, "cloud shows SIM active after 0 s", measured=(active,))
        yield self._step("final_check", Outcome.ALREADY, "6 of 6 cloud fields read back")

    # --- the single records ---

    def _write(self, step: str, target: str, what: str) -> tuple[Event, Event]:
        return (
            WriteIntended(step=step, target=target, what=what, **self._head),
            WriteConfirmed(step=step, target=target, what=what, **self._head),
        )

    def _facts(self, **values: str) -> UnitFacts:
        facts = tuple(IdentityFact(name, value, "cloud") for name, value in values.items())
        return UnitFacts(facts=facts, **self._head)

    def _step(
        self, name: str, outcome: Outcome, proof: str = "", *, reason: str = "", seconds: float = 0.0,
        measured: tuple[Measurement, ...] = (),
    ) -> StepFinished:  # fmt: skip
        return StepFinished(
            step=name, outcome=outcome, proof=proof, reason=reason, seconds=seconds, measurements=measured, **self._head
        )

    def _finished(self, verdict: Verdict, seconds: float, failed_step: str = "", reason: str = "") -> AttemptFinished:
        return AttemptFinished(
            verdict=verdict, batch=batch_of(self._number), failed_step=failed_step, reason=reason, seconds=seconds,
            **self._head,
        )  # fmt: skip
