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
from .ending import wait_once


def station_screen(station: Station) -> int:
    """Show the bench until somebody leaves; returns the exit status."""
    tally = Tally()
    try:
        _show(station, station.slots, station.start, tally)
    finally:
        station.stop()
    return tally.exit_status


def demo_screen(
    options: DemoOptions, clock: Clock, environ: dict[str, str], finish: Callable[[Demo, Tally, float], BatchSummary]
) -> int:
    """The bench over virtual units; with ``once`` it closes by itself when every slot is through."""
    demo = Demo(options, clock, environ)
    tally = Tally()
    started = clock.now()
    try:
        demo.open_batches()  # before the screen is up: what a profile lacks is said on the command line
        _show(demo.station, demo.slots, demo.start, tally, (lambda: wait_once(demo)) if options.once else None)
    except BaseException:
        demo.abandon()
        raise
    sys.stdout.write(summary_words(finish(demo, tally, clock.now() - started)))
    return tally.exit_status


def _show(
    station: Station,
    slots: tuple[SlotInfo, ...],
    start: Callable[[], None],
    tally: Tally,
    until: Callable[[], None] | None = None,
) -> None:
    """Run the screen; ``until`` returns when it should close by itself. Raises what ``start`` or ``until`` raised."""
    failures: list[Exception] = []

    def ready() -> None:
        station.clock.thread("start", start_and_wait)

    def start_and_wait() -> None:
        try:
            start()
            if until is not None:
                until()
                app.leave()
        except Exception as error:  # nobody would see it behind the screen: it is told when that is gone
            failures.append(error)
            app.leave()

    profiles = tuple(opened.profile.id for opened in station.bench.batches)
    app = BenchApp(slots, station.send, profiles=profiles, on_ready=ready)
    station.bus.subscribe(app.feed)
    station.bus.subscribe(tally)
    app.run()
    if failures:
        raise failures[0]
