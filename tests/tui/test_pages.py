"""The pages beside the bench, and the lines around the slots, as text."""

from __future__ import annotations

import pytest
from support.screen_pilot import on_loop, picture, press, running, tell
from support.screen_story import AT, Story
from support.spoken import ENGLISH

from station.engine import events as ev
from station.model import Batch, ProfileRef, Verdict
from station.view import pages
from station.view.bars import frame
from station.view.look import UNICODE
from station.view.reduce import replay
from station.view.state import BenchState
from station.words.cells import width_of


@pytest.fixture
def state(story: Story) -> BenchState:
    return replay(BenchState.of(story.slots, ENGLISH), story.everything())


def test_find_lists_newest_first_and_cuts_what_matters_least(state: BenchState) -> None:
    rows = pages.found(state, "", 76, UNICODE)
    assert [row.split()[3] for row in rows] == ["8", "7", "6", "3", "1"]
    assert all(width_of(row) <= 76 for row in rows)
    assert rows[0].startswith("10:14:03 UTC  slot 8   P044AB1234508     ⚠ CHECK STATION   e00fce68")


@pytest.mark.parametrize(("wanted", "slots"), [("4503", ["3"]), (" P044ab1234507 ", ["7"]), ("0000000006", ["6"])])
def test_find_looks_through_every_number(state: BenchState, wanted: str, slots: list[str]) -> None:
    assert [row.split()[3] for row in pages.found(state, wanted, 200, UNICODE)] == slots


def test_find_says_that_nothing_was_seen(state: BenchState) -> None:
    assert pages.found(state, "no such unit", 80, UNICODE) == ["Not seen on this bench today."]


def test_the_chosen_batch_is_marked_and_its_figures_stand_below(state: BenchState) -> None:
    assert pages.batches(state, 0, 80, 20, UNICODE) == [
        "▸ 2026-11-22-A  WIDGET-BORON r7",
        "    126/500 PASS, 2 FAIL, 1 SET ASIDE; FPY 97.7 %, final yield 98.4 %, 1 retest",
    ]
    assert pages.batches(state, 1, 40, 20, UNICODE)[0].startswith("  2026")
    assert all(width_of(line) <= 40 for line in pages.batches(state, 1, 40, 20, UNICODE))
    assert pages.batches(BenchState.of((), ENGLISH), 0, 80, 20, UNICODE) == ["No batch is open. Call supervisor."]


def many_batches(count: int) -> list[ev.Event]:
    profile = ProfileRef("p", 1, "0" * 64)
    return [ev.BatchOpened(at=AT, batch=Batch(f"B{n}", profile, None), title=f"W{n}") for n in range(count)]


@pytest.mark.parametrize("chosen", range(17))
@pytest.mark.parametrize("height", [2, 5, 8, 34])
def test_of_many_batches_whole_ones_around_the_chosen_one_are_listed(chosen: int, height: int, story: Story) -> None:
    state = replay(BenchState.of(story.slots, ENGLISH), many_batches(17))
    rows = pages.batches(state, chosen, 80, height, UNICODE)
    assert 2 <= len(rows) <= height
    assert f"▸ B{chosen}  W{chosen} r1" in rows
    assert all(row.startswith("    0 PASS") for row in rows[1::2])


@on_loop
async def test_the_fields_of_a_new_batch_stay_on_a_small_screen_below_many_open_ones(story: Story) -> None:
    app = story.app(profiles=tuple(f"widget-{n}" for n in range(17)))
    async with running(app, (80, 24)) as pilot:
        await tell(pilot, app, *many_batches(17))
        await press(pilot, "b", *["down"] * 16)
        shown = picture(app)
        assert "▸ B16" in shown
        assert "NEW BATCH" in shown
        screen = app.screen.region
        assert all(screen.contains_region(app.screen.query_one(f"#{name}").region) for name in ("batch", "target"))


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
    assert pages.problem_of(*fields).key == key


def test_a_message_of_the_station_stands_above_the_keys_with_or_without_a_log(state: BenchState) -> None:
    fault = ev.StationFault(at=AT, reason="disk")
    told = replay(state, [ev.StationStarted(at=AT, station_id="s", slots=(), virtual=True, speed=6.0), fault])
    said = "The station has a fault. Call supervisor. disk"
    for rows in (3, 0):
        around = frame(told, 100, rows, UNICODE, selected=1)
        assert (around.line, around.is_notice, len(around.log)) == (said, True, rows)
        assert around.header.startswith("VIRTUAL ×6")
    assert frame(told, 100, 3, UNICODE, hint="First press a slot number.").line == "First press a slot number."
    assert frame(state, 100, 3, UNICODE).line == ""
    assert frame(state, 100, 3, UNICODE).log[0].endswith(f"{ENGLISH.verdict(Verdict.ERROR)} in 21.4 s: No answer.")
