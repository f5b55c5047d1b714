"""Search the fills of a theme: ``PYTHONPATH=tests python -m support.palette_search dark --seed 1``.

Each look has a family (a range of lightness, chroma and hue in CIE LCh), each theme a background. One fill is moved
at a time, and a move is kept if it makes the worst figure of the theme no worse and, where that is good
enough, the colours no duller. The figures are those of test_palette.py; the result belongs in station/view/look.py.
"""

from __future__ import annotations

import argparse
import itertools
import math
import random

from support.eyes import MACHADO, contrast, distance, least_distance, lightness_apart, seen

Range = tuple[float, float]
Colour = tuple[float, float, float]  # lightness, chroma, hue in degrees

GREY, ANY = (0, 3), (0, 360)
HUES: dict[str, tuple[Range, Range]] = {  # chroma, hue
    "running": (GREY, ANY), "waits": (GREY, ANY), "hands": ((40, 80), (265, 285)), "pass": ((40, 75), (138, 158)),
    "pending": ((40, 85), (310, 328)), "fail": ((50, 80), (22, 40)), "aborted": (GREY, ANY),
    "error": ((60, 95), (82, 106)),
}  # fmt: skip
# text wants a fill of 62 and more below black or 37.8 and less below white: so much of the order is arithmetic
LIGHTNESS: dict[str, dict[str, Range]] = {
    "dark": {
        "running": (2, 6),
        "waits": (27, 30),
        "pending": (14, 21),
        "pass": (35, 38),
        "hands": (61, 65),
        "fail": (69, 73),
        "aborted": (77, 82),
        "error": (86, 98),
    },
    "light": {
        "running": (95, 100),
        "error": (86, 92),
        "pending": (76, 83),
        "waits": (69, 74),
        "pass": (61, 66),
        "fail": (33, 38),
        "hands": (24, 30),
        "aborted": (14, 22),
    },
}
BACKGROUND = {"dark": "#000000", "light": "#FFFFFF"}


def hex_of(colour: Colour) -> str | None:
    """Return the sRGB colour of CIE LCh, None if a screen cannot show it."""
    light, chroma, hue = colour[0], colour[1], math.radians(colour[2])
    fy = (light + 16) / 116
    fx, fz = fy + chroma * math.cos(hue) / 500, fy - chroma * math.sin(hue) / 200
    x, y, z = (
        white * (f**3 if f > 6 / 29 else (116 * f - 16) * 27 / 24389)
        for white, f in zip((0.95047, 1.0, 1.08883), (fx, fy, fz), strict=True)
    )
    rgb = (
        3.2404542 * x - 1.5371385 * y - 0.4985314 * z,
        -0.9692660 * x + 1.8760108 * y + 0.0415560 * z,
        0.0556434 * x - 0.2040259 * y + 1.0572252 * z,
    )
    if not all(-0.001 <= part <= 1.001 for part in rgb):
        return None
    bent = (12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055 for part in rgb)
    return "#" + "".join(f"{min(255, max(0, round(255 * part))):02X}" for part in bent)


def text_on(fill: str) -> str:
    return max(("#000000", "#FFFFFF"), key=lambda text: contrast(fill, text))


def figures(fills: dict[str, str], theme: str) -> list[float]:
    """Return all figures, each divided by what is asked of it: 1 is good enough."""
    ground = BACKGROUND[theme]
    pairs = list(itertools.combinations(fills.values(), 2))
    found = [least_distance(*pair) / 25 for pair in pairs] + [lightness_apart(*pair) / 8 for pair in pairs]
    found += [contrast(fill, text_on(fill)) / 7 for fill in fills.values()]
    for loud in ("fail", "hands"):
        found.append(contrast(fills[loud], ground) / contrast(fills["pass"], ground))
        found.append(distance(fills[loud], ground, "normal") / distance(fills["pass"], ground, "normal"))
    return found


def score(colours: dict[str, Colour], theme: str) -> tuple[float, float]:
    fills = {name: hex_of(colour) or "" for name, colour in colours.items()}
    vivid = sum(colours[name][1] for name in ("pass", "fail", "hands", "pending", "error"))
    lacking = sum(min(0.0, one - 1.005) for one in figures(fills, theme))
    return lacking, vivid


def moved(rng: random.Random, name: str, theme: str, colour: Colour | None = None) -> Colour:
    """Return a colour of the family near ``colour``, else anywhere in it."""
    chroma, hue = HUES[name]
    ranges = (LIGHTNESS[theme][name], chroma, hue)
    share = rng.choice((0.02, 0.1, 0.4))
    while True:
        parts = (
            rng.uniform(*span) if colour is None
            else min(span[1], max(span[0], colour[i] + rng.gauss(0, share) * (span[1] - span[0])))
            for i, span in enumerate(ranges)
        )  # fmt: skip
        light, saturation, angle = parts
        if hex_of((light, saturation, angle)) is not None:
            return light, saturation, angle


def search(theme: str, seed: int, moves: int) -> dict[str, str]:
    rng = random.Random(seed)
    colours = {name: moved(rng, name, theme) for name in HUES}
    best = score(colours, theme)
    for _ in range(moves):
        name = rng.choice(list(HUES))
        changed = colours | {name: moved(rng, name, theme, colours[name] if rng.random() < 0.9 else None)}
        if (reached := score(changed, theme)) >= best:
            colours, best = changed, reached
    return {name: hex_of(colour) or "" for name, colour in colours.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("theme", choices=BACKGROUND)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--moves", type=int, default=4000)
    given = parser.parse_args()
    fills = search(given.theme, given.seed, given.moves)
    for name, fill in fills.items():
        light = seen(fill, "normal")[0]
        print(f"{name:8} {fill} text {text_on(fill)}  L {light:5.1f}  {contrast(fill, text_on(fill)):4.1f} : 1")  # noqa: T201
    print(f"worst figure {min(figures(fills, given.theme)):.3f} of what is asked, in {len(MACHADO)} kinds of sight")  # noqa: T201


if __name__ == "__main__":
    main()
