"""A few pictures of the bench, for eyes: behaviour is tested elsewhere. Renew with ``--snapshot-update``."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from support.screen_story import Story
from textual.pilot import Pilot

from station.words.languages import load

PICTURES = [
    ("one_slot", 1, (80, 24), (), {}),
    ("eight_slots", 8, (80, 24), (), {}),
    ("thirty_two_slots", 32, (80, 24), (), {}),
    ("eight_slots_wide", 8, (120, 40), (), {}),
    ("ascii", 8, (80, 24), (), {"ascii_only": True}),
    ("german", 8, (80, 24), (), {"words": load("de", datetime.UTC)}),
    ("chinese", 8, (80, 24), (), {"words": load("zh", datetime.UTC)}),
    ("details", 4, (120, 40), ("2", "enter"), {}),
]


@pytest.mark.parametrize(("count", "size", "keys", "options"), [p[1:] for p in PICTURES], ids=[p[0] for p in PICTURES])
def test_the_bench_looks_as_it_did(
    snap_compare: Callable[..., bool],
    count: int,
    size: tuple[int, int],
    keys: tuple[str, ...],
    options: dict[str, Any],
) -> None:
    story = Story(count)
    app = story.app(**options)

    async def tell(pilot: Pilot[None]) -> None:
        for event in story.everything():
            app.feed(event)
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.1)

    assert snap_compare(app, terminal_size=size, run_before=tell)
