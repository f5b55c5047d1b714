"""A unit that a person worked on after its verdict is proven no more until it is walked again, on every face."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import ARGON, BORON, LineBench, line_bench
from support.spoken import ENGLISH

from drivers.virtual.faults import parse_fault
from drivers.virtual.unit import UnitMode, VirtualUnit
from station.engine.commands import Command, EnterMode, RunStep, Scan, SignalUnit
from station.engine.commands import Mode as WantedMode
from station.engine.console_events import HandWorkBegun
from station.engine.events import AttemptFinished, CommandDone, CommandRefused, Event, ScanRead
from station.journal.records import AttemptRecord
from station.model import SlotInfo, Verdict
from station.view.look import Look
from station.view.reduce import replay
from station.view.state import BenchState


def judged(bench: LineBench, unit: VirtualUnit) -> AttemptFinished:
    """Walk ``unit`` to its PASS and leave it in its slot."""
    bench.plug(unit)
    finished = bench.wait_finished()
    assert finished.verdict is Verdict.PASS, finished.reason
    bench.sleep(1.0)
    return finished


def enter(bench: LineBench, mode: WantedMode, of: AttemptFinished) -> Event:
    return answer(bench, EnterMode(1, mode, of.attempt or "", of.device_id or ""))


def answer(bench: LineBench, command: Command) -> Event:
    """What the station says to a command."""
    since = bench.mark()
    bench.command(command)
    return bench.wait(lambda event: isinstance(event, CommandDone | CommandRefused), since=since)


def shown(bench: LineBench) -> Look:
    return replay(BenchState.of([SlotInfo(1, "1-1")], ENGLISH), [one for _, one in bench.events]).slots[0].look


def recorded(bench: LineBench, of: AttemptFinished) -> AttemptRecord:
    with bench.reader() as journal:
        found = journal.attempt(of.attempt or "")
        journal.verify()
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("mode", "there"), [("dfu", UnitMode.DFU), ("listening", UnitMode.LISTENING), ("safe", UnitMode.SAFE)]
)
def test_a_unit_that_passed_and_was_brought_into_another_mode_is_no_pass_until_it_is_walked_again(
    tmp_path: Path, mode: WantedMode, there: UnitMode
) -> None:
    with line_bench(tmp_path, ARGON, slots=1) as bench:
        unit = bench.finished_unit(ARGON)
        passed = judged(bench, unit)
        with bench.reader() as journal:
            figures = journal.figures(bench.recipes[0].batch)
        begun = len(bench.events)
        assert isinstance(enter(bench, mode, passed), CommandDone)
        assert unit.mode is there
        (hand,) = [event for _, event in bench.events[begun:] if isinstance(event, HandWorkBegun)]
        assert (hand.what, hand.device_id, hand.attempt) == (mode, passed.device_id, passed.attempt)
        assert shown(bench) is Look.HANDS
        assert (recorded(bench, passed).verdict, recorded(bench, passed).result) == (Verdict.PASS, "YOUR TURN")
        with bench.reader() as journal:
            assert journal.figures(bench.recipes[0].batch) == figures
            assert journal.wifi_digest(unit.device_id) is None  # whoever is there may have stored another password
        assert isinstance(enter(bench, "reset", passed), CommandDone)
        assert shown(bench) is Look.HANDS  # a restart proves nothing again
        again = bench.retry().finished
        assert again.verdict is Verdict.PASS
        assert (shown(bench), recorded(bench, again).result) == (Look.PASS, "PASS")
        assert recorded(bench, passed).by_hand_at is not None


def test_a_restart_that_a_unit_comes_back_from_and_its_light_leave_it_its_pass(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, slots=1) as bench:
        passed = judged(bench, bench.finished_unit(BORON))
        for command in (SignalUnit(1, True), SignalUnit(1, False)):
            assert isinstance(answer(bench, command), CommandDone)
        assert isinstance(enter(bench, "reset", passed), CommandDone)
        assert shown(bench) is Look.PASS
        assert recorded(bench, passed).by_hand_at is None


def test_a_unit_that_does_not_come_back_from_its_restart_is_no_pass(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, slots=1) as bench:
        unit = bench.finished_unit(BORON)
        passed = judged(bench, unit)
        unit.order(parse_fault("at=request:40,do=hang"))
        assert isinstance(enter(bench, "reset", passed), CommandRefused)
        assert shown(bench) is not Look.PASS
        assert recorded(bench, passed).by_hand_at is not None


def test_a_unit_is_no_pass_from_the_moment_it_is_told_even_if_the_station_hears_no_answer(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, slots=1) as bench:
        unit = bench.finished_unit(BORON)
        passed = judged(bench, unit)
        unit.faults.lasting.add("no-dfu")
        assert isinstance(enter(bench, "dfu", passed), CommandRefused)
        assert shown(bench) is Look.HANDS
        assert recorded(bench, passed).by_hand_at is not None


def test_a_mode_asked_for_by_a_command_that_names_no_unit_takes_the_pass_of_the_unit_there(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, slots=1) as bench:
        passed = judged(bench, bench.finished_unit(BORON))
        assert isinstance(answer(bench, EnterMode(1, "safe")), CommandDone)
        assert shown(bench) is Look.HANDS
        assert recorded(bench, passed).by_hand_at is not None


def test_no_step_that_is_run_by_itself_leaves_a_pass(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON, slots=1) as bench:
        passed = judged(bench, bench.finished_unit(ARGON))
        steps = recorded(bench, passed).planned
        assert len(steps) > 5
        for step in steps:
            since = bench.mark()
            bench.command(RunStep(1, step))
            ended = bench.wait_for(AttemptFinished, since=since)
            assert isinstance(ended, AttemptFinished)
            assert (ended.verdict, ended.sentence) == (Verdict.ABORTED, "part_walked"), step
            assert shown(bench) is Look.ABORTED
        with bench.reader() as journal:
            figures = journal.figures(bench.recipes[0].batch)
        assert (figures.passed, figures.aborted) == (0, 1)


def test_the_label_of_a_unit_that_left_before_it_was_walked_again_says_that_it_is_not_finished(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, slots=1) as bench:
        unit = bench.finished_unit(BORON)
        enter(bench, "dfu", judged(bench, unit))
        bench.unplug()
        bench.sleep(3.0)
        since = bench.mark()
        bench.command(Scan(unit.label))
        read = bench.wait_for(ScanRead, since=since)
        assert isinstance(read, ScanRead)
        assert (read.accepted, read.sentence) == (True, "unit_begun")
