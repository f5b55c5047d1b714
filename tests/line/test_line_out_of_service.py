"""Excluded ports and slots out of service: nothing there is a failure, nothing there is counted."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from line_bench import ARGON, LineBench, line_bench
from support.spoken import ENGLISH

from drivers.clock import EPOCH
from station.cli.run import off_keeper
from station.engine.commands import PutSlotBack, RetrySlot, TakeSlotOut
from station.engine.events import (
    AttemptStarted,
    CommandRefused,
    Event,
    SlotPutBack,
    SlotTakenOut,
    UnitArrived,
    UnitLeft,
    UnmappedPort,
)
from station.model import OffSlot, Verdict
from station.settings.config import load_config
from station.view.look import Look
from station.view.reduce import replay
from station.view.state import BenchState

OFF = OffSlot(2, "bent pin", EPOCH - datetime.timedelta(days=3))
PRESENCE = (UnitArrived, UnitLeft, UnmappedPort, AttemptStarted)


def told(bench: LineBench, since: int) -> list[Event]:
    return [event for _, event in bench.events[since:] if isinstance(event, PRESENCE)]


def come_and_go(bench: LineBench, slot: int) -> None:
    bench.plug(bench.finished_unit(ARGON, 10 + slot), slot)
    bench.sleep(60.0)
    bench.unplug(slot)
    bench.sleep(5.0)


def look(bench: LineBench, slot: int) -> Look:
    state = replay(BenchState.of(bench.station.slots, ENGLISH), [event for _, event in bench.events])
    return state.slots[slot - 1].look


def test_a_slot_out_of_service_starts_nothing_and_says_why(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON, slots=2) as bench:
        bench.settings = {"off": (OFF,)}
        bench.restart()
        since = bench.mark()
        come_and_go(bench, 2)
        assert told(bench, since) == []
        assert bench.walk(bench.finished_unit(ARGON)).verdict is Verdict.PASS, "the others work"
        assert (look(bench, 1), look(bench, 2)) == (Look.EMPTY, Look.OFF)
        found = bench.wait_for(SlotTakenOut, slot=2)
        assert isinstance(found, SlotTakenOut)
        assert (found.why, found.since) == (OFF.why, OFF.since)


@pytest.mark.parametrize("port", ["1-2", "virtual-1-usb-0:2"])
def test_what_sits_on_an_excluded_port_is_no_business_of_the_station(tmp_path: Path, port: str) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        bench.settings, bench.names_controllers = {"ignored_ports": {port: "test rig"}}, True
        bench.restart()
        since = bench.mark()
        come_and_go(bench, 2)
        assert told(bench, since) == []


def test_an_excluded_port_takes_no_slot_of_a_bench_that_binds_by_itself(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        bench.settings, bench.unbound = {"ignored_ports": {"1-2": "test rig"}}, frozenset({1})
        bench.restart()
        come_and_go(bench, 2)
        since = bench.mark()
        bench.plug(bench.finished_unit(ARGON, 1), 3)
        assert bench.wait_finished(1, since=since).verdict is Verdict.PASS


def test_a_unit_in_a_slot_that_comes_back_into_service_is_walked(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON, slots=2) as bench:
        bench.settings = {"off": (OFF,)}
        bench.restart()
        bench.plug(bench.finished_unit(ARGON, 12), 2)
        bench.sleep(30.0)
        since = bench.mark()
        bench.command(RetrySlot(2))
        assert isinstance(bench.wait_for(CommandRefused, since=since), CommandRefused)
        bench.command(PutSlotBack(2))
        assert bench.wait_for(SlotPutBack, slot=2, since=since)
        assert bench.wait_finished(2, since=since).verdict is Verdict.PASS


def test_a_unit_that_left_a_slot_out_of_service_is_not_walked_when_that_comes_back(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON, slots=2) as bench:
        bench.settings = {"off": (OFF,)}
        bench.restart()
        bench.plug(bench.finished_unit(ARGON, 12), 2)
        bench.sleep(30.0)
        bench.unplug(2)
        bench.sleep(5.0)
        since = bench.mark()
        bench.command(PutSlotBack(2))
        bench.sleep(30.0)
        assert [event.kind for _, event in bench.events[since:]] == ["SlotPutBack"]


def test_a_slot_at_work_is_not_taken_out_and_one_with_a_verdict_is(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        since = bench.mark()
        bench.plug(bench.finished_unit(ARGON))
        bench.wait_for(AttemptStarted, since=since)
        bench.command(TakeSlotOut(1, "bent pin"))
        assert isinstance(bench.wait_for(CommandRefused, since=since), CommandRefused)
        assert bench.wait_finished(since=since).verdict is Verdict.PASS
        bench.command(TakeSlotOut(1, "bent pin"))
        bench.wait_for(SlotTakenOut, slot=1, since=since)
        bench.unplug()
        bench.sleep(5.0)
        since = bench.mark()
        come_and_go(bench, 1)
        assert told(bench, since) == []


def test_what_the_bench_was_told_stands_in_its_file_for_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "station.toml"
    path.write_text('# by the window\n[slots]\n1 = "1-1" # left\n')
    keep = off_keeper(load_config(path))
    with line_bench(tmp_path, ARGON) as bench:
        bench.settings = {"keep_off": keep}
        bench.restart()
        bench.command(TakeSlotOut(1, "bent pin"))
        (off,) = load_config(path).off
        assert (off.number, off.why) == (1, "bent pin")
        assert off.since is not None
        bench.command(PutSlotBack(1))
    assert path.read_text() == '# by the window\n[slots]\n1 = "1-1" # left\n'
