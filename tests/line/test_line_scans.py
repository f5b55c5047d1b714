"""Where a scan goes, and commands to slots."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_bench import BORON, LineBench, line_bench, replace

from drivers.virtual.boot import BootRequest
from drivers.virtual.unit import UnitMode, VirtualUnit
from station.engine.commands import CloseBatch, RetrySlot, RunStep, Scan, ScanField, SetOperator, StopSlot
from station.engine.events import (
    AttemptFinished,
    AttemptStarted,
    HandsNeeded,
    OperatorChanged,
    ScanRead,
    StepFinished,
    StepStarted,
    UnitIdentified,
)
from station.model import Verdict
from station.scan.reading import legible
from station.words.say import Say

LABELLED = replace(BORON, label=True)


def two_in(bench: LineBench) -> tuple[VirtualUnit, VirtualUnit]:
    """Two finished units in slots 1 and 2: the first is asked for its label, the second waits for the scanner."""
    units = bench.finished_unit(LABELLED, 1), bench.finished_unit(LABELLED, 2)
    for slot, unit in enumerate(units, start=1):
        bench.plug(unit, slot)
        bench.wait_for(UnitIdentified, slot=slot)
    bench.wait_for(HandsNeeded, slot=1, sentence="scan_label")
    return units


def scan(bench: LineBench, text: str, slot: int | None = None, field: ScanField = "") -> ScanRead:
    mark = bench.mark()
    bench.command(Scan(text, slot, field))
    read = bench.wait_for(ScanRead, since=mark)
    assert isinstance(read, ScanRead)
    return read


def test_a_scan_goes_to_the_slot_that_waits_for_one(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED, slots=2) as bench:
        unit = bench.finished_unit(LABELLED)
        bench.plug(unit, 2)
        bench.wait_for(HandsNeeded, slot=2, sentence="scan_label")
        read = scan(bench, unit.label)
        assert (read.accepted, read.slot, read.shown) == (True, 2, str(unit.spec.serial))
        assert bench.wait_finished(2).verdict is Verdict.PASS


def test_one_slot_is_asked_for_its_label_at_a_time(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED, slots=2) as bench:
        first, second = two_in(bench)
        bench.sleep(30.0)
        asked = [event.slot for _, event in bench.events if isinstance(event, HandsNeeded)]
        assert asked == [1]
        assert scan(bench, first.label).slot == 1
        assert bench.wait_for(HandsNeeded, slot=2, sentence="scan_label")
        assert scan(bench, second.label).slot == 2
        assert [bench.wait_finished(slot).verdict for slot in (1, 2)] == [Verdict.PASS] * 2


def test_a_hand_that_took_the_wrong_label_is_told_whose_it_is_however_often_and_fails_no_unit(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED, slots=2) as bench:
        first, second = two_in(bench)
        for _ in range(3):
            mark = bench.mark()
            read = scan(bench, second.label)
            assert (read.accepted, read.slot, read.reason) == (False, 1, "label of slot 2")
            again = bench.wait_for(HandsNeeded, slot=1, since=mark)
            assert (again.sentence, again.values) == ("label_of_slot", ("2",))  # type: ignore[attr-defined]
            bench.sleep(5.0)
        assert scan(bench, first.label).accepted
        assert bench.wait_finished(1).verdict is Verdict.PASS


def test_a_scanner_that_repeats_a_code_has_read_it_once(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        unit, wrong = bench.finished_unit(LABELLED), Scan(bench.stranger().label)
        bench.plug(unit)
        bench.wait_for(HandsNeeded, slot=1, sentence="scan_label")
        bench.command(wrong)
        bench.sleep(0.5)
        bench.command(wrong)
        bench.sleep(5.0)
        assert scan(bench, unit.label).accepted, "asked a second time, not failed"
        assert bench.wait_finished().verdict is Verdict.PASS


@pytest.mark.rule("A5")
def test_a_label_that_may_be_that_of_a_unit_which_told_no_number_yet_judges_nobody_and_names_its_slot(
    tmp_path: Path,
) -> None:
    with line_bench(tmp_path, LABELLED, slots=2) as bench:
        first = bench.finished_unit(LABELLED)
        bench.plug(bench.unit(number=2, arrives=BootRequest.DFU), 2)
        bench.wait_for(UnitIdentified, slot=2)
        bench.plug(first, 1)
        bench.wait_for(HandsNeeded, slot=1, sentence="scan_label")
        said = []
        for _ in range(2):
            mark = bench.mark()
            bench.command(Scan(bench.stranger().label))
            asked = bench.wait_for(HandsNeeded, slot=1, since=mark)
            assert isinstance(asked, HandsNeeded)
            said.append(asked.say)
            bench.sleep(2.0)
        assert [say.key for say in said] == ["label_differs", "label_of_nameless"]
        assert said[1] == Say("label_of_nameless", slot="2")
        assert scan(bench, first.label).accepted
        assert bench.wait_finished(1).verdict is Verdict.PASS


def test_a_label_typed_for_a_slot_is_kept_there_though_another_slot_asks_first(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED, slots=2) as bench:
        first, second = two_in(bench)
        read = scan(bench, second.label, slot=2)
        assert (read.accepted, read.slot) == (True, 2)
        assert scan(bench, first.label).slot == 1
        assert [bench.wait_finished(slot).verdict for slot in (1, 2)] == [Verdict.PASS] * 2


def test_a_label_typed_for_the_wrong_slot_is_doubted_as_any_other(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED, slots=2) as bench:
        first, _ = two_in(bench)
        read = scan(bench, first.label, slot=2)
        assert (read.accepted, read.reason) == (False, "label of slot 1, not 2")
        assert (read.sentence, read.values) == ("label_of_slot", ("1",))


def test_a_label_typed_for_a_slot_without_a_unit_goes_to_the_one_that_asks(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED, slots=3) as bench:
        first, _ = two_in(bench)
        read = scan(bench, first.label, slot=3)
        assert (read.accepted, read.slot) == (True, 1)


@pytest.mark.rule("A5")
def test_two_units_with_swapped_labels_do_not_pass(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED, slots=2) as bench:
        first, second = two_in(bench)
        for slot, label in ((1, second.label), (2, first.label)):  # whoever scans a slot sees the other's label there
            bench.wait_for(HandsNeeded, slot=slot, sentence="scan_label")
            for _ in range(3):
                bench.command(Scan(label))
                bench.sleep(5.0)
            finished = bench.wait_finished(slot)
            assert (finished.verdict, finished.sentence) == (Verdict.ERROR, "label_not_scanned")
            assert f"label of slot {3 - slot}" in finished.reason
        assert (bench.flash_writes, bench.cloud_writes) == (0, 0)


@pytest.mark.parametrize("what", ["serial", "device_id", "iccid", "imei"])
def test_any_number_on_the_label_or_card_will_do(what: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        unit = bench.finished_unit(LABELLED)
        bench.plug(unit)
        bench.scan_when_asked(str(getattr(unit.spec, what)))
        finished = bench.wait_finished()
        assert finished.verdict is Verdict.PASS, finished.reason


@pytest.mark.rule("A9")
def test_the_card_of_another_sim_stops_the_unit(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        bench.plug(bench.unit())
        for _ in range(2):
            bench.scan_when_asked("89014103211118510720")
            bench.sleep(5.0)
        finished = bench.wait_finished()
        assert (finished.verdict, finished.sentence) == (Verdict.FAIL, "wrong_label")
        assert (bench.flash_writes, bench.cloud_writes) == (0, 0)


def test_a_scan_nobody_waits_for_is_told_and_forgotten(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        unit = bench.finished_unit(LABELLED)
        read = scan(bench, unit.label)
        assert not read.accepted
        assert read.shown == str(unit.spec.serial)
        bench.plug(unit)
        bench.wait_for(HandsNeeded, sentence="scan_label")
        bench.sleep(5.0)
        assert not any(isinstance(event, AttemptFinished) for _, event in bench.events)


@pytest.mark.parametrize(
    ("text", "shown", "sentence", "reason"),
    [
        ("hello", "hello", "scan_unreadable", "no label or badge"),
        (" hello ", "hello", "scan_unreadable", "no label or badge"),
        ("P044AB1234567 SECRET", "P044AB1234567 ***", "scan_unreadable", "label is not whole"),
        ("P04 SECRETSECRET123", "P04 ***", "scan_unreadable", "no label or badge"),
        ("secret/secret!1", "***", "scan_unreadable", "no label or badge"),
        ("P044AB1234567SECRETSECRET123", "***", "scan_unreadable", "no label or badge"),
        ("OP:no/badge", "OP:no/badge", "scan_unreadable", "no label or badge"),
        ("a\x1bb\x9b2J", "a?b?2J", "scan_unreadable", "no label or badge"),
        ("CMD:DANCE", "CMD:DANCE", "scan_unclaimed", "not used here"),
    ],
)
@pytest.mark.rule("A7")
def test_an_unreadable_scan_is_told_as_far_as_it_holds_no_secret_with_a_short_why(
    text: str, shown: str, sentence: str, reason: str, tmp_path: Path
) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        read = scan(bench, text)
        assert (read.accepted, read.shown, read.sentence, read.reason) == (False, shown, sentence, reason)


@given(st.text(max_size=130))
def test_of_an_unreadable_scan_nothing_as_long_as_a_secret_is_shown(text: str) -> None:
    shown = legible(text)
    head, _, tail = text.strip().partition(" ")
    assert shown.isprintable()
    assert shown.endswith(" ***") is bool(tail)
    assert len(shown) < 15 + len(" ***")
    if len(head) >= 15:
        assert shown.removesuffix(" ***") == "***"


def test_a_scan_on_the_find_screen_is_looked_for_and_answers_no_slot(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED, slots=2) as bench:
        first, second = two_in(bench)
        for label in (second.label, first.label, f"]d1{second.label}", str(bench.stranger().serial)):
            read = scan(bench, label, field="find")
            assert (read.accepted, read.field, read.slot) == (True, "find", 0)
            assert read.shown == label.removeprefix("]d1").split()[0]
        command = scan(bench, "CMD:FIND", field="find")
        assert (command.field, command.shown) == ("", "CMD:FIND"), "obeyed, not put into the field"
        refused = scan(bench, "BRN404XKIT!", field="find")
        assert (refused.accepted, refused.field, refused.reason) == (False, "find", "no label or badge")
        bench.sleep(5.0)
        asked = [event.sentence for _, event in bench.events if isinstance(event, HandsNeeded)]
        assert asked == ["scan_label"]
        assert scan(bench, first.label).slot == 1


@pytest.mark.rule("A7")
def test_a_secret_scanned_on_the_find_screen_is_not_put_into_its_field(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        for number in range(1, 9):  # among them some that have the form of a serial number
            read = scan(bench, bench.unit(number=number).label.split()[1], field="find")
            assert (read.accepted, read.shown) == (False, "***")


@pytest.mark.parametrize(
    ("text", "shown"), [("BATCH:B-7", "B-7"), ("]C1BATCH:B-7", "B-7"), ("PO-4711", "PO-4711"), ("2026.11", "2026.11")]
)
def test_a_scan_on_the_batch_screen_is_the_name_of_a_batch(text: str, shown: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        bench.plug(bench.unit())
        bench.wait_for(HandsNeeded)
        read = scan(bench, text, field="batch")
        assert (read.accepted, read.field, read.shown) == (True, "batch", shown)


def test_a_badge_or_label_goes_its_own_way_also_from_the_batch_screen(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        unit = bench.finished_unit(LABELLED)
        bench.plug(unit)
        bench.wait_for(HandsNeeded)
        assert scan(bench, "OP:7788", field="batch").shown == "OP:7788"
        assert scan(bench, "no batch/name", field="batch").accepted is False
        assert scan(bench, unit.label, field="batch").slot == 1
        assert bench.wait_finished().verdict is Verdict.PASS


def test_a_label_nobody_waits_for_tells_the_units_history(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON)
        finished = bench.walk(unit).finished
        read = scan(bench, unit.label)
        assert (read.accepted, read.sentence) == (True, "unit_history")
        assert read.values == (str(unit.spec.serial), "PASS", finished.at.isoformat(timespec="seconds"))
        assert scan(bench, bench.stranger().label).sentence == "scan_unclaimed"


def test_a_unit_that_walks_without_a_label_lets_others_be_asked_for(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        before, unit = bench.finished_unit(BORON, 1), bench.unit(number=2)
        bench.walk(before)
        mark = bench.mark()
        bench.plug(unit)
        bench.wait(lambda event: isinstance(event, StepStarted) and event.step == "device_os", since=mark)
        assert scan(bench, before.label).sentence == "unit_history"
        assert scan(bench, unit.label).slot == 1


def test_a_label_scanned_before_the_unit_says_who_it_is_is_kept_for_its_question(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        unit = bench.finished_unit(LABELLED)
        bench.plug(unit)
        bench.wait_for(AttemptStarted)
        assert scan(bench, unit.label).slot == 1
        assert scan(bench, "BRN404XKIT").slot == 0
        assert bench.wait_finished().verdict is Verdict.PASS


def test_a_badge_on_a_wrong_keyboard_is_said_to_be_that(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        read = scan(bench, "OP\u00d60417")
        assert (read.accepted, read.reason) == (False, "keyboard is QWERTZ")
        assert (read.sentence, read.values) == ("keyboard_layout", ("QWERTZ",))


@pytest.mark.parametrize("prefix", ["BATCH:", "]C1batch:"])
def test_a_scanned_batch_is_said_to_be_open_or_not(prefix: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        (opened,) = bench.station.bench.batches
        read = scan(bench, prefix + opened.batch.id)
        assert (read.accepted, read.shown, read.sentence, read.values) == (
            True, opened.batch.id, "batch_open", (opened.batch.id,),
        )  # fmt: skip
        read = scan(bench, f"{prefix}B9")
        assert (read.accepted, read.sentence, read.values) == (False, "batch_not_open", ("B9",))
        bench.command(CloseBatch(opened.batch.id))
        assert scan(bench, prefix + opened.batch.id).sentence == "batch_not_open"


def test_a_badge_names_the_operator_of_what_follows(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.command(Scan("OP:7788"))
        assert bench.wait_for(OperatorChanged).operator == "7788"  # type: ignore[attr-defined]
        bench.command(SetOperator("0001"))
        walk = bench.walk(bench.finished_unit(BORON))
        with bench.reader() as journal:
            attempt = journal.attempt(walk.finished.attempt or "")
        assert attempt is not None
        assert attempt.operator == "0001"


def test_a_slot_can_be_stopped_and_walked_again(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.plug(bench.unit())
        bench.wait(lambda event: isinstance(event, StepStarted) and event.step == "device_os")
        bench.command(StopSlot(1))
        stopped = bench.wait_finished()
        assert (stopped.verdict, stopped.sentence) == (Verdict.ABORTED, "stopped_by_operator")
        mark = bench.mark()
        bench.command(RetrySlot(1))
        finished = bench.wait_finished(since=mark)
        assert finished.verdict is Verdict.PASS, finished.reason


def test_a_technician_can_repeat_one_step(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON)
        bench.plug(unit)
        bench.wait_finished()
        bench.cloud.edit_device(unit.spec.device_id, name="other")
        mark = bench.mark()
        bench.command(RunStep(1, "name"))
        walk = bench.told(bench.wait_finished(since=mark))
        assert walk.outcomes == {"identify": "already", "name": "done"}
        assert (walk.verdict, walk.finished.sentence) == (Verdict.ABORTED, "part_walked")
        mark = bench.mark()
        bench.command(RetrySlot(1))
        assert bench.wait_finished(since=mark).verdict is Verdict.PASS


@pytest.mark.parametrize("step", ["dfu", "device_os", "firmware"])
def test_repeating_a_flashing_step_repeats_the_whole_dfu_visit(step: str, tmp_path: Path) -> None:
    """Alone it would find the door closed, or leave it open."""
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.unit()
        bench.plug(unit)
        bench.wait(lambda event: isinstance(event, StepStarted))
        bench.command(StopSlot(1))
        bench.wait_finished()
        mark = bench.mark()
        bench.command(RunStep(1, step))
        walk = bench.told(bench.wait_finished(since=mark))
        assert walk.verdict is Verdict.ABORTED, "not a member of its product yet, so no PASS"
        assert walk.finished.sentence == "part_walked"
        assert walk.outcomes == {"identify": "already", "dfu": "done", "device_os": "done", "firmware": "done"}
        assert unit.mode is UnitMode.NORMAL


@pytest.mark.rule("A5")
def test_a_label_scanned_while_one_unit_starts_is_not_kept_for_the_next(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        first, second = bench.finished_unit(LABELLED, 1), bench.finished_unit(LABELLED, 2)
        bench.plug(first)
        bench.wait_for(AttemptStarted)
        assert scan(bench, str(second.spec.serial)).accepted
        bench.unplug()
        assert bench.wait_finished().verdict is Verdict.ABORTED
        mark = bench.mark()
        bench.plug(second)
        bench.wait_for(HandsNeeded, since=mark, sentence="scan_label")
        bench.sleep(10.0)
        assert not [event for _, event in bench.events[mark:] if isinstance(event, StepFinished)]
        bench.command(Scan(str(second.spec.serial)))
        assert bench.wait_finished(since=mark).verdict is Verdict.PASS
