"""The light of a unit on the screen: colour, rhythm and name, so that a person can tell which one they see (M4)."""

from __future__ import annotations

import itertools

import pytest

from station.view.look import LIGHTS, Light, light


def shape(one: Light) -> tuple[object, ...]:
    """What an eye sees of it within a few seconds."""
    return tuple((one.colour_at(tick / 8), one.glow(tick / 8)) for tick in range(48))


@pytest.mark.rule("M4")
def test_no_two_lights_look_alike() -> None:
    alike = [(a, b) for a, b in itertools.combinations(LIGHTS, 2) if shape(LIGHTS[a]) == shape(LIGHTS[b])]
    assert alike == []


@pytest.mark.rule("M4")
@pytest.mark.parametrize("name", LIGHTS)
def test_a_light_moves_as_its_name_says(name: str) -> None:
    one = LIGHTS[name]
    assert (one.blinks, one.breathes) == ("blinking" in name or "breathing" in name, "breathing" in name)
    assert (one.rhythm[0] < 0.5) is name.startswith("fast")
    levels = {one.glow(tick / 8) for tick in range(48)}
    assert levels == {1.0} if not one.blinks else {0.0, 1.0} <= levels
    assert (len(levels) > 2) is one.breathes


def test_a_rainbow_changes_its_colour_and_is_never_dark() -> None:
    rainbow = LIGHTS["rainbow"]
    assert len({rainbow.colour_at(beat * sum(rainbow.rhythm)) for beat in range(6)}) == 6


def test_a_light_nobody_knows_is_white_and_steady() -> None:
    assert light("") is None
    strange = light("plaid")
    assert strange is not None
    assert (strange.colour, strange.blinks) == ("#FFFFFF", False)
