"""The window of a unit's console: what it shows, what it sends, and what closes it."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import AsyncIterator

import pytest
from support.screen_pilot import BenchPilot, on_loop, picture, press, running, scan, tell
from support.screen_story import Story
from support.spoken import ENGLISH

from station.engine import commands as cmd
from station.engine.console_events import ConsoleClosed, ConsoleEnd, ConsoleLine, ConsoleOpened, HandWorkBegun
from station.engine.events import Event, VerdictRevised
from station.model import Verdict
from station.tui.app import BenchApp
from station.tui.screens.console import ConsoleWindow, TypedInput
from station.tui.screens.details import Details
from station.view import details
from station.view.look import UNICODE, Look
from station.view.panels import plain
from station.view.reduce import replay
from station.view.state import CONSOLE_LINES, BenchState, ConsoleText, SlotState
from station.words.cells import width_of
from station.words.languages import languages, load


def printed(story: Story, text: str, **more: bool | int) -> ConsoleLine:
    return ConsoleLine(**story.head(1), text=text, **more)  # type: ignore[arg-type]


def closed(story: Story, why: ConsoleEnd, reason: str = "") -> ConsoleClosed:
    return ConsoleClosed(**story.head(1), why=why, reason=reason)


@contextlib.asynccontextmanager
async def console(
    size: tuple[int, int] = (100, 40), *, is_open: bool = True
) -> AsyncIterator[tuple[Story, BenchApp, BenchPilot]]:
    """A bench of one slot whose unit has passed, with the window of its console in front."""
    story = Story(1)
    app = story.app()
    async with running(app, size) as pilot:
        await tell(pilot, app, *story.arrives(1), story.ends(1))
        await press(pilot, "enter", "k")
        await tell(pilot, app, *([ConsoleOpened(**story.head(1))] if is_open else []))
        yield story, app, pilot


def window(app: BenchApp) -> ConsoleWindow:
    assert isinstance(app.screen, ConsoleWindow)
    return app.screen


ROOM_AT_80 = 66  # cells inside the window
OPEN = cmd.OpenConsole(1, "attempt-1", f"e00fce68{1:016x}")


@on_loop
async def test_a_key_opens_the_console_and_what_is_typed_is_sent_line_by_line() -> None:
    async with console(is_open=False) as (story, app, pilot):
        assert story.sent == [OPEN]
        assert "The unit is brought into listening mode." in picture(app)
        await press(pilot, "i", "enter")
        assert story.sent == [OPEN]  # nothing is sent before it is open
        await tell(pilot, app, ConsoleOpened(**story.head(1)))
        await press(pilot, "enter", "K", "q", "question_mark", "enter")
        assert story.sent[1:] == [cmd.TypeConsole(1, "i"), cmd.TypeConsole(1, "Kq?")]
        assert app.screen.query_one(TypedInput).value == ""
        await tell(pilot, app, printed(story, "Device ID: e00f"), printed(story, "SSID: ", is_open=True))
        assert "Device ID: e00f" in picture(app)
        await tell(pilot, app, printed(story, "SSID: home"), printed(story, "[red]not a colour[/]"))
        text = picture(app)
        assert text.count("SSID:") == 1
        assert "SSID: home" in text
        assert "[red]not a colour[/]" in text


@on_loop
async def test_a_unit_that_passed_and_was_worked_on_by_hand_is_the_operators_turn_and_no_pass() -> None:
    story = Story(1)
    app = story.app()
    async with running(app, (100, 40)) as pilot:
        await tell(pilot, app, *story.arrives(1), story.ends(1))
        assert "Unplug." in picture(app)
        await tell(pilot, app, ConsoleOpened(**story.head(1)), closed(story, "closed"))
        shown = picture(app)
        assert "Unplug." not in shown
        assert shown.count("Retry it (R).") == 2  # on its tile, and in full below the slots
        assert "YOUR TURN" in shown
        await press(pilot, "1", "r")
        assert cmd.RetrySlot(1) in story.sent


def worked_on(verdict: Verdict, *after: Event, begun: Event | None = None) -> tuple[SlotState, BenchState]:
    """Slot 1 and its bench when somebody began to work by hand on a unit with that verdict, and then came ``after``."""
    story = Story(1)
    begun = begun or HandWorkBegun(**story.head(1), what="dfu")
    state = replay(
        BenchState.of(story.slots, ENGLISH), [*story.arrives(1), story.ends(1, verdict, "silent"), begun, *after]
    )
    return state.slots[0], state


@pytest.mark.parametrize(
    ("verdict", "look"),
    [
        (Verdict.PASS, Look.HANDS), (Verdict.PENDING, Look.HANDS),
        (Verdict.FAIL, Look.FAIL), (Verdict.ABORTED, Look.ABORTED), (Verdict.ERROR, Look.ERROR),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "begun",
    [HandWorkBegun(**Story(1).head(1), what="console"), ConsoleOpened(**Story(1).head(1))],
    ids=["now", "as older stations recorded it"],
)
def test_only_what_was_good_counts_no_more_and_is_said_in_one_place(verdict: Verdict, look: Look, begun: Event) -> None:
    slot, _ = worked_on(verdict, closed(Story(1), "closed"), begun=begun)
    head = " ".join(map(plain, details.head(slot, UNICODE, ENGLISH, 200).lines))
    by_hand = "Worked on by hand. Retry it (R)."
    assert (slot.look, slot.verdict) == (look, verdict)
    assert head.count(by_hand) == (look is Look.HANDS)
    assert ("until then it has not passed" in head.lower()) is (look is Look.HANDS)
    assert (by_hand in details.for_support(slot, ENGLISH)) is (look is Look.HANDS)
    again, _ = worked_on(verdict, *Story(1).arrives(1, "attempt-2"))
    assert (again.asks, again.look) == ((), Look.RUNNING)


def test_owed_work_that_ends_well_does_not_prove_a_unit_that_was_worked_on_by_hand() -> None:
    for verdict, look in ((Verdict.PASS, Look.HANDS), (Verdict.FAIL, Look.FAIL)):
        slot, _ = worked_on(Verdict.PENDING, VerdictRevised(**Story(1).head(1), verdict=verdict, reason="told"))
        assert (slot.look, slot.verdict) == (look, verdict)


def test_owed_work_of_a_unit_in_a_tray_that_ends_well_does_not_say_that_it_is_finished_if_it_was_worked_on() -> None:
    story = Story(1)
    late = VerdictRevised(**story.head(0, "attempt-1"), verdict=Verdict.PASS, reason="told")
    _, state = worked_on(Verdict.PENDING, story.left(1), late)
    assert state.notice == "Unit P044AB1234501 is not judged. Technician."
    assert (state.log[0].text, state.log[0].look) == (state.notice, None)
    _, state = worked_on(Verdict.PENDING, story.left(1), late, begun=story.left(1))
    assert state.log[0].text == "Unit P044AB1234501 is finished now."


def test_a_unit_that_leaves_before_it_was_walked_again_is_called_back() -> None:
    story = Story(1)
    slot, state = worked_on(Verdict.PASS, story.left(1))
    assert slot.look is Look.EMPTY
    assert state.notice == "P044AB1234501  Unplugged too early. Plug it in again."
    assert (state.log[0].name, state.log[0].text) == ("P044AB1234501", "Unplugged too early. Plug it in again.")
    assert worked_on(Verdict.FAIL, story.left(1))[1].notice == ""


@on_loop
async def test_a_secret_is_typed_unseen_and_cannot_be_copied() -> None:
    async with console() as (story, app, pilot):
        await tell(pilot, app, printed(story, "Password: ", is_open=True, asks_secret=True))
        await press(pilot, *"hunter2", "ctrl+a", "super+c", "ctrl+x")
        assert "hunter2" not in picture(app)
        assert app.clipboard == ""
        typed = app.screen.query_one(TypedInput)
        await press(pilot, "enter")
        assert story.sent[-1] == cmd.TypeConsole(1, "hunter2")
        assert "hunter2" not in repr(story.sent)
        await tell(pilot, app, printed(story, "Password: ***"))
        assert not typed.password


@on_loop
async def test_escape_closes_window_and_console_and_the_details_say_what_that_means() -> None:
    async with console((120, 40)) as (story, app, pilot):
        await press(pilot, "escape")
        assert isinstance(app.screen, Details)
        assert story.sent == [OPEN, cmd.CloseConsole(1)]
        await tell(pilot, app, closed(story, "closed"))
        text = picture(app)
        assert "Its console is closed." in text
        assert text.count("Worked on by hand. Retry it (R).") == 1
        await tell(pilot, app, *story.arrives(1, "attempt-2"))
        assert "Worked on by hand" not in picture(app)


@pytest.mark.parametrize(
    ("why", "reason", "said"),
    [
        ("idle", "", "nobody typed for a quarter of an hour"),
        ("walk", "", "the unit is walked again"),
        ("left", "", "The unit has left slot 1"),
        ("busy", "", "no console before its verdict"),
        ("stopping", "", "the station stops"),
        ("failed", "the unit shows no serial port", "No console: the unit shows no serial port"),
    ],
)
@on_loop
async def test_a_console_that_is_closed_says_why_and_takes_nothing_more(
    why: ConsoleEnd, reason: str, said: str
) -> None:
    async with console((120, 40), is_open=False) as (story, app, pilot):
        await tell(pilot, app, closed(story, why, reason))
        assert said in picture(app)
        assert app.screen.query_one(TypedInput).disabled
        await press(pilot, "v", "enter", "escape")
        assert isinstance(app.screen, Details)
        assert story.sent == [OPEN]


@on_loop
async def test_a_unit_that_leaves_is_told_in_the_window_and_the_next_one_is_not_typed_into() -> None:
    async with console((120, 40)) as (story, app, pilot):
        await tell(pilot, app, printed(story, "last words"))
        await tell(pilot, app, story.left(1))
        assert "The unit has left slot 1, and its console with it." in picture(app)
        assert "last words" in picture(app)
        await tell(pilot, app, *story.arrives(1, "attempt-2"))
        await press(pilot, "v", "enter")
        assert story.sent == [OPEN]


@on_loop
async def test_a_second_console_of_the_same_unit_begins_empty() -> None:
    async with console((120, 40)) as (story, app, pilot):
        await tell(pilot, app, printed(story, "of the first one"))
        await press(pilot, "escape")
        await tell(pilot, app, closed(story, "closed"))
        await press(pilot, "k")
        assert "of the first one" not in picture(app)
        await tell(pilot, app, closed(story, "failed", "no serial port"))
        assert "of the first one" not in picture(app)
        assert "No console: no serial port" in picture(app)


@on_loop
async def test_a_scan_into_the_window_goes_to_the_station_and_not_to_the_unit() -> None:
    async with console() as (story, app, pilot):
        await scan(pilot, app, "P044AB1234567")
        assert story.sent == [OPEN, cmd.Scan("P044AB1234567")]
        assert window(app).query_one(TypedInput).value == ""


def test_a_console_keeps_its_last_lines_counts_what_was_left_out_and_ends_with_its_walk() -> None:
    story = Story(1)
    state = replay(BenchState.of(story.slots, ENGLISH), [*story.arrives(1), story.ends(1)])
    state = replay(state, [ConsoleOpened(**story.head(1))])
    state = replay(state, [printed(story, f"line {n}") for n in range(CONSOLE_LINES + 7)])
    state = replay(state, [printed(story, "a\x1b[31mb\u202ec", skipped=12), printed(story, "Pass", is_open=True)])
    slot = state.slot(1)
    assert slot is not None
    assert slot.console is not None
    assert len(slot.console.lines) == CONSOLE_LINES
    assert slot.console.lines[-4:] == (
        f"line {CONSOLE_LINES + 6}", "12 lines are left out: they came too fast", "a [31mb c", "Pass",
    )  # fmt: skip
    assert slot.console.is_open
    other = replay(state, [ConsoleLine(**story.head(1, "another"), text="not here")])
    assert other.slot(1) == slot
    after = replay(state, [closed(story, "walk"), printed(story, "too late")]).slot(1)
    assert after is not None
    assert after.console == ConsoleText(slot.console.lines, is_open=True, closed="walk")
    again = replay(state, list(story.arrives(1, "attempt-2"))).slot(1)
    assert again is not None
    assert again.console is None


@pytest.mark.parametrize("language", languages())
def test_the_window_names_its_keys_whole_on_80_columns(language: str) -> None:
    words = load(language, datetime.UTC)
    assert max(width_of(words.text(key)) for key in ("console-keys", "console-opening")) <= ROOM_AT_80


@on_loop
async def test_the_keys_below_are_those_of_the_window() -> None:
    async with console((80, 24)) as (_, app, pilot):
        keys = picture(app).splitlines()[-1]
        assert keys.strip() == ENGLISH.text("console-keys")
        await press(pilot, "escape")
        assert "[R] retry" in picture(app)
