"""Stories of a label printer and a MES in every test run; ``make simulate ARGS=--outside`` plays as many as asked."""

from __future__ import annotations

import dataclasses

import pytest

from drivers.clock import SimulatedClock
from station.hooks import HookTrouble
from station.hooks.messages import EVENT_OF

from . import outside_play
from .__main__ import replay_of
from .outside_play import run_outside
from .outside_story import FLAWS, SLIPS, TROUBLES, OutsideStory, draw_outside
from .story import Part, Trouble
from .virtual_mes import VirtualMes

STORIES = 48
AT_ONCE = 12
GOOD = OutsideStory(0, 1, True, True, False, 5.0, (Part(1, "boron", 1, "finished"),), ())


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.rule("M1", "N6")
@pytest.mark.parametrize("first", range(1, STORIES, AT_ONCE))
def test_whatever_printer_and_mes_do_labels_and_messages_are_true_and_each_good_unit_passes(first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        figures = run_outside(draw_outside(seed))
        assert not figures.violation, f"{figures.violation}\n{replay_of(seed, 'outside')}"


def test_a_mes_hears_of_an_attempt_that_a_kill_left_without_an_end() -> None:
    """Seed 59 found it: the unit had arrived, and nothing followed."""
    story = dataclasses.replace(GOOD, troubles=(Trouble("killed", 4.0, 5.0),))
    assert not run_outside(story).violation


def test_what_the_mes_is_not_told_breaks_the_oracle(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {kind: event for kind, event in EVENT_OF.items() if kind != "AttemptFinished"}
    monkeypatch.setattr("station.hooks.worker.EVENT_OF", kept)
    monkeypatch.setattr(outside_play, "TOLD_S", 30.0)
    assert run_outside(GOOD).kind == "not told"


def test_a_printed_outside_story_reads_back_as_it_was() -> None:
    for seed in range(50):
        story = draw_outside(seed)
        assert OutsideStory.from_json(story.to_json()) == story
        assert draw_outside(seed) == story


def test_every_trouble_flaw_and_slip_is_drawn() -> None:
    stories = [draw_outside(seed) for seed in range(400)]
    assert {trouble.kind for story in stories for trouble in story.troubles} == set(TROUBLES)
    assert {part.flaw for story in stories for part in story.parts} == {"", *FLAWS}
    assert {slip for story in stories for part in story.parts for slip in part.slips} == set(SLIPS)
    for name in ("verify", "fail_label", "holds"):
        assert {getattr(story, name) for story in stories} == {False, True}


def test_the_mes_counts_only_refusals_that_were_heard() -> None:
    clock = SimulatedClock()
    with clock.registered():
        mes = VirtualMes(clock, ["e00f"])
        asks = b'{"event": "may_start", "device_id": "e00f", "attempt": "a-1"}'
        mes.send(asks, "k-1", 5.0, clock.token())
        for mes.mood in ("lost", "silent", "dead", "twice", "rubbish"):
            with pytest.raises(HookTrouble):
                mes.send(asks, "k-1", 5.0, clock.token())
        assert mes.refusals("a-1") == 1
        assert mes.refusals("a-2") == 0
        assert mes.taken() == []
