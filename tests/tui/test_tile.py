"""What fits into a place: word and shape always, whole sentences or none, never a cell too many."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from support.screen_story import Story
from support.spoken import ENGLISH

from station.engine import events as ev
from station.model import OffSlot, Outcome, SlotInfo, Verdict
from station.view import bigtext
from station.view.layout import arrange
from station.view.look import ASCII, LIGHTS, UNICODE, VERDICT_LOOK, Glyphs, Look
from station.view.reduce import replay
from station.view.state import Ask, BenchState, Held, SlotState, StepLine
from station.view.tile import Place, compose
from station.words.languages import load
from station.words.say import Say

SLOT = SlotState(3, "1-3", is_present=True, attempt="a", label="P044AB1234567", seconds=21.4)


def shown(slot: SlotState, width: int, height: int, glyphs: Glyphs = UNICODE) -> str:
    return "\n".join(line.text for line in compose(slot, Place(width, height, ENGLISH, glyphs)))


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize(("width", "height"), [(8, 3), (18, 6), (18, 9), (28, 17)])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_word_and_shape_are_readable_in_every_place(verdict: Verdict, width: int, height: int, glyphs: Glyphs) -> None:
    text = shown(replace(SLOT, verdict=verdict, say=Say("silent")), width, height, glyphs)
    look = VERDICT_LOOK[verdict]
    plain = any(word in text for word in (ENGLISH.face(look.value).word, ENGLISH.face(look.value).short))
    drawn = any(mark in text for mark in "█▀▄#")
    assert plain or drawn
    assert glyphs.shape(look) in text or (drawn and not glyphs.ascii_only)


def test_an_empty_slot_is_mostly_its_number() -> None:
    lines = compose(SlotState(7), Place(76, 20, ENGLISH))
    blocks = sum(any(mark in line.text for mark in "█▀▄") for line in lines)
    assert blocks >= 15
    assert lines[-1].text == "Plug in a unit."


def test_one_slot_fills_the_screen_with_its_verdict() -> None:
    lines = compose(replace(SLOT, verdict=Verdict.PASS, say=Say("pass")), Place(118, 32, ENGLISH))
    blocks = [line.text for line in lines if any(mark in line.text for mark in "█▀▄")]
    assert len(blocks) >= 20
    assert max(map(len, blocks)) >= 60


def test_what_is_lost_first_is_least_needed() -> None:
    slot = replace(SLOT, verdict=Verdict.FAIL, say=Say("wrong_platform", found="Argon", wanted="Boron"))
    assert "This batch wants Boron." in shown(slot, 28, 9)
    assert "21.4 s" in shown(slot, 28, 12)
    small = shown(slot, 8, 3)
    assert "Red bin." in small
    assert "This" not in small  # half a sentence would say the wrong thing


def test_a_sentence_the_catalogue_does_not_know_gives_way_to_the_reason() -> None:
    slot = replace(SLOT, verdict=Verdict.FAIL, say=Say("not_in_there"), reason="bootloader 3002 is missing")
    text = shown(slot, 40, 12)
    assert "bootloader 3002 is missing" in text
    assert "Red bin." in text


def test_writing_says_do_not_unplug_in_every_place() -> None:
    story = Story(1)
    state = replay(BenchState.of(story.slots, ENGLISH), [*story.arrives(1), *story.writes(1)])
    for width, height in [(10, 5), (18, 6), (78, 20)]:
        text = " ".join(shown(state.slots[0], width, height).split())
        assert "Do not unplug." in text
        assert "68 %" in text


def test_a_held_unit_says_that_it_goes_on_by_itself_in_every_place() -> None:
    story = Story(1)
    head = story.head(1)
    told = (ev.StepStarted(**head, step="product_add"), ev.StepHeld(**head, step="product_add", say=Say("cloud_hold")))
    state = replay(BenchState.of(story.slots, ENGLISH), [*story.arrives(1), *told])
    for width, height in [(18, 6), (40, 12), (78, 20)]:
        text = " ".join(shown(state.slots[0], width, height).split())
        assert "Wait. It goes on by itself." in text
        assert "… WAITS" in text
        assert "before it" not in text


def test_a_unit_in_a_queue_says_how_many_are_before_it() -> None:
    line = StepLine("identify", is_running=True, held=Held(Say("scanner_busy"), before=2))
    slot = replace(SLOT, is_walking=True, steps=(line,))
    assert shown(slot, 40, 12).split("\n") == [
        "… WAITS", "", "Another slot has the scanner.", "2 before it.", "Wait. It goes on by itself.", "P044AB1234567",
    ]  # fmt: skip
    small = shown(slot, 18, 5)  # what has to be known before what is good to know
    assert "2 before it." in small
    assert "Another slot" not in small


def test_the_light_blinks_in_its_colour_and_is_said_in_words() -> None:
    slot = replace(SLOT, is_walking=True, asks=(Ask("dfu", Say("dfu_by_hand", button="MODE"), "blinking yellow"),))
    lit = compose(slot, Place(40, 24, ENGLISH, is_lit=True))
    dark = compose(slot, Place(40, 24, ENGLISH, is_lit=False))
    assert "blinking yellow" in "\n".join(line.text for line in dark)
    coloured = [line for line in lit if line.colour == "#FFD800"]
    assert len(coloured) >= 6  # a disc large enough to be seen, and the word
    assert sum("█" in line.text for line in lit) > sum("█" in line.text for line in dark)


@pytest.mark.parametrize("language", ["en", "de", "zh"])
@pytest.mark.parametrize("light", LIGHTS)
def test_a_small_tile_says_the_colour_of_the_light_and_never_half_of_what_it_does(light: str, language: str) -> None:
    words = load(language, datetime.UTC)
    slot = replace(SLOT, is_walking=True, asks=(Ask("dfu", Say("listening_by_hand", button="MODE"), light),))
    for width in range(11, 40):
        (line,) = (line for line in compose(slot, Place(width, 8, words)) if line.colour)
        colour = words.led_colour(light)
        assert line.text in (f"● {words.led(light)}", f"● {colour}", f"●{colour}")


@pytest.mark.parametrize(("width", "steps"), [(18, "3 of 12 steps"), (12, "3/12"), (4, "3/12"), (3, "")])
def test_a_small_tile_counts_the_steps_in_figures(width: int, steps: str) -> None:
    ended = StepLine("identify", outcome=Outcome.DONE)
    slot = replace(SLOT, is_walking=True, steps=(*([ended] * 3), *([StepLine("dfu")] * 9)))
    lines = [line.text for line in compose(slot, Place(width, 8, ENGLISH))]
    assert (steps in lines) if steps else not any("/" in line for line in lines)


def test_a_note_is_whole_or_not_there() -> None:
    note = StepLine("dfu", is_running=True, share=0.5, note="system part 1")
    slot = replace(SLOT, is_walking=True, steps=(note,))
    assert "system part 1" in shown(slot, 13, 9)
    assert "system" not in shown(slot, 12, 9)


@pytest.mark.parametrize(
    ("platform", "width", "told"),
    [("B5-SoM", 18, "B5-SoM"), ("Asset Tracker / Monitor One", 27, "Asset Tracker / Monitor One"),
     ("Asset Tracker / Monitor One", 18, "Asset Tracker"), ("Asset Tracker / Monitor One", 11, "")],
)  # fmt: skip
@pytest.mark.parametrize("verdict", [None, *Verdict])
def test_a_mixed_bench_says_what_kind_of_unit_it_is_where_there_is_room(
    platform: str, width: int, told: str, verdict: Verdict | None
) -> None:
    slot = replace(SLOT, platform=platform, is_walking=True, verdict=verdict, reason="no", label="P044")
    mixed = [line.text for line in compose(slot, Place(width, 20, ENGLISH, is_mixed=True))]
    pure = [line.text for line in compose(slot, Place(width, 20, ENGLISH))]
    assert (told in mixed) if told else (mixed == pure)
    assert platform not in pure
    assert len(compose(slot, Place(width, 3, ENGLISH, is_mixed=True))) <= 3


@settings(max_examples=150)
@given(
    st.integers(0, 130), st.integers(0, 45), st.sampled_from([None, *Verdict]), st.sampled_from([UNICODE, ASCII]),
    st.booleans(), st.text(max_size=40),
)  # fmt: skip
def test_no_line_leaves_its_place(
    width: int, height: int, verdict: Verdict | None, glyphs: Glyphs, asks: bool, text: str
) -> None:
    slot = replace(SLOT, verdict=verdict, is_walking=True, reason="why " * 40, label="漢字" * 20, say=Say("x"))
    slot = replace(slot, asks=(Ask("s", Say("dfu_by_hand", button="MODE"), "blinking yellow"),)) if asks else slot
    lines = compose(slot, Place(width, height, ENGLISH, glyphs))
    assert len(lines) <= height
    assert all(cell_len(line.text) <= width for line in lines)


LOUD = [look for look in Look if ENGLISH.face(look.value).word and look not in (Look.WAITS, Look.OFF)]


@pytest.mark.parametrize("look", LOUD)
def test_every_verdict_word_and_shape_can_be_drawn(look: Look) -> None:
    assert bigtext.can_draw(ENGLISH.face(look.value).word)
    assert bigtext.can_draw(UNICODE.shape(look))


def test_what_asks_nobody_for_anything_is_said_in_ordinary_letters() -> None:
    story = Story(1)
    working = replay(BenchState.of(story.slots, ENGLISH), [*story.arrives(1), *story.writes(1)]).slots[0]
    held = StepLine("product_add", is_running=True, held=Held(Say("cloud_hold")))
    for slot in (working, replace(SLOT, is_walking=True, steps=(held,))):
        lines = compose(slot, Place(118, 32, ENGLISH))
        assert not [line.text for line in lines if any(mark in line.text for mark in "▀▄")]
    for look in LOUD:  # and the others shout wherever there is room
        assert any("█" in line.text for line in compose(of_look(look), Place(76, 20, ENGLISH)))


def of_look(look: Look) -> SlotState:
    if look is Look.HANDS:
        return replace(SLOT, is_walking=True, asks=(Ask("dfu", Say("dfu_by_hand", button="MODE")),))
    if look is Look.OFF:
        return replace(SLOT, off=OffSlot(SLOT.number, "bent"))
    return replace(SLOT, verdict=next(verdict for verdict, its in VERDICT_LOOK.items() if its is look))


def test_letters_grow_with_the_place_and_never_beyond_it() -> None:
    areas = []
    for width, height in [(15, 3), (30, 5), (60, 10), (120, 20)]:
        big = bigtext.draw([["PASS"]], width, height)
        assert big is not None
        assert len(big.lines) <= height
        assert max(map(len, big.lines)) <= width
        areas.append(big.area)
    assert areas == sorted(set(areas))
    assert bigtext.draw([["PASS"]], 14, 3) is None
    assert bigtext.draw([["PASS"]], 80, 2) is None
    assert bigtext.draw([["Gerät"]], 80, 20) is None


@pytest.mark.parametrize(
    ("slots", "width", "height", "columns", "rows"),
    [
        (1, 80, 24, 1, 1), (2, 80, 24, 2, 1), (4, 80, 24, 4, 1), (5, 80, 24, 3, 2), (8, 80, 24, 4, 2),
        (9, 120, 40, 5, 2), (12, 120, 40, 6, 2), (16, 120, 40, 6, 3), (32, 80, 24, 8, 4), (32, 120, 40, 8, 4),
    ],
)  # fmt: skip
def test_slots_are_laid_out_by_their_number(slots: int, width: int, height: int, columns: int, rows: int) -> None:
    plan = arrange(slots, width, height)
    assert (plan.columns, plan.rows) == (columns, rows)
    assert plan.columns * plan.rows >= slots


@given(st.integers(1, 32), st.integers(80, 250), st.integers(24, 80))
def test_every_slot_has_room_and_the_log_never_takes_it(slots: int, width: int, height: int) -> None:
    plan = arrange(slots, width, height)
    assert plan.columns * plan.rows >= slots
    assert width // plan.columns >= 10
    assert (height - 2 - plan.log_rows) // plan.rows >= 5
    assert 0 <= plan.log_rows <= 10


def test_the_log_is_dropped_before_the_tiles_shrink() -> None:
    assert arrange(32, 80, 24).log_rows == 0
    assert arrange(8, 80, 24).log_rows > 0
    assert arrange(4, 200, 60).log_rows == 10


def test_the_log_leaves_three_rows_of_tiles_their_block_letters() -> None:
    """With the light and the one action: 18 slots on a screen of 120 x 40."""
    plan = arrange(18, 120, 40)
    assert (plan.columns, plan.rows, plan.log_rows) == (6, 3, 5)
    slot = replace(
        SLOT, is_walking=True, asks=(Ask("identify", Say("listening_by_hand", button="MODE"), "blinking dark blue"),)
    )
    lines = compose(slot, Place(120 // 6 - 2, (38 - plan.log_rows) // 3 - 2, ENGLISH))
    assert sum(any(mark in line.text for mark in "█▀▄") for line in lines) == 6
    assert [line.text for line in lines[6:]] == ["● dark blue", "Hold MODE. Let go", "at DARK BLUE."]


def test_a_slot_info_without_a_port_is_an_empty_slot() -> None:
    assert BenchState.of([SlotInfo(4)], ENGLISH).slots[0].look is Look.EMPTY
