"""What the terminal can show: colours and characters."""

from __future__ import annotations

import os
import sys

from rich.console import Console
from textual import constants

from ..view.look import DARK, SIXTEEN_COLOURS, Look, Palette


def palette_of_terminal(wanted: Palette = DARK) -> Palette:
    """Return ``wanted`` if the terminal has colours enough for it, else the palette of 16."""
    console = Console(force_terminal=True, color_system=constants.COLOR_SYSTEM)  # type: ignore[arg-type]
    return SIXTEEN_COLOURS if console.color_system in ("standard", "windows") else wanted


def is_ascii_terminal() -> bool:
    """Return whether to draw ASCII only: by the encoding, or for the C locale, which Python treats as UTF-8."""
    if os.environ.get("LC_ALL") in ("C", "POSIX"):
        return True
    encoding = getattr(sys.__stdout__, "encoding", None) or "ascii"
    return not encoding.lower().replace("-", "").startswith("utf")


def variables_of(palette: Palette) -> dict[str, str]:
    """Return a palette as variables of station.tcss; ``ground`` is the screen itself.

    ``mark`` is a ground for the text of a state that differs from its fill, and from the letters drawn in that text.
    """
    named = [*((look.value, paint) for look, paint in palette.items()), ("ground", palette[Look.EMPTY])]
    parts = ("fill", "text", "border")
    marks = {f"{name}-mark": "#FFFFFF" if paint.text == "#000000" else "#000000" for name, paint in named}
    return marks | {f"{name}-{part}": getattr(paint, part) or "ansi_default" for name, paint in named for part in parts}
