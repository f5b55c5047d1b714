"""Hands on wrong keys: what would stop a unit or a slot asks first, and what cannot work says why."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Iterator

import pytest
from support.screen_pilot import on_loop, picture, press, running, scan, tell
from support.screen_story import AT, Story

from station.engine import commands as cmd
from station.engine import events as ev
from station.model import Verdict
from station.tui.screens.asking import Question, TypeReason
from station.tui.screens.bench import BenchScreen
from station.view.look import Look
from station.words.say import Say


@on_loop
async def test_a_question_about_a_write_goes_away_with_the_write(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.arrives(1), *story.writes(1))
        await press(pilot, "1", "enter", "x")
        assert isinstance(app.screen, Question)
        await tell(pilot, app, story.ends(1, Verdict.PASS))
        assert not isinstance(app.screen, Question)
        assert story.sent == []


@on_loop
async def test_stopping_a_slot_asks_and_says_whether_its_unit_is_written(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.arrives(1), *story.writes(1), *story.arrives(2))
        await press(pilot, "1", "enter", "x")
        assert isinstance(app.screen, Question)
        assert "Slot 1 is being written." in picture(app)
        await press(pilot, "n")
        assert story.sent == []
        await press(pilot, "x", "y")
        assert story.sent == [cmd.StopSlot(1)]
        await press(pilot, "escape", "2", "x")
        assert "Slot 2 is at work." in picture(app)
        assert story.sent == [cmd.StopSlot(1)]
        await press(pilot, "y")
        assert story.sent == [cmd.StopSlot(1), cmd.StopSlot(2)]


@on_loop
async def test_a_scanned_stop_asks_too(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.arrives(1), *story.writes(1))
        await press(pilot, "1")
        await scan(pilot, app, "CMD:STOP")
        assert isinstance(app.screen, Question)
        await press(pilot, "y")
        assert story.sent == [cmd.StopSlot(1)]


@on_loop
async def test_a_yes_that_comes_after_the_unit_has_left_stops_nobody(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.arrives(1), *story.writes(1))
        await press(pilot, "1", "enter", "x")
        assert isinstance(app.screen, Question)
        await tell(pilot, app, story.ends(1))
        await press(pilot, "y")
        assert story.sent == []


def held(story: Story) -> Iterator[ev.Event]:
    yield ev.StepStarted(**story.head(2), step="name")
    yield ev.StepHeld(**story.head(2), step="name", say=Say("cloud_hold"))


STATES: dict[Look, Callable[[Story], Iterable[ev.Event]]] = {
    Look.EMPTY: lambda story: (),
    Look.OFF: lambda story: (ev.SlotTakenOut(at=AT, slot=2, why="bent pin", since=AT),),
    Look.RUNNING: lambda story: (*story.arrives(2), *story.writes(2)),
    Look.WAITS: lambda story: (*story.arrives(2), *held(story)),
    Look.HANDS: lambda story: (*story.arrives(2), *story.asks(2)),
    Look.PASS: lambda story: (*story.arrives(2), story.ends(2)),
    Look.FAIL: lambda story: (*story.arrives(2), story.ends(2, Verdict.FAIL, "unit_refused")),
}
HARMLESS: dict[Look, set[type[cmd.Command]]] = {
    Look.OFF: {cmd.PutSlotBack},
    Look.PASS: {cmd.RetrySlot},
    Look.FAIL: {cmd.RetrySlot},
}
KEYS = (
    *string.ascii_lowercase.replace("q", ""), *string.ascii_uppercase.replace("Q", ""), *"013456789", "minus", "plus",
    "space", "enter", "tab", "backspace", "delete", "home", "end", "pageup", "pagedown", "up", "down", "f1", "f5",
)  # fmt: skip


@pytest.mark.parametrize("look", STATES)
@on_loop
async def test_no_single_key_stops_or_closes_anything_without_a_question(look: Look) -> None:
    story = Story(8)
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.opened(), *STATES[look](story))
        for key in KEYS:
            app.selected = 2
            await press(pilot, key)
            for _ in range(3):
                if not isinstance(app.screen, BenchScreen):
                    await press(pilot, "escape")
            assert isinstance(app.screen, BenchScreen), key
            assert app.state.slots[1].look is look
        assert {type(one) for one in story.sent} - {cmd.SignalUnit} <= HARMLESS.get(look, set())


@pytest.mark.parametrize("key", ["r", "o", "l"])
@on_loop
async def test_a_key_that_cannot_work_while_the_unit_is_at_work_says_so_at_once(story: Story, key: str) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.arrives(2))
        await press(pilot, "2", key)
        assert "Slot 2 is at work. Wait for its verdict." in picture(app)
        assert not isinstance(app.screen, TypeReason), "nobody types a reason in vain"
        assert story.sent == []
        await tell(pilot, app, story.ends(2, Verdict.FAIL))
        await press(pilot, key)
        sent = {"r": [cmd.RetrySlot(2)], "l": [cmd.SignalUnit(2, True)]}
        assert story.sent == sent[key] if key in sent else isinstance(app.screen, TypeReason)


@on_loop
async def test_the_number_of_no_slot_says_so(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await press(pilot, "2", "9")
        assert "There is no slot 9." in picture(app)
        assert app.selected == 2


@on_loop
async def test_a_key_without_a_meaning_is_told_where_the_keys_stand_and_hides_nothing(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.opened(), *story.arrives(5), *story.asks(5))
        before = picture(app)
        await press(pilot, "z")
        *others, keys = picture(app).splitlines()
        assert keys.strip().startswith("[Z] does nothing here  [1-9] slot")
        assert "[?] help  [Q] leave" in keys
        assert others == before.splitlines()[:-1], "what it asks for stands there still"
        await press(pilot, "f5")
        assert "[F5] does nothing here" in picture(app)
        await press(pilot, "5")
        assert "does nothing" not in picture(app)


@pytest.mark.parametrize("keys", [["1", "enter"], ["b"], ["b", "o"]], ids=["details", "batches", "owed"])
@on_loop
async def test_every_screen_tells_of_a_key_without_a_meaning(story: Story, keys: list[str]) -> None:
    app = story.app()
    async with running(app, (120, 40)) as pilot:
        await tell(pilot, app, *story.opened(), *story.arrives(1), story.ends(1))
        await press(pilot, *keys, "j")
        assert "[J] does nothing here" in picture(app)
        assert "[Esc]" in picture(app)
        await press(pilot, "escape")
        assert "does nothing" not in picture(app)


@on_loop
async def test_what_is_typed_into_a_field_is_no_key_without_a_meaning(story: Story) -> None:
    app = story.app()
    async with running(app, (120, 40)) as pilot:
        await press(pilot, "f", *"zjk4567", "left", "backspace", "end")
        assert "does nothing" not in picture(app)


@on_loop
async def test_a_light_is_answered_with_slot_and_unit_and_the_next_press_takes_it_back(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.arrives(2), story.ends(2))
        await press(pilot, "2", "l")
        await tell(pilot, app, ev.CommandDone(at=AT, slot=2, did="light-on"))
        assert "slot 2  P044AB1234502  Its light is a rainbow now." in picture(app)
        await press(pilot, "l")
        await tell(pilot, app, ev.CommandDone(at=AT, slot=2, did="light-off"))
        assert "slot 2  P044AB1234502  Its light is its own again." in picture(app)
        await press(pilot, "l")
        await tell(pilot, app, ev.CommandRefused(at=AT, slot=2, reason="the light cannot be switched"))
        assert "slot 2  P044AB1234502  the light cannot be switched" in picture(app)
        assert story.sent == [cmd.SignalUnit(2, True), cmd.SignalUnit(2, False), cmd.SignalUnit(2, True)]


@on_loop
async def test_a_restart_ends_a_light_on_the_screen_as_it_does_in_the_unit(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.arrives(2), story.ends(2), ev.CommandDone(at=AT, slot=2, did="light-on"))
        back = ev.UnitArrived(at=AT, slot=2, port_path="1-2", platform="Boron", mode="application")
        await tell(pilot, app, back)
        await press(pilot, "2", "l")
        assert story.sent == [cmd.SignalUnit(2, True)]


@pytest.mark.parametrize(
    ("keys", "selected"),
    [(["down"], 1), (["2", "down"], 6), (["6", "up"], 2), (["2", "up"], 6), (["8", "right"], 1), (["1", "left"], 8)],
)
@on_loop
async def test_arrows_move_to_the_neighbour(story: Story, keys: list[str], selected: int) -> None:
    app = story.app()
    async with running(app) as pilot:
        await press(pilot, *keys)
        assert app.selected == selected
