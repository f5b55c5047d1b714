"""Which stories are told of an update, and what became of their units, as a table."""

from __future__ import annotations

import collections
import random
from collections.abc import Iterator, Sequence

from . import cuts, deaths
from .cloud import CloudDeath
from .cuts import Cut
from .deaths import Killing
from .updates import Ended, Length, Update

SAMPLE = 10
"""Stories of each harm that an update is sampled with which is not swept whole."""

Story = Cut | Killing | CloudDeath


def stories(update: Update, length: Length, seed: int, *, is_whole: bool) -> Iterator[Story]:
    """Yield deaths and cuts of an update: all of them, or by ``seed`` one death a place and `SAMPLE` cuts a harm."""
    dice = random.Random(f"{seed} {update}")
    places: dict[int, list[Story]] = {}
    for killing in deaths.killings_of(update, length):
        places.setdefault(killing.number, []).append(killing)
    harms: dict[str, list[Story]] = {}
    for cut in cuts.cuts_of(update, length, seed):
        harms.setdefault(cut.harm, []).append(cut)
    for group in places.values():
        yield from group if is_whole else dice.sample(group, 1)
    for group in harms.values():
        yield from group if is_whole else dice.sample(group, SAMPLE)


def table(chosen: Sequence[Story], rows: dict[str, dict[str, object]]) -> Iterator[str]:
    """Return a line for each update and harm, then every problem."""
    counts: dict[tuple[str, str], collections.Counter[str]] = {}
    for story in chosen:
        counts.setdefault((str(story.update), story.harm), collections.Counter())[str(rows[str(story)]["end"])] += 1
    yield f"{'update':34} {'harm':10} " + " ".join(f"{end:>8}" for end in ("pass", "hands", "lost", "problem"))
    for (update, harm), ends in counts.items():
        yield f"{update:34} {harm:10} " + " ".join(f"{ends[end]:8}" for end in ("pass", "hands", "lost", "problem"))
    yield "pass: by itself   hands: MODE and RESET, as was said   lost: needs a debugger, as was said before"
    yield from (f"{one}: {rows[str(one)]['problem']}" for one in chosen if rows[str(one)]["problem"])


def live(story: Story) -> tuple[Story, Ended]:
    """Live through one story to its end; in whatever process of the pool."""
    assert not isinstance(story, CloudDeath)
    return story, cuts.ended(story) if isinstance(story, Cut) else deaths.ended(story)
