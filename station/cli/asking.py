"""Asks a person whether something shall be done: the one question of all verbs that change or drop something."""

from __future__ import annotations

import sys

from ..errors import BadInput, StationError


class Declined(StationError):
    """Somebody was asked, and said no: exit status 1."""

    def __init__(self, what: str = "declined: nothing was done") -> None:
        super().__init__(what)


def can_ask() -> bool:
    """Return whether a person sees a question and can answer it."""
    return sys.stdin.isatty()


def says_yes(question: str) -> bool:
    """Ask on the terminal; anything but a yes is a no."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def confirm(question: str, *, is_agreed: bool) -> None:
    """Go on with a yes, or without a question where ``is_agreed`` (``--yes``).

    Raises `Declined`, and `BadInput` where nobody can be asked.
    """
    if is_agreed:
        return
    if not can_ask():
        raise BadInput(f"{question} Nothing was done: nobody can answer here; say --yes if that is what you want")
    if not says_yes(question):
        raise Declined
