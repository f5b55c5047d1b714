"""Shows the bench screen over a station. The only module of the command line that imports the terminal library."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from drivers.clock import Clock

from ..compose import Station
from ..demo import Demo, DemoOptions
from ..headless import Tally
from ..model import SlotInfo
from ..paths import profile_names
from ..tui.app import BenchApp
from ..tui.sounds import Sounds
from ..tui.terminal import palette_of_terminal
from ..view.layout import Rows
from ..view.look import THEMES
from ..words.catalogue import Words
from .ending import Over, told_to_end, wait_over
from .records import JournalRecords

LEFT = "left by the operator"
CLOSE_S = 5.0
"""How long the screen may take to close after its station stopped."""


def station_screen(
    station: Station, words: Words, theme: str = "dark", *, rows: Rows = (), with_sounds: bool = False
) -> int:
    """Show the bench until the operator leaves or the system ends it; returns the exit status."""
    tally, over = Tally(), Over()
    with told_to_end(over):
        why = LEFT
        try:
            screen = _Screen(station, words, station.slots, station.start, tally, over, theme=theme, rows=rows)
            why = screen.show(with_sounds=with_sounds)
        finally:
            station.stop(why)
    return tally.exit_status_of_screen


def demo_screen(
    options: DemoOptions,
    clock: Clock,
    environ: dict[str, str],
    words: Words,
    finish: Callable[[Demo, Tally, float, str], tuple[str, int]],
    theme: str = "dark",
    *,
    with_sounds: bool = False,
) -> int:
    """Show the bench over virtual units; with ``once`` it closes by itself when every slot is done.

    ``finish`` closes the demo and returns what is printed in the end, and the exit status.
    """
    demo = Demo(options, clock, environ)
    tally, over = Tally(), Over()
    started = clock.now()
    with told_to_end(over):
        try:
            demo.open_batches()  # before the screen is up, so that errors appear on the command line
            until = demo.wait_settled if options.once else None
            screen = _Screen(demo.station, words, demo.slots, demo.start, tally, over, until, theme=theme)
            why = screen.show(with_sounds=with_sounds)
        except BaseException as error:
            demo.abandon(str(error))
            raise
        closing, status = finish(demo, tally, clock.now() - started, why)
    with contextlib.suppress(OSError):  # the terminal may be closed by now
        sys.stdout.write(closing)
        sys.stdout.flush()
    return status


class _Screen:
    """Runs the bench screen over ``station``. ``until`` returns when the screen should close by itself."""

    def __init__(
        self,
        station: Station,
        words: Words,
        slots: tuple[SlotInfo, ...],
        start: Callable[[], None],
        tally: Tally,
        over: Over,
        until: Callable[[], None] | None = None,
        *,
        theme: str,
        rows: Rows = (),
    ) -> None:
        self._station, self._start, self._tally, self._over, self._until = station, start, tally, over, until
        self._failures: list[Exception] = []
        self._told: list[str] = []  # why it is closing; the first counts, none: the operator left
        self._is_closed = threading.Event()
        loaded = {opened.profile.id: opened.profile.sha256 for opened in station.bench.batches}
        records = JournalRecords(station.journal, Path.cwd())
        self._app = BenchApp(
            slots, station.send, words, profiles=profile_names(loaded), records=records,
            on_ready=self._ready, palette=palette_of_terminal(THEMES[theme]), rows=rows,
        )  # fmt: skip
        station.bus.subscribe(self._app.feed)
        station.bus.subscribe(tally)

    def show(self, *, with_sounds: bool = False) -> str:
        """Run the screen, with tones if asked; returns why it closed, empty when ``until`` returned.

        Raises what ``until`` raised.
        """
        watcher = threading.Thread(target=self._end_with_signal, name="ending", daemon=True)
        watcher.start()
        sounds = Sounds() if with_sounds else None
        self._app.sounds = sounds
        try:
            self._app.run()
        except OSError:  # the terminal itself is gone
            if not self._told:
                raise
        finally:
            if sounds is not None:
                sounds.close()
            self._is_closed.set()
            self._over.put("")
            watcher.join()
        if self._failures:
            raise self._failures[0]
        return self._told[0] if self._told else LEFT

    def _ready(self) -> None:
        gc.freeze()  # a full collection over all that the start has made takes 75 ms, in which no key is drawn
        self._station.clock.thread("start", self._start_and_wait)

    def _start_and_wait(self) -> None:
        try:
            self._start()
            if self._until is not None:
                self._until()
                self._told.append("")
        except Exception as error:  # raised again once the screen is gone, where it can be seen
            self._failures.append(error)
        if self._failures or self._until is not None:
            self._app.leave()

    def _end_with_signal(self) -> None:
        """Stop the station at once when told to end, however long the terminal takes to close."""
        if why := wait_over(self._over):
            self._told.append(why)
            self._app.leave()
            self._station.stop(why)
            if not self._is_closed.wait(CLOSE_S):  # a terminal that is gone or blocked
                os._exit(self._tally.exit_status_of_screen)
