"""Shrinks a failing story: removes everything the failure does not need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from .shift import Figures, run
from .story import Story

TRIES = 80


def shrink(story: Story, figures: Figures, tell: Callable[[str], None]) -> tuple[Story, Figures]:
    """Return the shortest story found that violates the same oracle, and its figures, in at most `TRIES` runs."""
    left = TRIES
    is_shorter = True
    while is_shorter and left > 0:
        is_shorter = False
        for shorter in _shorter(story):
            left -= 1
            tried = run(shorter)
            if tried.kind == figures.kind:
                story, figures, is_shorter = shorter, tried, True
                tell(f"{len(story.parts)} units, {len(story.troubles)} troubles: {tried.violation[:120]}")
                break
            if left <= 0:
                break
    return story, figures


def _shorter(story: Story) -> Iterator[Story]:
    """Yield every story with one element less, the large elements first."""
    for part in story.parts:
        if len(story.parts) > 1:
            yield replace(story, parts=tuple(one for one in story.parts if one is not part))
    for trouble in story.troubles:
        yield replace(story, troubles=tuple(one for one in story.troubles if one is not trouble))
    for part in story.parts:
        for simpler in (
            *(replace(part, faults=_without(part.faults, place)) for place in range(len(part.faults))),
            *(replace(part, slips=_without(part.slips, place)) for place in range(len(part.slips))),
        ):
            yield replace(story, parts=tuple(simpler if one is part else one for one in story.parts))


def _without(things: tuple[str, ...], place: int) -> tuple[str, ...]:
    return things[:place] + things[place + 1 :]
