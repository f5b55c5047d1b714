"""What the journal answers: seen before, batches, units found by any identity, caches, and its own rebuilding."""

from __future__ import annotations

import dataclasses
import datetime
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.journal_story import (
    at,
    finished,
    identified,
    item,
    opened,
    pending,
    started,
    step,
    tables,
    unit_id,
    walked,
)

from drivers.clock import SimulatedClock
from station.engine.events import BatchClosed, Event, OperatorChanged, StationStarted, UnitIdentified
from station.engine.records import CredentialWritten, ProductCached, UnitFacts, WriteConfirmed, WriteIntended
from station.errors import JournalError
from station.figures import Figures
from station.journal import Journal, SerialCached
from station.journal.records import FactRecord, UnitHistory
from station.model import IdentityFact, Measurement, Outcome, Verdict

ICCID_1, ICCID_2, IMEI = "89310410106543789301", "89310410106543789302", "352753090041680"

# --- units ---


def test_a_unit_seen_before_is_known_with_its_last_finished_attempt(journal: Journal) -> None:
    assert journal.seen_before(unit_id(1)) is None
    journal.record(*walked("a-1"), started("a-2"))
    seen = journal.seen_before(unit_id(1).upper())
    assert seen is not None
    assert (seen.verdict, seen.at, seen.station_id, seen.batch) == (Verdict.PASS, at(9), "bench-1", "B1")
    journal.record(finished("a-2", Verdict.ABORTED))
    seen = journal.seen_before(unit_id(1))
    assert seen is not None
    assert seen.verdict is Verdict.ABORTED


@pytest.mark.rule("A10")
def test_another_iccid_with_the_same_imei_is_the_same_unit_with_a_history(journal: Journal) -> None:
    journal.record(started("a-1"), identified("a-1", imei=IMEI, iccid=ICCID_1), finished("a-1"))
    journal.record(started("a-2"), identified("a-2", imei=IMEI, iccid=ICCID_2), finished("a-2"))
    for any_id in (IMEI, ICCID_1, ICCID_2):
        (unit,) = journal.find(any_id)
        assert unit.device_id == unit_id(1)
        assert (unit.fact("imei"), unit.fact("iccid")) == (IMEI, ICCID_2)
        assert [(f.value, f.attempt) for f in unit.facts if f.name == "iccid"] == [(ICCID_1, "a-1"), (ICCID_2, "a-2")]
        assert [f.value for f in unit.facts if f.name == "imei"] == [IMEI]
    assert journal.figures("B1").finished == 1


@pytest.mark.rule("A10")
def test_a_sim_card_that_moved_leads_to_both_units(journal: Journal) -> None:
    journal.record(started("a-1", 1), identified("a-1", 1, iccid=ICCID_1), finished("a-1", unit=1))
    journal.record(started("a-2", 2, seconds=60), identified("a-2", 2, iccid=ICCID_1), finished("a-2", unit=2))
    assert {unit.device_id for unit in journal.find(ICCID_1)} == {unit_id(1), unit_id(2)}


def test_whose_a_number_is(journal: Journal) -> None:
    journal.record(started("a-1", 1), identified("a-1", 1, serial="P044AB1234567", imei=IMEI, iccid=ICCID_1))
    journal.record(finished("a-1", unit=1), started("a-2", 2), identified("a-2", 2, serial="P044AB7654321"))
    for number in ("p044ab1234567", unit_id(1).upper(), ICCID_1, IMEI):
        known = journal.whose(number)
        assert known is not None
        assert (known.device_id, known.label) == (unit_id(1), "P044AB1234567")
        assert known.seen is not None
        assert known.seen.verdict is Verdict.PASS
        assert journal.whose(number, unit_id(1)) is None, "a unit has no other one's number"
    begun = journal.whose("P044AB7654321")
    assert begun is not None
    assert begun.seen is None, "it was read, and not judged"
    for nobody in ("P044AB7654322", "boron", "", "a-1"):
        assert journal.whose(nobody) is None


def test_a_number_read_off_a_wrong_label_is_not_that_units(journal: Journal) -> None:
    facts = (IdentityFact("serial", "P044AB1234567", "request 21"), IdentityFact("serial", "P1", "label"))
    disputed = UnitFacts(at=at(2), slot=3, device_id=unit_id(1), attempt="a-1", facts=facts)
    journal.record(started("a-1"), identified("a-1"), disputed, finished("a-1"))
    assert journal.whose("P1") is None


def test_a_card_that_moved_is_the_unit_it_was_seen_in_last(journal: Journal) -> None:
    for attempt, unit in (("a-1", 1), ("a-2", 2)):
        events = (started(attempt, unit), identified(attempt, unit, iccid=ICCID_1), finished(attempt, unit=unit))
        journal.record(*(dataclasses.replace(event, at=at(60.0 * unit)) for event in events))
    last, other = journal.whose(ICCID_1), journal.whose(ICCID_1, unit_id(2))
    assert last is not None
    assert other is not None
    assert (last.device_id, other.device_id) == (unit_id(2), unit_id(1))


@pytest.mark.parametrize(
    "typed",
    [unit_id(1), unit_id(1).upper(), "P044AB1234567", "p044ab1234567", " P044AB1234567 ", ICCID_1, IMEI,
     "8931 0410 1065 4378 9301", "aa:bb:cc:00:11:22", "AABBCC001122", "AA-BB-CC-00-11-22", "a-1f", "A-1F"],
)  # fmt: skip
def test_a_unit_is_found_by_anything_it_is_called(journal: Journal, typed: str) -> None:
    facts = {"serial": "P044AB1234567", "iccid": ICCID_1, "imei": IMEI, "mac": "aa:bb:cc:00:11:22"}
    journal.record(started("a-1f"), identified("a-1f", 1, **facts), step("a-1f"), finished("a-1f"))
    unit = journal.unit(typed)
    assert unit is not None
    assert (unit.device_id, unit.label, unit.platform) == (unit_id(1), "P044AB1234567", "boron")
    assert [a.attempt for a in unit.attempts] == ["a-1f"]


@pytest.mark.parametrize("typed", ["", " ", ":", "boron", "P044", "' OR 1=1 --", "%", "89*"])
def test_a_text_that_is_nobodys_name_finds_nobody(journal: Journal, typed: str) -> None:
    facts = {"serial": "P044AB1234567", "iccid": ICCID_1, "imei": ""}
    journal.record(started("a-1"), identified("a-1", 1, **facts), finished("a-1"))
    assert journal.find(typed) == ()
    assert journal.unit(typed) is None


@pytest.mark.parametrize(
    ("typed", "units"),
    [
        ("4567", [1]), ("567", [2, 1]), ("67", []), ("P044AB1234567", [1]), ("78 93-01", [2]), ("22:33", [2, 1]),
        ("0001", [1]), ("%67", []), ("_567", []), ("", []),
    ],
)  # fmt: skip
def test_units_are_found_by_the_end_of_any_id_but_of_no_attempt(journal: Journal, typed: str, units: list[int]) -> None:
    mac = "aa:bb:cc:00:22:33"
    journal.record(started("a-4567"), identified("a-4567", serial="P044AB1234567", mac=mac), finished("a-4567"))
    journal.record(started("b-1", 2, seconds=60))
    journal.record(identified("b-1", 2, serial="P044AB7653567", iccid="89310410106543789301", mac=mac))
    found = journal.find_by_end(typed)
    assert sorted((unit.device_id for unit in found), reverse=True) == [unit_id(number) for number in units]


@pytest.mark.rule("A5")
def test_the_label_of_another_unit_is_kept_as_disputed(journal: Journal) -> None:
    mixed_up = UnitIdentified(
        at=at(1), slot=3, device_id=unit_id(1), attempt="a-1", platform="boron", label="P044AB1234567",
        facts=(
            IdentityFact("serial", "P044AB1234567", "request 21"),
            IdentityFact("serial", "P044AB7654321", "scanned label"),
            IdentityFact("serial", "P044AB1234567", "console i"),
        ),
    )  # fmt: skip
    journal.record(started("a-1"), mixed_up, finished("a-1", Verdict.FAIL))
    (unit,) = journal.find("P044AB7654321")
    assert unit.fact("serial") == "P044AB1234567"
    assert [(f.value, f.source, f.is_disputed) for f in unit.facts if f.name == "serial"] == [
        ("P044AB1234567", "request 21", False),
        ("P044AB7654321", "scanned label", True),
    ]


def test_the_latest_fact_wins_and_the_earlier_ones_stay_in_the_history(journal: Journal) -> None:
    def facts(**values: str) -> UnitFacts:
        read = tuple(IdentityFact(name, value, "cloud") for name, value in values.items())
        return UnitFacts(at=at(), device_id=unit_id(1), attempt="a-1", facts=read)

    journal.record(
        started("a-1"), identified("a-1", device_os="3.3.1"), facts(device_os="6.3.4", owner="x@example.com")
    )
    journal.record(facts(device_os="6.3.4", owner=""))
    unit = journal.unit(unit_id(1))
    assert unit is not None
    assert (unit.fact("device_os"), unit.fact("owner"), unit.fact("sku")) == ("6.3.4", "", None)
    assert [f.value for f in unit.facts if f.name == "device_os"] == ["3.3.1", "6.3.4"]
    assert [f.value for f in unit.facts if f.name == "owner"] == ["x@example.com", ""]


def test_a_unit_that_is_identified_late_gets_its_attempt(journal: Journal) -> None:
    journal.record(started("a-1", None), identified("a-1"), finished("a-1", unit=None))
    attempt = journal.attempt("a-1")
    assert attempt is not None
    assert attempt.device_id == unit_id(1)
    assert journal.figures("B1").passed == 1


# --- batches ---


def test_progress_counts_units_not_attempts(journal: Journal) -> None:
    journal.record(*walked("a-1", 1), *walked("a-2", 1))  # passed twice
    journal.record(*walked("b-1", 2, Verdict.FAIL), *walked("b-2", 2))  # repaired
    journal.record(*walked("c-1", 3), *walked("c-2", 3, Verdict.ERROR))  # went bad
    journal.record(*pending("d-1", "name", unit=4))
    journal.record(started("e-1", 5))  # still running
    progress = journal.progress("B1", at(5))
    assert progress.figures == Figures(
        units=5, passed=2, pending=1, failed=0, aborted=0, error=1, judged=3, first_passed=2, retests=2
    )
    assert (progress.target, progress.at, progress.batch) == (10, at(5), "B1")
    assert journal.progress("no such batch", at()).figures == Figures()


def test_a_batch_is_opened_closed_and_opened_again(journal: Journal) -> None:
    journal.record(opened("B2", "argon-product", None))
    assert [b.batch.id for b in journal.open_batches()] == ["B1", "B2"]
    journal.record(BatchClosed(at=at(7), batch="B1"))
    assert [b.batch.id for b in journal.open_batches()] == ["B2"]
    held = journal.batch("B1")
    assert held is not None
    assert (held.is_open, held.closed_at, held.title, held.batch) == (False, at(7), "WIDGET", opened().batch)
    journal.record(opened())
    assert [b.batch.id for b in journal.batches()] == ["B1", "B2"]
    assert len(journal.open_batches()) == 2
    assert journal.batch("B9") is None


@pytest.mark.rule("M2")
def test_an_attempt_is_kept_with_its_operator_steps_and_measurements(journal: Journal) -> None:
    journal.record(StationStarted(at=at(), station_id="bench-1", slots=(), operator="0412"))
    journal.record(started("a-1"), OperatorChanged(at=at(), operator="0417"), finished("a-1"))
    journal.record(started("a-2"), step("a-2"), step("a-2", outcome=Outcome.FAILED), finished("a-2", Verdict.FAIL))
    journal.record(StationStarted(at=at(), station_id="bench-1", slots=()), started("a-3"))
    assert [a.operator for a in journal.attempts("B1")] == ["0412", "0417", ""]
    first, second = journal.steps("a-2")
    assert first.measurements == (Measurement("download", 2.5, "s", 0.0, 60.0),)
    assert (first.outcome, second.outcome) == (Outcome.DONE, Outcome.FAILED)
    attempt = journal.attempt("a-2")
    assert attempt is not None
    assert attempt.planned == ("identify", "device_os", "product_add", "wifi")
    assert attempt.failed_step == "device_os"


# --- caches and digests ---


@pytest.mark.rule("C8")
def test_a_product_is_cached_by_number_and_by_slug(journal: Journal) -> None:
    for name in ("Old", "Widget"):
        journal.record(
            ProductCached(at=at(), ref="widget-1", product_id=12345, platform_id=13, name=name, slug="widget-v1")
        )
    for ref in ("12345", "widget-v1", "widget-1"):
        product = journal.cached_product(ref)
        assert product is not None
        assert (product.product_id, product.platform_id, product.name) == (12345, 13, "Widget")
    assert journal.cached_product("1234") is None


@pytest.mark.rule("A15")
def test_a_serial_that_was_looked_up_once_is_known_for_ever(journal: Journal) -> None:
    journal.record(SerialCached(at=at(), device_id=unit_id(1), serial="P044AB1234567", iccid=ICCID_1))
    found = journal.cached_serial("p044ab1234567")
    assert found is not None
    assert (found.device_id, found.iccid) == (unit_id(1), ICCID_1)
    assert journal.cached_serial("P044AB0000000") is None


def test_the_digest_of_the_last_written_credentials_is_kept(journal: Journal) -> None:
    for digest in ("aa", "bb"):
        journal.record(CredentialWritten(at=at(), device_id=unit_id(1), attempt=None, ssid="line", digest=digest))
    assert journal.wifi_digest(unit_id(1).upper()) == "bb"
    assert journal.wifi_digest(unit_id(2)) is None


# --- rebuilding ---

attempts = st.sampled_from(["a-1", "a-2", "a-3"])
units = st.integers(1, 2)
actions = st.sampled_from(["product_add", "name"])
verdicts = st.sampled_from([v for v in Verdict if v is not Verdict.PENDING])
words = st.text(max_size=8)
HEAD: dict[str, Any] = {"at": at(), "slot": 1, "device_id": unit_id(1)}


def cached(number: int) -> ProductCached:
    return ProductCached(at=at(), ref="r", product_id=number, platform_id=13, name="n", slug="s")


happenings: st.SearchStrategy[tuple[Event, ...]] = st.one_of(
    st.builds(lambda b: (opened(b),), st.sampled_from(["B1", "B2"])),
    st.just((BatchClosed(at=at(), batch="B1"),)),
    st.builds(lambda o: (OperatorChanged(at=at(), operator=o),), words),
    st.builds(lambda a, u: (started(a, u),), attempts, st.none() | units),
    st.builds(lambda a, u, v: (identified(a, u, serial=v, iccid=v + "1"),), attempts, units, words),
    st.builds(lambda a, u: (UnitFacts(at=at(), device_id=unit_id(u), attempt=a, facts=()),), attempts, units),
    st.builds(lambda a, s: (step(a, s),), attempts, words),
    st.builds(lambda a, v, u: (finished(a, v, u),), attempts, verdicts, st.none() | units),
    st.builds(lambda a, u: pending(a, "product_add", "name", unit=u), attempts, units),
    st.builds(lambda a, w: (WriteIntended(step="s", target="unit", what=w, attempt=a, **HEAD),), attempts, words),
    st.builds(lambda a, w: (WriteConfirmed(step="s", target="unit", what=w, attempt=a, **HEAD),), attempts, words),
    st.builds(lambda w: (CredentialWritten(ssid=w, digest=w, **HEAD),), words),
    st.builds(lambda n: (cached(n),), st.integers(1, 9)),
)
settlings = st.tuples(attempts, actions, st.sampled_from([Outcome.DONE, Outcome.FAILED]) | st.none())


@settings(max_examples=30)
@given(st.lists(happenings | settlings, max_size=25))
def test_whatever_happens_the_tables_can_be_made_again_from_the_journal(script: list[tuple]) -> None:  # type: ignore[type-arg]
    with tempfile.TemporaryDirectory() as directory, Journal.open(Path(directory), "b", SimulatedClock()) as journal:
        refused = 0
        journal.record(opened())
        for happening in script:
            try:
                _happen(journal, happening)
            except JournalError:
                refused += 1
        with journal.snapshot() as db:
            before = tables(db)
        journal.rebuild()
        with journal.snapshot() as db:
            assert tables(db) == before
        journal.verify()
        # the verdict rule holds however items were settled
        for owed in journal.owed():
            attempt = journal.attempt(owed.item.attempt)
            assert attempt is not None
            assert attempt.verdict is Verdict.PENDING


def _happen(journal: Journal, happening: tuple) -> None:  # type: ignore[type-arg]
    match happening:
        case (str() as attempt, str() as action, None):
            journal.postpone(item(attempt, action), at(30), "no answer")
        case (str() as attempt, str() as action, Outcome() as outcome):
            journal.settle(item(attempt, action), outcome, "because", "read back")
        case _:
            journal.record(*happening)


def test_a_version_that_its_hash_came_to_is_no_earlier_value() -> None:
    at = datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)
    told = [("202", False), ("202 " + "8" * 64, False), ("201", True)]
    modules = [FactRecord("module SoftDevice", value, "module info", at, None, disputed) for value, disputed in told]
    systems = [FactRecord("device_os", value, "request 30", at, None, False) for value in ("6.3", "3.3.1", "6.3.4")]
    unit = UnitHistory("e00fce68" + "0" * 16, "boron", "P044AB1234501", at, at, (*modules, *systems), ())
    assert unit.earlier("module SoftDevice") == ()
    assert unit.earlier("device_os") == ("6.3", "3.3.1")
    assert unit.earlier("imei") == ()
