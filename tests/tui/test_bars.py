"""The one-line texts around the slots on screens of every width: what stays, what goes, and that nothing is cut."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace

import pytest
from support.screen_pilot import on_loop, picture, press, running, tell
from support.screen_story import AT, Story
from support.spoken import ENGLISH

from station.engine import events as ev
from station.figures import Figures
from station.model import Batch, Outcome, ProfileRef, Verdict
from station.tui.screens.bench import BenchScreen
from station.tui.screens.details import Details
from station.view.bars import FOOTER_ROWS, details_footer, footer, frame, header, log_line
from station.view.look import ASCII, UNICODE, Look
from station.view.reduce import replay
from station.view.state import BenchState, LogLine, SlotState, TraceLine
from station.words.say import Say

FIGURES = Figures(units=4, passed=3, failed=1, judged=4, first_passed=3)
WHOLE_KEYS = re.compile(r"(?:\[[^]]+\] [a-z ]+|\[Up\] \[Down\] choose a step)(?:  |$)")


def demo_bench(story: Story, *told: ev.Event) -> BenchState:
    """A demo's bench: virtual, two profiles, some units through."""
    batches = (Batch(f"demo-{name}", ProfileRef(name, 1, "0" * 64)) for name in ("widget-boron", "widget-argon"))
    opened = [ev.BatchOpened(at=AT, batch=batch, title=batch.profile.id.upper()) for batch in batches]
    progress = ev.BatchProgress(at=AT, batch="demo-widget-boron", figures=FIGURES)
    started = ev.StationStarted(at=AT, station_id="demo", slots=story.slots, operator="0417", virtual=True)
    cloud = ev.CloudStateChanged(at=AT, reachable=True)
    return replay(BenchState.of(story.slots, ENGLISH), [started, *opened, progress, cloud, *told])


def test_virtual_units_are_named_first_on_every_width_and_nothing_is_cut(story: Story) -> None:
    state = demo_bench(story, ev.OutboxChanged(at=AT, waiting=4))
    whole = set(header(state, 200, UNICODE).split(UNICODE.separator))
    for width in range(7, 140):
        first, *others = header(state, width, UNICODE).split(UNICODE.separator)
        assert first == "VIRTUAL"
        assert set(others) <= whole


@pytest.mark.parametrize(
    ("speed", "shown"),
    [(1.0, "VIRTUAL"), (6.0, "VIRTUAL ×6"), (4.8, "VIRTUAL ×4.8"), (None, "VIRTUAL, simulated time")],
)
def test_time_that_does_not_pass_as_on_the_wall_is_said(story: Story, speed: float | None, shown: str) -> None:
    started = ev.StationStarted(at=AT, station_id="demo", slots=story.slots, virtual=True, speed=speed)
    state = replay(BenchState.of(story.slots, ENGLISH), [started])
    assert header(state, 80, UNICODE).split(UNICODE.separator)[0] == shown
    assert header(state, 80, ASCII).split(ASCII.separator)[0] == shown.replace("×", "x")


@pytest.mark.parametrize(
    ("answers", "shown"), [((), "cloud ?"), ((True,), "cloud ●"), ((False,), "cloud ○"), ((True, False), "cloud ○")]
)
def test_the_light_of_the_cloud_is_a_question_until_it_was_asked(
    story: Story, answers: tuple[bool, ...], shown: str
) -> None:
    told = [ev.CloudStateChanged(at=AT, reachable=answer) for answer in answers]
    state = replay(BenchState.of(story.slots, ENGLISH), told)
    assert shown in header(state, 80, UNICODE).split(UNICODE.separator)
    # who comes later hears at the start what was found out before
    known = ev.StationStarted(at=AT, station_id="s", slots=story.slots, cloud=answers[-1] if answers else None)
    assert shown in header(replay(BenchState.of(story.slots, ENGLISH), [known]), 80, UNICODE).split(UNICODE.separator)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (LogLine(AT, "PASS in 21.4 s", 3, "P044", Look.PASS), "10:14:03 UTC  slot 3  P044  ✔ PASS in 21.4 s"),
        (LogLine(AT, "Batch B1 open."), "10:14:03 UTC  Batch B1 open."),
        (LogLine(AT, "FAIL in 3.0 s", 12, "", Look.FAIL), "10:14:03 UTC  slot 12  ✖ FAIL in 3.0 s"),
        (LogLine(AT, "x" * 80), f"10:14:03 UTC  {'x' * 45}~"),
    ],
)
def test_a_line_of_the_log_says_when_where_who_and_what(line: LogLine, shown: str) -> None:
    assert log_line(line, 60, UNICODE, ENGLISH) == shown


def test_a_real_bench_is_never_called_virtual(story: Story) -> None:
    state = replay(BenchState.of(story.slots, ENGLISH), story.opened())
    assert header(state, 200, UNICODE).startswith("WIDGET-BORON r7")


@pytest.mark.parametrize(
    ("width", "outbox", "shown"),
    [
        (118, 0, "VIRTUAL · WIDGET-BORON r1, WIDGET-ARGON r1 · 2 batches · 3 PASS · FPY 75.0 % · cloud ● · op 0417"),
        (90, 0, "VIRTUAL · WIDGET-BORON r1, WIDGET-ARGON r1 · 2 batches · 3 PASS · FPY 75.0 % · cloud ●"),
        (80, 0, "VIRTUAL · WIDGET-BORON r1, WIDGET-ARGON r1 · 2 batches · 3 PASS · cloud ●"),
        (78, 4, "VIRTUAL · WIDGET-BORON r1, WIDGET-ARGON r1 · 3 PASS · cloud ● · owed 4"),
        (58, 0, "VIRTUAL · WIDGET-BORON r1, WIDGET-ARGON r1 · 3 PASS"),
        (30, 4, "VIRTUAL · 3 PASS · owed 4"),
    ],
)
def test_profile_and_revision_go_later_than_what_is_worth_less(
    story: Story, width: int, outbox: int, shown: str
) -> None:
    state = demo_bench(story, ev.OutboxChanged(at=AT, waiting=outbox))
    assert header(state, width, UNICODE).replace(" · owed 0", "") == shown


def test_a_cloud_that_is_away_is_told_before_the_profile(story: Story) -> None:
    state = demo_bench(story, ev.CloudStateChanged(at=AT, reachable=False), ev.OutboxChanged(at=AT, waiting=4))
    assert header(state, 58, UNICODE) == "VIRTUAL · 2 batches · 3 PASS · cloud ○ · owed 4 · op 0417"
    assert header(state, 26, UNICODE) == "VIRTUAL · 3 PASS · cloud ○"


@pytest.mark.parametrize("width", [12, 17, 25, 40, 58, 79, 98, 119])
def test_a_narrow_screen_names_whole_keys_and_always_the_way_out(story: Story, width: int) -> None:
    state = demo_bench(story)
    in_details = details_footer(state.slots[0], width, ENGLISH)
    for line, way_out in ((footer(state, width), "[Q] leave"), (in_details[-1], "[Esc] back")):
        assert line.endswith(way_out)
    assert len(in_details) <= FOOTER_ROWS
    assert [line for line in (footer(state, width), *in_details) if WHOLE_KEYS.sub("", line)] == []


def test_a_wide_details_view_names_every_key_that_works_now() -> None:
    told = SlotState(1, is_present=True, attempt="a", device_id="e" * 24, trace=(TraceLine("OUT", "0a"),))
    assert details_footer(told, 160, ENGLISH) == [
        "[Tab] panel  [Up] [Down] choose a step  [Enter] run it  [F] run from here  [R] retry  [L] light  [M] mode"
        "  [K] console  [P] light seen  [V] bytes  [T] save wire",
        "[S] save report  [C] copy  [?] help  [Esc] back",
    ]
    assert "[X] stop" in details_footer(replace(told, is_walking=True), 160, ENGLISH)[0]
    assert "[V] bytes" not in details_footer(replace(told, trace=(TraceLine("OUT"),)), 160, ENGLISH)[0]
    assert details_footer(SlotState(1), 160, ENGLISH) == [
        "[Tab] panel  [Up] [Down] choose a step  [?] help  [Esc] back"
    ]


@pytest.mark.parametrize("size", [(80, 24), (60, 16)])
@on_loop
async def test_small_screens_keep_virtual_and_the_way_back(size: tuple[int, int]) -> None:
    story = Story(4)
    app = story.app()
    async with running(app, size) as pilot:
        started = ev.StationStarted(at=AT, station_id="demo", slots=story.slots, operator="0417", virtual=True)
        await tell(pilot, app, *story.opened(), started, ev.OutboxChanged(at=AT, waiting=4), *story.arrives(1))
        assert picture(app).splitlines()[0].startswith(" VIRTUAL · WIDGET-BORON r7 ")
        await press(pilot, "1", "enter")
        assert isinstance(app.screen, Details)
        assert picture(app).splitlines()[-1].rstrip().endswith("[Esc] back")
        await press(pilot, "escape")
        assert isinstance(app.screen, BenchScreen)


def test_a_wide_header_shows_how_far_the_batch_is(story: Story) -> None:
    state = replay(BenchState.of(story.slots, ENGLISH), story.opened())
    assert "126/500 PASS ■■■□□□□□□□ · " in header(state, 100, UNICODE)
    assert "126/500 PASS · " in header(state, 99, UNICODE)
    assert "126/500 PASS ###....... | ".replace(".......", ASCII.share_rest * 7) in header(state, 110, ASCII)


def test_keys_that_cannot_work_now_are_not_named(story: Story) -> None:
    state = replay(BenchState.of(story.slots, ENGLISH), [*story.opened(), *story.arrives(1)])
    nothing_selected, unit, empty = (footer(state, 118, slot) for slot in (None, 1, 2))
    assert "[Enter]" not in nothing_selected
    assert "[R]" not in nothing_selected
    assert "[Enter] details" in unit
    assert "[R]" not in unit, "it is at work"
    assert "[X] stop" in unit
    assert "[X]" not in empty
    assert "[Enter] details" in empty
    assert "[R]" not in empty
    alone = replace(state, slots=state.slots[:1])
    assert "[Enter] details  [X] stop" in footer(alone, 118)
    judged = replay(state, [story.ends(1, Verdict.FAIL)])
    assert "[Enter] details  [R] retry  [L] light" in footer(judged, 118, 1)
    assert "[X]" not in footer(judged, 118, 1)


def test_a_bench_of_one_slot_has_no_slot_to_choose() -> None:
    one, two = (BenchState(tuple(SlotState(n + 1) for n in range(count)), ENGLISH) for count in (1, 2))
    assert "[1-9]" not in footer(one, 118)
    assert "[1-9] slot" in footer(two, 118)


def test_the_line_of_a_selected_slot_names_its_step_between_two_steps_too(story: Story) -> None:
    ended = ev.StepFinished(**story.head(1), step="identify", outcome=Outcome.ALREADY)
    state = replay(BenchState.of(story.slots, ENGLISH), [*story.arrives(1), ended])
    slot = state.slot(1)
    assert slot is not None
    assert slot.is_walking
    assert slot.current is None
    assert frame(state, 80, 0, UNICODE, selected=1).line == "slot 1  P044AB1234501  ▶ Identify"


def test_with_no_slot_selected_the_line_is_of_the_slot_that_has_waited_longest(story: Story) -> None:
    def asks(slot: int, minute: int, key: str = "scan_card") -> ev.Event:
        head = story.head(slot) | {"at": AT + datetime.timedelta(minutes=minute)}
        return ev.HandsNeeded(**head, step="dfu", say=Say(key, unit=f"U{slot}"))

    state = replay(BenchState.of(story.slots, ENGLISH), [one for n in (1, 2, 3) for one in story.arrives(n)])

    def line(*told: ev.Event, selected: int | None = None) -> str:
        return frame(replay(state, told), 118, 0, UNICODE, selected=selected).line

    assert line() == ""
    assert line(asks(3, 1), asks(2, 2)).startswith("slot 3  P044AB1234503  ☞ YOUR TURN")
    assert line(asks(3, 1), asks(2, 2), asks(3, 3, "scan_label")).startswith("slot 3"), (
        "asked again, it waits all along"
    )
    done = ev.HandsDone(**story.head(3), step="dfu")
    assert line(asks(3, 1), asks(2, 2), done, asks(3, 3)).startswith("slot 2")
    assert line(asks(3, 1), asks(2, 2), selected=2).startswith("slot 2")
    assert line(asks(3, 1), selected=1).startswith("slot 1"), "the selected one, whoever waits"


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        (("q",), "[Y] yes   [N] no"),
        (("2", "s"), "[Enter] use it   [Esc] close"),
        (("2", "o"), "[Enter] use it   [Esc] close"),
        (("question_mark",), "[Esc] close"),
    ],
)
@on_loop
async def test_under_a_window_the_last_line_names_the_keys_of_the_window(
    story: Story, keys: tuple[str, ...], shown: str
) -> None:
    app = story.app()
    async with running(app) as pilot:
        await tell(pilot, app, *story.arrives(1), *story.writes(1))
        before = picture(app).splitlines()[-1].strip()
        await press(pilot, *keys)
        await tell(pilot, app, *story.writes(1, 0.9))
        assert picture(app).splitlines()[-1].strip() == shown
        await press(pilot, "escape", *keys[:-1])
        assert picture(app).splitlines()[-1].strip() == before


def test_a_line_of_the_log_names_a_unit_once_and_so_has_room_for_what_to_do() -> None:
    say = Say("pull_unit", unit="P044AB1234567DE")
    line = LogLine(AT, ENGLISH.line(say), name="P044AB1234567DE", look=Look.FAIL)
    assert log_line(line, 78, UNICODE, ENGLISH) == (
        "10:14:03 UTC  ✖ Cloud refused unit P044AB1234567DE. Pull it from the tray."
    )
