"""A locked journal and a full disk in the middle of walks: slots wait, say so, and go on by themselves."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from line_bench import BORON, LineBench, line_bench
from support.journal_trouble import JournalTrouble, troubled

from station.engine.commands import CloseBatch, OpenBatch, SetOperator, StopSlot
from station.engine.events import (
    AttemptFinished,
    AttemptStarted,
    BatchClosed,
    CommandRefused,
    OperatorChanged,
    OutboxSettled,
    StationFault,
    StepHeld,
    StepResumed,
    StepStarted,
    VerdictRevised,
)
from station.engine.records import WriteIntended
from station.model import Verdict

TROUBLES = {"locked": JournalTrouble.lock, "full": JournalTrouble.fill}
WORDS = {"locked": "journal_locked", "full": "disk_full"}
MINUTE_S = 60.0


def begin(bench: LineBench, units: int) -> None:
    for slot in range(1, units + 1):
        bench.plug(bench.unit("boron", slot), slot)


def verdicts(bench: LineBench) -> Counter[Verdict]:
    return Counter(event.verdict for _, event in bench.events if isinstance(event, AttemptFinished))


def held(bench: LineBench, sentence: str) -> list[StepHeld]:
    return [event for _, event in bench.events if isinstance(event, StepHeld) and event.sentence == sentence]


def check_once(bench: LineBench) -> None:
    """Every attempt stands in the journal from its start to its end, once, and every write was announced once."""
    with bench.reader() as journal:
        kinds = Counter((row.kind, row.values()["attempt"]) for row in journal.entries())
        assert {kinds[kind, name] for kind, name in kinds if kind in ("AttemptStarted", "AttemptFinished")} == {1}
        steps = Counter(
            (row.values()["attempt"], row.values()["step"]) for row in journal.entries() if row.kind == "StepFinished"
        )
        assert set(steps.values()) == {1}
        assert journal.unconfirmed_writes() == ()
        assert journal.unfinished_attempts() == ()


@pytest.mark.parametrize("step", ["", "identify", "device_os", "setup_done"])
@pytest.mark.parametrize("kind", TROUBLES)
def test_eight_walks_outlast_a_minute_without_a_journal(kind: str, step: str, tmp_path: Path) -> None:
    """From before the first unit, or from when one of them begins ``step``."""
    with line_bench(tmp_path, BORON, slots=8) as bench, troubled(bench.station.journal) as trouble:
        begin(bench, 8)
        if step:
            bench.wait_for(StepStarted, step=step, within=900)
        TROUBLES[kind](trouble)
        bench.sleep(MINUTE_S)
        if not held(bench, WORDS[kind]):  # eight downloads may take longer
            bench.wait_for(StepHeld, within=900)
            bench.sleep(MINUTE_S)
        with bench.reader() as journal:
            recorded = Counter(attempt.verdict for attempt in journal.attempts(BORON.batch) if attempt.verdict)
        assert verdicts(bench) == recorded, "a verdict was told that nobody had recorded"
        trouble.free()
        for slot in range(1, 9):
            bench.wait_finished(slot, within=900)
        assert verdicts(bench) == {Verdict.PASS: 8}
        assert [event for _, event in bench.events if isinstance(event, StationFault)] == []
        check_once(bench)
        assert max(bench.cloud.effects.values()) == 8, bench.cloud.effects
        assert len([e for _, e in bench.events if isinstance(e, StepResumed)]) == len(held(bench, WORDS[kind]))


def test_trouble_that_comes_and_goes_ends_nobodys_walk(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, slots=2) as bench, troubled(bench.station.journal) as trouble:
        begin(bench, 2)
        for round_ in range(12):
            bench.sleep(5.0)
            (trouble.lock if round_ % 2 else trouble.fill)()
            bench.sleep(4.0)
            trouble.free()
        for slot in (1, 2):
            bench.wait_finished(slot, within=900)
        assert verdicts(bench) == {Verdict.PASS: 2}
        check_once(bench)


def test_nothing_is_written_to_a_unit_before_its_intent_is_on_the_disk(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench, troubled(bench.station.journal) as trouble:
        bench.plug(bench.unit("boron", 1))
        bench.wait_for(StepStarted, step="identify")
        trouble.lock()
        bench.sleep(MINUTE_S)
        assert (bench.flash_writes, bench.cloud_writes) == (0, 0)
        trouble.free()
        assert bench.wait_finished().verdict is Verdict.PASS


def test_a_step_loses_none_of_its_own_time_to_the_journal(tmp_path: Path) -> None:
    """The limit of each step is far shorter than the lock."""
    with line_bench(tmp_path, BORON) as bench, troubled(bench.station.journal) as trouble:
        bench.plug(bench.unit("boron", 1))
        for _ in range(4):
            bench.wait_for(WriteIntended, since=bench.mark())
            trouble.lock()
            bench.sleep(550.0)
            trouble.free()
        assert bench.wait_finished().verdict is Verdict.PASS


def test_a_unit_that_waited_too_long_is_told_and_walked_again_when_the_journal_is_back(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench, troubled(bench.station.journal) as trouble:
        trouble.lock()
        bench.plug(bench.finished_unit(BORON, 1))
        first = bench.wait_finished(within=900)
        assert (first.verdict, first.sentence) == (Verdict.ERROR, "journal_locked")
        mark = bench.mark()
        trouble.free()
        again = bench.wait_finished(since=mark)
        assert again.verdict is Verdict.PASS
        bench.unplug()
        with bench.reader() as journal:
            assert [a.verdict for a in journal.attempts(BORON.batch)] == [Verdict.ERROR, Verdict.PASS]


def test_a_unit_pulled_from_a_waiting_slot_frees_it_for_the_next(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench, troubled(bench.station.journal) as trouble:
        bench.plug(bench.unit("boron", 1))
        bench.wait_for(StepStarted, step="identify")
        trouble.lock()
        bench.sleep(5.0)
        bench.unplug()
        bench.sleep(20.0)
        bench.plug(bench.finished_unit(BORON, 2))
        bench.sleep(20.0)
        trouble.free()
        bench.wait(lambda e: isinstance(e, AttemptFinished) and e.verdict is Verdict.PASS, within=900)
        assert verdicts(bench) == {Verdict.ABORTED: 1, Verdict.PASS: 1}
        check_once(bench)


def test_a_slot_is_stopped_while_commands_wait_for_the_journal(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench, troubled(bench.station.journal) as trouble:
        bench.plug(bench.unit("boron", 1))
        bench.wait_for(StepStarted, step="identify")
        trouble.lock()
        bench.station.send(SetOperator("0001"))
        bench.station.send(StopSlot(1))
        bench.sleep(10.0)
        trouble.free()
        assert bench.wait_finished().verdict is Verdict.ABORTED
        assert bench.wait_for(OperatorChanged, operator="0001")


@pytest.mark.parametrize("kind", TROUBLES)
def test_commands_wait_and_are_carried_out_once(kind: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench, troubled(bench.station.journal) as trouble:
        TROUBLES[kind](trouble)
        for number in range(200):  # more than the last pages of the file have room for
            bench.station.send(SetOperator(f"{number:04}"))
        bench.station.send(CloseBatch(BORON.batch))
        bench.station.send(OpenBatch("B-2", BORON.id))
        bench.sleep(MINUTE_S)
        assert held(bench, WORDS[kind])[0].slot == 0
        trouble.free()
        bench.wait_for(BatchClosed)
        bench.sleep(5.0)
        assert [e for _, e in bench.events if isinstance(e, StationFault | CommandRefused)] == []
        with bench.reader() as journal:
            kinds = Counter(row.kind for row in journal.entries())
            assert (kinds["OperatorChanged"], kinds["BatchClosed"], kinds["BatchOpened"]) == (200, 1, 2)


@pytest.mark.parametrize("kind", TROUBLES)
def test_owed_work_waits_for_the_journal_too(kind: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        assert bench.walk(bench.finished_unit(BORON, 9)).verdict is Verdict.PASS
        bench.cloud.down_for(90)
        assert bench.walk(bench.finished_unit(BORON, 1)).verdict is Verdict.PENDING
        with troubled(bench.station.journal) as trouble:
            TROUBLES[kind](trouble)
            bench.sleep(240.0)
            trouble.free()
            bench.wait_for(VerdictRevised, verdict=Verdict.PASS)
        settled = Counter(e.action for _, e in bench.events if isinstance(e, OutboxSettled))
        assert set(settled.values()) == {1}
        assert [e for _, e in bench.events if isinstance(e, StationFault)] == []


def test_a_station_that_stops_while_the_journal_is_locked_ends_soon_and_the_next_start_says_so(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, slots=2) as bench:
        begin(bench, 2)
        bench.wait_for(AttemptStarted, slot=2)
        with troubled(bench.station.journal) as trouble:
            trouble.lock()
            bench.sleep(20.0)
            began = bench.clock.now()
            bench.stop()
            assert bench.clock.now() - began < 10.0
        bench.unplug(1)
        bench.unplug(2)
        bench.restart()
        with bench.reader() as journal:
            attempts = journal.attempts(BORON.batch)
            assert {attempt.verdict for attempt in attempts} == {Verdict.ERROR}
            assert "stopped during" in attempts[0].reason
