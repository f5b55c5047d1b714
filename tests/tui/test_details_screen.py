"""What a technician does in the details: which panels a screen has room for, what each key sends, what it replies."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.screen_pilot import on_loop, picture, press, running, tell
from support.screen_story import AT, STEPS, Story

from station.engine import commands as cmd
from station.engine import events as ev
from station.model import Verdict
from station.tui.screens.choosing import Choice
from station.tui.screens.details import Details
from station.tui.widgets.panel import PanelBox
from station.view.look import LIGHTS


def failed(story: Story) -> list[ev.Event]:
    """One unit that failed, with all that the panels show."""
    head = story.head(1)
    return [
        *story.arrives(1),
        ev.ModulesRead(**head, rows=(("bootloader", "6304", "4100"),)),
        ev.WireTraced(**head, line="request 21 GET_SERIAL_NUMBER: P044, 3 ms", raw="sent 0 bytes; got 0a"),
        story.ends(1, Verdict.FAIL, "unit_refused"),
    ]


def shown(app_screen: object) -> list[str]:
    assert isinstance(app_screen, Details)
    return [str(box.id) for box in app_screen.query(PanelBox) if box.region.area]


@on_loop
async def test_a_large_screen_shows_every_panel_and_the_advice() -> None:
    story = Story(1)
    app = story.app()
    async with running(app, (160, 50)) as pilot:
        await tell(pilot, app, *failed(story))
        await press(pilot, "enter")
        await pilot.pause()
        assert shown(app.screen) == ["head", "steps", "identity", "firmware", "wire"]
        text = picture(app)
        for wanted in ("STEPS", "IDENTITIES", "FIRMWARE", "WIRE", "Seen", "Means", "Try next", "wanted", "3 sources"):
            assert wanted in text


@on_loop
async def test_a_small_screen_shows_the_head_and_one_panel_and_tab_goes_through_them() -> None:
    story = Story(1)
    app = story.app()
    async with running(app, (80, 24)) as pilot:
        await tell(pilot, app, *failed(story))
        await press(pilot, "enter")
        seen = []
        for _ in range(5):
            await pilot.pause()
            seen.append(shown(app.screen)[1:])
            await press(pilot, "tab")
        assert seen == [["steps"], ["identity"], ["firmware"], ["wire"], ["steps"]]
        await press(pilot, "shift+tab", "v")
        await pilot.pause()
        assert "sent 0 bytes; got 0a" in picture(app)
        await press(pilot, "v")
        await pilot.pause()
        assert "sent 0 bytes; got 0a" not in picture(app)


@on_loop
async def test_a_wire_that_was_kept_without_bytes_says_so() -> None:
    story = Story(1)
    app = story.app()
    async with running(app, (120, 40)) as pilot:
        ended = replace(story.ends(1, Verdict.FAIL, "unit_refused"), wire=("request 21: P044",))
        await tell(pilot, app, *story.arrives(1), ended)
        await press(pilot, "enter", "v")
        assert "Only these words were kept. Start the station with --trace to see bytes." in picture(app)


@on_loop
async def test_keys_run_a_part_save_and_copy_and_say_so() -> None:
    story = Story(1)
    app = story.app()
    async with running(app, (120, 40)) as pilot:
        await tell(pilot, app, *failed(story))
        await press(pilot, "enter", "down", "down", "enter")
        assert "Firmware runs now, by itself." in picture(app)
        await press(pilot, "f", "l")
        await tell(pilot, app, ev.CommandDone(at=AT, slot=1, did="light-on"))
        await press(pilot, "l", "t", "s", "c")
        assert "Copied: Device ID, light, result and reason." in picture(app)
        trace = ("2026-11-22T10:14:03.000+00:00  request 21 GET_SERIAL_NUMBER: P044, 3 ms", "    sent 0 bytes; got 0a")
        assert story.sent == [
            cmd.RunStep(1, "firmware"), cmd.RunStep(1, "firmware", STEPS[3:]), cmd.SignalUnit(1, True),
            cmd.SignalUnit(1, False), cmd.SaveTrace(1, "attempt-1", trace), cmd.SaveReport(1, "attempt-1", trace),
        ]  # fmt: skip
        assert app.clipboard.startswith(f"Device ID: {story.head(1)['device_id']}\n")


@on_loop
async def test_a_mode_is_chosen_from_a_window_and_the_answer_of_the_station_is_shown() -> None:
    story = Story(1)
    app = story.app()
    async with running(app, (100, 30)) as pilot:
        await tell(pilot, app, *failed(story))
        await press(pilot, "enter", "m")
        assert isinstance(app.screen, Choice)
        await press(pilot, "down", "enter")
        assert story.sent == [cmd.EnterMode(1, "listening", "attempt-1", f"e00fce68{1:016x}")]
        assert "Goes into this mode: listening." in picture(app)
        await tell(pilot, app, ev.CommandDone(at=AT, slot=1, did="mode", what="listening"))
        assert "Now in this mode: listening" in picture(app)
        await tell(pilot, app, ev.CommandRefused(at=AT, slot=1, reason="the unit obeys no command; hold MODE"))
        assert "the unit obeys no command; hold MODE" in picture(app)


@pytest.mark.rule("M4")
@on_loop
async def test_the_light_is_chosen_from_lights_that_move_and_then_stands_with_the_device_id() -> None:
    story = Story(1)
    app = story.app()
    async with running(app, (100, 40)) as pilot:
        await tell(pilot, app, *failed(story))
        await press(pilot, "enter", "p")
        assert all(name.partition(" ")[0] in picture(app) for name in LIGHTS if name != "off")
        await press(pilot, "up", "up", "enter")  # from the first one back to the last but one
        chosen = tuple(LIGHTS)[-2]
        assert story.sent == [cmd.TellLight(1, "attempt-1", story.head(1)["device_id"], chosen)]
        await tell(pilot, app, ev.LightSeen(**story.head(1), light=chosen))
        text = picture(app)
        assert "Light seen" in text
        assert chosen in text
        assert story.head(1)["device_id"] in text


@pytest.mark.parametrize("key", ["enter", "f", "r", "l", "m", "n"])
@on_loop
async def test_what_cannot_work_now_says_why_and_sends_nothing(key: str) -> None:
    story = Story(1)
    app = story.app()
    async with running(app, (100, 30)) as pilot:
        await tell(pilot, app, *story.arrives(1))
        await press(pilot, "enter", key)
        assert "Slot 1 is at work: wait for its verdict, or stop it." in picture(app)
        await tell(pilot, app, story.ends(1), story.left(1))
        await press(pilot, key)
        assert "This unit has left slot 1: plug it in again, or go back." in picture(app)
        assert story.sent == []


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("s", "Nothing was tried here yet"), ("p", "Nothing was tried here yet"), ("t", "Nothing was recorded here"),
        ("c", "Slot 1 holds no unit"), ("x", "Nothing runs in slot 1"), ("n", "Slot 1 holds no unit"),
    ],
)  # fmt: skip
@on_loop
async def test_an_empty_slot_has_nothing_to_save_copy_or_stop(key: str, why: str) -> None:
    story = Story(1)
    app = story.app()
    async with running(app, (100, 30)) as pilot:
        await press(pilot, "enter", key)
        assert why in picture(app)
        assert story.sent == []
