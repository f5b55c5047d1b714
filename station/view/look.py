"""How each state of a slot looks: word, shape, fill, border. One table, no behaviour.

The fills were searched for: any two differ by a CIE76 distance of at least 28 under normal,
protan, deutan and tritan vision, and by at least 15 in lightness; text on them has at least
7.2 : 1. Whoever changes a colour must show the same figures (tests/tui/test_palette.py).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ..model import Verdict


class Look(enum.Enum):
    """What a slot shows from three metres."""

    EMPTY = "empty"  # no unit
    RUNNING = "running"  # an attempt walks
    WAITS = "waits"  # all its steps wait for something nobody at the slot can do
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


@dataclass(frozen=True, slots=True)
class Face:
    """One row of the table. ``short`` is the word where the long one does not fit."""

    word: str
    short: str
    shape: str
    ascii_shape: str
    action: str  # what to do next, if nobody says better


FACES: dict[Look, Face] = {
    Look.EMPTY: Face("", "", "·", "", "Plug in a unit."),
    Look.RUNNING: Face("", "", "▶", "[>]", ""),
    Look.WAITS: Face("WAITS", "WAITS", "…", "[~]", ""),
    Look.HANDS: Face("YOUR TURN", "TURN", "☞", "[?]", ""),
    Look.PASS: Face("PASS", "PASS", "✔", "[OK]", "Unplug."),
    Look.PENDING: Face("SET ASIDE", "TRAY", "◷", "[..]", "Set-aside tray."),
    Look.FAIL: Face("FAIL", "FAIL", "✖", "[X]", "Red bin."),
    Look.ABORTED: Face("STOPPED", "STOP", "◌", "[-]", "Plug it in again."),
    Look.ERROR: Face("CHECK STATION", "CHECK", "⚠", "[!]", "Technician."),
}


@dataclass(frozen=True, slots=True)
class Paint:
    """Fill, text and border colour of one state; an empty one is the terminal's own."""

    fill: str
    text: str
    border: str


Palette = dict[Look, Paint]

FULL_COLOUR: Palette = {
    Look.EMPTY: Paint("", "", ""),
    Look.RUNNING: Paint("#101820", "#FFFFFF", "#8AA1C0"),
    Look.WAITS: Paint("#101820", "#FFFFFF", "#8AA1C0"),
    Look.HANDS: Paint("#101820", "#FFFFFF", "#FFFBAD"),
    Look.PASS: Paint("#6FDFBA", "#000000", "#000000"),
    Look.PENDING: Paint("#1B5B8B", "#FFFFFF", "#FFFFFF"),
    Look.FAIL: Paint("#661B0F", "#FFFFFF", "#FF5A3C"),
    Look.ABORTED: Paint("#8AA1C0", "#000000", "#000000"),
    Look.ERROR: Paint("#FFFBAD", "#000000", "#000000"),
}
"""For terminals with 256 colours or more."""

SIXTEEN_COLOURS: Palette = {
    Look.EMPTY: Paint("", "", ""),
    Look.RUNNING: Paint("#000000", "#FFFFFF", "#AAAAAA"),
    Look.WAITS: Paint("#000000", "#FFFFFF", "#AAAAAA"),
    Look.HANDS: Paint("#000000", "#FFFFFF", "#FFFF55"),
    Look.PASS: Paint("#00AAAA", "#000000", "#000000"),
    Look.PENDING: Paint("#0000AA", "#FFFFFF", "#FFFFFF"),
    Look.FAIL: Paint("#AA0000", "#FFFFFF", "#FFFFFF"),
    Look.ABORTED: Paint("#AAAAAA", "#000000", "#000000"),
    Look.ERROR: Paint("#FFFF55", "#000000", "#000000"),
}
"""Exactly the colours a 16-colour terminal has, so that none is rounded into its neighbour."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Characters that differ where the terminal only has ASCII."""

    ascii_only: bool
    cloud_up: str
    cloud_down: str
    cloud_unknown: str
    times: str
    nothing: str  # a figure there is no unit for
    dot: str
    bar_full: str
    bar_rest: str
    separator: str
    agree: str
    differ: str
    neutral: str
    cursor: str

    def shape(self, look: Look) -> str:
        return FACES[look].ascii_shape if self.ascii_only else FACES[look].shape


UNICODE = Glyphs(False, "●", "○", "?", "×", "–", "●", "█", "░", " · ", "✔", "✖", "·", "▸")
ASCII = Glyphs(True, "up", "DOWN", "?", "x", "-", "(*)", "#", "-", " | ", "ok", "DIFFERS", ".", ">")
