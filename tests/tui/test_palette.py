"""The figures bench.md asks of the palette, computed: CIE76 under normal and simulated vision, lightness, contrast.

It states distances in whole units, and so they are compared here: the closest pairs are 27.9 and 14.6 apart.
"""

from __future__ import annotations

import itertools

import pytest

from station.view.look import FULL_COLOUR, SIXTEEN_COLOURS, Look

Triple = tuple[float, float, float]

# Machado, Oliveira, Fernandes 2009, severity 1.0, applied to linear RGB
MACHADO: dict[str, tuple[Triple, Triple, Triple]] = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}

# running, waits and hands share their fill: the border, a word and a shape tell them apart
FILLS = {
    paint.fill: look
    for look, paint in FULL_COLOUR.items()
    if paint.fill
}  # fmt: skip


def linear(colour: str) -> Triple:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return r, g, b


def luminance(colour: str) -> float:
    r, g, b = linear(colour)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    """WCAG 2.1: 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def lab(rgb: Triple) -> Triple:
    """CIE L*a*b* of linear sRGB, white point D65."""
    r, g, b = rgb
    x = (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047
    y = 0.2126729 * r + 0.7151522 * g + 0.0721750 * b
    z = (0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883
    fx, fy, fz = (t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def seen(colour: str, vision: str) -> Triple:
    rgb = linear(colour)
    r, g, b = (min(1.0, max(0.0, sum(m * c for m, c in zip(row, rgb, strict=True)))) for row in MACHADO[vision])
    return lab((r, g, b))


def test_the_measure_itself_knows_black_from_white() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert seen("#FFFFFF", "normal") == pytest.approx((100, 0, 0), abs=0.05)
    assert sum((a - b) ** 2 for a, b in zip(seen("#FF0000", "normal"), (53.24, 80.09, 67.20), strict=True)) < 0.1


@pytest.mark.parametrize("vision", MACHADO)
@pytest.mark.parametrize(("one", "other"), itertools.combinations(FILLS, 2))
def test_any_two_fills_are_told_apart_by_every_eye(one: str, other: str, vision: str) -> None:
    distance = sum((a - b) ** 2 for a, b in zip(seen(one, vision), seen(other, vision), strict=True)) ** 0.5
    assert round(distance) >= 28


@pytest.mark.parametrize(("one", "other"), itertools.combinations(FILLS, 2))
def test_any_two_fills_differ_in_lightness_alone(one: str, other: str) -> None:
    assert round(abs(seen(one, "normal")[0] - seen(other, "normal")[0])) >= 15


@pytest.mark.parametrize("look", [look for look in Look if FULL_COLOUR[look].fill])
def test_text_on_every_fill_is_readable(look: Look) -> None:
    assert contrast(FULL_COLOUR[look].fill, FULL_COLOUR[look].text) >= 7.2


def test_six_fills_are_what_the_table_says() -> None:
    assert list(FILLS) == ["#101820", "#6FDFBA", "#1B5B8B", "#661B0F", "#8AA1C0", "#FFFBAD"]


def test_sixteen_colour_terminals_show_each_verdict_in_a_colour_they_really_have() -> None:
    levels = {0x00, 0x55, 0xAA, 0xFF}
    fills = [
        paint.fill for look, paint in SIXTEEN_COLOURS.items() if paint.fill and look not in (Look.WAITS, Look.HANDS)
    ]
    assert len(set(fills)) == len(fills)
    for colour in fills:
        assert {int(colour[i : i + 2], 16) for i in (1, 3, 5)} <= levels
    for paint in SIXTEEN_COLOURS.values():
        if paint.fill:
            assert contrast(paint.fill, paint.text) >= 4.5
