"""The slots as they are on the bench: in the rows of the configuration, where the screen has room for these."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.screen_pilot import on_loop, press, running, tell, tile
from support.screen_story import AT, Story

from station.engine import events as ev
from station.model import SlotInfo
from station.tui.widgets.slot import SlotTile
from station.view.layout import MIN_TILE_COLUMNS, Rows, arrange, in_order, places

BENCH: Rows = ((4, 3, 0), (1, 0, 2))


def test_the_grid_has_the_rows_of_the_bench_with_its_gaps() -> None:
    plan = arrange(4, 80, 24, BENCH)
    assert (plan.columns, plan.rows) == (3, 2)
    assert places([1, 2, 3, 4], plan) == [4, 3, 0, 1, 0, 2]
    assert places([1, 2, 3], arrange(3, 80, 24, ((2,), (1, 3)))) == [2, 0, 1, 3]
    assert places([1, 2, 3, 4], arrange(4, 80, 24)) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("bench", "is_used"),
    [
        ((tuple(range(1, 9)),), True),
        ((tuple(range(1, 10)),), False),  # tiles too narrow for a word
        (tuple((n,) for n in range(1, 8)), True),
        (tuple((n,) for n in range(1, 9)), False),  # and too low
    ],
)
def test_a_screen_too_small_for_the_rows_is_filled_as_ever(bench: Rows, is_used: bool) -> None:
    slots = sum(map(len, bench))
    plan = arrange(slots, 8 * MIN_TILE_COLUMNS, 24, bench)
    assert (plan.bench == bench) is is_used
    assert plan == arrange(slots, 80, 24) or is_used


@given(
    st.permutations(range(1, 13)), st.lists(st.integers(0, 12), max_size=4), st.integers(80, 250), st.integers(24, 80)
)
def test_every_slot_has_its_place_once_and_all_rows_fit(
    order: list[int], cuts: list[int], width: int, height: int
) -> None:
    ends = [0, *sorted(cuts), 12]
    bench = tuple(tuple(order[a:b]) for a, b in itertools.pairwise(ends))
    plan = arrange(12, width, height, bench)
    assert sorted(number for number in places(range(1, 13), plan) if number) == [*range(1, 13)]
    assert len(places(range(1, 13), plan)) <= plan.columns * plan.rows
    assert plan.rows * plan.tile_rows + plan.log_rows + 3 <= height


def test_other_slots_than_those_of_the_rows_come_in_their_own_order() -> None:
    assert in_order([1, 2, 3, 4], BENCH) == [4, 3, 1, 2]
    assert in_order([1, 2, 3], BENCH) == [1, 2, 3]
    assert in_order([2, 1], ()) == [2, 1]


@on_loop
async def test_tiles_stand_as_the_slots_do_and_arrows_move_from_one_to_the_next() -> None:
    story = Story(4)
    app = story.app(rows=BENCH)
    async with running(app) as pilot:
        corner = {number: (tile(app, number).region.x, tile(app, number).region.y) for number in (1, 2, 3, 4)}
        assert corner[4][1] == corner[3][1] < corner[1][1] == corner[2][1]
        assert corner[4][0] == corner[1][0] == 0
        assert corner[4][0] < corner[3][0] < corner[2][0]
        await tell(pilot, app, *story.arrives(2))
        assert tile(app, 2).slot.is_present
        found = []
        for _ in range(5):
            await press(pilot, "right")
            found.append(app.selected)
        assert found == [4, 3, 1, 2, 4]


@on_loop
async def test_a_smaller_screen_and_other_slots_are_drawn_without_the_rows() -> None:
    story = Story(9)
    app = story.app(rows=(tuple(range(9, 0, -1)),))

    def drawn() -> list[int]:
        return [one.slot.number for one in app.query(SlotTile)]

    async with running(app, (120, 40)) as pilot:
        assert drawn() == [*range(9, 0, -1)]
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert drawn() == [*range(1, 10)]
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert drawn() == [*range(9, 0, -1)]
        slots = tuple(SlotInfo(number) for number in (1, 2, 3))
        await tell(pilot, app, ev.StationStarted(at=AT, station_id="s", slots=slots))
        await pilot.pause()
        assert drawn() == [1, 2, 3]
