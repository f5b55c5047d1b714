"""What fits into a place: word and shape always, whole sentences or none, never a cell too many."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from support.screen_story import Story
from support.spoken import ENGLISH, filled

from station.engine import events as ev
from station.model import OffSlot, Outcome, SlotInfo, Verdict
from station.view import bigtext
from station.view.layout import arrange
from station.view.look import ASCII, LIGHTS, UNICODE, VERDICT_LOOK, Glyphs, Look
from station.view.reduce import replay
from station.view.state import Ask, BenchState, Held, SlotState, StepLine
from station.view.tile import BORDER_ENDS, PAGE_S, Place, TileGrid, compose, sentence
from station.words.catalogue import Words
from station.words.cells import clean
from station.words.languages import languages, load
from station.words.say import Say

SLOT = SlotState(3, "1-3", is_present=True, attempt="a", label="P044AB1234567", seconds=21.4)


WRITES = StepLine("device_os", is_running=True, share=0.68, seconds_left=11.0, writing=True)
STATES = {
    Look.EMPTY: SlotState(3),
    Look.OFF: replace(SLOT, off=OffSlot(SLOT.number, "bent")),
    Look.RUNNING: replace(SLOT, is_walking=True, steps=(WRITES,)),
    Look.WAITS: replace(
        SLOT, is_walking=True, steps=(StepLine("sim", is_running=True, held=Held(Say("cloud_hold"), 1)),)
    ),
    Look.HANDS: replace(
        SLOT, is_walking=True, asks=(Ask("dfu", Say("dfu_by_hand", button="MODE"), "blinking yellow"),)
    ),
    Look.FAIL: replace(SLOT, verdict=Verdict.FAIL, say=Say("wrong_sku", found="BRN402", wanted="BRN404")),
    Look.ERROR: replace(SLOT, verdict=Verdict.ERROR, say=Say("silent")),
}


def of_look(look: Look) -> SlotState:
    verdict = next((verdict for verdict, its in VERDICT_LOOK.items() if its is look), None)
    return STATES.get(look) or replace(SLOT, verdict=verdict, say=Say("pass"))


def shown(slot: SlotState, width: int, height: int, glyphs: Glyphs = UNICODE) -> str:
    tile = compose(slot, Place(width, height, ENGLISH, glyphs))
    return "\n".join([tile.title, *(line.text for line in tile.lines), tile.foot])


# --- the grid ---


@settings(max_examples=200)
@given(st.integers(-1, 130), st.integers(-1, 45))
def test_the_rows_of_a_tile_are_all_of_its_height_and_none_twice(width: int, height: int) -> None:
    grid = TileGrid.of(width, height)
    parts = [grid.word, grid.text, grid.name] + ([grid.gauge] if grid.gauge and grid.gauge[0] not in grid.word else [])
    rows = [row for part in parts for row in part]
    assert len(set(rows)) == len(rows)
    assert all(0 <= row < max(height, 0) for row in rows)
    assert len(grid.name) <= 1
    assert len(grid.gauge) <= 1
    if width > 0 and height > 0:
        assert len(grid.word) >= 1
        assert len(grid.word) + len(grid.text) + len(grid.name) <= height


@pytest.mark.parametrize(
    ("height", "word", "text", "gauge", "name"),
    [
        (7, (0, 1, 2), (3, 4), 5, 6),  # a tile of 80x24 with eight slots
        (6, (0, 1, 2), (3,), 4, 5),  # the second line goes first,
        (5, (0, 1, 2), (3,), 4, None),  # then the name moves into the border,
        (4, (0, 1, 2), (3,), 2, None),  # then the gauge below a word in ordinary letters,
        (3, (0,), (1,), 2, None),  # then the letters
        (2, (0,), (1,), 0, None),
        (1, (0,), (), 0, None),
    ],
)  # fmt: skip
def test_what_small_tiles_give_up_and_in_which_order(
    height: int, word: tuple[int, ...], text: tuple[int, ...], gauge: int, name: int | None
) -> None:
    grid = TileGrid.of(18, height)
    assert (tuple(grid.word), tuple(grid.text)) == (word, text)
    assert list(grid.gauge) == [gauge]
    assert list(grid.name) == ([] if name is None else [name])


SIZES = [(18, 7), (18, 6), (28, 13), (38, 9), (78, 20), (118, 32)]
PLACES = [(width, height) for width in (13, 18, 28, 78) for height in range(1, 24)]


def first_word(text: str) -> str:
    return text.split()[0] if text.split() else ""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("look", Look)
def test_nothing_moves_when_the_state_changes(size: tuple[int, int], glyphs: Glyphs, look: Look) -> None:
    """Number, word, first line of the sentence, last of the action, gauge and name are where the size puts them."""
    grid, slot = TileGrid.of(*size), of_look(look)
    tile = compose(slot, Place(*size, ENGLISH, glyphs))
    texts = [line.text for line in tile.lines]
    assert first_word(tile.title) == "3"
    assert any(texts[row].strip() for row in grid.word)
    said = sentence(slot, ENGLISH)
    if look not in (Look.EMPTY, Look.OFF):
        assert texts[grid.name[0]] == slot.label
    if said.do and said.says and len(grid.text) > 1:
        assert first_word(texts[grid.text[0]]) in {first_word(form[0]) for form in (said.says, said.short) if form}
    if said.do and len(grid.text) > 1:
        assert texts[grid.text[-1]].split()[-1] in {form[-1].split()[-1] for form in (said.lines, said.short) if form}
        assert tile.lines[grid.text[-1]].is_bold
    gauge = {Look.RUNNING: glyphs.bar_full, Look.HANDS: "yellow", Look.WAITS: "1 before it."}.get(look, "")
    assert gauge in texts[grid.gauge[0]]
    assert {Look.RUNNING: "0:11", Look.PASS: "21.4 s"}.get(look, "") in tile.foot


@pytest.mark.parametrize("look", Look)
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_no_look_uses_a_row_that_is_not_its_own_in_any_size(look: Look, glyphs: Glyphs) -> None:
    for size in PLACES:
        grid = TileGrid.of(*size)
        tile = compose(of_look(look), Place(*size, ENGLISH, glyphs))
        assert len(tile.lines) == size[1]
        used = {row for row, line in enumerate(tile.lines) if line.text.strip()}
        assert used <= {*grid.word, *grid.text, *grid.gauge, *grid.name}


# --- what is in it ---


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


@pytest.mark.parametrize("look", [Look.PASS, Look.FAIL, Look.HANDS])
@pytest.mark.parametrize(
    ("width", "height", "glyphs"),
    [(18, 4, UNICODE), (18, 7, UNICODE), (28, 13, UNICODE), (78, 20, UNICODE), (18, 12, ASCII), (78, 20, ASCII)],
)  # without half blocks the smallest letters take five rows
def test_the_three_loud_words_are_in_block_letters_wherever_three_rows_are_free(
    look: Look, width: int, height: int, glyphs: Glyphs
) -> None:
    tile = compose(of_look(look), Place(width, height, ENGLISH, glyphs))
    assert sum(any(mark in line.text for mark in "█▀▄#") for line in tile.lines[: height - 1]) >= 3
    assert (look is Look.HANDS and width == 18 and not glyphs.ascii_only) == ("YOUR TURN" in tile.title)


def test_an_empty_slot_is_mostly_its_number() -> None:
    lines = compose(SlotState(7), Place(76, 20, ENGLISH)).lines
    blocks = sum(any(mark in line.text for mark in "█▀▄") for line in lines)
    assert blocks >= 12
    assert "Plug in a unit." in [line.text for line in lines]


def test_one_slot_fills_the_screen_with_its_verdict() -> None:
    lines = compose(replace(SLOT, verdict=Verdict.PASS, say=Say("pass")), Place(118, 32, ENGLISH)).lines
    blocks = [line.text for line in lines if any(mark in line.text for mark in "█▀▄")]
    assert len(blocks) >= 20
    assert max(map(len, blocks)) >= 60


def test_a_small_tile_says_it_shorter_and_the_smallest_only_the_action() -> None:
    slot = replace(SLOT, verdict=Verdict.FAIL, say=Say("wrong_sku", found="BRN402", wanted="BRN404"))
    assert "This batch wants BRN404." in shown(slot, 28, 12)
    assert "This" not in shown(slot, 18, 7)
    assert "Wants BRN404.\n     Red bin." in shown(slot, 18, 7).replace("Red", "     Red")
    small = shown(slot, 8, 3)
    assert "Red bin." in small
    assert "Wants" not in small  # half a sentence would say the wrong thing


def test_a_sentence_the_catalogue_does_not_know_gives_way_to_the_reason() -> None:
    slot = replace(SLOT, verdict=Verdict.FAIL, say=Say("not_in_there"), reason="bootloader 3002 is missing")
    text = shown(slot, 40, 12)
    assert "bootloader 3002 is missing" in text
    assert "Red bin." in text
    assert "bootloader 3002 i~" in shown(slot, 18, 7)  # a cut end shows as one


def test_writing_says_do_not_unplug_in_every_place() -> None:
    story = Story(1)
    state = replay(BenchState.of(story.slots, ENGLISH), [*story.arrives(1), *story.writes(1)])
    for width, height in [(14, 3), (18, 6), (78, 20)]:
        text = " ".join(shown(state.slots[0], width, height).split())
        assert "Do not unplug." in text
        assert "68 %" in text


def test_a_held_unit_says_what_it_waits_for_and_that_it_goes_on_by_itself() -> None:
    story = Story(1)
    head = story.head(1)
    told = (ev.StepStarted(**head, step="product_add"), ev.StepHeld(**head, step="product_add", say=Say("cloud_hold")))
    state = replay(BenchState.of(story.slots, ENGLISH), [*story.arrives(1), *told])
    for width, height, does in [(18, 7, "Goes on by itself."), (40, 12, "Wait. It goes on by itself.")]:
        text = shown(state.slots[0], width, height)
        assert does in text
        assert "… WAITS" in text
        assert "before it" not in text
    assert "No cloud answer." in shown(state.slots[0], 18, 4)


def test_a_unit_in_a_queue_says_how_many_are_before_it() -> None:
    line = StepLine("identify", is_running=True, held=Held(Say("scanner_busy"), before=2))
    slot = replace(SLOT, is_walking=True, steps=(line,))
    assert shown(slot, 18, 7).split("\n") == [
        "3", "", "… WAITS", "", "Scanner is in use.", "Goes on by itself.", "2 before it.", "P044AB1234567", "",
    ]  # fmt: skip


def test_the_light_blinks_in_its_colour_on_black_and_is_said_in_words() -> None:
    slot = replace(SLOT, is_walking=True, asks=(Ask("dfu", Say("dfu_by_hand", button="MODE"), "blinking yellow"),))
    lit, dark = (
        [line for line in compose(slot, Place(40, 24, ENGLISH, seconds=seconds)).lines if line.colour]
        for seconds in (0.0, 0.5)
    )
    assert [line.text for line in (*lit, *dark)] == [" ● blinking yellow ", " · blinking yellow "]
    assert {(line.colour, line.ground) for line in (*lit, *dark)} == {("#FFD800", "#000000")}


@pytest.mark.parametrize("name", LIGHTS)
def test_each_light_keeps_its_own_time_on_a_tile(name: str) -> None:
    slot, one = (
        replace(SLOT, is_walking=True, asks=(Ask("dfu", Say("dfu_by_hand", button="MODE"), name),)),
        LIGHTS[name],
    )
    for tick in range(24):
        at = tick / 4
        (lamp,) = (line for line in compose(slot, Place(40, 24, ENGLISH, seconds=at)).lines if line.colour)
        assert (lamp.text.split()[0], lamp.colour) == (UNICODE.lamp(one.glow(at)), one.colour_at(at))


@pytest.mark.parametrize(
    ("width", "says"),
    [
        (18, ["MODE + tap RESET.", "Let go at YELLOW.", " ● yellow "]),
        (8, ["MODE +", "tap", "RESET.", "Let go", "at", "YELLOW."]),
    ],
)
def test_a_tile_with_one_row_of_text_shows_the_parts_of_an_action_in_turn(width: int, says: list[str]) -> None:
    slot = replace(SLOT, is_walking=True, asks=(Ask("dfu", Say("dfu_by_hand", button="MODE"), "blinking yellow"),))
    height = 4 if width == 18 else 3
    (row,) = TileGrid.of(width, height).text
    turns = [
        compose(slot, Place(width, height, ENGLISH, seconds=PAGE_S * n)).lines[row].text for n in range(len(says) + 1)
    ]
    assert turns == [*says, says[0]]


@pytest.mark.parametrize(
    ("slot", "says"),
    [
        (SlotState(4), ["Plug in", "a unit."]),
        (of_look(Look.RUNNING), ["Do not", "unplug."]),
        (replace(SLOT, verdict=Verdict.ABORTED, say=Say("unplugged_too_early")), ["Plug it", "in again"]),
        (replace(SLOT, verdict=Verdict.ERROR, say=Say("silent")), ["No", "answer."]),
        (replace(SLOT, verdict=Verdict.PASS, say=Say("pass")), ["Unplug.", ""]),
    ],
    ids=["empty", "running", "stopped", "check station", "pass"],
)
def test_the_narrowest_tile_breaks_a_sentence_rather_than_cutting_it(slot: SlotState, says: list[str]) -> None:
    assert [line.text for line in compose(slot, Place(8, 3, ENGLISH)).lines[1:]] == says


def every_slot(words: Words) -> list[SlotState]:
    """A slot for each sentence in each state that may say it, and for each step."""
    sentences = [filled(key) for key in words._names if "-" not in key]
    said = [replace(SLOT, verdict=verdict, say=say) for say in sentences for verdict in Verdict]
    waits = [replace(STATES[Look.WAITS], held=Held(say, 1)) for say in sentences]
    asks = [replace(SLOT, is_walking=True, asks=(Ask("dfu", say),)) for say in sentences]
    titles = [key.removeprefix("step-") for key in words._names if key.startswith("step-")]
    steps = [replace(SLOT, is_walking=True, steps=(StepLine(name, is_running=True),)) for name in titles]
    return [*said, *waits, *asks, *steps, SlotState(4), of_look(Look.RUNNING)]


def letters(text: str) -> set[str]:
    """The words of a text, without what may break anywhere."""
    return set(re.findall(r"[^\W\u1100-\U0010FFFF]+", text))


@pytest.mark.parametrize("language", ["en", "de", "zh"])
@pytest.mark.parametrize("width", [8, 9, 12])
def test_no_narrow_tile_has_half_a_word_but_where_its_language_breaks_it(width: int, language: str) -> None:
    words = load(language, datetime.UTC)
    ends = {"".join(parts[n:m]) for parts in words.breaks.values() for n in range(3) for m in range(n + 1, 5)}
    for slot in every_slot(words):
        said = sentence(slot, words)
        may_be_shown = ends | letters(" ".join([*said.lines, *said.short, words.line(Say("before_it", count="1"))]))
        for page in range(6 if slot.look is Look.HANDS else 1):
            head, *rows = compose(slot, Place(width, 3, words, seconds=page * PAGE_S)).lines
            assert "~" not in "".join(line.text for line in (head, *rows))
            if slot.look is not Look.RUNNING:
                assert set().union(*(letters(line.text) for line in rows)) <= may_be_shown


@pytest.mark.parametrize("language", ["en", "de", "zh"])
def test_every_end_of_a_walk_says_something_on_the_narrowest_tile(language: str) -> None:
    words = load(language, datetime.UTC)
    for key in (key for key in words._names if words.help(Say(key))[0] and not key.endswith("_by_hand")):
        for verdict in (Verdict.FAIL, Verdict.ABORTED, Verdict.ERROR):
            tile = compose(replace(SLOT, verdict=verdict, say=filled(key)), Place(8, 3, words))
            assert any(line.text for line in tile.lines[1:]), key


@pytest.mark.parametrize("language", languages())
def test_the_parts_of_a_long_word_fit_the_narrowest_tile(language: str) -> None:
    for word, parts in load(language, datetime.UTC).breaks.items():
        assert cell_len(parts[-1]) <= 8, word
        assert all(cell_len(part) <= 7 for part in parts[:-1]), word


def test_a_step_whose_name_does_not_fit_is_counted() -> None:
    ended = StepLine("identify", outcome=Outcome.DONE)
    slot = replace(SLOT, is_walking=True, steps=(ended, WRITES))
    assert [compose(slot, Place(width, 3, ENGLISH)).lines[0].text for width in (11, 10, 8)] == [
        "▶ Device OS", "▶Device OS", "▶ 1/2",
    ]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "de", "zh"])
@pytest.mark.parametrize("look", Look)
def test_a_border_has_whole_words(look: Look, language: str) -> None:
    words = load(language, datetime.UTC)
    for width in range(10, 40):
        title = compose(of_look(look), Place(width, 4, words)).title
        assert cell_len(title) <= width - BORDER_ENDS


@pytest.mark.parametrize("language", ["en", "de", "zh"])
@pytest.mark.parametrize("light", LIGHTS)
def test_a_small_tile_says_the_colour_of_the_light_and_never_half_of_what_it_does(light: str, language: str) -> None:
    words = load(language, datetime.UTC)
    slot = replace(SLOT, is_walking=True, asks=(Ask("dfu", Say("listening_by_hand", button="MODE"), light),))
    for width in range(11, 40):
        (line,) = (line for line in compose(slot, Place(width, 8, words)).lines if line.colour)
        colour = words.led_colour(light)
        assert line.text.strip() in (f"● {words.led(light)}", f"● {colour}", f"●{colour}")


@pytest.mark.parametrize(("width", "steps"), [(18, "3 of 12 steps"), (12, "3/12"), (4, "3/12"), (3, "")])
def test_a_small_tile_counts_the_steps_in_figures(width: int, steps: str) -> None:
    ended = StepLine("identify", outcome=Outcome.DONE)
    slot = replace(SLOT, is_walking=True, steps=(*([ended] * 3), *([StepLine("dfu")] * 9)))
    lines = [line.text for line in compose(slot, Place(width, 8, ENGLISH)).lines]
    assert (steps in lines) if steps else not any("/" in line for line in lines)


@pytest.mark.parametrize(
    ("width", "end"), [(15, "P044AB1234567DE"), (13, "~4AB1234567DE"), (8, "~34567DE"), (7, "34567DE")]
)
def test_a_name_that_is_cut_says_so_and_keeps_its_end(width: int, end: str) -> None:
    assert compose(replace(SLOT, label="P044AB1234567DE"), Place(width, 9, ENGLISH)).lines[-1].text == end


def test_a_note_is_whole_or_not_there() -> None:
    note = StepLine("dfu", is_running=True, share=0.5, note="system part 1")
    slot = replace(SLOT, is_walking=True, steps=(note,))
    assert "system part 1" in shown(slot, 13, 9)
    assert "system" not in shown(slot, 12, 9)


@pytest.mark.parametrize(
    ("platform", "width", "told"),
    [("B5-SoM", 18, "3 B5-SoM"), ("Asset Tracker / Monitor One", 40, "3 Asset Tracker / Monitor One"),
     ("Asset Tracker / Monitor One", 20, "3 Asset Tracker"), ("Asset Tracker / Monitor One", 19, "3")],
)  # fmt: skip
@pytest.mark.parametrize("verdict", [None, Verdict.PASS, Verdict.FAIL])
def test_a_mixed_bench_says_what_kind_of_unit_it_is_beside_the_number(
    platform: str, width: int, told: str, verdict: Verdict | None
) -> None:
    slot = replace(SLOT, platform=platform, is_walking=True, verdict=verdict, reason="no", label="P044")
    assert compose(slot, Place(width, 9, ENGLISH, is_mixed=True)).title == told
    assert compose(slot, Place(width, 9, ENGLISH)).title == "3"


@settings(max_examples=150)
@given(
    st.integers(0, 130), st.integers(0, 45), st.sampled_from([None, *Verdict]), st.sampled_from([UNICODE, ASCII]),
    st.booleans(), st.text(max_size=40),
)  # fmt: skip
def test_no_line_leaves_its_place(
    width: int, height: int, verdict: Verdict | None, glyphs: Glyphs, asks: bool, text: str
) -> None:
    slot = replace(SLOT, verdict=verdict, is_walking=True, reason=clean(text) * 20, label="漢字" * 20, say=Say("x"))
    slot = replace(slot, asks=(Ask("s", Say("dfu_by_hand", button="MODE"), "blinking yellow"),)) if asks else slot
    tile = compose(slot, Place(width, height, ENGLISH, glyphs))
    assert len(tile.lines) == (height if width else 0)
    assert all(cell_len(line.text) <= width for line in tile.lines)
    assert cell_len(tile.foot) <= max(0, width)


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
        lines = compose(slot, Place(118, 32, ENGLISH)).lines
        assert not [line.text for line in lines if any(mark in line.text for mark in "▀▄")]
    for look in LOUD:  # and the others shout wherever there is room
        assert any("█" in line.text for line in compose(of_look(look), Place(76, 20, ENGLISH)).lines)


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
        (9, 120, 40, 3, 3), (12, 80, 24, 4, 3), (12, 120, 40, 4, 3), (16, 120, 40, 4, 4), (32, 120, 40, 6, 6),
        (12, 200, 60, 4, 3), (32, 200, 60, 8, 4),
    ],
)  # fmt: skip
def test_slots_are_laid_out_by_their_number(slots: int, width: int, height: int, columns: int, rows: int) -> None:
    plan = arrange(slots, width, height)
    assert (plan.columns, plan.rows) == (columns, rows)


@given(st.integers(1, 32), st.integers(80, 250), st.integers(24, 80))
def test_every_slot_has_room_and_the_log_never_takes_it(slots: int, width: int, height: int) -> None:
    plan = arrange(slots, width, height)
    assert plan.columns * plan.rows >= slots
    assert width // plan.columns >= 10
    assert (height - 3 - plan.log_rows) // plan.rows >= 5 or slots > 24
    assert (height - 3 - plan.log_rows) // plan.rows >= 3
    assert 0 <= plan.log_rows <= 10
    whole = (height - 3) // plan.rows >= 9
    assert not whole or (height - 3 - plan.log_rows) // plan.rows >= 9


def test_the_log_is_dropped_before_the_tiles_shrink() -> None:
    assert arrange(32, 80, 24).log_rows == 1, "what no row of tiles can use"
    assert arrange(8, 80, 24).log_rows == 3
    assert arrange(4, 200, 60).log_rows == 10


@pytest.mark.parametrize(("slots", "width", "height"), [(8, 80, 24), (12, 80, 24), (16, 120, 40), (32, 120, 40)])
def test_the_grid_is_chosen_so_that_verdicts_have_block_letters(slots: int, width: int, height: int) -> None:
    plan = arrange(slots, width, height)
    place = Place(width // plan.columns - 2, (height - 3 - plan.log_rows) // plan.rows - 2, ENGLISH)
    for look in (Look.PASS, Look.FAIL, Look.HANDS):
        assert sum(any(mark in line.text for mark in "█▀▄") for line in compose(of_look(look), place).lines) == 3


def test_a_slot_info_without_a_port_is_an_empty_slot() -> None:
    assert BenchState.of([SlotInfo(4)], ENGLISH).slots[0].look is Look.EMPTY
