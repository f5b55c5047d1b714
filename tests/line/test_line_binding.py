"""Ports that are bound to slots while the bench runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from line_bench import BORON, LineBench, line_bench

from drivers.clock import Clock
from drivers.hotplug import Attached, Detached
from drivers.identity import PortPath
from station.engine.commands import BindPort
from station.engine.events import CommandRefused, Event, UnitArrived, UnitLeft, UnmappedPort
from station.model import Verdict


@contextmanager
def half_bound(directory: Path) -> Iterator[LineBench]:
    """Two slots, of which the second has no port yet."""
    with line_bench(directory, BORON, slots=2) as bench:
        bench.stop()
        bench.unbound = frozenset({2})
        bench.start(BORON)
        yield bench


def test_a_port_bound_while_its_unit_waits_there_walks_it_at_once(tmp_path: Path) -> None:
    with half_bound(tmp_path) as bench:
        bench.bus.plug("1-9", bench.finished_unit(BORON))
        bench.wait_for(UnmappedPort)
        bench.command(BindPort(2, "1-9"))
        assert bench.wait_finished(2).verdict is Verdict.PASS


def test_a_unit_that_leaves_an_unknown_port_is_told_to_have_left(tmp_path: Path) -> None:
    with half_bound(tmp_path) as bench:
        bench.bus.plug("1-9", bench.finished_unit(BORON))
        bench.wait_for(UnmappedPort)
        bench.bus.unplug("1-9")
        left = bench.wait_for(UnitLeft)
        assert (left.slot, left.port_path) == (0, "1-9")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("slot", "port", "sentence", "reason"),
    [
        (1, "1-9", "slot_taken", "slot 1 is on another port"),
        (2, "1-1", "", "port 1-1 is slot 1 already"),
        (1, "1-1", "", "port 1-1 is slot 1 already"),
        (77, "1-9", "no_slot", "there is no slot 77"),
    ],
)
def test_a_binding_that_cannot_be_is_refused_with_a_sentence(
    slot: int, port: str, sentence: str, reason: str, tmp_path: Path
) -> None:
    with half_bound(tmp_path) as bench:
        bench.command(BindPort(slot, port))
        refused = bench.wait_for(CommandRefused, within=1.0)
        assert isinstance(refused, CommandRefused)
        assert (refused.sentence, refused.values, refused.reason) == (
            sentence,
            (str(slot),) if sentence else (),
            reason,
        )
        bench.bus.plug("1-9", bench.finished_unit(BORON))
        assert bench.wait_for(UnmappedPort)


def on_another_thread(clock: Clock, act: Callable[[], None]) -> None:
    """Have it done on a thread of the clock: time stands still until it is."""
    done = threading.Event()

    def run() -> None:
        act()
        done.set()

    clock.thread("another", run)
    done.wait(0.3)  # it may have to wait for us


class _Ambushed(dict[str, Attached]):
    """Lets ``strike`` happen in the moment before a unit on an unknown port is remembered."""

    def __init__(self, strike: Callable[[], None]) -> None:
        super().__init__()
        self._strike = strike

    def __setitem__(self, path: str, event: Attached) -> None:
        self._strike()
        super().__setitem__(path, event)


def test_a_port_bound_in_the_moment_its_unit_arrives_loses_no_unit(tmp_path: Path) -> None:
    with half_bound(tmp_path) as bench:
        binding = BindPort(2, "1-9")
        bench.station.line._strangers = _Ambushed(
            lambda: on_another_thread(bench.clock, lambda: bench.command(binding))
        )
        bench.bus.plug("1-9", bench.finished_unit(BORON))
        assert bench.wait_finished(2).verdict is Verdict.PASS


def test_a_unit_that_leaves_while_its_port_is_bound_is_not_taken_for_present(tmp_path: Path) -> None:
    with half_bound(tmp_path) as bench:
        line = bench.station.line

        def pull(event: Event) -> None:
            if isinstance(event, UnitArrived):
                on_another_thread(bench.clock, lambda: line.hotplug(Detached(PortPath("1-9"))))

        bench.station.bus.subscribe(pull)
        bench.bus.plug("1-9", bench.finished_unit(BORON))
        bench.wait_for(UnmappedPort)
        bench.command(BindPort(2, "1-9"))
        assert bench.wait_for(UnitLeft, slot=2, within=5.0)
        assert [runner.port.current for runner in line.runners] == [None, None]
