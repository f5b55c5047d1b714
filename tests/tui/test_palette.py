"""The figures bench.md asks of the colours, computed: CIE76 under normal and simulated vision, lightness, contrast."""

from __future__ import annotations

import itertools

import pytest
from support.eyes import MACHADO, contrast, distance, lightness_apart, seen
from support.palette_search import BACKGROUND, HUES, search

from station.view.look import SIXTEEN_COLOURS, THEMES, Look

FILLED = [look for look in Look if look not in (Look.EMPTY, Look.OFF)]
PAIRS = [(theme, *pair) for theme in THEMES for pair in itertools.combinations(FILLED, 2)]


def test_the_measure_itself_knows_black_from_white() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert seen("#FFFFFF", "normal") == pytest.approx((100, 0, 0), abs=0.05)
    assert sum((a - b) ** 2 for a, b in zip(seen("#FF0000", "normal"), (53.24, 80.09, 67.20), strict=True)) < 0.1


@pytest.mark.parametrize(("theme", "one", "other"), PAIRS)
def test_any_two_fills_are_told_apart_by_every_eye(theme: str, one: Look, other: Look) -> None:
    fills = (THEMES[theme][one].fill, THEMES[theme][other].fill)
    assert {vision: distance(*fills, vision) for vision in MACHADO if distance(*fills, vision) < 25} == {}
    assert lightness_apart(*fills) >= 8


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("look", Look)
def test_text_on_every_fill_is_readable(theme: str, look: Look) -> None:
    paint = THEMES[theme][look]
    assert contrast(paint.fill, paint.text) >= 7


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("loud", [Look.FAIL, Look.HANDS])
def test_what_needs_somebody_stands_out_at_least_as_strongly_as_pass(theme: str, loud: Look) -> None:
    palette = THEMES[theme]
    ground, done = palette[Look.EMPTY].fill, palette[Look.PASS].fill
    assert ground == BACKGROUND[theme]
    assert contrast(palette[loud].fill, ground) >= contrast(done, ground)
    assert distance(palette[loud].fill, ground, "normal") >= distance(done, ground, "normal")


def test_running_is_the_neutral_nearest_to_the_background_and_waiting_one_step_away() -> None:
    for theme, palette in THEMES.items():
        ground = BACKGROUND[theme]
        running, waits = (lightness_apart(palette[look].fill, ground) for look in (Look.RUNNING, Look.WAITS))
        assert running < waits
        assert running == min(lightness_apart(palette[look].fill, ground) for look in FILLED)


@pytest.mark.parametrize("theme", THEMES)
def test_the_search_finds_a_fill_for_every_state(theme: str) -> None:
    assert set(search(theme, seed=1, moves=3)) == set(HUES) == {look.value for look in FILLED}


def test_sixteen_colour_terminals_show_each_state_in_a_colour_they_really_have() -> None:
    levels = {0x00, 0x55, 0xAA, 0xFF}
    fills = [paint.fill for paint in SIXTEEN_COLOURS.values() if paint.fill]
    assert len(set(fills)) == len(fills) == len(FILLED)
    for colour in fills:
        assert {int(colour[i : i + 2], 16) for i in (1, 3, 5)} <= levels
    for paint in SIXTEEN_COLOURS.values():
        if paint.fill:
            assert contrast(paint.fill, paint.text) >= 4.5
