"""What a person has in hand, and what the journal takes it for: ids, parts, lots, hashes, times, verdicts, reasons."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.journal_story import at, finished, identified, opened, started, step, unit_id

from drivers.clock import SimulatedClock
from station.engine.records import FirmwareNamed, LotScanned, UnitFacts
from station.errors import BadInput
from station.journal import FoundPage, Journal, Kind, Sought, sought_in
from station.model import IdentityFact, Verdict

UTC = datetime.UTC
OLD, NEW = "ab" * 32, "3f" * 32
FILE, PAIR, UNUSED = "c1" * 32, "c2" * 32, "c3" * 32
"""Files with the old module, with both, and with one that no unit holds."""
FILES = (("old@1.bin", FILE, OLD), ("pair@1.zip", PAIR, OLD, NEW), ("other@1.bin", UNUSED, "9d" * 32))
NO_RADIO = "the radio did not answer: asked twice"


def held(unit: int, attempt: str, version: int, digest: str, seconds: float = 3) -> UnitFacts:
    fact = IdentityFact("module bootloader", f"{version} {digest}".strip(), "module info")
    return UnitFacts(at=at(seconds), slot=3, device_id=unit_id(unit), attempt=attempt, facts=(fact,))


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    """Three units: the first failed and then passed, the second set an alarm off, the third was never identified."""
    place = tmp_path_factory.mktemp("found") / "journal"
    with Journal.open(place, "bench-1", SimulatedClock()) as journal:
        journal.record(opened(), opened("2026-01-05"), LotScanned(at=at(), batch="B1", lot="2231-A", part="ANT"))
        journal.record(started("a-1"), identified("a-1", serial="P044AB1234567", imei="358227158716661"))
        journal.record(held(1, "a-1", 1, OLD), step("a-1"), finished("a-1", Verdict.FAIL, reason=NO_RADIO))
        journal.record(LotScanned(at=at(20), device_id=unit_id(1), slot=3, lot="b-77"))
        journal.record(started("a-2", seconds=3600), identified("a-2"), held(1, "a-2", 2, NEW), finished("a-2"))
        journal.record(started("b-1", 2, "2026-01-05", 86400), identified("b-1", 2, serial="ARNKAB7777777"))
        journal.record(held(2, "b-1", 1, OLD), finished("b-1", Verdict.ERROR, 2, "cable"))
        journal.record(started("c-1", None, seconds=90000), finished("c-1", Verdict.ABORTED, None))
        journal.record(FirmwareNamed(at=at(99999), files=FILES))
        yield journal


def attempts(page: FoundPage) -> list[str]:
    return [row.attempt.attempt for row in page.rows if row.attempt is not None]


@pytest.mark.parametrize(
    ("words", "kind", "wanted"),
    [
        (unit_id(1).upper(), Kind.UNIT, ["a-2"]),
        ("p044 ab-1234567", Kind.UNIT, ["a-2"]),
        ("b-1", Kind.UNIT, ["b-1"]),
        ("B1", Kind.BATCH, ["c-1", "a-2", "a-1"]),
        ("2026-01-05", Kind.BATCH, ["b-1"]),  # a batch may be called so
        ("2231-a", Kind.LOT, ["c-1", "a-2", "a-1"]),
        ("ANT=2231-A", Kind.LOT, ["c-1", "a-2", "a-1"]),
        ("B-77", Kind.LOT, ["a-2", "a-1"]),
        ("4567", Kind.END, ["a-2"]),
        (OLD, Kind.MODULE, ["b-1"]),  # the first unit has a newer one by now
        (NEW[:8], Kind.MODULE, ["a-2"]),
        (FILE, Kind.FILE, ["b-1"]),
        (FILE[:8].upper(), Kind.FILE, ["b-1"]),
        (PAIR[:9], Kind.FILE, ["a-2", "b-1"]),
        (f"FAIL {PAIR[:9]}", Kind.FILE, ["a-1"]),
        (UNUSED, None, []),
        (FILE[:7], None, []),  # the begin of too many files
        ("KAB777", Kind.LABEL, ["b-1"]),
        ("822715871666", Kind.PART, ["a-2"]),
        ("radio did not", Kind.REASON, ["a-1"]),
        ("device_os", Kind.REASON, ["c-1", "b-1", "a-1"]),  # the step they ended in
        ("FAIL", Kind.ATTEMPTS, ["a-1"]),
        ("check station", Kind.ATTEMPTS, ["b-1"]),
        ("STOPPED", Kind.ATTEMPTS, ["c-1"]),
        ("2026-01-06", Kind.ATTEMPTS, ["c-1", "b-1"]),
        ("2026-01-05 06:30..07:30", Kind.ATTEMPTS, ["a-2"]),
        ("..2026-01-05", Kind.ATTEMPTS, ["a-2", "a-1"]),
        ("2026-01-06..", Kind.ATTEMPTS, ["c-1", "b-1"]),
        ("2026-01-05 06:00", Kind.ATTEMPTS, ["a-1"]),
        ("FAIL 1234567", Kind.END, ["a-1"]),
        ("2231-A 2026-01-05 06:00..06:30", Kind.LOT, ["a-1"]),
        ("PASS 2026-01-06", None, []),
        ("nothing of the kind", None, []),
    ],
)
def test_words_are_taken_for_the_first_thing_that_finds_something(
    words: str, kind: Kind | None, wanted: list[str], journal: Journal
) -> None:
    page = journal.seek(sought_in(words, UTC))
    assert attempts(page) == wanted
    if wanted:
        assert page.sought.kind is kind
        assert journal.count(page.sought) == len(wanted)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("today", ["a-2", "a-1"]),
        ("Yesterday", []),
        ("FAIL today", ["a-1"]),
        ("06:30..07:30", ["a-2"]),
        ("today 06:30..07:30", ["a-2"]),
        ("2026-01-05 06:30..07:30", ["a-2"]),
        ("06:30..", ["c-1", "b-1", "a-2"]),
        ("2231-A 06:00..06:30", ["a-1"]),
    ],
)
def test_days_and_hours_may_be_said_as_of_now(words: str, wanted: list[str], journal: Journal) -> None:
    sought = sought_in(words, UTC, now=datetime.datetime(2026, 1, 5, 12, tzinfo=UTC))
    assert attempts(journal.seek(sought)) == wanted


@pytest.mark.parametrize("words", ["P044-today-1", "94:94:4a:53:96:eb", "10:14:03", "yesterdays"])
def test_what_only_looks_like_a_time_of_today_stays_text(words: str) -> None:
    assert sought_in(words, UTC, now=datetime.datetime(2026, 1, 5, 12, tzinfo=UTC)) == Sought(words)


def test_words_can_be_taken_for_what_the_asker_says(journal: Journal) -> None:
    assert attempts(journal.seek(Sought("4567", Kind.REASON))) == []
    assert attempts(journal.seek(Sought("2026-01-05", Kind.BATCH))) == ["b-1"]
    assert journal.seek(Sought("xy", Kind.MODULE)).rows == ()
    assert journal.seek(Sought(" xy", Kind.FILE)).rows == ()
    assert attempts(journal.seek(Sought(f"{'e' * 8} {NEW}", Kind.FILE))) == ["a-2"]  # the asker knows what it holds
    assert attempts(journal.seek(Sought("BATTERY=2231-A", Kind.LOT))) == []  # that of another part
    assert journal.seek(Sought("67", Kind.END)).rows == ()  # the end of too many


@pytest.mark.parametrize("limit", [1, 2, 3])
@pytest.mark.parametrize(
    "sought", [Sought(""), Sought("device_os", Kind.REASON), Sought("B1"), Sought("e00fce", Kind.PART)]
)
def test_pages_follow_each_other_without_gap_or_repeat(sought: Sought, limit: int, journal: Journal) -> None:
    whole = journal.seek(sought)
    assert whole.after == ""
    assert whole.rows
    page = journal.seek(sought, limit=limit)
    rows = list(page.rows)
    while page.after:
        page = journal.seek(page.sought, page.after, limit)
        assert 0 < len(page.rows) <= limit
        rows += page.rows
        assert len(rows) <= len(whole.rows)
    assert tuple(rows) == whole.rows


def test_a_page_of_a_span_goes_on_where_many_attempts_began_at_once(data: object, clock: SimulatedClock) -> None:
    with Journal.open(data, "bench-1", clock) as journal:  # type: ignore[arg-type]
        journal.record(opened())
        for number in range(7):
            journal.record(started(f"a-{number}", number))
        sought, after = sought_in("2026-01-05", UTC), ""
        found: list[str] = []
        while not found or after:
            page = journal.seek(sought, after, 3)
            found, after = [*found, *attempts(page)], page.after
        assert found == [f"a-{number}" for number in reversed(range(7))]


def test_a_span_ends_before_the_time_it_names(journal: Journal) -> None:
    assert attempts(journal.seek(sought_in("2026-01-05 05:00..07:00", UTC))) == ["a-1"]  # a-2 began at 07:00:00
    assert attempts(journal.seek(sought_in("2026-01-05 05:00..07:01", UTC))) == ["a-2", "a-1"]


@pytest.mark.parametrize("words", [
    "2026-13-01", "2026-11-29 25:00", "2026-02-30..2026-03-01", "0001-01-01", "..0001-01-01", "9999-12-31 23:59",
    "9999-12-31..", "1066-10-14",
])  # fmt: skip
def test_a_time_that_is_none_is_said_back(words: str) -> None:
    with pytest.raises(BadInput, match="is no time, expected"):
        sought_in(words)


def test_a_verdict_within_a_sentence_is_a_word_of_it() -> None:
    assert sought_in("could not fail safely") == Sought("could not fail safely")
    assert sought_in("SET ASIDE") == Sought("", verdict=Verdict.PENDING, words="SET ASIDE")
    assert sought_in("P-FAIL-7").text != ""


@given(st.text(max_size=40))
def test_no_words_break_a_search(journal: Journal, words: str) -> None:
    try:
        sought = sought_in(words, UTC)
    except BadInput:
        return
    page = journal.seek(sought)
    if page.sought.kind is None:
        assert not page.rows
    else:
        assert len(page.rows) <= journal.count(page.sought)


def test_a_lot_of_two_parts_is_found_once_an_attempt_page_by_page(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened(), *(LotScanned(at=at(), batch="B1", lot="77-X", part=part) for part in ("ANT", "CAP")))
        for number in range(7):
            verdict = Verdict.FAIL if number % 2 else Verdict.PASS
            journal.record(started(f"a-{number}", number), finished(f"a-{number}", verdict, number))
        journal.record(LotScanned(at=at(), slot=3, device_id=unit_id(0), lot="77-x", part="BOX"))
        for words, wanted in (("77-x", range(6, -1, -1)), ("77-X FAIL", (5, 3, 1)), ("box=77-X", (0,))):
            found, after, sought = list[str](), "", sought_in(words)
            while True:
                page = journal.seek(sought, after, 2)
                found += attempts(page)
                if not page.after:
                    break
                after, sought = page.after, page.sought
            assert (words, found) == (words, [f"a-{number}" for number in wanted])
            assert journal.count(page.sought) == len(found)
