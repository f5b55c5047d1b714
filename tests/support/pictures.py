"""Draw pictures of the running program: ``PYTHONPATH=tests python -m support.pictures [NAME ...]``, or `make pictures`.

The screens are reached by replaying recorded events, the supervisor's pages over a journal told by hand. A picture is
an SVG whose block glyphs are rectangles, as a terminal draws them, made into a PNG by Chromium.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from rich.style import Style
from textual.widgets import Input

from station.engine.events import StationStarted
from station.tui.app import BenchApp
from station.view.look import DARK, LIGHT, SIXTEEN_COLOURS, Look, Palette
from station.words.cells import width_of
from station.words.languages import load

from .recorded import read
from .screen_pilot import BenchPilot, press, running, tell
from .screen_story import Story
from .supervisor import answered, supervised, tell_journal

WHERE = Path(__file__).parents[2] / "build" / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
CELL = (10, 19)  # pixels
FONT = "DejaVu Sans Mono, WenQuanYi Micro Hei Mono, Noto Sans Mono CJK SC, monospace"
NO_BREAK = "\u00a0"  # browsers collapse runs of ordinary spaces in SVG, whatever is said about `white-space`
BLOCKS = {"█": (0.0, 1.0), "▀": (0.0, 0.5), "▄": (0.5, 1.0)}
_RUNS = re.compile(r"█+|▀+|▄+|[\u2E80-\uFFFF]|[^█▀▄\u2E80-\uFFFF]+")
"""What is drawn at once: equal blocks, one wide character, or ordinary text."""


@dataclass(frozen=True)
class Picture:
    """What to show: recorded events, keys, and events ``after`` them, or keys over a journal; size and options."""

    name: str
    recorded: str = "states"
    size: tuple[int, int] = (80, 24)
    keys: tuple[str, ...] = ()
    after: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    is_journal: bool = False

    @property
    def palette(self) -> Palette:
        palette: Palette = self.options.get("palette", DARK)
        return palette


GERMAN, CHINESE = ({"words": load(language, datetime.UTC)} for language in ("de", "zh"))
PICTURES = (
    Picture("states"),
    Picture("states-selected", keys=("5",)),
    Picture("states-light", options={"palette": LIGHT}),
    Picture("states-16-colours", options={"palette": SIXTEEN_COLOURS}),
    Picture("states-ascii", options={"ascii_only": True}),
    Picture("states-german", options=GERMAN),
    Picture("states-chinese", options=CHINESE),
    Picture("states-large", size=(200, 60)),
    Picture("states-large-light", size=(200, 60), options={"palette": LIGHT}),
    Picture("pass-alone", "pass"),
    Picture("fail-alone", "fail"),
    Picture("hands-alone", "hands"),
    Picture("thirty-two", "thirty_two", (120, 40)),
    Picture("thirty-two-small", "thirty_two"),
    Picture("thirty-two-wall", "thirty_two", (200, 60)),
    Picture("details-pass", size=(120, 40), keys=("1", "enter")),
    Picture("details-fail", "weak_wifi", (120, 40), keys=("1", "enter")),
    Picture("details-fail-light", "weak_wifi", (120, 40), keys=("1", "enter"), options={"palette": LIGHT}),
    Picture("console", "weak_wifi", keys=("1", "enter", "k"), after="console"),
    Picture("console-large", "weak_wifi", (120, 40), keys=("1", "enter", "k"), after="console"),
    Picture("key-none", keys=("5", "z")),
    Picture("help", size=(120, 40), keys=("question_mark",)),
    Picture("batches", size=(120, 40), keys=("b",), is_journal=True),
    Picture("batches-light", size=(120, 40), keys=("b",), options={"palette": LIGHT}, is_journal=True),
    Picture("find-light", size=(120, 40), keys=("f",), options={"palette": LIGHT}, is_journal=True),
    Picture("help-ascii", size=(120, 40), keys=("question_mark",), options={"ascii_only": True}),
    Picture("help-small", keys=("question_mark",)),
    Picture("find", size=(120, 40), keys=("f",), is_journal=True),
)


@contextlib.asynccontextmanager
async def standing(picture: Picture, folder: Path) -> AsyncIterator[tuple[BenchApp, BenchPilot]]:
    if picture.is_journal:
        journal = folder / picture.name
        tell_journal(journal)
        async with supervised(journal, **picture.options) as (_, app, pilot):
            yield app, pilot
        return
    events = read(picture.recorded)
    story = Story(next(len(event.slots) for event in events if isinstance(event, StationStarted)))
    app = story.app(**picture.options)
    async with running(app, picture.size) as pilot:
        for event in events:
            app.feed(event)
        await pilot.pause(0.2)
        yield app, pilot


async def drawn(picture: Picture, folder: Path) -> str:
    """Return the picture as SVG."""
    async with standing(picture, folder) as (app, pilot):
        if picture.is_journal:
            await pilot.resize_terminal(*picture.size)
        await press(pilot, *picture.keys)
        for field_ in app.screen.query(Input):
            field_.cursor_blink = False
        await tell(pilot, app, *(read(picture.after) if picture.after else ()))
        await pilot.pause(0.3)
        if picture.is_journal:
            await answered(pilot)
        return svg(app, picture.palette[Look.EMPTY].fill or "#000000", picture.palette[Look.EMPTY].text or "#C8C8C8")


def svg(app: BenchApp, ground: str, ink: str) -> str:
    """Draw what is on the screen, cell by cell."""
    across, down = CELL
    width, height = app.size.width * across, app.size.height * down
    parts = [f'<rect width="{width}" height="{height}" fill="{ground}"/>']
    for row, strip in enumerate(app.screen._compositor.render_strips()):
        column = 0
        for text, style, _control in strip:
            fill, back, look = _colours(style or Style(), ground, ink)
            if back != ground:
                parts.append(_rect(column * across, row * down, width_of(text) * across, down, back))
            faint = ' opacity="0.6"' if style and style.dim else ""
            for run in _RUNS.findall(text):
                here, cells = column * across, width_of(run)
                column += cells
                if run[0] in BLOCKS:
                    top, bottom = BLOCKS[run[0]]
                    parts.append(_rect(here, (row + top) * down, cells * across, (bottom - top) * down, fill, faint))
                elif run.strip():
                    lead = (len(run) - len(run.lstrip())) * across
                    at = f'x="{here + lead}" y="{row * down + 15}"'
                    shown = escape(run.strip()).replace(" ", NO_BREAK)
                    parts.append(f'<text {at} fill="{fill}"{look}{faint}>{shown}</text>')
    frame = f'width="{width}" height="{height}" shape-rendering="crispEdges" font-family="{FONT}" font-size="16.6"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {frame}>{"".join(parts)}</svg>'


def _rect(x: float, y: float, width: float, height: float, fill: str, faint: str = "") -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{fill}"{faint}/>'


def _colours(style: Style, ground: str, ink: str) -> tuple[str, str, str]:
    fill = ink if style.color is None or style.color.is_default else style.color.get_truecolor().hex
    back = ground if style.bgcolor is None or style.bgcolor.is_default else style.bgcolor.get_truecolor().hex
    if style.reverse:
        fill, back = back, fill
    return fill, back, ' font-weight="bold"' if style.bold else ""


def browser() -> str | None:
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def png(source: Path, target: Path, program: str, size: tuple[int, int]) -> None:
    """Let the browser draw an SVG of ``size`` cells."""
    window = f"--window-size={size[0] * CELL[0]},{size[1] * CELL[1]}"
    subprocess.run(
        [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", window,
         f"--screenshot={target}", source.as_uri()],
        check=True, capture_output=True,
    )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description="Draw pictures of the running program into build/pictures.")
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *(one.name for one in PICTURES)], default=[])
    names = parser.parse_args().names
    program = browser()
    if program is None:
        print(f"pictures need one of {', '.join(BROWSERS)}; install it and run me again", file=sys.stderr)  # noqa: T201
        return 1
    WHERE.mkdir(parents=True, exist_ok=True)
    for one in PICTURES:
        if names and one.name not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            source = WHERE / f"{one.name}.svg"
            source.write_text(asyncio.run(drawn(one, Path(folder))), encoding="utf-8")
        png(source, WHERE / f"{one.name}.png", program, one.size)
        print(WHERE / f"{one.name}.png")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
