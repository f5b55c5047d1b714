"""Shrinks a failing story: removes everything the failure does not need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, Self, TypeVar

from .shift import Figures

TRIES = 80


class Shrinkable(Protocol):
    """A story as plain data."""

    def to_json(self) -> str: ...
    def shorter(self) -> Iterator[Self]:
        """Yield every story with one element less, the large elements first."""
        ...


S = TypeVar("S", bound=Shrinkable)


def shrink(story: S, figures: Figures, run: Callable[[S], Figures], tell: Callable[[str], None]) -> tuple[S, Figures]:
    """Return the shortest story found that violates the same oracle, and its figures, in at most `TRIES` runs."""
    left = TRIES
    is_shorter = True
    while is_shorter and left > 0:
        is_shorter = False
        for shorter in story.shorter():
            left -= 1
            tried = run(shorter)
            if tried.kind == figures.kind:
                story, figures, is_shorter = shorter, tried, True
                tell(f"{len(story.to_json())} characters: {tried.violation[:120]}")
                break
            if left <= 0:
                break
    return story, figures
