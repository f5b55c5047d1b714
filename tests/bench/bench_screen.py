"""Key or scan to paint on a bench with 16 and 32 busy slots, beside a bare Textual app in the same run.

Time runs from the key's arrival to the bytes that show its effect; the bytes go to a driver that keeps them in
memory, so no terminal has a part in it. Busy: every slot reports progress 20 times a second.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from support.busy_screen import answering, busy, busy_from
from support.screen_story import Story
from textual import events
from textual.app import App, ComposeResult
from textual.driver import Driver
from textual.geometry import Size
from textual.widgets import Static

from station.tui.driver import SILENCES
from station.tui.messages import Silence

Say = Callable[[str], None]
SIZE = (160, 48)
KEYS = 100
GAP_S = 0.08  # between two keys; not a scanner


def wrote(app: App[Any]) -> list[tuple[float, str]]:
    found: list[tuple[float, str]] = vars(app)["wrote"]
    return found


class Memory(Driver):
    """A terminal of `SIZE` that keeps when it was written to."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self.wrote = wrote(app)

    def write(self, data: str) -> None:
        self.wrote.append((time.perf_counter(), data))

    def start_application_mode(self) -> None:
        size = Size(*SIZE)
        self._app.post_message(events.Resize(size, size))

    def disable_input(self) -> None: ...

    def stop_application_mode(self) -> None: ...


class Bare(App[None]):
    """Sixteen lines; a digit marks one."""

    def compose(self) -> ComposeResult:
        for number in range(1, 17):
            yield Static(str(number), id=f"n{number}")

    def on_key(self, event: events.Key) -> None:
        for number in range(1, 10):
            self.query_one(f"#n{number}", Static).update(f"{'▸' if event.key == str(number) else ''}{number}")


@asynccontextmanager
async def shown(app: App[Any]) -> AsyncIterator[float]:
    """Run ``app``; yields the seconds to its first paint."""
    vars(app)["wrote"] = []
    app.driver_class = Memory
    began = time.perf_counter()
    running = asyncio.create_task(app.run_async(size=SIZE))
    while not any("\x1b[" in data and len(data) > 500 for _, data in wrote(app)):
        await asyncio.sleep(0.01)
    yield wrote(app)[-1][0] - began
    app.exit()
    await running


def read(app: App[Any], *keys: events.Key) -> None:
    """Hand ``keys`` to ``app`` as the reader of the terminal does, with the silence behind them."""
    for key in keys:
        app.post_message(key)
    for silent in SILENCES:
        asyncio.get_running_loop().call_later(silent, app.post_message, Silence(silent))


async def scanned(app: App[Any], count: int) -> list[float]:
    """Scan ``count`` labels one after the other; returns for each the milliseconds from its end to its answer."""
    took = []
    for number in range(count):
        label = f"P044SCAN{number:05d}"
        wrote(app).clear()
        keys = [events.Key(character, character if len(character) == 1 else None) for character in [*label, "enter"]]
        read(app, *keys)
        began = time.perf_counter()
        while not (seen := [at for at, data in wrote(app) if label in data]):
            await asyncio.sleep(0.001)
            assert time.perf_counter() - began < 5, f"{label} was never answered"
        took.append(1000 * (seen[0] - began))
        await asyncio.sleep(GAP_S)
    return took


async def pressed(app: App[Any], keys: list[str]) -> list[float]:
    """Press ``keys`` one after the other; returns for each the milliseconds until its slot is marked."""
    took = []
    for key in keys:
        wrote(app).clear()
        began = time.perf_counter()
        read(app, events.Key(key, key))
        while not (seen := [at for at, data in wrote(app) if f"▸{key}" in data]):
            await asyncio.sleep(0.001)
            assert time.perf_counter() - began < 5, f"{key} was never marked"
        took.append(1000 * (seen[0] - began))
        await asyncio.sleep(GAP_S)
    return took


def told(took: list[float]) -> str:
    return f"p50 {statistics.median(took):5.1f} ms, p99 {statistics.quantiles(took, n=100)[98]:5.1f} ms"


KEYS_PRESSED = [str(4 + n % 6) for n in range(KEYS)]  # no tens of 32 slots


def test_bare(say: Say) -> None:
    async def run() -> None:
        app = Bare()
        async with shown(app) as first:
            took = await pressed(app, KEYS_PRESSED)
        say(f"bare Textual app, idle: first paint {first:.2f} s, key to paint {told(took)}")

    asyncio.run(run())


@pytest.mark.parametrize("count", [16, 32])
def test_key_to_paint(count: int, say: Say) -> None:
    story = Story(count)
    app = story.app(is_animated=True, on_ready=gc.freeze)  # as the program does
    answering(app)

    async def run() -> None:
        over = threading.Event()
        async with shown(app) as first:
            for event in (*story.opened(), *(one for n in range(1, count + 1) for one in busy_from(story, n))):
                app.feed(event)
            await asyncio.sleep(1.0)
            cpu, began = time.process_time(), time.perf_counter()
            await asyncio.sleep(4.0)
            idle = (time.process_time() - cpu) / (time.perf_counter() - began)
            feeder = threading.Thread(target=busy, args=(story, app.feed, over), daemon=True)
            feeder.start()
            await asyncio.sleep(1.0)
            wrote(app).clear()
            cpu, began = time.process_time(), time.perf_counter()
            await asyncio.sleep(4.0)
            load = (time.process_time() - cpu) / (time.perf_counter() - began)
            painted = sum(len(data) for _, data in wrote(app)) / 4000
            took = await pressed(app, KEYS_PRESSED)
            scans = await scanned(app, KEYS)
            over.set()
            feeder.join()
        say(
            f"{count} slots: first paint {first:.2f} s, idle {idle:.1%} of a core; busy {load:.0%}, {painted:.0f} kB/s,"
            f" key to paint {told(took)}; scan to paint {told(scans)}"
        )

    asyncio.run(run())
