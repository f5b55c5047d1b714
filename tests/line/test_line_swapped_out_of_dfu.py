"""A unit without a name in its USB serial string comes out of DFU: it says who it is before anything is confirmed."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import BootRequest, LineBench, Recipe, Walk, line_bench

from drivers.platforms import platforms
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.virtual.world import StoredNetwork
from station.engine.events import AttemptFinished, Event, HandsNeeded
from station.engine.records import WriteConfirmed, WriteIntended
from station.model import Verdict

GEN_2 = pytest.mark.parametrize("slug", [row.slug for row in platforms() if row.family == "stm32"])


def keeping(slug: str, device_os: str) -> Recipe:
    """A profile for units that keep their Device OS: what it fits they tell only when they run."""
    return Recipe(slug, device_os=None, keeps=device_os, wifi=False)


def told_of_restarts(walk: Walk) -> list[str]:
    return [
        type(event).__name__
        for event in walk.events
        if isinstance(event, WriteIntended | WriteConfirmed) and event.what == "restart out of DFU"
    ]


def swap_while_it_starts(bench: LineBench, other: VirtualUnit) -> None:
    """Put ``other`` in place of the unit that has left DFU and is not back yet."""
    bench.wait_for(WriteIntended, what="restart out of DFU")
    bench.sleep(0.5)
    bench.unplug()
    bench.sleep(0.5)
    bench.plug(other)


@pytest.mark.rule("H2")
@GEN_2
def test_another_unit_that_comes_instead_is_not_confirmed_as_the_one_that_was_restarted(
    slug: str, tmp_path: Path
) -> None:
    with line_bench(tmp_path, keeping(slug, "0.5.5")) as bench:
        first = bench.unit(slug, 1, "0.5.5", arrives=BootRequest.DFU)
        other = bench.unit(slug, 2, "0.5.5")
        walk = bench.walk(first, during=lambda: swap_while_it_starts(bench, other))
        assert (walk.verdict, walk.finished.sentence) == (Verdict.ABORTED, "swapped")
        assert other.device_id in walk.finished.reason
        assert told_of_restarts(walk) == ["WriteIntended"]
        assert walk.flash_writes == 0


@pytest.mark.rule("H2")
@GEN_2
def test_the_unit_itself_says_so_and_its_restart_is_confirmed(slug: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, keeping(slug, "0.5.5")) as bench:
        walk = bench.walk(bench.unit(slug, 1, "0.5.5", arrives=BootRequest.DFU))
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert told_of_restarts(walk) == ["WriteIntended", "WriteConfirmed"]
        assert walk.of(HandsNeeded) == []


@pytest.mark.rule("H1")
@pytest.mark.parametrize("slug", ["photon", "p1"])
def test_hands_that_make_it_say_so_are_asked_for_once(slug: str, tmp_path: Path) -> None:
    """One that obeys no command is made to listen by hand, and goes on listening for what is read after its name."""
    with line_bench(tmp_path, keeping(slug, "0.4.9")) as bench:
        networks = (StoredNetwork("elsewhere"),)  # without any it listens by itself
        unit = bench.unit(slug, 1, "0.4.9", arrives=BootRequest.DFU, networks=networks)

        def press() -> None:
            asked: Event = bench.wait_for(HandsNeeded, sentence="listening_by_hand")
            assert unit.mode is UnitMode.NORMAL
            while isinstance(asked, HandsNeeded):
                bench.sleep(3.0)
                unit.hold_mode_button()
                place = bench.place_of(asked) + 1
                asked = bench.wait(lambda one: isinstance(one, HandsNeeded | AttemptFinished), since=place)

        walk = bench.walk(unit, during=press)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert [one.step for one in walk.of(HandsNeeded) if isinstance(one, HandsNeeded)].count("identify") == 1
        assert told_of_restarts(walk) == ["WriteIntended", "WriteConfirmed"]
