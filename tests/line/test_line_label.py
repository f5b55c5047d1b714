"""Labels on the line: printed last, by the printer's turn, scanned back, and never a verdict from a printer (M1 N6)."""

from __future__ import annotations

import contextlib
import functools
import itertools
from pathlib import Path

import pytest
from line_bench import replace
from support.labelled import TEMPLATE, LabelBench, Labelled, label_bench

from station.engine.commands import PrintLabel, RunStep, Scan, StopSlot
from station.engine.events import (
    AttemptFinished,
    CommandRefused,
    HandsNeeded,
    ScanRead,
    StepFinished,
    StepHeld,
    StepStarted,
)
from station.engine.records import WriteIntended
from station.errors import BadInput
from station.labels import LabelPrinter
from station.model import Outcome, Verdict

RECIPE = Labelled()


@pytest.mark.rule("M1")
def test_a_unit_gets_its_device_id_as_text_and_code_and_passes_when_that_is_scanned(tmp_path: Path) -> None:
    with label_bench(tmp_path) as line:
        unit = line.bench.finished_unit(RECIPE)
        walk = line.walk(unit)
        assert walk.verdict is Verdict.PASS
        assert list(walk.steps)[-2:] == ["final_check", "label"]
        (label,) = line.printer.labels
        assert label.scanned == (unit.device_id,)
        batch = line.bench.recipes[0].batch
        assert label.format.texts == (unit.device_id, f"S/N {unit.spec.serial} of {batch}")
        assert walk.steps["label"].proof == "printed by bench, scanned back"


@pytest.mark.rule("M1")
def test_a_label_with_one_wrong_digit_fails_the_scan_back_and_only_when_it_was_read_twice(tmp_path: Path) -> None:
    with label_bench(tmp_path) as line:
        unit, bench = line.bench.finished_unit(RECIPE), line.bench
        wrong = unit.device_id[:-1] + ("0" if unit.device_id[-1] != "0" else "1")
        line.printer.misprints[unit.device_id] = wrong

        def scans() -> None:
            line.scan_new_label()
            asked = bench.wait_for(HandsNeeded, sentence="label_differs")
            bench.sleep(2.0)
            line.scan_new_label(since=0)
            assert asked.attempt is not None

        walk = bench.walk(unit, during=scans)
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.FAIL, "label")
        assert walk.finished.sentence == "wrong_label"
        line.printer.misprints.clear()
        assert line.walk(unit).verdict is Verdict.PASS  # nobody asks for the wrong one again
        assert len(line.printer.labels) == 2


@pytest.mark.rule("M1")
def test_neither_the_makers_label_nor_that_of_another_slot_releases_a_unit(tmp_path: Path) -> None:
    with label_bench(tmp_path, slots=2) as line:
        bench = line.bench
        unit, other = (bench.finished_unit(RECIPE, number) for number in (1, 2))

        def scans() -> None:
            bench.wait_for(HandsNeeded, slot=1, sentence="scan_printed")
            bench.plug(other, 2)
            bench.wait_for(StepStarted, slot=2, step="label")
            for text, answer in ((unit.label, "old_label"), (other.device_id, "label_of_slot")):
                bench.sleep(2.0)
                bench.command(Scan(text))
                bench.wait_for(ScanRead, accepted=False, sentence=answer)
            bench.sleep(2.0)
            bench.command(Scan(unit.device_id))

        assert bench.walk(unit, during=scans).verdict is Verdict.PASS
        bench.wait_for(HandsNeeded, slot=2, sentence="scan_printed")
        bench.sleep(2.0)
        bench.command(Scan(other.device_id))
        assert bench.wait_finished(2).verdict is Verdict.PASS


@pytest.mark.rule("M1")
@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        ({"paper": 0}, "printer_paper"), ({"is_head_open": True}, "printer_open"),
        ({"has_no_ribbon": True}, "printer_ribbon"), ({"is_paused": True}, "printer_paused"),
        ({"is_away": True}, "printer_away"), ({"is_hanging": True}, "printer_away"),
        ({"is_head_open": True, "paper": 0}, "printer_open"),  # as printers say it whose roll hangs out
    ],
)  # fmt: skip
def test_a_printer_in_trouble_is_waited_for_by_its_name_and_judges_nobody(
    tmp_path: Path, trouble: dict[str, object], sentence: str
) -> None:
    with label_bench(tmp_path) as line:
        unit = line.bench.finished_unit(RECIPE)
        for name, value in trouble.items():
            setattr(line.printer, name, value)

        def mend() -> None:
            held = line.bench.wait_for(StepHeld, sentence=sentence)
            assert isinstance(held, StepHeld)
            assert held.values == ("bench",)
            line.bench.sleep(3600.0)  # longer than the step may take
            line.printer.mend()
            line.scan_new_label()

        walk = line.bench.walk(unit, within=2 * 3600.0, during=mend)
        assert walk.verdict is Verdict.PASS
        assert len(line.printer.labels) == 1


def test_a_label_of_which_the_printer_did_not_get_the_end_is_sent_again_and_comes_out_once(tmp_path: Path) -> None:
    with label_bench(tmp_path) as line:
        line.printer.drops_after = 100
        walk = line.walk(line.bench.finished_unit(RECIPE))
        assert walk.verdict is Verdict.PASS
        assert walk.steps["label"].proof == "printed by bench, scanned back"
        assert len(line.printer.labels) == 1
        with line.bench.reader() as journal:
            assert not journal.unconfirmed_writes()


def test_paper_that_ends_within_a_label_does_not_bring_a_second_one(tmp_path: Path) -> None:
    with label_bench(tmp_path) as line:
        first, second = (line.bench.finished_unit(RECIPE, number) for number in (1, 2))
        line.printer.paper = 1
        assert line.walk(first).verdict is Verdict.PASS
        mark = line.bench.mark()

        def refill() -> None:
            line.bench.wait_for(StepHeld, since=mark, sentence="printer_paper")
            line.printer.mend()
            line.scan_new_label(since=mark)

        assert line.bench.walk(second, during=refill).verdict is Verdict.PASS
        assert line.printed == [first.device_id, second.device_id]


def test_a_printer_that_is_opened_with_a_label_in_it_prints_that_one_when_it_is_closed(tmp_path: Path) -> None:
    with label_bench(tmp_path) as line:
        line.printer.fails_within = "is_head_open"

        def close() -> None:
            line.bench.wait_for(StepHeld, sentence="printer_open")
            line.bench.sleep(60.0)
            line.printer.mend()
            line.scan_new_label()

        walk = line.bench.walk(line.bench.finished_unit(RECIPE), during=close)
        assert walk.verdict is Verdict.PASS
        assert walk.steps["label"].proof == "printed by bench, scanned back"
        assert len(line.printer.labels) == 1


@pytest.mark.rule("M1")
@pytest.mark.parametrize("verify", [True, False])
def test_a_printer_that_keeps_a_label_without_end_gets_no_second_one_and_a_person_looks(
    tmp_path: Path, verify: bool
) -> None:
    """Also where the profile asks for no scan: a unit whose label nobody saw does not pass."""
    with label_bench(tmp_path, replace(RECIPE, verify=verify)) as line:
        line.printer.fails_within = "is_stuck"

        def mend() -> None:
            asked = line.bench.wait_for(HandsNeeded, sentence="label_in_doubt", within=60.0)
            assert line.printer.labels == []
            line.printer.mend()
            line.scan_new_label(asked=asked.sentence)  # type: ignore[attr-defined]

        walk = line.bench.walk(line.bench.finished_unit(RECIPE), during=mend)
        assert walk.verdict is Verdict.PASS
        assert walk.steps["label"].proof == "printed by bench, scanned back"
        assert len(line.printer.labels) == 1


@pytest.mark.rule("M1")
def test_a_printer_that_says_one_left_for_ever_gets_each_label_once(tmp_path: Path) -> None:
    with label_bench(tmp_path) as line:
        line.printer.others = 1
        units = [line.bench.finished_unit(RECIPE, number) for number in (1, 2)]
        for unit in units:
            mark = line.bench.mark()
            asks = functools.partial(line.scan_new_label, since=mark, asked="label_in_doubt")
            assert line.bench.walk(unit, during=asks).verdict is Verdict.PASS
        assert line.printed == [unit.device_id for unit in units]


@pytest.mark.rule("M1")
@pytest.mark.parametrize("by", ["command", "scan"])
def test_a_label_that_a_power_cut_of_the_printer_took_is_printed_when_a_person_says_so(tmp_path: Path, by: str) -> None:
    with label_bench(tmp_path, replace(RECIPE, verify=False)) as line:
        line.printer.fails_within = "is_off"

        def look() -> None:
            line.bench.wait_for(StepHeld, sentence="printer_away")
            line.bench.sleep(30.0)
            line.printer.mend()
            line.bench.wait_for(HandsNeeded, sentence="label_in_doubt")
            assert line.printer.labels == []
            line.bench.command(PrintLabel(1) if by == "command" else Scan("CMD:REPRINT"))

        walk = line.bench.walk(line.bench.finished_unit(RECIPE), during=look)
        assert walk.verdict is Verdict.PASS
        assert walk.steps["label"].proof == "printed by bench 2 times: throw the others away, not scanned"
        assert len(line.printer.labels) == 1


def test_a_label_that_came_out_bad_is_printed_once_more_within_the_walk_of_its_own_unit(tmp_path: Path) -> None:
    """Not that of the unit that had its verdict last: the person has this unit in the hand."""
    with label_bench(tmp_path) as line:
        first, second = (line.bench.finished_unit(RECIPE, number) for number in (1, 2))
        assert line.walk(first).verdict is Verdict.PASS
        mark = line.bench.mark()

        def again() -> None:
            line.bench.wait_for(HandsNeeded, since=mark, sentence="scan_printed")
            line.bench.command(Scan("CMD:REPRINT"))
            line.scan_new_label(since=line.bench.mark())

        assert line.bench.walk(second, during=again).verdict is Verdict.PASS
        assert line.printed == [first.device_id] + [second.device_id] * 2


def test_no_label_of_the_unit_before_is_printed_for_a_slot_in_which_another_one_is_walked(tmp_path: Path) -> None:
    with label_bench(tmp_path) as line:
        first, second = (line.bench.finished_unit(RECIPE, number) for number in (1, 2))
        assert line.walk(first).verdict is Verdict.PASS
        mark = line.bench.mark()
        line.bench.plug(second)
        line.bench.wait_for(StepStarted, since=mark)
        line.bench.command(PrintLabel(1))
        refused = line.bench.wait_for(CommandRefused, since=mark)
        assert isinstance(refused, CommandRefused)
        assert refused.sentence == "no_label_again"
        line.scan_new_label(since=mark)
        line.bench.wait_finished(since=mark)
        assert line.printed == [first.device_id, second.device_id]


@pytest.mark.rule("M1")
def test_two_stations_on_one_printer_print_each_label_once(tmp_path: Path) -> None:
    """Each sees what the other left in it, and waits for that, too."""
    with label_bench(tmp_path, replace(RECIPE, verify=False)) as line:
        clock = line.bench.clock
        other = LabelPrinter("theirs", line.printer.connect, clock)
        line.printer.takes_s = 4.0
        zpl = [b"^XA^FO1,1^FDbox %d^FS^XZ" % number for number in range(3)]
        told: list[bool] = []

        def prints() -> None:
            told.extend(other.print_label(one, clock.token(), lambda _: contextlib.nullcontext(), 60.0) for one in zpl)

        thread = clock.thread("their station", prints)
        units = [line.bench.finished_unit(RECIPE, number) for number in (1, 2)]
        assert [line.bench.walk(unit).verdict for unit in units] == [Verdict.PASS] * 2
        thread.join()
        printed = [label.zpl for label in line.printer.labels]
        assert told == [True] * 3
        assert [printed.count(one) for one in zpl] == [1, 1, 1]
        assert len(printed) == 5


def test_slots_print_in_the_order_they_came_and_a_stopped_one_lets_the_next_through(tmp_path: Path) -> None:
    with label_bench(tmp_path, replace(RECIPE, verify=False), slots=3) as line:
        bench = line.bench
        units = [bench.finished_unit(RECIPE, number) for number in (1, 2, 3)]
        line.printer.paper = 0
        for slot, unit in zip((1, 3, 2), units, strict=True):
            mark = bench.mark()
            bench.plug(unit, slot)
            bench.wait_for(StepStarted, slot=slot, step="label", since=mark)
        bench.wait_for(StepHeld, slot=3, sentence="printer_busy", before=2)  # the later of a lower number comes first
        bench.command(StopSlot(1))
        assert bench.wait_finished(1).verdict is Verdict.ABORTED
        bench.wait_for(StepHeld, slot=3, sentence="printer_busy", before=1)
        line.printer.mend()
        assert [bench.wait_finished(slot).verdict for slot in (2, 3)] == [Verdict.PASS, Verdict.PASS]
        assert line.printed == [units[2].device_id, units[1].device_id]


def test_one_printer_in_trouble_holds_up_no_other(tmp_path: Path) -> None:
    recipes = (replace(RECIPE, verify=False), Labelled("argon", verify=False, printer="other"))
    with label_bench(tmp_path, *recipes, slots=2, printers=("bench", "other")) as line:
        bench = line.bench
        line.printer.is_away = True
        bench.plug(bench.finished_unit(RECIPE), 1)
        bench.wait_for(StepHeld, slot=1, sentence="printer_away")
        argon = bench.finished_unit(recipes[1], 2)
        assert bench.walk(argon, 2).verdict is Verdict.PASS
        line.printer.mend()
        assert bench.wait_finished(1).verdict is Verdict.PASS


@pytest.mark.rule("N6")
def test_nothing_is_printed_before_the_last_look_matched(tmp_path: Path) -> None:
    with label_bench(tmp_path, replace(RECIPE, offline="queue", verify=False)) as line:
        bench = line.bench
        unit = bench.finished_unit(RECIPE)
        assert bench.walk(bench.finished_unit(RECIPE, 2)).verdict is Verdict.PASS
        line.printer.labels.clear()
        bench.cloud.down_for(600)
        walk = bench.walk(unit)
        assert (walk.verdict, walk.steps["label"].outcome) == (Verdict.PENDING, Outcome.SKIPPED)
        assert line.printer.labels == []
        bench.sleep(1200.0)
        assert bench.walk(unit).verdict is Verdict.PASS
        assert len(line.printer.labels) == 1


@pytest.mark.rule("N6")
def test_the_step_alone_prints_nothing(tmp_path: Path) -> None:
    with label_bench(tmp_path, replace(RECIPE, verify=False)) as line:
        bench = line.bench
        bench.plug(bench.finished_unit(RECIPE))
        bench.wait_finished()
        mark = bench.mark()
        bench.command(RunStep(1, "label"))
        bench.wait_finished(since=mark)
        again = bench.wait_for(StepFinished, step="label", since=mark)
        assert isinstance(again, StepFinished)
        assert (again.outcome, len(line.printer.labels)) == (Outcome.SKIPPED, 1)


def test_a_unit_that_has_that_very_label_is_only_asked_to_show_it(tmp_path: Path) -> None:
    with label_bench(tmp_path) as line:
        unit = line.bench.finished_unit(RECIPE)
        assert line.walk(unit).verdict is Verdict.PASS
        walk = line.walk(unit)
        assert (walk.verdict, walk.steps["label"].outcome) == (Verdict.PASS, Outcome.ALREADY)
        assert len(line.printer.labels) == 1


def test_a_unit_whose_label_would_say_something_else_now_gets_that_one(tmp_path: Path) -> None:
    with label_bench(tmp_path) as line:
        unit = line.bench.finished_unit(RECIPE)
        assert line.walk(unit).verdict is Verdict.PASS
        other = replace(RECIPE, folder=tmp_path, revision=10)  # another batch, which is on the label
        again = LabelBench(line.bench, (other,), ("bench",))
        walk = again.walk(unit)
        assert (walk.verdict, walk.steps["label"].outcome) == (Verdict.PASS, Outcome.DONE)
        assert "r10" in again.printer.labels[0].text


def test_a_label_nobody_scans_is_no_verdict_and_is_looked_for_before_another_is_printed(tmp_path: Path) -> None:
    with label_bench(tmp_path) as line:
        unit = line.bench.finished_unit(RECIPE)
        for _ in range(2):
            walk = line.bench.walk(unit)
            assert (walk.verdict, walk.finished.sentence) == (Verdict.ERROR, "label_not_scanned")
        mark = line.bench.mark()
        asks = functools.partial(line.scan_new_label, since=mark, asked="label_in_doubt")
        assert line.bench.walk(unit, during=asks).verdict is Verdict.PASS
        assert len(line.printer.labels) == 1


@pytest.mark.rule("M1")
def test_a_unit_that_is_pulled_while_its_label_is_printed_is_asked_for_that_one_when_it_is_back(tmp_path: Path) -> None:
    with label_bench(tmp_path, replace(RECIPE, verify=False)) as line:
        unit = line.bench.finished_unit(RECIPE)
        line.printer.takes_s = 5.0
        line.bench.plug(unit)
        line.bench.wait_for(WriteIntended, target="printer")
        line.bench.sleep(2.0)
        line.bench.unplug()
        assert line.bench.wait_finished().verdict is Verdict.ABORTED
        line.bench.sleep(10.0)
        mark = line.bench.mark()
        asks = functools.partial(line.scan_new_label, since=mark, asked="label_in_doubt")
        walk = line.bench.walk(unit, during=asks)
        assert (walk.verdict, walk.steps["label"].outcome) == (Verdict.PASS, Outcome.ALREADY)
        assert len(line.printer.labels) == 1


@pytest.mark.parametrize("name", ["secret", "serial"])
def test_the_mobile_secret_is_printed_only_where_the_template_asks_for_it(tmp_path: Path, name: str) -> None:
    template = TEMPLATE.replace("^XZ", f"^FO0,0^BXN,5,200^FD{{serial}} {{{name}}}^FS^XZ")
    recipe = replace(RECIPE, template=template, label=True, keep_secret=True, verify=False)
    with label_bench(tmp_path, recipe) as line:
        bench = line.bench
        unit = bench.finished_unit(RECIPE)
        walk = bench.walk(unit, during=lambda: bench.scan_when_asked(unit.label))
        assert walk.verdict is Verdict.PASS
        (label,) = line.printer.labels
        assert (unit.spec.mobile_secret.reveal().encode() in label.zpl) is (name == "secret")
        assert label.scanned[1] == (unit.label if name == "secret" else f"{unit.spec.serial} {unit.spec.serial}")


def test_a_batch_whose_printer_the_station_has_not_is_refused_before_its_first_unit(tmp_path: Path) -> None:
    told = r"has no printer bench, only other; name it in \[printers.bench\]"
    with pytest.raises(BadInput, match=told), label_bench(tmp_path, printers=("other",)):
        pass


def test_a_walk_that_was_killed_at_the_printer_prints_and_passes_the_next_time(tmp_path: Path) -> None:
    with label_bench(tmp_path) as line:
        bench = line.bench
        unit = bench.finished_unit(RECIPE)
        line.printer.paper = 0
        bench.plug(unit)
        bench.wait_for(StepHeld, sentence="printer_paper")
        bench.die()
        bench.bury()
        line.printer.mend()
        bench.unplug()
        bench.sleep(2.0)
        again = LabelBench(bench, tuple(bench.recipes), ("bench",))  # type: ignore[arg-type]
        assert again.walk(unit).verdict is Verdict.PASS


def test_two_wrong_labels_in_turn_end_the_wait_at_its_one_time_and_judge_nobody(tmp_path: Path) -> None:
    with label_bench(tmp_path) as line:
        bench = line.bench
        unit = bench.finished_unit(RECIPE)
        wrong = itertools.cycle((str(bench.stranger().device_id), str(bench.stranger().serial)))

        def scans() -> None:
            asked = bench.wait_for(HandsNeeded, sentence="scan_printed")
            ends = bench.when(asked) + 3600.0
            while bench.clock.now() < ends and not any(isinstance(e, AttemptFinished) for _, e in bench.events):
                bench.sleep(30.0)
                bench.command(Scan(next(wrong)))

        walk = bench.walk(unit, within=7200.0, during=scans)
        assert (walk.verdict, walk.finished.sentence) == (Verdict.ERROR, "label_not_scanned")
        (asked,) = [e for e in walk.events if isinstance(e, HandsNeeded) and e.sentence == "scan_printed"]
        assert bench.when(walk.finished) - bench.when(asked) == pytest.approx(120.0, abs=1.0)
