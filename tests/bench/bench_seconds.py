"""Where the seconds of a walk go, in simulated time: per step its transfers, the time of the unit, and our waits.

Nothing is measured by a real clock, so the figures are the same on every machine. Reported, not asserted.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import pytest
from line_bench import Recipe, Walk, line_bench
from support.watched_clock import Site, WatchedClock

from station.engine.events import StepFinished, StepStarted
from station.model import Verdict

Say = Callable[[str], None]
WALKED = {
    "photon": (Recipe("photon", device_os="3.3.1"), "1.5.2"),
    "argon": (Recipe("argon", online=True), "3.3.1"),
    "boron": (Recipe("boron", online=True), "3.3.1"),
    "tracker": (Recipe("tracker", online=True), "3.3.1"),
    "p2": (Recipe("p2", online=True), "5.3.2"),
    "msom": (Recipe("msom", online=True), "5.5.0"),
}


@pytest.mark.parametrize("slug", WALKED)
def test_where_the_seconds_go(slug: str, tmp_path: Path, say: Say) -> None:
    recipe, held = WALKED[slug]
    clock = WatchedClock()
    with line_bench(tmp_path, recipe, clock=clock) as bench:
        unit, counts = bench.unit(slug, 1, held), dict[str, int]()

        def count(event: object) -> None:
            if isinstance(event, StepStarted):
                counts[event.step] = -unit.transfers["control"]
            elif isinstance(event, StepFinished):
                counts[event.step] = counts.get(event.step, 0) + unit.transfers["control"]

        bench.station.bus.subscribe(count)
        first = told(bench.walk(unit), clock, counts, slug, say)
        again = told(bench.walk(unit), clock, {}, f"{slug}, nothing to do", say)
        say(f"{slug}: a walk with nothing to do takes {again / first:.1%} of the first")


def told(walk: Walk, clock: WatchedClock, counts: dict[str, int], title: str, say: Say) -> float:
    """Print one table and forget its waits; return the seconds of the walk."""
    assert walk.verdict is Verdict.PASS, walk.finished
    say(f"\n{title}: {walk.seconds:.1f} s")
    waits, clock.waits = dict(clock.waits), type(clock.waits)(list)
    by_step = {step: list(rows) for step, rows in groupby(sorted(waits, key=_order), lambda site: site.step)}
    for name, step in walk.steps.items():
        rows = by_step.get(name, [])
        of = {kind: sum(sum(waits[site]) for site in rows if site.kind == kind) for kind in ("unit", "bus", "ours")}
        if step.seconds >= 0.05:
            say(
                f"  {name:14}{step.seconds:8.2f} s {counts.get(name, 0):6} transfers"
                f"  unit {of['unit']:7.2f}  off the bus {of['bus']:6.2f}  ours {of['ours']:6.2f}"
            )
        for site in rows:
            if site.kind == "ours" and sum(waits[site]) >= 0.02:
                say(f"      {sum(waits[site]):6.2f} s in {len(waits[site]):4} waits of {site.place}")
    return walk.seconds


def _order(site: Site) -> tuple[str, str, str]:
    return site.step, site.kind, site.place
