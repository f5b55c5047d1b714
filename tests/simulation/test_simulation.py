"""Some fixed seeds of the simulation in every test run; `make simulate` runs thousands."""

from __future__ import annotations

import pytest

from .drawing import draw
from .oracles import ENDINGS
from .shift import run
from .story import (
    BATCH_SECONDS,
    DEATH_SECONDS,
    FLAWS,
    ORDERS,
    SLIPS,
    TEST_FLAWS,
    TROUBLE_SECONDS,
    TYPED,
    WIFI_FLAWS,
    WIFI_TROUBLE_SECONDS,
    Story,
)

SEEDS = 48
AT_ONCE = 4


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(1, SEEDS, AT_ONCE))
def test_no_shift_ends_with_a_false_verdict_a_doubled_effect_or_anything_owed(first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        figures = run(draw(seed))
        assert not figures.violation, f"seed {seed}: {figures.violation}\n{draw(seed).to_json()}"


def test_a_printed_story_reads_back_as_it_was() -> None:
    for seed in range(20):
        story = draw(seed)
        assert Story.from_json(story.to_json()) == story
        assert draw(seed) == story


def test_every_kind_of_trouble_is_drawn_and_has_an_ending() -> None:
    stories = [draw(seed) for seed in range(400)]
    parts = [part for story in stories for part in story.parts]
    assert {trouble.kind for story in stories for trouble in story.troubles} == {
        *TROUBLE_SECONDS,
        *DEATH_SECONDS,
        *BATCH_SECONDS,
        *WIFI_TROUBLE_SECONDS,
    }
    assert {part.flaw for part in parts} == {"", *FLAWS, *TEST_FLAWS, *WIFI_FLAWS}
    assert {part.by_hand for part in parts} == {"", *TYPED}
    assert {slip for part in parts for slip in part.slips} == set(SLIPS)
    assert len({fault.partition("do=")[2].partition(",")[0] for part in parts for fault in part.faults}) >= 11
    assert set(ENDINGS) == {*FLAWS, *TEST_FLAWS, *WIFI_FLAWS}
    assert ORDERS
    assert any(lot.tested for story in stories for lot in story.lots)
