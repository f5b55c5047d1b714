"""A bench with power for few cellular units: no more of them at once are written or transmit, the others wait."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import BORON, LineBench, Recipe, line_bench

from station.engine.events import Event, StepHeld
from station.engine.records import WriteConfirmed, WriteIntended
from station.model import Verdict
from station.steps.table import StepTable

HUNGRY = StepTable.found().drawing_power


def most_at_once(events: list[Event]) -> int:
    """How many units were written at once, at most, in steps that draw power."""
    written: set[int] = set()
    most = 0
    for event in events:
        if isinstance(event, WriteIntended | WriteConfirmed) and event.target == "unit" and event.step in HUNGRY:
            (written.add if isinstance(event, WriteIntended) else written.discard)(event.slot)
            most = max(most, len(written))
    return most


def walk_all(bench: LineBench, *platforms: str) -> list[Event]:
    since = bench.mark()
    for slot, platform in enumerate(platforms, 1):
        bench.plug(bench.unit(platform, slot), slot)
    for slot in range(1, len(platforms) + 1):
        assert bench.wait_finished(slot, since=since).verdict is Verdict.PASS
    return [event for _, event in bench.events[since:]]


def powered(bench: LineBench, power: int | None) -> None:
    bench.power = power
    bench.restart()


def waits(events: list[Event]) -> list[tuple[int, int]]:
    return [(e.slot, e.before) for e in events if isinstance(e, StepHeld) and e.say.key == "power_busy"]


@pytest.mark.parametrize("power", [1, 2])
def test_no_more_cellular_units_are_written_at_once_than_the_bench_can_feed(tmp_path: Path, power: int) -> None:
    with line_bench(tmp_path, BORON, slots=3) as bench:
        powered(bench, power)
        events = walk_all(bench, "boron", "boron", "boron")
        assert most_at_once(events) == power
        assert max(before for _, before in waits(events)) == 3 - power, "each is told its place in the queue"


def test_a_bench_without_a_limit_feeds_all(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, slots=3) as bench:
        events = walk_all(bench, "boron", "boron", "boron")
        assert most_at_once(events) == 3
        assert waits(events) == []


def test_units_without_a_modem_do_not_wait_for_power(tmp_path: Path) -> None:
    with line_bench(tmp_path, Recipe("argon"), slots=2) as bench:
        powered(bench, 1)
        assert waits(walk_all(bench, "argon", "argon")) == []


def test_a_unit_that_leaves_while_it_waits_or_draws_makes_room(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, slots=3) as bench:
        powered(bench, 1)
        since = bench.mark()
        for slot in (1, 2, 3):
            bench.plug(bench.unit("boron", slot), slot)
        held = bench.wait(
            lambda e: isinstance(e, StepHeld) and e.say.key == "power_busy" and e.before == 2, since=since
        )
        bench.unplug(held.slot)
        others = {1, 2, 3} - {held.slot}
        for slot in others:
            assert bench.wait_finished(slot, since=since).verdict is Verdict.PASS
        assert bench.wait_finished(held.slot, since=since).verdict is Verdict.ABORTED
