"""The details stay with the unit they were opened for, and show what the station answers meanwhile."""

from __future__ import annotations

from dataclasses import replace

from support.screen_pilot import on_loop, picture, press, running, tell
from support.screen_story import AT, STEPS, Story
from support.spoken import ENGLISH

from station.engine import commands as cmd
from station.engine import events as ev
from station.model import Batch, Outcome, ProfileRef, Verdict
from station.view.reduce import replay
from station.view.state import BenchState
from station.words.say import Say

FOOTER = "[N] label again"


def another(story: Story) -> list[ev.Event]:
    """The next unit in slot 1, with an identity of its own, at work."""
    head = {**story.head(1, "attempt-2"), "device_id": "e00fce68ffffffffffffffff"}
    return [
        ev.UnitArrived(at=AT, slot=1, port_path="1-1", device_id=head["device_id"], platform="Boron"),
        ev.AttemptStarted(**head, port_path="1-1", batch="2026-11-22-A", profile="boron-product", steps=STEPS),
    ]


def part(story: Story, *steps: str) -> ev.AttemptStarted:
    """A walk of some steps only, as a technician runs it."""
    head = story.head(1, "attempt-2")
    return ev.AttemptStarted(**head, port_path="1-1", batch="2026-11-22-A", profile="boron-product", steps=steps)


def stopped(story: Story) -> ev.AttemptFinished:
    """How a walk of some steps ends."""
    return replace(story.ends(1, Verdict.ABORTED, "part_walked"), attempt="attempt-2")


def labelled(story: Story, *, outcome: Outcome = Outcome.DONE) -> list[ev.Event]:
    """A unit whose walk printed its label."""
    return [
        *story.arrives(1),
        ev.StepFinished(**story.head(1), step="label", outcome=outcome, seconds=1.0),
        story.ends(1),
    ]


@on_loop
async def test_the_unit_looked_at_stays_when_the_next_one_is_plugged_in() -> None:
    story = Story(1)
    app = story.app()
    device_id = story.head(1)["device_id"]
    async with running(app, (120, 40)) as pilot:
        await tell(pilot, app, *story.arrives(1), story.ends(1, Verdict.FAIL, "unit_refused"))
        await press(pilot, "enter", "c")
        await tell(pilot, app, story.left(1))
        assert device_id in picture(app)
        assert "This unit has left slot 1" in picture(app)
        await tell(pilot, app, *another(story))
        assert device_id in picture(app)
        assert "Another unit is in slot 1 now: go back, and open the slot again." in picture(app)
        await press(pilot, "r", "enter", "l", "m", "n", "x")
        assert story.sent == []  # nothing is done to a unit nobody looks at
        await press(pilot, "s")
        assert story.sent == [cmd.SaveReport(1, "attempt-1", ())]
        await press(pilot, "escape", "enter")
        assert "e00fce68ffffffffffffffff" in picture(app)
        assert device_id not in picture(app)


@on_loop
async def test_a_unit_that_comes_back_is_followed_again() -> None:
    story = Story(1)
    app = story.app()
    async with running(app, (120, 40)) as pilot:
        await tell(pilot, app, *story.arrives(1), story.ends(1, Verdict.ABORTED, "unplugged_too_early"))
        await press(pilot, "enter")
        await tell(pilot, app, story.left(1), *another(story))
        assert "Another unit is in slot 1 now" in picture(app)
        await tell(pilot, app, part(story, *STEPS))
        text = picture(app)
        assert "Another unit" not in text
        assert "attempt-2" in text


@on_loop
async def test_a_retry_is_followed_before_the_unit_has_told_who_it_is_and_a_stranger_then_is_not() -> None:
    story = Story(1)
    app = story.app()
    device_id = story.head(1)["device_id"]
    nameless = replace(part(story, *STEPS), device_id=None)
    async with running(app, (120, 40)) as pilot:
        await tell(pilot, app, *story.arrives(1), story.ends(1, Verdict.ERROR, "silent"))
        await press(pilot, "enter", "r")
        await tell(pilot, app, nameless)
        assert "attempt-2" in picture(app)
        assert "Another unit" not in picture(app)
        await press(pilot, "x", "y")
        assert story.sent == [cmd.RetrySlot(1), cmd.StopSlot(1)]
        await tell(pilot, app, *another(story)[1:])
        assert "Another unit is in slot 1 now" in picture(app)
        assert device_id in picture(app)
        await tell(pilot, app, story.left(1), nameless)
        assert device_id in picture(app)
        assert "Another unit is in slot 1 now" in picture(app)


@on_loop
async def test_an_empty_slot_shows_the_first_unit_that_comes() -> None:
    story = Story(1)
    app = story.app()
    async with running(app, (120, 40)) as pilot:
        await press(pilot, "enter")
        await tell(pilot, app, *story.arrives(1))
        assert story.head(1)["device_id"] in picture(app)


@on_loop
async def test_what_the_station_answers_takes_the_place_of_the_reply_to_a_key() -> None:
    story = Story(2)
    app = story.app()
    async with running(app, (120, 40)) as pilot:
        await tell(pilot, app, *story.arrives(1), story.ends(1, Verdict.FAIL, "unit_refused"), *story.arrives(2))
        await press(pilot, "1", "enter", "s")
        assert "Is being written." in picture(app)
        await tell(pilot, app, ev.CommandDone(at=AT, slot=1, did="saved", what="reports/attempt-1.html"))
        assert "reports/attempt-1.html" in picture(app)
        assert "Is being written." not in picture(app)


@on_loop
async def test_the_answer_to_a_scan_is_seen_in_the_details_whatever_it_was_for() -> None:
    story = Story(2)
    app = story.app()
    async with running(app, (120, 40)) as pilot:
        await tell(pilot, app, *story.arrives(1), story.ends(1, Verdict.FAIL, "unit_refused"), *story.arrives(2))
        await tell(pilot, app, *story.asks(2))
        await press(pilot, "1", "enter")
        say = Say("label_of_slot", slot="1")
        read = ev.ScanRead(at=AT, slot=2, say=say, shown="P044AB1234501", accepted=False, reason="label of slot 1")
        await tell(pilot, app, read)
        assert "That is the label of slot 1." in picture(app)
        batch = Batch("LOT-7", ProfileRef("boron-product", 7, "0" * 64))
        await tell(pilot, app, ev.BatchOpened(at=AT, batch=batch, title="WIDGET-BORON"))
        assert "Batch LOT-7 open." in picture(app)
        await tell(pilot, app, ev.OperatorChanged(at=AT, operator="0815"))
        assert "Operator 0815." in picture(app)
        await tell(pilot, app, story.ends(2))
        assert "Operator 0815." in picture(app)  # a verdict stands in its own slot
        await press(pilot, "tab")
        assert "Operator 0815." not in picture(app)


@on_loop
async def test_a_long_answer_of_the_station_is_told_to_its_end() -> None:
    story = Story(1)
    app = story.app()
    why = "the unit on port virtual-1-usb-0:3 came back as 2b04:d00c, not in application mode; walk it again"
    async with running(app, (80, 24)) as pilot:
        await tell(pilot, app, *story.arrives(1), story.ends(1, Verdict.FAIL, "unit_refused"))
        await press(pilot, "enter")
        await tell(pilot, app, ev.CommandRefused(at=AT, slot=1, reason=why))
        assert "walk it again" in picture(app)
        await tell(pilot, app, ev.CommandRefused(at=AT, slot=1, reason=" and so on".join([why] * 9)))
        assert sum("and so on" in line for line in picture(app).splitlines()) == 1
        assert "~" in picture(app)
        assert "[Esc] back" in picture(app)


def test_after_a_part_every_step_of_the_profile_can_still_be_chosen() -> None:
    story = Story(1)
    whole = replay(BenchState.of(story.slots, ENGLISH), [*story.arrives(1), story.ends(1, Verdict.FAIL)])
    state = replay(whole, [part(story, "identify", "sim")])
    slot = state.slot(1)
    assert slot is not None
    assert [line.step for line in slot.steps] == ["identify", "sim"]
    assert [line.step for line in slot.all_steps] == list(STEPS)
    once_more = replay(state, [stopped(story), part(story, "firmware")]).slot(1)
    assert once_more is not None
    assert [line.step for line in once_more.all_steps] == list(STEPS)
    again = replay(state, [part(story, *STEPS)]).slot(1)
    assert again is not None
    assert (again.profile_steps, again.all_steps) == ((), again.steps)


def test_after_a_part_every_step_can_be_chosen_of_a_unit_that_says_only_later_who_it_is() -> None:
    story = Story(1)
    told = [*story.arrives(1), story.ends(1, Verdict.FAIL), replace(part(story, "identify", "sim"), device_id=None)]
    slot = replay(BenchState.of(story.slots, ENGLISH), told).slot(1)
    assert slot is not None
    assert [line.step for line in slot.all_steps] == list(STEPS)
    left = ev.UnitLeft(at=AT, slot=1, port_path=slot.port_path or "")
    after = replay(BenchState.of(story.slots, ENGLISH), [*told[:-1], left, told[-1]]).slot(1)
    assert after is not None
    assert [line.step for line in after.all_steps] == ["identify", "sim"]


def test_another_unit_or_profile_brings_only_its_own_steps() -> None:
    story = Story(1)
    whole = replay(BenchState.of(story.slots, ENGLISH), story.arrives(1))
    started = part(story, "identify", "sim")
    other_profile = replay(whole, [replace(started, profile="argon-product")]).slot(1)
    other_unit = replay(whole, [replace(started, device_id="e00fce68ffffffffffffffff")]).slot(1)
    assert other_profile is not None
    assert other_unit is not None
    assert [line.step for line in other_profile.all_steps] == ["identify", "sim"]
    assert [line.step for line in other_unit.all_steps] == ["identify", "sim"]


@on_loop
async def test_a_step_outside_of_the_part_is_run_from_the_details() -> None:
    story = Story(1)
    app = story.app()
    async with running(app, (120, 40)) as pilot:
        await tell(pilot, app, *story.arrives(1), story.ends(1, Verdict.FAIL, "unit_refused"))
        await tell(pilot, app, part(story, "identify", "sim"), stopped(story))
        await press(pilot, "enter")
        assert "Only some of the steps ran." in picture(app)
        await press(pilot, "up", "up", "up", "up", "down", "down", "f")
        assert story.sent == [cmd.RunStep(1, "firmware", ("product_add", "sim"))]


@on_loop
async def test_the_label_of_a_unit_is_printed_once_more_with_n() -> None:
    story = Story(1)
    app = story.app()
    async with running(app, (160, 40)) as pilot:
        await tell(pilot, app, *labelled(story))
        await press(pilot, "enter")
        assert FOOTER in picture(app)
        await press(pilot, "n")
        assert story.sent == [cmd.PrintLabel(1)]
        assert "Its label is printed once more." in picture(app)


@on_loop
async def test_a_walk_that_asks_for_its_label_lets_n_print_another_one() -> None:
    story = Story(1)
    app = story.app()
    async with running(app, (160, 40)) as pilot:
        await tell(pilot, app, *story.arrives(1))
        asks = ev.HandsNeeded(step="label", say=Say("label_in_doubt", unit="P044AB1234567"), **story.head(1))
        await tell(pilot, app, asks)
        await press(pilot, "enter", "n")
        assert story.sent == [cmd.PrintLabel(1)]


@on_loop
async def test_a_unit_without_a_label_is_offered_none_and_the_refusal_of_the_station_is_seen() -> None:
    story = Story(1)
    app = story.app()
    async with running(app, (160, 40)) as pilot:
        await tell(pilot, app, *labelled(story, outcome=Outcome.SKIPPED))
        await press(pilot, "enter")
        assert FOOTER not in picture(app)
        await press(pilot, "n")
        await tell(pilot, app, ev.CommandRefused(at=AT, slot=1, say=Say("no_label_again"), reason="none"))
        assert "No label to print again." in picture(app)
        assert "Its label is printed once more." not in picture(app)
