"""Labels outside of a walk: of units that failed, printed again when asked, and those that a stop left behind (M1)."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
from line_bench import LineBench, replace
from support.labelled import FAIL, LabelBench, Labelled, label_bench
from support.recipes import OTHER_PRODUCT

from station.engine.commands import CloseBatch, CloseConsole, OpenConsole, PrintLabel, Scan
from station.engine.console_events import ConsoleOpened
from station.engine.events import (
    AttemptFinished,
    AttemptStarted,
    CommandRefused,
    Event,
    StationNote,
    StepHeld,
)
from station.engine.records import WriteIntended
from station.line.label_desk import MOST_WAITING
from station.model import Verdict

RECIPE = Labelled()


def test_a_unit_that_failed_gets_a_label_that_says_why_and_no_other(tmp_path: Path) -> None:
    template = FAIL.replace("{reason}", "{reason} {imei}")  # which nobody knows yet
    with label_bench(tmp_path, replace(RECIPE, fail_template=template, skus=("BRN402",))) as line:
        walk = line.bench.walk(line.bench.unit())  # of another SKU
        assert walk.verdict is Verdict.FAIL
        line.bench.sleep(5.0)
        (label,) = line.printer.labels
        assert label.format.texts == (f"FAIL {line.bench.units[0].device_id}: {walk.finished.reason} -",)


@pytest.mark.parametrize("by", ["command", "scan"])
def test_a_label_is_printed_once_more_when_somebody_asks(tmp_path: Path, by: str) -> None:
    with label_bench(tmp_path) as line:
        bench = line.bench
        asks = PrintLabel(1) if by == "command" else Scan("CMD:REPRINT")
        bench.command(asks)
        refused = bench.wait_for(CommandRefused)
        assert isinstance(refused, CommandRefused)
        assert refused.sentence == "no_label_again"
        bench.plug(bench.finished_unit(RECIPE))
        line.scan_new_label()
        bench.wait_finished()
        line.printer.paper = 0
        bench.sleep(2.0)
        bench.command(asks)
        noted = bench.wait_for(StationNote)
        assert isinstance(noted, StationNote)
        assert noted.reason == "a label waits for printer bench: paper"
        line.printer.mend()
        bench.sleep(10.0)
        first, second = line.printer.labels
        assert first.zpl == second.zpl
        with bench.reader() as journal:
            assert not journal.unconfirmed_writes()


def test_without_a_slot_the_label_of_the_unit_that_ended_last_is_printed_again(tmp_path: Path) -> None:
    with label_bench(tmp_path, slots=2) as line:
        units = [line.bench.finished_unit(RECIPE, number) for number in (1, 2)]
        for unit in units:
            line.walk(unit, slot=1 + (unit is units[0]))
        for slot in (None, 2):
            line.bench.command(PrintLabel(slot))
            line.bench.sleep(5.0)
        assert line.printed[2:] == [units[1].device_id, units[0].device_id]


def test_a_label_asked_for_waits_behind_that_of_a_walk(tmp_path: Path) -> None:
    with label_bench(tmp_path, replace(RECIPE, verify=False), slots=2) as line:
        first, second = (line.bench.finished_unit(RECIPE, number) for number in (1, 2))
        line.bench.walk(first)
        line.printer.paper = 0
        line.bench.plug(second, 2)
        line.bench.wait_for(StepHeld, slot=2, sentence="printer_paper")
        line.bench.command(PrintLabel(1))
        line.bench.sleep(10.0)
        assert not any(isinstance(event, StationNote) for _, event in line.bench.events)
        line.printer.mend()
        line.bench.wait_finished(2)
        line.bench.sleep(5.0)
        assert line.printed == [first.device_id, second.device_id, first.device_id]


def missed(bench: LineBench) -> list[StationNote]:
    """The labels named as not printed, which the journal has to name as well; two threads may do so at once."""
    told = [
        event for _, event in bench.events if isinstance(event, StationNote) and "waits for printer" not in event.reason
    ]
    with bench.reader() as journal:
        kept = [row.values() for row in journal.entries() if row.kind == "LabelsMissed"]
    assert sorted(one["reason"] for one in kept) == sorted(event.reason for event in told)
    return told


def keep_label_waiting(line: LabelBench) -> None:
    """Ask for the last label again at a printer that is away, and let it get as far as that."""
    line.printer.is_away = True
    line.bench.command(PrintLabel())
    line.bench.wait_for(StationNote)


def waiting_labels(line: LabelBench) -> list[str]:
    """Let a PASS label wait to be printed again and one of a unit that failed for the first time; their Device IDs."""
    bench = line.bench
    assert bench.walk(bench.finished_unit(RECIPE)).verdict is Verdict.PASS
    keep_label_waiting(line)
    bad = bench.finished_unit(RECIPE, 2)
    bench.cloud.edit_device(bad.spec.device_id, product_id=OTHER_PRODUCT)
    assert bench.walk(bad).verdict is Verdict.FAIL
    return [unit.device_id for unit in bench.units]


@pytest.mark.parametrize("is_killed", [False, True])
def test_labels_that_waited_when_the_station_ended_are_named_at_the_next_start_and_only_then(
    tmp_path: Path, is_killed: bool
) -> None:
    with label_bench(tmp_path, replace(RECIPE, verify=False, fail_template=FAIL)) as line:
        bench = line.bench
        passed, failed = waiting_labels(line)
        if is_killed:
            bench.die()
            bench.bury()
        line.printer.mend()
        bench.restart()
        bench.sleep(60.0)
        assert len(line.printer.labels) == 1
        (told,) = missed(bench)
        named = f"label again (1) to bench of {passed}, slot 1, FAIL label to bench of {failed}, slot 1; look at"
        assert named in told.reason
        bench.restart()
        assert missed(bench) == [told]
        with bench.reader() as journal:
            assert not journal.unconfirmed_writes()


def test_a_kill_between_a_verdict_and_its_fail_label_loses_no_word_of_it(tmp_path: Path) -> None:
    with label_bench(tmp_path, replace(RECIPE, fail_template=FAIL)) as line:
        bench = line.bench
        bad = bench.finished_unit(RECIPE)
        bench.cloud.edit_device(bad.spec.device_id, product_id=OTHER_PRODUCT)

        def dies(event: Event) -> None:
            if isinstance(event, AttemptFinished):
                bench.die()

        bench.station.bus.subscribe(dies)  # published right after the commit, before anything else hears of it
        bench.plug(bad)
        bench.wait_finished()
        bench.bury()
        bench.unplug()
        line.printer.labels.clear()
        bench.start(*bench.recipes)
        (told,) = missed(bench)
        assert f"FAIL label to bench of {bad.device_id}, slot 1" in told.reason


@pytest.mark.rule("M1")
@pytest.mark.parametrize("verify", [True, False])
def test_a_label_that_was_at_the_printer_when_the_station_was_killed_is_looked_for_before_another_is_printed(
    tmp_path: Path, verify: bool
) -> None:
    with label_bench(tmp_path, replace(RECIPE, verify=verify)) as line:
        bench, unit = line.bench, line.bench.finished_unit(RECIPE)
        line.printer.takes_s = 5.0
        bench.plug(unit)
        bench.wait_for(WriteIntended, target="printer")
        bench.sleep(2.0)
        bench.die()
        bench.bury()
        bench.unplug()
        bench.sleep(10.0)
        mark = bench.mark()
        bench.start(*bench.recipes)
        (told,) = missed(bench)
        assert f"label to bench of {unit.device_id}, slot 1; look at the printer" in told.reason
        asks = functools.partial(line.scan_new_label, since=mark, asked="label_in_doubt")
        assert bench.walk(unit, during=asks).verdict is Verdict.PASS
        assert len(line.printer.labels) == 1
        bench.restart()
        assert missed(bench) == [told]


def test_a_label_asked_for_that_may_not_have_come_out_is_named_and_not_sent_again(tmp_path: Path) -> None:
    with label_bench(tmp_path, replace(RECIPE, verify=False)) as line:
        line.bench.walk(line.bench.finished_unit(RECIPE))
        line.printer.fails_within = "is_off"
        line.bench.command(PrintLabel())
        line.bench.wait_for(StationNote, reason="a label waits for printer bench: away")
        line.printer.mend()
        line.bench.sleep(60.0)
        (told,) = missed(line.bench)
        assert "nobody knows whether printer bench printed it" in told.reason
        assert len(line.printer.labels) == 1


def test_more_labels_than_may_wait_for_a_printer_drop_the_oldest_by_name(tmp_path: Path) -> None:
    with label_bench(tmp_path, replace(RECIPE, verify=False)) as line:
        bench = line.bench
        bench.walk(bench.finished_unit(RECIPE))
        keep_label_waiting(line)
        for _ in range(MOST_WAITING):
            bench.command(PrintLabel())
        assert missed(bench) == []
        bench.command(PrintLabel())
        (dropped,) = missed(bench)
        assert f"{MOST_WAITING} newer ones" in dropped.reason
        line.printer.mend()
        bench.sleep(1800.0)
        assert len(line.printer.labels) == 1 + 1 + MOST_WAITING


def test_no_label_of_a_unit_that_is_worked_on_by_hand_is_printed_until_it_passes_again(tmp_path: Path) -> None:
    with label_bench(tmp_path, replace(RECIPE, verify=False)) as line:
        bench = line.bench
        bench.plug(bench.finished_unit(RECIPE))
        passed = bench.wait_finished()
        line.printer.is_away = True
        for _ in range(2):
            bench.command(PrintLabel(1))  # one comes to the printer, the other waits behind it
            bench.sleep(5.0)
        mark = bench.mark()
        bench.command(OpenConsole(1, passed.attempt or "", passed.device_id or ""))
        bench.wait_for(ConsoleOpened, since=mark)
        bench.sleep(5.0)
        void = missed(bench)
        assert len(void) == 2
        assert all(f"{passed.device_id} (PASS): it is worked on by hand" in one.reason for one in void)
        bench.command(PrintLabel(1))
        bench.wait_for(CommandRefused, since=mark, sentence="by_hand")
        bench.command(CloseConsole(1))
        line.printer.mend()
        bench.sleep(120.0)
        bench.command(PrintLabel(1))
        assert len(line.printer.labels) == 1
        assert bench.retry().verdict is Verdict.PASS
        labels = len(line.printer.labels)
        bench.command(PrintLabel(1))
        bench.sleep(10.0)
        assert len(line.printer.labels) == labels + 1


def test_a_unit_that_fails_after_its_batch_was_closed_gets_its_label_all_the_same(tmp_path: Path) -> None:
    with label_bench(tmp_path, replace(RECIPE, verify=False, fail_template=FAIL)) as line:
        bench = line.bench
        bad = bench.unit()
        bench.cloud.edit_device(bad.spec.device_id, product_id=OTHER_PRODUCT)
        bench.plug(bad)
        bench.wait_for(AttemptStarted)
        bench.command(CloseBatch(bench.recipes[0].batch))
        assert bench.wait_finished().verdict is Verdict.FAIL
        bench.sleep(5.0)
        (label,) = line.printer.labels
        assert label.text.startswith(f"FAIL {bad.device_id}: ")
