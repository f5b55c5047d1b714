"""What a technician does with a unit that has its verdict: modes, light, a part of the walk, the light seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import ARGON, BORON, LineBench, line_bench

from drivers.virtual.unit import UnitMode, VirtualUnit
from station.engine.commands import Command, EnterMode, Mode, RunStep, SignalUnit, TellLight
from station.engine.events import AttemptFinished, AttemptStarted, CommandDone, CommandRefused, Event, LightSeen
from station.model import Verdict


def answer(bench: LineBench, command: Command) -> Event:
    """What the station says to a command."""
    since = bench.mark()
    bench.command(command)
    return bench.wait(lambda event: isinstance(event, CommandDone | CommandRefused), since=since)


def judged(bench: LineBench, unit: VirtualUnit) -> AttemptFinished:
    """Walk ``unit`` and leave it in its slot."""
    bench.plug(unit)
    finished = bench.wait_finished()
    assert finished.verdict is Verdict.PASS, finished.reason
    bench.sleep(1.0)
    return finished


@pytest.mark.parametrize(
    ("mode", "there"),
    [("dfu", UnitMode.DFU), ("listening", UnitMode.LISTENING), ("safe", UnitMode.SAFE), ("reset", UnitMode.NORMAL)],
)
def test_a_unit_goes_into_the_mode_asked_for_and_keeps_its_verdict(tmp_path: Path, mode: Mode, there: UnitMode) -> None:
    with line_bench(tmp_path, BORON, slots=1) as bench:
        unit = bench.finished_unit(BORON)
        judged(bench, unit)
        since = bench.mark()
        done = answer(bench, EnterMode(1, mode))
        assert isinstance(done, CommandDone), done
        assert (done.did, done.what, unit.mode) == ("mode", mode, there)
        bench.sleep(30.0)
        began = [event for _, event in bench.events[since:] if isinstance(event, AttemptStarted)]
        assert began == []  # its restart is no arrival


def test_a_unit_put_into_dfu_comes_out_by_a_restart_and_is_walked_when_asked(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, slots=1) as bench:
        unit = bench.finished_unit(BORON)
        judged(bench, unit)
        answer(bench, EnterMode(1, "dfu"))
        answer(bench, EnterMode(1, "reset"))
        assert unit.mode is UnitMode.NORMAL
        assert bench.retry().verdict is Verdict.PASS


def test_a_light_says_whether_it_was_switched_and_a_slot_without_unit_why_nothing_works(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, slots=1) as bench:
        judged(bench, bench.finished_unit(BORON))
        for on, did in ((True, "light-on"), (False, "light-off")):
            done = answer(bench, SignalUnit(1, on))
            assert isinstance(done, CommandDone), done
            assert done.did == did
        answer(bench, EnterMode(1, "dfu"))
        dark = answer(bench, SignalUnit(1, True))
        assert isinstance(dark, CommandRefused)
        assert "application has to run" in dark.reason
        bench.unplug()
        bench.sleep(3.0)
        none = answer(bench, EnterMode(1, "dfu"))
        assert isinstance(none, CommandRefused)
        assert none.reason == "Slot 1 holds no unit. Plug one in."


def test_a_unit_at_work_is_not_put_into_another_mode(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, slots=1) as bench:
        since = bench.mark()
        bench.plug(bench.unit("boron"))
        bench.wait(lambda event: isinstance(event, AttemptStarted), since=since)
        refused = answer(bench, EnterMode(1, "dfu"))
        assert isinstance(refused, CommandRefused)
        assert "is at work" in refused.reason
        assert bench.wait_finished(since=since).verdict is Verdict.PASS


def test_a_retry_from_a_step_runs_it_and_those_named_after_it_and_is_no_pass(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON, slots=1) as bench:
        judged(bench, bench.finished_unit(ARGON))
        since = bench.mark()
        bench.command(RunStep(1, "wifi", ("setup_done",)))
        ended = bench.wait(lambda event: isinstance(event, AttemptFinished), since=since)
        assert isinstance(ended, AttemptFinished)
        assert (ended.verdict, ended.say.key) == (Verdict.ABORTED, "part_walked")
        begun = next(event for _, event in bench.events[since:] if isinstance(event, AttemptStarted))
        assert {"identify", "wifi"} <= set(begun.steps)
        assert not {"device_os", "final_check"} & set(begun.steps)


@pytest.mark.rule("M4")
def test_the_light_a_person_saw_is_kept_with_the_attempt_and_its_device_id(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, slots=1) as bench:
        unit = bench.finished_unit(BORON)
        finished = judged(bench, unit)
        bench.command(TellLight(1, finished.attempt or "", finished.device_id or "", "blinking green"))
        seen = next(event for _, event in bench.events if isinstance(event, LightSeen))
        assert (seen.device_id, seen.attempt, seen.light) == (
            str(unit.spec.device_id),
            finished.attempt,
            "blinking green",
        )
        with bench.reader() as journal:
            kept = [row for row in journal.entries() if row.kind == "LightSeen"]
        assert len(kept) == 1
        assert f'"attempt":"{finished.attempt}"' in kept[0].body
