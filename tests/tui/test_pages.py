"""The supervisor's pages and the lines around the slots, as text."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.screen_pilot import on_loop, picture, press, running, tell
from support.screen_story import AT, Story
from support.spoken import ENGLISH

from station.engine import events as ev
from station.figures import Figures, remaining, takt
from station.model import Batch, ProfileRef, Verdict
from station.view import batches, ink, units
from station.view.bars import frame
from station.view.look import ASCII, UNICODE, Glyphs, Look
from station.view.records import Cause, Hour, Identity, Life, UnitRow, Walk
from station.view.reduce import replay
from station.view.state import BenchState
from station.words.cells import width_of


@pytest.fixture
def state(story: Story) -> BenchState:
    return replay(BenchState.of(story.slots, ENGLISH), story.everything())


# --- takt and what is left ---


def moments(*seconds: float) -> list[datetime.datetime]:
    return [AT + datetime.timedelta(seconds=one) for one in seconds]


def test_the_takt_of_one_slot_is_the_median_of_the_seconds_between_its_verdicts() -> None:
    assert takt((3, at) for at in moments(0, 20, 45, 65, 4000, 4022)) == 22.0, "one long pause does not count"
    assert takt([(3, AT)]) is None
    assert takt([]) is None


def test_slots_that_end_together_share_the_takt() -> None:
    ends = [(slot, at) for at in moments(0, 40, 80, 120) for slot in (1, 2, 3, 4)]
    assert takt(ends) == 10.0


def test_what_is_left_counts_units_that_will_not_pass() -> None:
    figures = Figures(units=10, passed=8, failed=2, judged=10, first_passed=8)
    assert remaining(figures, 16, 10.0) == pytest.approx(8 * 10 / 0.8)
    assert remaining(figures, 5, 10.0) == 0
    assert [remaining(figures, None, 10.0), remaining(figures, 16, None), remaining(Figures(), 16, 10.0)] == [None] * 3


# --- bars ---


@given(st.floats(0.0, 1.0), st.integers(1, 60), st.sampled_from([UNICODE, ASCII]))
def test_a_bar_is_as_wide_as_asked_and_shows_every_share_above_nothing(
    share: float, width: int, glyphs: Glyphs
) -> None:
    drawn = ink.plain(ink.bar(share, width, Look.PASS, glyphs))
    assert width_of(drawn) == width
    assert bool(drawn.strip()) == (share > 0)
    assert glyphs is UNICODE or drawn.isascii()


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
@pytest.mark.parametrize("width", [30, 42, 84])
def test_failures_stand_in_one_line_each_with_bars_in_proportion(width: int, glyphs: Glyphs) -> None:
    causes = [Cause(Verdict.FAIL, "wifi", 3, "wifi_join_failed", "", 16), Cause(Verdict.ERROR, "sim", 12, "", "odd", 8)]
    causes += [Cause(Verdict.FAIL, "dfu", slot, "silent", "", 1) for slot in range(1, 9)]
    lines = [ink.plain(one) for one in batches.pareto(causes, width, 5, ENGLISH, glyphs)]
    assert len(lines) == 5
    assert all(width_of(one) <= width for one in lines)
    assert lines[-1] == "6 more attempts"
    full, half = (one.count(glyphs.bar_full) for one in lines[:2])
    assert abs(half * 2 - full) <= 1 < full


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_the_yield_of_the_last_hours_is_drawn(glyphs: Glyphs) -> None:
    hours = [Hour(AT + datetime.timedelta(hours=n), 10, 10 - n % 3) for n in range(30)]
    lines = [ink.plain(one) for one in batches.yields(hours, 60, 6, ENGLISH, glyphs)]
    assert len(lines) == 6
    assert all(width_of(one) <= 60 for one in lines)
    assert lines[-1].rstrip().endswith("10   80.0 %")
    assert ink.plain(batches.yields([], 60, 6, ENGLISH, glyphs)[0]) == "No unit was judged yet."


def test_in_lists_all_but_pass_stand_on_the_ground_of_their_state() -> None:
    chips = {verdict: ink.chip(verdict, ENGLISH, UNICODE) for verdict in (None, *Verdict)}
    assert {verdict: chip.look for verdict, chip in chips.items()} == {
        None: None, Verdict.PASS: None, Verdict.PENDING: Look.PENDING, Verdict.FAIL: Look.FAIL,
        Verdict.ABORTED: Look.ABORTED, Verdict.ERROR: Look.ERROR,
    }  # fmt: skip
    assert len({width_of(chip.text) for chip in chips.values()}) == 1


# --- batches ---


def test_a_life_ends_with_the_wire_of_the_newest_attempt_that_kept_some() -> None:
    def walk(verdict: Verdict, *wire: str) -> Walk:
        return Walk(UnitRow("e0", "P044", "boron", AT, verdict=verdict), "", "bench-1", 1.0, (), wire)

    walks = (walk(Verdict.PASS), walk(Verdict.FAIL, "10:14:03.120 request 500 JOIN_NEW_NETWORK: no", "\x1b[2Jhostile"),
             walk(Verdict.ERROR, "older"))  # fmt: skip
    lines = [ink.plain(one) for one in units.life(Life(walks[0].row, AT, walks=walks), 40, ENGLISH, UNICODE)]
    at = next(place for place, one in enumerate(lines) if one.startswith("WIRE"))
    assert lines[at + 1 :] == ["  10:14:03.120 request 500", "  JOIN_NEW_NETWORK: no", "  [2Jhostile"]


def test_why_attempts_failed_can_be_read_on_80_columns() -> None:
    causes = [Cause(Verdict.FAIL, "identify", 2, "wrong_label", "scanned twice", 3)]
    assert [ink.plain(one) for one in batches.pareto(causes, 42, 8, ENGLISH, UNICODE)] == [
        "   Identify slot 2 Label differs. █████ 3"
    ]


@pytest.mark.parametrize("width", [60, 72, 78, 100, 120])
def test_units_without_a_batch_stand_below_the_others(width: int) -> None:
    rows = [
        UnitRow(f"e00fce6800000000000000{n:02}", f"P044AB12345{n:02}", "Boron", AT, batch=batch, verdict=verdict)
        for n, (batch, verdict) in enumerate([("2026-11-A", Verdict.PASS), ("", None)])
    ]
    with_batch, without = (ink.plain(one) for one in units.found(rows, width, ENGLISH, UNICODE))
    at = with_batch.find("e00fce")
    assert without.find("e00f") in {at, -1}


def test_the_names_of_identities_are_whole_and_the_words_of_the_details() -> None:
    known = tuple(Identity(name, "x1", "request 1") for name in ("protection_intended", "module system part 1", "sku"))
    known += (Identity("module application", "6 " + "f" * 64, "module info"),)
    told = Life(UnitRow("e00fce680000000000000001", "P044AB1234501", "Boron", AT), AT, known)
    lines = [ink.plain(one) for one in units.life(told, 78, ENGLISH, UNICODE)]
    named = [one for one in lines if "request 1" in one]
    assert [one.split("x1")[0].strip() for one in named] == ["protection intended", "module system part 1", "sku"]
    assert len({one.index("x1") for one in named}) == 1


def test_a_life_says_why_an_attempt_that_the_station_stopped_in_has_no_wire() -> None:
    row = UnitRow("e0", "P044", "boron", AT, verdict=Verdict.ERROR)
    walks = (
        Walk(row, "", "bench-1", None, (), is_wire_lost=True), Walk(row, "", "bench-1", 1.0, (), ("older",)),
    )  # fmt: skip
    lines = [ink.plain(one) for one in units.life(Life(row, AT, walks=walks), 60, ENGLISH, UNICODE)]
    at = next(place for place, one in enumerate(lines) if one.startswith("WIRE"))
    assert " ".join(one.strip() for one in lines[at + 1 :]) == ENGLISH.text("details-wire-lost")


def many_batches(count: int) -> list[ev.Event]:
    profile = ProfileRef("p", 1, "0" * 64)
    return [ev.BatchOpened(at=AT, batch=Batch(f"B{n}", profile, None), title=f"W{n}") for n in range(count)]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@on_loop
async def test_of_many_batches_the_chosen_one_is_in_sight(story: Story, size: tuple[int, int]) -> None:
    app = story.app()
    async with running(app, size) as pilot:
        await tell(pilot, app, *many_batches(17))
        await press(pilot, "b")
        for number in range(17):
            assert f"▸ B{number} " in picture(app)
            assert f"{number + 1} of 17" in picture(app)
            await press(pilot, "down")


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        (("B1", "boron-product", ""), ""),
        (("B1", "boron-product", "500"), ""),
        (("", "boron-product", ""), "batch_wrong"),
        (("B1", "", ""), "batch_wrong"),
        (("B 1", "boron-product", ""), "batch_name"),
        (("B1", "boron-product", "0"), "target_wrong"),
        (("B1", "boron-product", "1000001"), "target_wrong"),
        (("B1", "boron-product", "٣"), "target_wrong"),
    ],
)
def test_the_fields_of_a_new_batch_are_judged(fields: tuple[str, str, str], key: str) -> None:
    assert batches.problem_of(*fields).key == key


def test_a_message_of_the_station_stands_above_the_keys_with_or_without_a_log(state: BenchState) -> None:
    fault = ev.StationFault(at=AT, reason="disk")
    told = replay(state, [ev.StationStarted(at=AT, station_id="s", slots=(), virtual=True, speed=6.0), fault])
    said = "The station has a fault. Call supervisor. disk"
    for rows in (3, 0):
        around = frame(told, 100, rows, UNICODE, selected=1)
        assert (around.line, around.is_notice, len(around.log)) == (said, True, rows)
        assert around.header.startswith("VIRTUAL ×6")
    assert frame(told, 100, 3, UNICODE, hint="First press a slot number.").line == "First press a slot number."
    assert frame(state, 100, 3, UNICODE).line.startswith("slot 5"), (
        "who waits for a hand, as nothing else is to be said"
    )
    assert frame(state, 100, 3, UNICODE).log[0].endswith(f"{ENGLISH.verdict(Verdict.ERROR)} in 21.4 s: No answer.")
