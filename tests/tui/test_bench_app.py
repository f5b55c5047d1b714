"""The real app at fixed sizes, without a terminal: events in, keys and scans in, commands out."""

from __future__ import annotations

import asyncio
import threading

import pytest
from support.screen_pilot import on_loop, picture, press, running, tell, tile
from support.screen_story import AT, Story

from station.engine import commands as cmd
from station.engine import events as ev
from station.model import Batch, ProfileRef, SlotInfo, Verdict
from station.tui.app import BenchApp
from station.tui.screens.bench import BenchScreen
from station.tui.widgets.slot import SlotTile
from station.view.look import DARK, Look
from station.words.say import Say

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
        assert "126/500 PASS" in rows[0]
        assert "[Q] leave" in rows[-1]


@on_loop
async def test_a_bench_of_several_products_names_the_platform_of_each_unit() -> None:
    story = Story(2)
    app = story.app()
    second = Batch("B7", ProfileRef("argon-product", 1, "1" * 64), None)
    async with running(app, (120, 40)) as pilot:
        await tell(pilot, app, *story.opened(), *story.arrives(1))
        assert tile(app, 1).border_title == "1"
        await tell(pilot, app, ev.BatchOpened(at=AT, batch=second))
        assert tile(app, 1).border_title == "1 Boron"
        await tell(pilot, app, ev.BatchClosed(at=AT, batch="B7"))
        assert tile(app, 1).border_title == "1"


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
            paint = DARK[one.slot.look]
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
        assert "◌ STOPPED" in text
        assert "✖ █▀" in text
        assert "═" in text
        assert "━" in text


@on_loop
async def test_an_unknown_port_lights_a_line_and_a_digit_binds_it(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, without_port(story, 3), ev.UnmappedPort(at=AT, port_path="3-9"))
        assert "Unit on an unknown port. Press the number of its slot." in picture(app)
        await press(pilot, "3")
        assert story.sent == [cmd.BindPort(3, "3-9")]
        assert app.selected is None


@on_loop
async def test_a_digit_selects_again_when_the_unit_on_the_unknown_port_has_left(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        left = ev.UnitLeft(at=AT, port_path="3-9")
        await tell(pilot, app, without_port(story, 3), ev.UnmappedPort(at=AT, port_path="3-9"), left)
        assert picture(app).count("Press the number of its slot.") == 1, "in the log only"
        await press(pilot, "3")
        assert app.selected == 3
        assert story.sent == []


@on_loop
async def test_the_number_of_a_slot_that_has_its_port_selects_it_though_a_unit_waits_elsewhere(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, without_port(story, 3), ev.UnmappedPort(at=AT, port_path="3-9"))
        await press(pilot, "2")
        assert app.selected == 2
        assert story.sent == []


@on_loop
async def test_where_every_slot_has_its_port_nobody_is_told_to_press_a_number(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, ev.UnmappedPort(at=AT, port_path="3-9"))
        assert "Unit on an unknown port. Plug it into a slot." in picture(app)


@on_loop
async def test_a_refused_command_is_answered_with_a_sentence_though_a_unit_waits(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        refused = ev.CommandRefused(at=AT, say=Say("slot_taken", slot="3"), reason="slot 3 is on another port")
        await tell(pilot, app, without_port(story, 4), ev.UnmappedPort(at=AT, port_path="3-9"), refused)
        assert picture(app).count("Slot 3 has a port already. Press another number.") == 2, "said, and in the log"
        await tell(pilot, app, ev.CommandRefused(at=AT, reason="there is no slot 77"))
        assert "there is no slot 77" in picture(app)


def without_port(story: Story, number: int) -> ev.StationStarted:
    slots = tuple(SlotInfo(slot.number, None) if slot.number == number else slot for slot in story.slots)
    return ev.StationStarted(at=AT, station_id="bench-3", slots=slots)


@on_loop
async def test_where_the_log_is_dropped_the_line_above_the_keys_says_what_matters() -> None:
    story = Story(32)
    app = story.app()
    async with running(app) as pilot:
        await tell(
            pilot, app, *story.opened(), ev.ScanRead(at=AT, shown="P04?", accepted=False, say=Say("scan_unreadable"))
        )
        assert picture(app).splitlines()[-2].strip() == "Scan P04?: Not a whole label or badge. Scan again."


@on_loop
async def test_the_line_above_the_keys_says_the_whole_sentence_of_the_selected_slot(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.everything())
        assert picture(app).splitlines()[-2].strip().startswith("slot 5  P044AB1234505  ☞ YOUR TURN"), (
            "it waits longest"
        )
        await press(pilot, "3")
        assert "Wants BRN404." in picture(app)
        line = picture(app).splitlines()[-2].strip()
        assert line == "slot 3  P044AB1234503  This is a BRN402. This batch wants BRN404. Red bin."
        await tell(pilot, app, ev.StationFault(at=AT, reason="disk"))
        assert picture(app).splitlines()[-2].strip() == "The station has a fault. Call supervisor. disk"


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
    shown = app.state
    app.feed(story.ends(1))
    app.leave()
    assert app.state == shown
    assert not app.is_running


@on_loop
async def test_the_program_is_told_when_the_screen_stands_and_can_close_it(story: Story) -> None:
    ready: list[bool] = []
    app: BenchApp = story.app(on_ready=lambda: ready.append(isinstance(app.screen, BenchScreen)))
    async with running(app) as pilot:
        await pilot.pause()
        assert ready == [True]
        await asyncio.to_thread(app.leave)
        await pilot.pause()
        assert not app.is_running or app._exit
    assert story.sent == []
