"""What the terminal can show: colours and characters."""

from __future__ import annotations

import os
import sys

from rich.console import Console
from textual import constants

from ..view.look import FULL_COLOUR, SIXTEEN_COLOURS, Palette


def palette_of_terminal() -> Palette:
    """Return the palette for as many colours as the terminal has."""
    console = Console(force_terminal=True, color_system=constants.COLOR_SYSTEM)  # type: ignore[arg-type]
    return SIXTEEN_COLOURS if console.color_system in ("standard", "windows") else FULL_COLOUR


def is_ascii_terminal() -> bool:
    """Return whether to draw ASCII only: by the encoding, or for the C locale, which Python treats as UTF-8."""
    if os.environ.get("LC_ALL") in ("C", "POSIX"):
        return True
    encoding = getattr(sys.__stdout__, "encoding", None) or "ascii"
    return not encoding.lower().replace("-", "").startswith("utf")
