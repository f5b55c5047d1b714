"""The real app at fixed sizes, without a terminal: events in, keys and scans in, commands out."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from screen_story import AT, Story
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from station.engine import commands as cmd
from station.engine import events as ev
from station.model import SlotInfo, Verdict
from station.ui.app import BenchApp
from station.ui.look import FULL_COLOUR, Look
from station.ui.screens.asking import Question
from station.ui.screens.batches import Batches
from station.ui.screens.bench import BenchScreen
from station.ui.screens.details import Details
from station.ui.screens.find import Find
from station.ui.screens.help import Help
from station.ui.widgets.label_input import LabelInput, masked
from station.ui.widgets.slot import SlotTile

BenchPilot = Pilot[None]


def on_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run an async test to its end; pytest still sees the fixtures it asks for."""

    @functools.wraps(test)
    def run(*args: object, **kwargs: object) -> None:
        asyncio.run(test(*args, **kwargs))  # type: ignore[arg-type]

    return run


@contextlib.asynccontextmanager
async def running(app: BenchApp, size: tuple[int, int] = (80, 24)) -> AsyncIterator[BenchPilot]:
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield pilot


async def tell(pilot: BenchPilot, app: BenchApp, *told: ev.Event) -> None:
    for event in told:
        app.feed(event)
    await pilot.pause()


async def press(pilot: BenchPilot, *keys: str) -> None:
    """As a hand does, one key after the other."""
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


async def settle(pilot: BenchPilot) -> None:
    """Until the app has made up its mind whether a hand or a scanner typed."""
    app = pilot.app
    assert isinstance(app, BenchApp)
    while app._scanner.due is not None:
        await asyncio.sleep(0.005)
    await pilot.pause()


async def scan(pilot: BenchPilot, app: BenchApp, text: str, *, gap: float = 0.004, end: str = "enter") -> None:
    """As a scanner does: all characters within a few milliseconds, whatever has the focus."""
    at = 1000.0
    for character in [*text, end]:
        key = events.Key(character if len(character) > 1 else _key_name(character), _printable(character))
        key.time = at = at + gap
        app.post_message(key)
    await pilot.pause()
    await settle(pilot)


def _key_name(character: str) -> str:
    return {" ": "space", ":": "colon", "?": "question_mark"}.get(character, character)


def _printable(character: str) -> str | None:
    return character if len(character) == 1 else None


def picture(app: BenchApp) -> str:
    """Every character on the screen, row by row."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def tile(app: BenchApp, number: int) -> SlotTile:
    return next(one for one in app.query(SlotTile) if one.slot.number == number)


# --- drawing ---


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("count", [1, 4, 8, 32])
@on_loop
async def test_every_slot_is_on_the_screen_with_header_and_keys(count: int, size: tuple[int, int]) -> None:
    story = Story(count)
    app = story.app()
    async with running(app, size) as pilot:
        await tell(pilot, app, *story.everything())
        tiles = list(app.query(SlotTile))
        assert [one.slot.number for one in tiles] == list(range(1, count + 1))
        whole = app.screen.region
        assert all(whole.contains_region(one.region) and one.region.height >= 5 for one in tiles)
        rows = picture(app).splitlines()
        assert "128/500" in rows[0]
        assert "[Q] leave" in rows[-1]


@on_loop
async def test_one_slot_takes_the_whole_screen() -> None:
    story = Story(1)
    app = story.app()
    async with running(app, (120, 40)) as pilot:
        await tell(pilot, app, *story.arrives(1), story.ends(1))
        assert tile(app, 1).region.width == 120
        assert tile(app, 1).region.height >= 32


@on_loop
async def test_each_look_has_the_fill_of_the_table(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.everything())
        for one in app.query(SlotTile):
            paint = FULL_COLOUR[one.slot.look]
            if paint.fill:
                assert one.styles.background.hex == paint.fill
                assert one.styles.color.hex == paint.text
        assert tile(app, 5).styles.border_top[0] == "double"
        assert tile(app, 3).styles.border_top[0] == "heavy"


@on_loop
async def test_slots_do_not_move_when_the_terminal_is_resized(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.everything())
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert [one.slot.number for one in app.query(SlotTile)] == list(range(1, 9))
        assert tile(app, 8).region.right == 120
        assert "PASS" in picture(app)


@on_loop
async def test_the_same_events_draw_the_same_screen(story: Story) -> None:
    pictures = []
    for _ in range(2):
        app = story.app()
        async with running(app) as pilot:
            await tell(pilot, app, *story.everything())
            pictures.append(picture(app))
    assert pictures[0] == pictures[1]


@on_loop
async def test_markup_and_escapes_of_a_unit_are_shown_as_they_are_or_not_at_all(story: Story) -> None:
    nasty = "[red]x[/red] [/] [link=a]\x1b[31m"
    head = story.head(1)
    app = story.app()
    async with running(app, (120, 40)) as pilot:
        told = ev.UnitIdentified(**head, platform=nasty, label=nasty, facts=())
        await tell(pilot, app, *story.arrives(1), told)
        await tell(
            pilot,
            app,
            ev.AttemptFinished(**head, verdict=Verdict.FAIL, reason=nasty),
            ev.StationFault(at=AT, reason=nasty),
        )
        text = picture(app)
        assert "[red]x[/red] [/]" in text
        assert "\x1b" not in text
        await press(pilot, "1", "enter")
        assert "[red]x[/red] [/]" in picture(app)


@on_loop
async def test_without_unicode_nothing_but_ascii_is_drawn(story: Story) -> None:
    app = story.app(ascii_only=True)
    async with running(app) as pilot:
        await tell(pilot, app, *story.everything())
        text = picture(app)
        assert text.isascii()
        for shape in ("[OK]", "[..]", "[X]", "[!]", "[>]", "[?]", "[-]"):
            assert shape in text
        for key in ("question_mark", "escape", "b", "escape", "s", "escape", "f", "escape"):
            await press(pilot, key)
            assert picture(app).isascii()


@on_loop
async def test_no_color_leaves_word_shape_and_border(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.everything())
        colours = {
            (segment.style.color.name if segment.style.color else "default")
            for strip in app.screen._compositor.render_strips()
            for segment in strip.apply_filter(app.get_line_filters()[-1], app.screen.styles.background)
            if segment.style
        }
        assert colours == {"default"}
        text = picture(app)
        assert "✖ FAIL" in text
        assert "═" in text
        assert "━" in text


@on_loop
async def test_an_unknown_port_lights_a_line_and_a_digit_binds_it(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, ev.UnmappedPort(at=AT, port_path="3-9"))
        assert "Unit on an unknown port. Press the number of its slot." in picture(app)
        await press(pilot, "3")
        assert story.sent == [cmd.BindPort(3, "3-9")]
        assert app.selected is None


@on_loop
async def test_where_the_log_is_dropped_the_header_says_what_matters() -> None:
    story = Story(32)
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.opened(), ev.ScanRead(at=AT, shown="P04?", accepted=False, reason="too short"))
        assert picture(app).splitlines()[0].strip() == "Scan P04?: not accepted. Scan again. too short"


# --- events from other threads ---


@on_loop
async def test_events_fed_before_and_from_other_threads_all_arrive() -> None:
    story = Story(4)
    app = story.app()
    app.feed(ev.OutboxChanged(at=AT, waiting=7))
    async with running(app) as pilot:
        assert app.state.outbox == 7

        def engine(number: int) -> None:
            for event in story.arrives(number):
                app.feed(event)
            for share in range(400):
                app.feed(ev.StepProgress(**story.head(number), step="device_os", share=share / 400))
            app.feed(story.ends(number))

        threads = [threading.Thread(target=engine, args=(n,)) for n in (1, 2, 3, 4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        await pilot.pause()
        assert [slot.look for slot in app.state.slots] == [Look.PASS] * 4


@on_loop
async def test_feeding_after_the_end_is_harmless(story: Story) -> None:
    app = story.app()
    async with running(app):
        pass
    app.feed(story.ends(1))
    app.leave()


@on_loop
async def test_the_program_is_told_when_the_screen_stands_and_can_close_it(story: Story) -> None:
    ready: list[bool] = []
    app = story.app(on_ready=lambda: ready.append(isinstance(app.screen, BenchScreen)))
    async with running(app) as pilot:
        await pilot.pause()
        assert ready == [True]
        await asyncio.to_thread(app.leave)
        await pilot.pause()
        assert not app.is_running or app._exit
    assert story.sent == []


# --- scanner ---


@pytest.mark.parametrize("opener", ["", "s", "b", "f", "question_mark", "enter"])
@pytest.mark.rule("A6")
@on_loop
async def test_a_scan_is_taken_wherever_the_focus_is_and_reaches_no_field(story: Story, opener: str) -> None:
    app = story.app()
    async with running(app) as pilot:
        await press(pilot, "2")
        if opener:
            await press(pilot, opener)
        await scan(pilot, app, "P044AB1234567 SECRETSECRET123")
        assert [(s.text, s.slot) for s in story.sent if isinstance(s, cmd.Scan)] == [
            ("P044AB1234567 SECRETSECRET123", 2)
        ]
        assert len(story.sent) == 1
        assert all("P044" not in field.value for field in app.screen.query(Input))
        assert "SECRET" not in picture(app)


@on_loop
async def test_a_scan_made_of_key_letters_presses_no_keys(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await scan(pilot, app, "1RLSBFQ12", end="tab")
        assert app.selected is None
        assert isinstance(app.screen, BenchScreen)
        assert [type(one) for one in story.sent] == [cmd.Scan]


@on_loop
async def test_a_scan_that_breaks_off_is_said_and_does_nothing(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await scan(pilot, app, "QRL12", end="x")
        assert story.sent == []
        assert "Scan broke off. Scan again." in picture(app)


@on_loop
async def test_typing_by_hand_reaches_a_field(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await press(pilot, "s", *"P044", "space", *"XY")
        field = app.screen.query_one(LabelInput)
        assert field.value == "P044 XY"
        assert "P044 **" in picture(app)
        assert "XY" not in picture(app)
        await press(pilot, "enter")
        (sent,) = story.sent
        assert isinstance(sent, cmd.Scan)
        assert sent.text == "P044 XY"
        assert isinstance(app.screen, BenchScreen)


@pytest.mark.parametrize(
    ("text", "shown"), [("P044", "P044"), ("P044 ", "P044 "), ("P044 ab c", "P044 ****"), ("", ""), (" x", " *")]
)
@pytest.mark.rule("A7")
def test_all_after_the_first_space_is_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


# --- keys ---


@on_loop
async def test_keys_act_on_the_selected_slot(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.everything())
        await press(pilot, "3", "r", "l", "l")
        assert story.sent == [cmd.RetrySlot(3), cmd.SignalUnit(3, True), cmd.SignalUnit(3, False)]
        await press(pilot, "3")
        assert app.selected is None


@on_loop
async def test_without_a_selected_slot_or_unit_keys_only_say_so(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await press(pilot, "r")
        assert "First press a slot number." in picture(app)
        await press(pilot, "4", "r")
        assert "No unit in slot 4." in picture(app)
        assert story.sent == []


@on_loop
async def test_with_one_slot_no_number_is_needed() -> None:
    story = Story(1)
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.arrives(1), story.ends(1, Verdict.FAIL, "unit_refused"))
        await press(pilot, "r")
        assert story.sent == [cmd.RetrySlot(1)]


@on_loop
async def test_details_show_steps_sources_and_run_one_step(story: Story) -> None:
    app = story.app()
    async with running(app, (120, 40)) as pilot:
        told = ev.ModulesRead(**story.head(3), rows=(("system-part1", "6304", "4100"),))
        await tell(pilot, app, *story.arrives(3), told, ev.WireTraced(**story.head(3), line="OUT 40 block 2"))
        await tell(pilot, app, story.ends(3, Verdict.FAIL, "unit_refused"))
        await press(pilot, "3", "enter")
        assert isinstance(app.screen, Details)
        text = picture(app)
        for wanted in ("done", "3 sources agree", "USB descriptor, request 20", "system-part1", "OUT 40 block 2"):
            assert wanted in text
        await press(pilot, "down", "enter", "r")
        assert story.sent == [cmd.RunStep(3, "device_os"), cmd.RetrySlot(3)]
        await press(pilot, "escape")
        assert isinstance(app.screen, BenchScreen)


@on_loop
async def test_details_follow_events_and_can_stop_the_attempt(story: Story) -> None:
    app = story.app()
    async with running(app, (120, 40)) as pilot:
        await tell(pilot, app, *story.arrives(2))
        await press(pilot, "2", "enter")
        await tell(pilot, app, *story.writes(2, 0.42))
        assert "42 %" in picture(app)
        await press(pilot, "enter", "x")  # a step cannot be run while the walk does
        assert story.sent == [cmd.StopSlot(2)]


@on_loop
async def test_batches_are_opened_and_closed_by_keyboard(story: Story) -> None:
    app = story.app(profiles=("boron-product", "argon-product"))
    async with running(app) as pilot:
        await tell(pilot, app, *story.opened())
        await press(pilot, "b")
        assert isinstance(app.screen, Batches)
        assert "2026-11-22-A" in picture(app)
        await press(pilot, *"B7", "enter")
        assert story.sent == [cmd.OpenBatch("B7", "boron-product", None)]
        await press(pilot, *"B8", "tab", "tab", *"12x", "enter")
        assert "Type a whole number." in picture(app)
        await press(pilot, "backspace", "enter", "ctrl+d")
        assert story.sent[1:] == [cmd.OpenBatch("B8", "boron-product", 12), cmd.CloseBatch("2026-11-22-A")]


@on_loop
async def test_a_unit_is_found_by_any_of_its_numbers(story: Story) -> None:
    app = story.app()
    async with running(app, (120, 40)) as pilot:
        await tell(pilot, app, *story.everything())
        await press(pilot, "f", *"00003")
        assert isinstance(app.screen, Find)
        assert "P044AB1234503" in picture(app)
        assert "P044AB1234501" not in picture(app)
        await press(pilot, "x")
        assert "Not seen on this bench today." in picture(app)


@on_loop
async def test_help_shows_every_sign(story: Story) -> None:
    app = story.app()
    async with running(app, (120, 40)) as pilot:
        await press(pilot, "question_mark")
        assert isinstance(app.screen, Help)
        assert all(word in picture(app) for word in ("YOUR TURN", "SET ASIDE", "breathing cyan", "retry"))
        await press(pilot, "escape")
        assert isinstance(app.screen, BenchScreen)


@on_loop
async def test_leaving_asks_while_a_unit_is_written(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.arrives(1), *story.writes(1))
        await press(pilot, "q")
        assert isinstance(app.screen, Question)
        assert "A unit is being written." in picture(app)
        await press(pilot, "n")
        assert story.sent == []
        await press(pilot, "q", "y")
        assert story.sent == [cmd.Quit()]


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
@on_loop
async def test_an_idle_bench_is_left_at_once(story: Story, key: str) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.arrives(1), story.ends(1))
        await press(pilot, key)
        assert story.sent == [cmd.Quit()]


@on_loop
async def test_a_station_that_tells_other_slots_gets_other_tiles(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        slots = tuple(SlotInfo(n) for n in (1, 2, 3))
        await tell(pilot, app, ev.StationStarted(at=AT, station_id="s", slots=slots))
        await pilot.pause()
        assert [one.slot.number for one in app.query(SlotTile)] == [1, 2, 3]
        assert tile(app, 3).region.right == 80
