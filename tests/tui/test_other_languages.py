"""The screen in every language: nothing that matters is cut, at the smallest size eight slots are promised for."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from pathlib import Path

import pytest
from support.screen_pilot import on_loop, press, running, tell
from support.screen_story import Story
from support.spoken import filled, likely
from textual.widgets import Static

from station.model import Outcome, Verdict
from station.view import bigtext, details
from station.view.bars import details_footer, footer, header
from station.view.look import LIGHTS, UNICODE
from station.view.panels import plain
from station.view.reduce import replay
from station.view.state import Ask, BenchState, SlotState, StepLine
from station.view.tile import Place, compose
from station.words import languages as here
from station.words.catalogue import Words
from station.words.cells import width_of
from station.words.languages import languages, load

WORDS = {language: load(language, datetime.UTC) for language in languages()}
EN = Path(here.__file__).with_name("en.ftl")
EIGHT_SLOTS = (18, 7)  # cells inside a tile of 80x24
SLOT = SlotState(3, "1-3", is_present=True, attempt="a", device_id="e" * 24, label="P044AB1234503", platform="Boron")
SENTENCES = re.findall(r"^([a-z_]+) =", EN.read_text(encoding="utf-8"), re.MULTILINE)


def packed(text: str) -> str:
    return text.replace(" ", "").replace("\n", "")


def shown(slot: SlotState, width: int, height: int, words: Words) -> str:
    tile = compose(slot, Place(width, height, words))
    return packed("\n".join(line.text for line in tile.lines))


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.ERROR, Verdict.ABORTED])
def test_a_tile_says_every_sentence_whole_in_its_short_or_its_full_form(language: str, verdict: Verdict) -> None:
    words, cut = WORDS[language], []
    for key in SENTENCES:
        say = likely(key)
        sentence = words.say(say)
        assert sentence is not None
        judged = replace(SLOT, verdict=verdict, say=say, seconds=21.4)
        slot = judged if sentence.do else replace(SLOT, is_walking=True, asks=(Ask("identify", say),))
        small, large = shown(slot, *EIGHT_SLOTS, words), shown(slot, 78, 20, words)
        forms = [form for form in (sentence.lines, sentence.short) if form]
        if not any(all(packed(part) in small for part in form) for form in forms):
            cut.append(key)
        cut += [part for part in sentence.lines if packed(part) not in large]
    assert cut == []


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("button", ["MODE", "SETUP"])
@pytest.mark.parametrize("key", ["dfu_by_hand", "listening_by_hand", "safe_by_hand", "reset_by_hand"])
def test_what_hands_have_to_do_is_whole_in_a_small_tile(language: str, key: str, button: str) -> None:
    words = WORDS[language]
    ask = Ask("dfu", filled(key, button), "blinking yellow")
    text = shown(replace(SLOT, is_walking=True, asks=(ask,)), *EIGHT_SLOTS, words)
    sentence = words.say(ask.say)
    assert sentence is not None
    assert any(form and all(packed(part) in text for part in form) for form in ((sentence.do,), sentence.short))
    assert packed(words.led_colour(ask.led)) in text


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_is_drawn_large_or_said_in_bold_and_its_word_is_always_there(
    language: str, verdict: Verdict
) -> None:
    words = WORDS[language]
    face = words.face(verdict.name.lower())
    tile = compose(replace(SLOT, verdict=verdict), Place(38, 9, words))
    bold = [line for line in tile.lines if line.is_bold]
    large = [line for line in bold if any(mark in line.text for mark in "█▀▄")]
    text = tile.title + "".join(line.text for line in bold)
    assert face.word in text or (large and bigtext.can_draw(face.word))
    if verdict in (Verdict.PASS, Verdict.FAIL):
        assert large


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("width", [40, 78, 98])
def test_the_bars_fit_and_keep_what_is_worth_most(story: Story, language: str, width: int) -> None:
    words = WORDS[language]
    state = replay(BenchState.of(story.slots, words), story.everything())
    for line in (header(state, width, UNICODE), footer(state, width), *details_footer(state.slots[1], width, words)):
        assert width_of(line) <= width
        assert "~" not in line
    assert f"126/500 {words.verdict(Verdict.PASS)}" in header(state, width, UNICODE)
    assert words.text("key-leave") in footer(state, width)


@pytest.mark.parametrize("language", WORDS)
def test_the_columns_of_the_details_stand_below_each_other(language: str) -> None:
    words = WORDS[language]
    lines = tuple(
        StepLine(step, outcome=outcome, seconds=21.4, proof="proof")
        for step, outcome in zip(("identify", "product_add", "lock", "setup_done"), Outcome, strict=False)
    )
    rows = [plain(row) for row in details.steps(SlotState(1, steps=lines), UNICODE, words, 78, 9).lines]
    begins = {width_of(row.partition("proof")[0]) for row in rows if "proof" in row}
    assert len(begins) == 1, rows
    assert begins.pop() < 48


@pytest.mark.parametrize("language", WORDS)
@on_loop
async def test_help_names_every_sign_and_light_in_one_line_each(language: str) -> None:
    words = WORDS[language]
    story = Story(8)
    app = story.app(words=words)
    async with running(app) as pilot:
        await tell(pilot, app, *story.everything())
        await press(pilot, "question_mark")
        text = app.screen.query_one(Static)
        lines = str(text.render()).splitlines()
        assert all(width_of(line) <= text.size.width for line in lines)
        assert all(any(words.led(light) in line for line in lines) for light in LIGHTS)


@pytest.mark.parametrize(("language", "key"), [("en", "y"), ("de", "j"), ("zh", "y")])
@on_loop
async def test_a_question_is_answered_by_the_key_it_names(language: str, key: str) -> None:
    story = Story(1)
    app = story.app(words=WORDS[language])
    async with running(app) as pilot:
        await tell(pilot, app, *story.arrives(1), *story.writes(1))
        await press(pilot, "q")
        answers = str(app.screen.query_one("#answers", Static).render())
        assert f"[{key.upper()}]" in answers
        await press(pilot, key)
        assert not app.is_running
