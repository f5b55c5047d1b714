"""Keys that come faster than windows open: each acts on the screen that the one before it led to.

And a digit's slot is marked before it is sure that no scanner typed it, as nothing but a mark.
"""

from __future__ import annotations

import pytest
from support.screen_pilot import BenchPilot, key_of, on_loop, press, running, settle, tell, tile
from support.screen_story import Story
from textual.screen import Screen
from textual.widgets import Input

from station.engine import commands as cmd
from station.tui.app import BenchApp
from station.tui.messages import Silence
from station.tui.scanner import GAP_S, LIKELY_S, MIN_LENGTH
from station.tui.screens.asking import Question, TypeLabel
from station.tui.screens.batches import Batches
from station.tui.screens.bench import BenchScreen
from station.tui.screens.details import Details
from station.tui.screens.find import Find
from station.tui.screens.help import Help
from station.tui.screens.new_batch import NewBatch
from station.tui.widgets.slot import SlotTile


def post(app: BenchApp, *keys: str) -> None:
    """As a hand types them, whatever the program is at."""
    for key in keys:
        app.post_message(key_of(key))
        app.post_message(Silence(GAP_S))


def post_scan(app: BenchApp, text: str) -> None:
    for key in [*text, "enter"]:
        app.post_message(key_of(key))


async def at_once(pilot: BenchPilot, app: BenchApp, *keys: str, scan: str = "") -> None:
    """All read while the program was busy: typed by a hand, and then perhaps a scan."""
    post(app, *keys)
    if scan:
        post_scan(app, scan)
    await pilot.pause()
    await settle(pilot)


def codes(story: Story) -> list[tuple[str, int | None, str]]:
    return [(one.text, one.slot, one.field) for one in story.sent if isinstance(one, cmd.Scan)]


@pytest.mark.parametrize(("answer", "sent"), [("y", [cmd.StopSlot(1)]), ("n", []), ("escape", [])])
@on_loop
async def test_a_question_is_answered_by_the_key_behind_the_one_that_opens_it(
    story: Story, answer: str, sent: list[cmd.Command]
) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.arrives(1), *story.writes(1))
        await at_once(pilot, app, "1", "enter", "x", answer)
        assert story.sent == sent
        assert isinstance(app.screen, Details), "the answer closed the question and nothing else"


@on_loop
async def test_a_question_about_leaving_is_answered_at_once(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.arrives(1), *story.writes(1))
        await at_once(pilot, app, "q", "n", "2")
        assert not app._exit
        assert app.selected == 2
        await at_once(pilot, app, "q", "y")
        assert app._exit


@on_loop
async def test_what_is_typed_behind_the_key_for_a_new_batch_stands_in_its_field(story: Story) -> None:
    app = story.app(profiles=("boron-product",))
    async with running(app) as pilot:
        await at_once(pilot, app, "b", "n", *"Lot7", "tab", "tab", *"12", "enter")
        assert story.sent == [cmd.OpenBatch("Lot7", "boron-product", 12)]


@on_loop
async def test_a_label_typed_behind_its_key_is_the_whole_label(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await at_once(pilot, app, "2", "s", *"P044AB", "enter", "3")
        assert codes(story) == [("P044AB", 2, "")]
        assert app.selected == 3, "the key behind Enter is one of the bench again"


@pytest.mark.parametrize(
    ("opener", "opened"), [("s", TypeLabel), ("b", Batches), ("f", Find), ("question_mark", Help), ("enter", Details)]
)
@on_loop
async def test_escape_behind_an_opening_window_closes_that_window(
    story: Story, opener: str, opened: type[Screen[None]]
) -> None:
    app = story.app()
    async with running(app) as pilot:
        await at_once(pilot, app, "2", opener, "escape")
        assert isinstance(app.screen, BenchScreen)
        assert app.selected == 2, "Escape did not reach the bench, where it would have taken the choice back"
        await at_once(pilot, app, opener)
        assert isinstance(app.screen, opened)


@pytest.mark.parametrize(
    ("keys", "slot", "field"),
    [(("2", "s"), 2, ""), (("f",), None, "find"), (("b", "n"), None, "batch"), (("2", "enter"), None, "")],
)
@on_loop
async def test_a_scan_behind_a_key_goes_where_the_key_leads(
    story: Story, keys: tuple[str, ...], slot: int | None, field: str
) -> None:
    app = story.app(profiles=("boron-product",))
    async with running(app) as pilot:
        await at_once(pilot, app, *keys, scan="P044AB1234567")
        assert codes(story) == [("P044AB1234567", slot, field)]
        assert all(not one.value for one in app.screen.query(Input))


@on_loop
async def test_a_key_behind_a_scan_answers_what_the_scan_asked(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.arrives(1), *story.writes(1))
        post_scan(app, "CMD:STOP")
        post(app, "y")
        await pilot.pause()
        await settle(pilot)
        assert story.sent == [cmd.StopSlot(1)]


FOCUS = {
    (): BenchScreen,
    ("2",): BenchScreen,
    ("2", "s"): TypeLabel,
    ("2", "enter"): Details,
    ("b",): Batches,
    ("b", "n"): NewBatch,
    ("f",): Find,
    ("question_mark",): Help,
    ("1", "enter", "x"): Question,
}
SCANS = 1_000


@pytest.mark.parametrize(("keys", "where"), FOCUS.items())
@on_loop
async def test_scans_without_a_silence_are_all_recognised(
    story: Story, keys: tuple[str, ...], where: type[Screen[None]]
) -> None:
    app = story.app(profiles=("boron-product",))
    each = SCANS // len(FOCUS) + 1
    async with running(app) as pilot:
        await tell(pilot, app, *story.arrives(1), *story.writes(1), *story.arrives(2))
        await press(pilot, *keys)
        assert isinstance(app.screen, where)
        labels = [f"P044AB{n:07d} SECRET{n:08d}" for n in range(each)]
        for place, label in enumerate(labels):
            post_scan(app, label)
            if place % 16 == 0:  # else they queue up
                await pilot.pause()
        await pilot.pause()
        await settle(pilot)
        assert [text for text, _, _ in codes(story)] == labels
        assert len(story.sent) == each, "no scan pressed a key"
        meant = [slot for _, slot, _ in codes(story) if slot is not None]
        assert meant == ([2] if where is TypeLabel else []), "only the scan that was asked for names a slot"
        assert all(not one.value for one in app.screen.query(Input))


def marked(app: BenchApp) -> list[int]:
    return [slot.number for slot in app.state.slots if tile(app, slot.number).has_class("-selected")]


@pytest.mark.parametrize(
    ("before", "key", "expected"), [((), "2", [2]), (("2",), "2", []), (("2",), "4", [4]), (("2",), "0", [2])]
)
@on_loop
async def test_a_digit_marks_its_slot_before_it_acts(
    story: Story, before: tuple[str, ...], key: str, expected: list[int]
) -> None:
    app = story.app()
    async with running(app) as pilot:
        await press(pilot, *before)
        selected = app.selected
        app.keyboard.press(key_of(key))
        assert marked(app) == ([selected] if selected else [])
        app.keyboard.silence(LIKELY_S)
        assert (marked(app), app.selected) == (expected, selected)
        await tell(pilot, app, *story.arrives(1))
        assert marked(app) == expected, "what else is drawn meanwhile leaves the mark"
        app.keyboard.silence(GAP_S)
        await settle(pilot)
        assert (marked(app), [app.selected] if app.selected else []) == (expected, expected)


@pytest.mark.parametrize("text", ["8934076500002587651", "2P04", "2R"])
@on_loop
async def test_a_scan_takes_the_mark_of_its_first_digit_back(story: Story, text: str) -> None:
    app = story.app()
    async with running(app) as pilot:
        await press(pilot, "4")
        first, second, *others = [*text, "enter"]
        app.keyboard.press(key_of(first))
        app.keyboard.silence(LIKELY_S)
        assert marked(app) == [int(first)]
        app.keyboard.press(key_of(second))
        assert marked(app) == [4]
        for key in others:
            app.keyboard.silence(LIKELY_S)
            app.keyboard.press(key_of(key))
        await settle(pilot)
        if len(text) >= MIN_LENGTH:
            assert (codes(story), app.selected) == ([(text, None, "")], 4)
        else:  # typed after all
            assert (codes(story), app.selected) == ([], 2)


@pytest.mark.parametrize("opener", ["s", "question_mark", "f"])
@on_loop
async def test_a_digit_marks_nothing_behind_a_window(story: Story, opener: str) -> None:
    app = story.app()
    async with running(app) as pilot:
        await press(pilot, opener)
        app.keyboard.press(key_of("2"))
        app.keyboard.silence(LIKELY_S)
        bench = app.screen_stack[0]
        assert not [one for one in bench.query(SlotTile) if one.has_class("-selected")]
