"""Puts the bench screen over a station. The only verb module that imports the terminal library."""

from __future__ import annotations

import sys
from collections.abc import Callable

from drivers.clock import Clock

from ..compose import Station
from ..demo import Demo, DemoOptions
from ..engine.events import BatchSummary
from ..headless import Tally, summary_words
from ..model import SlotInfo
from ..ui.app import BenchApp


def station_screen(station: Station) -> int:
    """Show the bench until somebody leaves; returns the exit status."""
    tally = Tally()
    _show(station, station.slots, station.start, tally)
    station.stop()
    return tally.exit_status


def demo_screen(
    options: DemoOptions, clock: Clock, environ: dict[str, str], finish: Callable[[Demo, Tally, float], BatchSummary]
) -> int:
    """The bench over virtual units; with ``once`` it closes by itself when every slot is through."""
    demo = Demo(options, clock, environ)
    tally = Tally()
    started = clock.now()
    _show(demo.station, demo.slots, demo.start, tally, demo.wait_done if options.once else None)
    sys.stdout.write(summary_words(finish(demo, tally, clock.now() - started)))
    return tally.exit_status


def _show(
    station: Station,
    slots: tuple[SlotInfo, ...],
    start: Callable[[], None],
    tally: Tally,
    until: Callable[[], None] | None = None,
) -> None:
    """Run the screen; ``until`` returns when it should close by itself."""

    def ready() -> None:
        station.clock.thread("start", start_and_wait)

    def start_and_wait() -> None:
        start()
        if until is not None:
            until()
            app.leave()

    profiles = tuple(opened.profile.id for opened in station.bench.batches)
    app = BenchApp(slots, station.command, profiles=profiles, on_ready=ready)
    station.bus.subscribe(app.feed)
    station.bus.subscribe(tally)
    app.run()
