"""Define how each state of a slot looks: shape, fill, border. Tables only; the words are in the catalogues.

Colour says who must act: neutral while all goes its way, green done, yellow abnormal, red bad, blue your turn.
The fills were found by search (tests/support/palette_search.py): any two differ by a CIE76 distance of at least 25
under normal, protan, deutan and tritan vision and by at least 8 in lightness, text on them has a contrast of at
least 7 : 1, and FAIL and YOUR TURN stand out from the background at least as strongly as PASS. A changed colour
has to meet the same figures (tests/tui/test_palette.py).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ..model import Verdict


class Look(enum.Enum):
    """State of a slot as seen from three metres."""

    EMPTY = "empty"  # no unit
    OFF = "off"  # out of service
    RUNNING = "running"  # an attempt is in progress
    WAITS = "waits"  # all its steps wait for something the operator cannot do
    HANDS = "hands"  # the attempt waits for the operator
    PASS = "pass"
    PENDING = "pending"
    FAIL = "fail"
    ABORTED = "aborted"
    ERROR = "error"


VERDICT_LOOK: dict[Verdict, Look] = {
    Verdict.PASS: Look.PASS,
    Verdict.PENDING: Look.PENDING,
    Verdict.FAIL: Look.FAIL,
    Verdict.ABORTED: Look.ABORTED,
    Verdict.ERROR: Look.ERROR,
}


_SHAPES: dict[Look, tuple[str, str]] = {
    # Unicode, ASCII
    Look.EMPTY: ("·", ""),
    Look.OFF: ("–", "[/]"),
    Look.RUNNING: ("▶", "[>]"),
    Look.WAITS: ("…", "[~]"),
    Look.HANDS: ("☞", "[?]"),
    Look.PASS: ("✔", "[OK]"),
    Look.PENDING: ("◷", "[..]"),
    Look.FAIL: ("✖", "[X]"),
    Look.ABORTED: ("◌", "[-]"),
    Look.ERROR: ("⚠", "[!]"),
}


@dataclass(frozen=True, slots=True)
class Light:
    """A status light on the screen: its colours, and its ``rhythm``, the seconds it is on and off.

    ``breathes``: it swells and fades instead of switching. Several ``colours`` follow each other, one a beat.
    """

    colours: tuple[str, ...]
    rhythm: tuple[float, float] = (0.5, 0.5)
    breathes: bool = False

    @property
    def colour(self) -> str:
        return self.colours[0]

    @property
    def blinks(self) -> bool:
        return self.rhythm[1] > 0

    def colour_at(self, seconds: float) -> str:
        """Return the colour it has ``seconds`` after it began."""
        return self.colours[int(seconds / sum(self.rhythm)) % len(self.colours)]

    def glow(self, seconds: float) -> float:
        """Return how bright it is ``seconds`` after it began: 0.0 is dark, 1.0 is full, as which it begins."""
        on, off = self.rhythm
        if not off:
            return 1.0
        at = (seconds + on * self.breathes) % (on + off)
        if not self.breathes:
            return float(at < on)
        return 1.0 - abs(at - on) / (on if at < on else off)


FAST = (0.25, 0.25)
BREATH = (1.5, 1.5)
STEADY = (1.0, 0.0)
RAINBOW = ("#FF6A5A", "#FFD800", "#3FE05A", "#30E0F0", "#4F7BFF", "#FF4FE0")

LIGHT_GROUND = "#000000"
"""What a light is shown on, whatever the slot's fill: a blue one would vanish on blue."""

LIGHTS: dict[str, Light] = {
    "blinking dark blue": Light(("#4F7BFF",)),
    "fast blinking blue": Light(("#4F7BFF",), FAST),
    "breathing blue": Light(("#4F7BFF",), BREATH, breathes=True),
    "blinking yellow": Light(("#FFD800",)),
    "blinking magenta": Light(("#FF4FE0",)),
    "breathing magenta": Light(("#FF4FE0",), BREATH, breathes=True),
    "blinking green": Light(("#3FE05A",)),
    "breathing green": Light(("#3FE05A",), BREATH, breathes=True),
    "blinking cyan": Light(("#30E0F0",)),
    "breathing cyan": Light(("#30E0F0",), BREATH, breathes=True),
    "breathing white": Light(("#FFFFFF",), BREATH, breathes=True),
    "blinking red": Light(("#FF6A5A",)),
    "rainbow": Light(RAINBOW, (0.5, 0.0)),
    "off": Light(("#5C6670",), STEADY),
}
"""By the names used in steps and in reference provisioning-rules 3.4. The seconds are ours."""


def light(name: str) -> Light | None:
    """Return the light of that name: white and steady if unknown, None for an empty name."""
    return (LIGHTS.get(name.lower()) or Light(("#FFFFFF",), STEADY)) if name else None


@dataclass(frozen=True, slots=True)
class Paint:
    """Fill, text and border colour of one state; "" is the terminal's own."""

    fill: str
    text: str
    border: str


Palette = dict[Look, Paint]
"""The background of the whole screen is the fill of an empty slot."""

DARK: Palette = {
    Look.EMPTY: Paint("#000000", "#D0D4D8", "#5C6670"),
    Look.OFF: Paint("#000000", "#D0D4D8", "#5C6670"),
    Look.RUNNING: Paint("#060708", "#FFFFFF", "#8C98A4"),
    Look.WAITS: Paint("#424446", "#FFFFFF", "#C0C6CA"),
    Look.HANDS: Paint("#3898FF", "#000000", "#000000"),
    Look.PASS: Paint("#00660C", "#FFFFFF", "#FFFFFF"),
    Look.PENDING: Paint("#520070", "#FFFFFF", "#FFFFFF"),
    Look.FAIL: Paint("#FF8C7B", "#000000", "#000000"),
    Look.ABORTED: Paint("#BEC4C8", "#000000", "#000000"),
    Look.ERROR: Paint("#FFDA00", "#000000", "#000000"),
}
"""For terminals with 256 colours or more."""

LIGHT: Palette = {
    Look.EMPTY: Paint("#FFFFFF", "#303438", "#8C98A4"),
    Look.OFF: Paint("#FFFFFF", "#303438", "#8C98A4"),
    Look.RUNNING: Paint("#F6FAFB", "#000000", "#5C6670"),
    Look.WAITS: Paint("#ACACAC", "#000000", "#000000"),
    Look.HANDS: Paint("#00438D", "#FFFFFF", "#FFFFFF"),
    Look.PASS: Paint("#02AD54", "#000000", "#000000"),
    Look.PENDING: Paint("#FFA2FF", "#000000", "#000000"),
    Look.FAIL: Paint("#B40004", "#FFFFFF", "#FFFFFF"),
    Look.ABORTED: Paint("#262626", "#FFFFFF", "#FFFFFF"),
    Look.ERROR: Paint("#ECDF00", "#000000", "#000000"),
}
"""For bright halls, where a dark screen mirrors the lamps; as many colours."""

SIXTEEN_COLOURS: Palette = {
    Look.EMPTY: Paint("", "", ""),
    Look.OFF: Paint("", "", ""),
    Look.RUNNING: Paint("#000000", "#FFFFFF", "#AAAAAA"),
    Look.WAITS: Paint("#555555", "#FFFFFF", "#FFFFFF"),
    Look.HANDS: Paint("#5555FF", "#FFFFFF", "#FFFFFF"),
    Look.PASS: Paint("#00AA00", "#000000", "#000000"),
    Look.PENDING: Paint("#AA00AA", "#FFFFFF", "#FFFFFF"),
    Look.FAIL: Paint("#FF5555", "#000000", "#000000"),
    Look.ABORTED: Paint("#AAAAAA", "#000000", "#000000"),
    Look.ERROR: Paint("#FFFF55", "#000000", "#000000"),
}
"""Exactly the colours of a 16-colour terminal, so that none is rounded to another."""

THEMES: dict[str, Palette] = {"dark": DARK, "light": LIGHT}


_LAMPS = (("·", "○", "◉", "●"), ("( )", "(.)", "(o)", "(*)"))
"""A light from dark to bright."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters that differ on an ASCII-only terminal."""

    ascii_only: bool
    cloud_up: str
    cloud_down: str
    cloud_unknown: str
    times: str
    nothing: str  # in place of a figure without any units
    bar_full: str
    bar_rest: str
    separator: str
    agree: str
    differ: str
    neutral: str
    cursor: str
    already: str = "="  # of a step that had nothing to do
    more: str = " …"  # text goes on
    answer: str = "→"
    share_full: str = "■"  # of a bar on a ground of its own, where `bar_full` would be a hole
    share_rest: str = "□"

    def shape(self, look: Look) -> str:
        return _SHAPES[look][self.ascii_only]

    def lamp(self, glow: float) -> str:
        """Return a light as bright as ``glow``, 0.0 to 1.0."""
        return _LAMPS[self.ascii_only][min(3, int(glow * 4))]


UNICODE = Glyphs(False, "●", "○", "?", "×", "–", "█", "░", " · ", "✔", "✖", "·", "▸")
ASCII = Glyphs(
    True, "up", "DOWN", "?", "x", "-", "#", "-", " | ", "ok", "DIFFERS", ".", ">", "[=]", " ...", "->", "#", "-"
)
