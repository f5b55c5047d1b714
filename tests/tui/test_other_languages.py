"""The screen in every language: nothing that matters is cut, at the smallest size eight slots are promised for."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from pathlib import Path

import pytest
from support.screen_pilot import on_loop, running, tell
from support.screen_story import Story
from support.spoken import filled
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
from station.words.cells import width_of
from station.words.languages import languages, load

WORDS = {language: load(language, datetime.UTC) for language in languages()}
EN = Path(here.__file__).with_name("en.ftl")
EIGHT_SLOTS = (18, 6)  # cells inside a tile of 80x24
SLOT = SlotState(3, "1-3", is_present=True, attempt="a", device_id="e" * 24, label="P044AB1234503", platform="Boron")
SENTENCES = re.findall(r"^([a-z_]+) =", EN.read_text(encoding="utf-8"), re.MULTILINE)


def packed(text: str) -> str:
    return text.replace(" ", "").replace("\n", "")


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.ERROR, Verdict.ABORTED])
def test_a_tile_says_every_sentence_whole(language: str, verdict: Verdict) -> None:
    words, cut = WORDS[language], []
    for key in SENTENCES:
        say = filled(key, "Argon", "Boron", "bench-3")
        lines = compose(replace(SLOT, verdict=verdict, say=say, seconds=21.4), Place(*EIGHT_SLOTS, words))
        shown = packed("\n".join(line.text for line in lines))
        sentence = words.say(say)
        assert sentence is not None
        cut += [part for part in sentence.lines if packed(part) not in shown]
    assert cut == []


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dfu_by_hand", "MODE"), ("dfu_by_hand", "SETUP"), ("listening_by_hand", "SETUP"),
        ("scan_label", "P044AB1234503"), ("label_of_slot", "P044AB1234503"), ("no_label", "P044AB1234503"),
    ],
)  # fmt: skip
def test_a_tile_asks_for_one_action_whole_and_names_the_light(language: str, key: str, value: str) -> None:
    words = WORDS[language]
    ask = Ask("dfu", filled(key, value), "blinking yellow" if key == "dfu_by_hand" else "")
    lines = compose(replace(SLOT, is_walking=True, asks=(ask,)), Place(*EIGHT_SLOTS, words))
    shown = packed("\n".join(line.text for line in lines))
    sentence = words.say(ask.say)
    assert sentence is not None
    assert packed(sentence.do) in shown
    assert packed(words.led(ask.led)) in shown


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("key", ["label_of_passed", "label_of_failed", "label_differs"])
@pytest.mark.parametrize("height", range(3, 10))
def test_a_tile_never_says_half_of_what_was_scanned(language: str, key: str, height: int) -> None:
    words = WORDS[language]
    ask = Ask("identify", filled(key, "2026-11-24T10:14:00+00:00"))
    lines = compose(replace(SLOT, is_walking=True, asks=(ask,)), Place(18, height, words))
    shown = packed("\n".join(line.text for line in lines))
    sentence = words.say(ask.say)
    assert sentence is not None
    assert packed(sentence.do) in shown
    assert len({packed(part) in shown for part in sentence.says}) == 1


@pytest.mark.parametrize("language", WORDS)
def test_every_verdict_is_drawn_large_or_said_in_bold(language: str) -> None:
    words = WORDS[language]
    for verdict in Verdict:
        face = words.face(verdict.name.lower())
        tile = compose(replace(SLOT, verdict=verdict), Place(38, 9, words))
        large = [line for line in tile if "█" in line.text]
        assert large
        assert all(line.is_bold for line in large)
        text = "\n".join(line.text for line in tile)
        assert face.word in text or bigtext.can_draw(face.word)  # below letters that are not the word stands the word


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
        await pilot.press("question_mark")
        await pilot.pause()
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
        await pilot.press("q")
        await pilot.pause()
        answers = str(app.screen.query_one("#answers", Static).render())
        assert f"[{key.upper()}]" in answers
        await pilot.press(key)
        await pilot.pause()
        assert not app.is_running
