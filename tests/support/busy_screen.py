"""A bench screen whose slots are all busy, and which hears about each scan at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

from station.engine import commands as cmd
from station.engine import events as ev
from station.tui.app import BenchApp
from station.words import say as sentence

from .screen_story import AT, Story

PROGRESS_S = 0.05


def answering(app: BenchApp) -> None:
    """Have the app hear about each scan at once, as the station reads a label it does not know."""

    def answer(command: cmd.Command) -> None:
        if isinstance(command, cmd.Scan):
            app.feed(ev.ScanRead(at=AT, shown=command.text, accepted=False, say=sentence.Say("scan_unclaimed")))

    app._send = answer


def busy_from(story: Story, slot: int) -> list[ev.Event]:
    return [*story.arrives(slot), *story.writes(slot, 0.0)]


def busy(story: Story, feed: Callable[[ev.Event], None], over: threading.Event) -> None:
    """Tell of progress in every slot each `PROGRESS_S`, until ``over``."""
    at = 0
    while not over.wait(PROGRESS_S):
        at += 1
        for slot in range(1, story.count + 1):
            share = (at % 400) / 400
            feed(ev.StepProgress(**story.head(slot), step="device_os", share=share, seconds_left=30 * (1 - share)))
