"""The bench screen under its keys and its scanner: what acts, what asks, what never reaches a field."""

from __future__ import annotations

import pytest
from support.screen_pilot import on_loop, picture, press, running, scan, tell, tile
from support.screen_story import AT, Story
from textual.screen import Screen
from textual.widgets import Input

from station.engine import commands as cmd
from station.engine import events as ev
from station.engine.commands import PutSlotBack, TakeSlotOut
from station.model import MAX_REASON, Batch, ProfileRef, SlotInfo, Verdict
from station.tui.screens.asking import Question, TypeLabel
from station.tui.screens.batches import Batches
from station.tui.screens.bench import BenchScreen
from station.tui.screens.details import Details
from station.tui.screens.find import Find
from station.tui.screens.help import Help
from station.tui.widgets.label_input import LabelInput, masked
from station.tui.widgets.slot import SlotTile
from station.words.say import Say

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
        meant = 2 if opener == "s" else None  # only who asks to type a label names its slot
        assert [(s.text, s.slot) for s in story.sent if isinstance(s, cmd.Scan)] == [
            ("P044AB1234567 SECRETSECRET123", meant)
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
        assert "Not a whole label or badge. Scan again." in picture(app)


@on_loop
async def test_typing_by_hand_reaches_a_field(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await press(pilot, "2", "s", *"P044", "space", *"XY")
        assert "Slot 2. Type the label. Then Enter." in picture(app)
        field = app.screen.query_one(LabelInput)
        assert field.value == "P044 XY"
        assert "P044 **" in picture(app)
        assert "XY" not in picture(app)
        await press(pilot, "enter")
        (sent,) = story.sent
        assert isinstance(sent, cmd.Scan)
        assert (sent.text, sent.slot) == ("P044 XY", 2)
        assert isinstance(app.screen, BenchScreen)


@pytest.mark.parametrize(
    ("text", "shown"), [("P044", "P044"), ("P044 ", "P044 "), ("P044 ab c", "P044 ****"), ("", ""), (" x", " *")]
)
@pytest.mark.rule("A7")
def test_all_after_the_first_space_is_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize("text", ["CMD:RETRY", "cmd:retry", "CMD:LIGHT", "CMD:STOP", "]C1CMD:RETRY"])
@pytest.mark.parametrize("selected", [True, False])
@on_loop
async def test_a_scanned_command_acts_on_the_selected_slot_or_on_the_only_unit(
    story: Story, text: str, selected: bool
) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.arrives(2), *(story.arrives(3) if selected else ()))
        if "STOP" not in text.upper():
            await tell(pilot, app, story.ends(2, Verdict.FAIL))
        await press(pilot, *("2" if selected else ""))
        await scan(pilot, app, text)
        if isinstance(app.screen, Question):
            await press(pilot, "y")
        sent: dict[str, cmd.Command] = {
            "RETRY": cmd.RetrySlot(2), "LIGHT": cmd.SignalUnit(2, True), "STOP": cmd.StopSlot(2),
        }  # fmt: skip
        assert story.sent == [sent[text.partition(":")[2].upper()]]


@on_loop
async def test_a_scanned_command_that_could_mean_several_units_acts_on_none(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.arrives(2), *story.arrives(3), story.ends(3))
        await scan(pilot, app, "CMD:STOP")
        assert "First press a slot number." in picture(app)
        await press(pilot, "3")
        await scan(pilot, app, "CMD:STOP")
        assert "Nothing runs in slot 3." in picture(app)
        assert story.sent == []
        await scan(pilot, app, "CMD:DANCE")
        assert story.sent == [cmd.Scan("CMD:DANCE")], "the engine says that it means nothing"


@on_loop
async def test_the_answer_to_a_scanned_batch_is_shown(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.opened())
        await scan(pilot, app, "BATCH:2026-11-22-A")
        assert story.sent == [cmd.Scan("BATCH:2026-11-22-A")], "the line knows which batches are open"
        say = Say("batch_open", batch="2026-11-22-A")
        await tell(pilot, app, ev.ScanRead(at=AT, shown="2026-11-22-A", accepted=True, say=say))
        assert picture(app).count("Batch 2026-11-22-A open.") == 3, "answer in header and log, and the opening"
        await tell(pilot, app, ev.ScanRead(at=AT, shown="B9", accepted=False, say=Say("batch_not_open", batch="B9")))
        assert "Batch B9 is not open. Call supervisor." in picture(app)


@pytest.mark.parametrize(("opener", "field"), [("", ""), ("s", ""), ("enter", ""), ("f", "find"), ("b", "batch")])
@on_loop
async def test_a_scan_says_which_screen_it_was_made_on(story: Story, opener: str, field: str) -> None:
    app = story.app()
    async with running(app) as pilot:
        await press(pilot, "2", *opener.split())
        await scan(pilot, app, "P044AB1234567")
        (sent,) = story.sent
        assert isinstance(sent, cmd.Scan)
        assert sent.field == field


@on_loop
async def test_what_was_scanned_on_the_find_screen_stands_in_its_field(story: Story) -> None:
    app = story.app()
    async with running(app, (120, 40)) as pilot:
        await press(pilot, "f", "x")
        await tell(pilot, app, ev.ScanRead(at=AT, shown="P044AB1234503", accepted=True, field="find"))
        assert app.screen.query_one(Input).value == "P044AB1234503"
        await tell(
            pilot, app, ev.ScanRead(at=AT, shown="***", accepted=False, say=Say("scan_unreadable"), field="find")
        )
        assert "Scan ***: Not a whole label or badge. Scan again." in picture(app)
        await press(pilot, "escape", "f")
        assert app.screen.query_one(Input).value == ""
        assert "Scan again" not in picture(app)


@on_loop
async def test_a_batch_scanned_on_the_batch_screen_stands_in_its_field(story: Story) -> None:
    app = story.app(profiles=("boron-product",))
    async with running(app) as pilot:
        await press(pilot, "b", "n")
        await scan(pilot, app, "BATCH:B7")
        assert story.sent == [cmd.Scan("BATCH:B7", None, "batch")]
        await tell(pilot, app, ev.ScanRead(at=AT, shown="B7", accepted=True, field="batch"))
        await press(pilot, "enter")
        assert story.sent[1:] == [cmd.OpenBatch("B7", "boron-product", None)]


@on_loop
async def test_a_slot_that_asks_again_says_what_was_read_and_the_header_does_not(story: Story) -> None:
    app = story.app()
    head = story.head(2)
    async with running(app) as pilot:
        await tell(pilot, app, *story.arrives(2))
        await tell(pilot, app, ev.HandsNeeded(**head, step="identify", say=Say("scan_label", unit="P044AB1234502")))
        say = Say("label_of_slot", slot="1")
        await tell(pilot, app, ev.ScanRead(**head, shown="P044AB1234501", accepted=False, say=say))
        await tell(pilot, app, ev.HandsNeeded(**head, step="identify", say=say))
        shown = picture(app)
        assert "Scan P044AB1234501" not in shown.splitlines()[0]
        assert "Scan again." in shown
        assert app.state.notice == ""
        assert app.state.log[0].text == "Scan P044AB1234501: That is the label of slot 1. Scan again."


# --- keys ---


@on_loop
async def test_keys_act_on_the_selected_slot(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.everything())
        await press(pilot, "3", "r", "l")
        await tell(pilot, app, ev.CommandDone(at=AT, slot=3, did="light-on"))
        await press(pilot, "l")
        assert story.sent == [cmd.RetrySlot(3), cmd.SignalUnit(3, True), cmd.SignalUnit(3, False)]
        await press(pilot, "3")
        assert app.selected is None


@pytest.mark.parametrize(
    ("keys", "selected"),
    [
        ("12", 12), ("10", 10), ("32", 32), ("7", 7), ("0", None), ("74", 4), ("33", None), ("11", 11), ("121", 1),
        ("1212", 12), ("55", None),
    ],
)  # fmt: skip
@on_loop
async def test_a_second_digit_makes_the_first_one_the_tens(keys: str, selected: int | None) -> None:
    app = Story(32).app()
    app.digit_s = 60.0  # however slow the machine is
    async with running(app) as pilot:
        await press(pilot, *keys)
        assert app.selected == selected


@on_loop
async def test_a_digit_that_comes_late_names_its_own_slot(story: Story) -> None:
    app = Story(32).app()
    app.digit_s = 0.001
    async with running(app) as pilot:
        await press(pilot, "1", "2")
        assert app.selected == 2


@pytest.mark.parametrize(
    ("keys", "digit_s", "bound"),
    [("12", 60.0, [12]), ("1", 60.0, []), ("1", 0.001, [1]), ("5", 60.0, [5]), ("15", 60.0, [5])],
)
@on_loop
async def test_a_port_is_bound_to_the_slot_whose_number_is_whole(keys: str, digit_s: float, bound: list[int]) -> None:
    story = Story(12)
    app = story.app()
    app.digit_s = digit_s
    async with running(app) as pilot:
        slots = tuple(SlotInfo(number) for number in range(1, 13))
        await tell(pilot, app, ev.StationStarted(at=AT, station_id="s", slots=slots))
        await tell(pilot, app, ev.UnmappedPort(at=AT, port_path="3-9"))
        await press(pilot, *keys)
        assert story.sent == [cmd.BindPort(number, "3-9") for number in bound]


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
        await press(pilot, "enter", "x", "y")  # a step cannot be run while the walk does
        assert story.sent == [cmd.StopSlot(2)]


@on_loop
async def test_batches_are_opened_and_closed_by_keyboard(story: Story) -> None:
    app = story.app(profiles=("boron-product", "argon-product"))
    async with running(app) as pilot:
        await tell(pilot, app, *story.opened())
        await press(pilot, "b")
        assert isinstance(app.screen, Batches)
        assert "2026-11-22-A" in picture(app)
        await press(pilot, "n", *"B7", "enter")
        assert story.sent == [cmd.OpenBatch("B7", "boron-product", None)]
        await press(pilot, "escape", "n", *"B8", "tab", "tab", *"12x", "enter")
        assert "Type a whole number." in picture(app)
        await press(pilot, "backspace", "enter", "escape", "c", "y")
        assert story.sent[1:] == [cmd.OpenBatch("B8", "boron-product", 12), cmd.CloseBatch("2026-11-22-A")]


@on_loop
async def test_a_batch_is_closed_only_when_asked_and_answered_with_yes(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.opened())
        await press(pilot, "b", "c")
        assert "Nothing goes to batch 2026-11-22-A again." in picture(app)
        await press(pilot, "enter", "n")
        assert isinstance(app.screen, Batches)
        await press(pilot, "c", "escape")
        assert story.sent == []
        await press(pilot, "c")
        await tell(pilot, app, ev.BatchClosed(at=AT, batch="2026-11-22-A"), second_batch())
        await press(pilot, "y")
        assert story.sent == [cmd.CloseBatch("2026-11-22-A")], "the one that was asked about"


@on_loop
async def test_a_batch_that_is_refused_says_why_on_the_form_and_keeps_what_was_typed(story: Story) -> None:
    app = story.app(profiles=("boron-product",))
    no = ev.CommandRefused(at=AT, say=Say("profile_unreleased", profile="nope"), reason="no such profile")
    async with running(app) as pilot:
        await tell(pilot, app, *story.opened(), ev.CommandRefused(at=AT, reason="there is no slot 77"))
        await press(pilot, "b", "n")
        assert "there is no slot 77" not in picture(app), "said before the form was opened"
        for _ in range(2):
            await press(pilot, *("B7" if not story.sent else ""), "enter")
            assert "Profile nope is not released." not in picture(app)
            await tell(pilot, app, no)
            assert "Profile nope is not released. Type another one." in picture(app)
            assert app.screen.query_one("#batch", Input).value == "B7"
        await press(pilot, "enter")
        await tell(pilot, app, second_batch())
        assert isinstance(app.screen, Batches)
        assert story.sent == [cmd.OpenBatch("B7", "boron-product", None)] * 3


def second_batch() -> ev.BatchOpened:
    return ev.BatchOpened(at=AT, batch=Batch("B7", ProfileRef("argon-product", 1, "1" * 64), None))


@on_loop
async def test_help_shows_every_sign(story: Story) -> None:
    app = story.app()
    async with running(app, (120, 44)) as pilot:
        await press(pilot, "question_mark")
        assert isinstance(app.screen, Help)
        assert all(word in picture(app) for word in ("YOUR TURN", "SET ASIDE", "breathing cyan", "retry"))
        await press(pilot, "escape")
        assert isinstance(app.screen, BenchScreen)


@pytest.mark.parametrize(
    ("opener", "told", "not_told"),
    [
        ("enter", ("[K] console", "[F] run from here", "[Up] [Down] choose a step"), "type a label"),
        ("b", ("[C] close it", "[O] owed"), "type a label"),
    ],
)
@on_loop
async def test_help_tells_the_keys_of_the_page_it_is_opened_on(
    story: Story, opener: str, told: tuple[str, ...], not_told: str
) -> None:
    app = story.app()
    async with running(app, (80, 24)) as pilot:
        await press(pilot, "1", opener, "question_mark")
        assert isinstance(app.screen, Help)
        seen = picture(app)
        for one in told:
            cap, _, what = one.rpartition("] ")
            assert any(cap.replace("] [", " ").strip("[") in row and what in row for row in seen.splitlines()), one
        assert not_told not in seen


@on_loop
async def test_a_reason_is_cut_to_what_the_config_file_takes_and_seen_while_it_is_typed(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await press(pilot, "2", "o", *"pin", "space", *"bent")
        assert "pin bent" in picture(app)
        await press(pilot, *["backspace"] * 8, *"bent" * 16, "enter")
        assert story.sent == [TakeSlotOut(2, "bent" * (MAX_REASON // 4))]


@on_loop
async def test_a_slot_goes_out_of_service_with_a_reason_and_comes_back_at_once(story: Story) -> None:
    app = story.app()
    async with running(app, (120, 40)) as pilot:
        await press(pilot, "2", "o", *"bent", "enter")
        assert story.sent == [TakeSlotOut(2, "bent")]
        await tell(pilot, app, ev.SlotTakenOut(at=AT, slot=2, why="bent", since=AT))
        assert "OFF" in picture(app)
        assert "bent" in picture(app)
        await press(pilot, "o")
        assert story.sent[1:] == [PutSlotBack(2)]
        await tell(pilot, app, ev.SlotPutBack(at=AT, slot=2))
        assert app.state.slots[1].off is None
        await press(pilot, "o", "escape")
        assert len(story.sent) == 2, "without a reason it stays in service"


@on_loop
async def test_leaving_asks_while_a_unit_is_written(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.arrives(1), *story.writes(1))
        await press(pilot, "q")
        assert isinstance(app.screen, Question)
        assert "A unit is being written." in picture(app)
        await press(pilot, "n")
        assert not app._exit
        await press(pilot, "q", "y")
        assert app._exit


@pytest.mark.parametrize(("key", "opened"), [("S", TypeLabel), ("B", Batches), ("F", Find)])
@on_loop
async def test_a_capital_opens_what_its_small_letter_does(story: Story, key: str, opened: type[Screen[None]]) -> None:
    app = story.app()
    async with running(app) as pilot:
        await press(pilot, key)
        assert isinstance(app.screen, opened)


@on_loop
async def test_capitals_act_on_the_bench_in_details_and_in_dialogs(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.arrives(2), story.ends(2, Verdict.FAIL))
        await press(pilot, "2", "R", "L")
        await tell(pilot, app, *story.arrives(2))
        await press(pilot, "enter", "X", "Y", "Q")
        assert story.sent == [cmd.RetrySlot(2), cmd.SignalUnit(2, True), cmd.StopSlot(2)]
        assert isinstance(app.screen, BenchScreen)
        await press(pilot, "Q", "N")
        assert not app._exit
        await press(pilot, "Q", "Y")
        assert app._exit


@on_loop
async def test_capitals_typed_into_a_field_stay_capitals(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        await press(pilot, "B", "N", *"Bq9S")
        assert app.screen.query_one("#batch", Input).value == "Bq9S"


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
@on_loop
async def test_an_idle_bench_is_left_at_once(story: Story, key: str) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.arrives(1), story.ends(1))
        await press(pilot, key)
        assert app._exit


@on_loop
async def test_a_station_that_tells_other_slots_gets_other_tiles(story: Story) -> None:
    app = story.app()
    async with running(app) as pilot:
        slots = tuple(SlotInfo(n) for n in (1, 2, 3))
        await tell(pilot, app, ev.StationStarted(at=AT, station_id="s", slots=slots))
        await pilot.pause()
        assert [one.slot.number for one in app.query(SlotTile)] == [1, 2, 3]
        assert tile(app, 3).region.right == 80
