"""Drives the real bench screen in a test: press keys, scan, feed events, look."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable, Callable

from textual import events
from textual.pilot import Pilot

from station.engine import events as ev
from station.tui.app import BenchApp
from station.tui.messages import Silence
from station.tui.scanner import GAP_S
from station.tui.widgets.slot import SlotTile

BenchPilot = Pilot[None]


def on_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run an async test to its end; pytest still sees the fixtures it asks for."""

    @functools.wraps(test)
    def run(*args: object, **kwargs: object) -> None:
        asyncio.run(test(*args, **kwargs))  # type: ignore[arg-type]

    return run


@contextlib.asynccontextmanager
async def running(app: BenchApp, size: tuple[int, int] = (80, 24)) -> AsyncIterator[BenchPilot]:
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield pilot


async def tell(pilot: BenchPilot, app: BenchApp, *told: ev.Event) -> None:
    for event in told:
        app.feed(event)
    await pilot.pause()


async def press(pilot: BenchPilot, *keys: str) -> None:
    """As a hand does, one key after the other."""
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


async def settle(pilot: BenchPilot) -> None:
    """Until nothing has come for so long that a hand typed, and every key has acted."""
    app = pilot.app
    assert isinstance(app, BenchApp)
    app.post_message(Silence(GAP_S))
    await pilot.pause()
    while not app.keyboard.is_idle:
        await asyncio.sleep(0.005)
    await pilot.pause()


async def scan(pilot: BenchPilot, app: BenchApp, text: str, *, end: str = "enter") -> None:
    """As a scanner does: no silence between characters, whatever has the focus."""
    for character in [*text, end]:
        app.post_message(key_of(character))
    await pilot.pause()
    await settle(pilot)


def key_of(name: str) -> events.Key:
    """Return the key of a character, or of a name such as ``enter``."""
    names = {" ": "space", ":": "colon", "?": "question_mark"}
    characters = {name: character for character, name in names.items()}
    return events.Key(names.get(name, name), name if len(name) == 1 else characters.get(name))


def picture(app: BenchApp) -> str:
    """Every character on the screen, row by row."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def tile(app: BenchApp, number: int) -> SlotTile:
    return next(one for one in app.query(SlotTile) if one.slot.number == number)
