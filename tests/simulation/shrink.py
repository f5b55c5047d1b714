"""Makes a failing story short: leaves out whatever it fails without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from .shift import Figures, run
from .story import Story

TRIES = 80


def shrink(story: Story, figures: Figures, tell: Callable[[str], None]) -> tuple[Story, Figures]:
    """The shortest story found that breaks the same oracle, with what it came to. At most `TRIES` runs."""
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
    """Every story with one thing less: the big things first."""
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
