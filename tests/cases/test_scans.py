"""Scans that once judged a unit, or were not understood: asked for again with what was read, never a bad unit."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import BORON, LineBench, Walk, line_bench, replace

from drivers.virtual.factory import make_spec
from drivers.virtual.unit import VirtualUnit
from station.engine.commands import Scan
from station.engine.events import HandsNeeded, ScanRead, UnitIdentified
from station.model import Verdict

LABELLED = replace(BORON, label=True)
SCANS = (Path(__file__).parent / "data" / "scans.txt").read_text(encoding="utf-8").splitlines()
"""Made for the unit P044ABEZW7Y4JRW, the first of the line bench."""
ASKED = {
    "P044ABEYW7Z4JRW": ("keyboard_layout", ("QWERTZ",)),
    "BRN404XKIT": ("not_the_label", ("order code",)),
    "DATE2411": ("no_label", ("DATE2411",)),
    "LOT20261122": ("no_label", ("LOT20261122",)),
    "FCCID2AEMI": ("no_label", ("FCCID2AEMI",)),
    "MADEINCHINA": ("no_label", ("MADEINCHINA",)),
    'à&é"(ABEZW-Y4JRW': ("no_label", ("***",)),  # as long as a mobile secret, and longer
}
"""What the slot asks next; the other lines are the label itself."""


def scanning(bench: LineBench, unit: VirtualUnit, *texts: str, pause_s: float = 5.0) -> Walk:
    """Walk ``unit``; ``texts`` are scanned one after the other when its label is asked for."""
    mark = bench.mark()

    def hands() -> None:
        bench.wait_for(HandsNeeded, since=mark, sentence="scan_label")
        for text in texts:
            bench.sleep(pause_s)
            bench.command(Scan(text))

    return bench.walk(unit, during=hands)


def asked(walk: Walk) -> list[tuple[str, tuple[str, ...]]]:
    """What the slot asked for after its first question."""
    return [(event.sentence, event.values) for event in walk.of(HandsNeeded)][1:]  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", SCANS)
@pytest.mark.parametrize("times", [1, 3])
def test_a_scan_of_something_else_is_asked_for_again_and_the_unit_passes(times: int, text: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        unit = bench.finished_unit(LABELLED)
        assert str(unit.spec.serial) == "P044ABEZW7Y4JRW"
        walk = scanning(bench, unit, *[text] * times, unit.label)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert asked(walk) == [ASKED[text]] * times if text in ASKED else not asked(walk)


@pytest.mark.parametrize("text", ["]d1{label}", "]Q1{serial}", "]C1{serial}", "(21){serial}", "S/N: {label}"])
def test_what_stands_around_a_label_is_taken_off(text: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        unit = bench.finished_unit(LABELLED)
        walk = scanning(bench, unit, text.format(label=unit.label, serial=unit.spec.serial))
        assert walk.verdict is Verdict.PASS, walk.finished
        assert asked(walk) == []


def test_the_label_of_the_unit_before_is_known_by_when_that_unit_passed(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        before, unit = bench.finished_unit(LABELLED, 1), bench.finished_unit(LABELLED, 2)
        passed = scanning(bench, before, before.label)
        walk = scanning(bench, unit, before.label, before.label, unit.label)
        assert walk.verdict is Verdict.PASS, walk.finished
        at = passed.finished.at.isoformat(timespec="seconds")
        assert asked(walk) == [("label_of_passed", (at,))] * 2


def test_any_number_of_a_unit_the_journal_knows_is_doubted_for_ever(tmp_path: Path) -> None:
    """Its card, its Device ID, its modem; also when the station was started anew since."""
    with line_bench(tmp_path, LABELLED) as bench:
        known, unit = bench.finished_unit(LABELLED, 1), bench.finished_unit(LABELLED, 2)
        scanning(bench, known, known.label)
        bench.restart()
        numbers = [str(getattr(known.spec, what)) for what in ("device_id", "iccid", "imei", "serial")]
        walk = scanning(bench, unit, *[number for number in numbers for _ in range(2)], unit.label)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert {sentence for sentence, _ in asked(walk)} == {"label_of_passed"}


def test_a_unit_that_failed_or_never_ended_is_told_as_such(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        failed, unplugged, unit = (bench.finished_unit(LABELLED, number) for number in (1, 2, 3))
        stranger = bench.stranger().label
        assert scanning(bench, failed, stranger, stranger).verdict is Verdict.FAIL
        mark = bench.mark()
        bench.plug(unplugged)
        bench.wait_for(HandsNeeded, since=mark)
        bench.unplug()
        bench.sleep(5.0)
        walk = scanning(bench, unit, failed.label, unplugged.label, unit.label)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert [sentence for sentence, _ in asked(walk)] == ["label_of_failed", "label_of_other"]


def test_the_neighbour_that_has_its_verdict_and_still_sits_there_is_a_neighbour(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED, slots=2) as bench:
        neighbour, unit = bench.finished_unit(LABELLED, 1), bench.finished_unit(LABELLED, 2)
        bench.plug(neighbour, 2)
        bench.scan_when_asked(neighbour.label, 2)
        assert bench.wait_finished(2).verdict is Verdict.PASS
        walk = scanning(bench, unit, neighbour.label, neighbour.label, unit.label)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert asked(walk) == [("label_of_slot", ("2",))] * 2


def test_the_neighbour_that_left_is_a_unit_that_passed(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED, slots=2) as bench:
        neighbour, unit = bench.finished_unit(LABELLED, 1), bench.finished_unit(LABELLED, 2)
        bench.plug(neighbour, 2)
        bench.scan_when_asked(neighbour.label, 2)
        bench.wait_finished(2)
        bench.unplug(2)
        walk = scanning(bench, unit, neighbour.label, unit.label)
        assert [sentence for sentence, _ in asked(walk)] == ["label_of_passed"]


@pytest.mark.rule("A5")
def test_the_same_label_of_nobody_known_twice_is_a_mismatch(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        unit, other = bench.unit(), bench.stranger()
        walk = scanning(bench, unit, other.label, "BRN404XKIT", other.label)
        assert (walk.verdict, walk.finished.sentence) == (Verdict.FAIL, "wrong_label")
        assert [sentence for sentence, _ in asked(walk)] == ["label_differs", "not_the_label"]
        assert str(other.serial) in walk.finished.reason
        assert str(unit.spec.serial) in walk.finished.reason
        assert (walk.flash_writes, walk.cloud_writes) == (0, 0)


def test_two_labels_of_nobody_known_speak_against_the_hand_and_not_the_unit(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        unit, one = bench.finished_unit(LABELLED), bench.stranger()
        other = make_spec("boron", 99, 98).label
        walk = scanning(bench, unit, one.label, other, one.label, unit.label)
        assert walk.verdict is Verdict.PASS, walk.finished


@pytest.mark.rule("A5")
@pytest.mark.parametrize("apart_s", [0.0, 0.4, 0.9])
def test_a_scanner_that_reads_again_and_again_reads_once(apart_s: float, tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        unit, other = bench.finished_unit(LABELLED), bench.stranger()
        walk = scanning(bench, unit, *[other.label] * 5, unit.label, pause_s=apart_s)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert [sentence for sentence, _ in asked(walk)] == ["label_differs"]


def test_a_label_read_twice_answers_no_other_slot(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED, slots=2) as bench:
        units = bench.finished_unit(LABELLED, 1), bench.finished_unit(LABELLED, 2)
        bench.plug(units[0], 1)
        bench.wait_for(HandsNeeded, slot=1)
        bench.plug(units[1], 2)
        bench.wait_for(UnitIdentified, slot=2)
        for slot, unit in enumerate(units, start=1):
            bench.scan_when_asked(unit.label, slot)
            bench.sleep(0.3)
            bench.command(Scan(unit.label))
        assert [bench.wait_finished(slot).verdict for slot in (1, 2)] == [Verdict.PASS] * 2
        later = [event.sentence for _, event in bench.events if isinstance(event, HandsNeeded)]
        assert later == ["scan_label"] * 2


@pytest.mark.rule("A7")
def test_the_second_half_of_another_label_is_asked_for_again_and_believed_the_second_time(tmp_path: Path) -> None:
    recipe = replace(LABELLED, keep_secret=True)
    with line_bench(tmp_path, recipe) as bench:
        unit, other = bench.unit(), bench.stranger()
        forged = f"{unit.spec.serial} {other.mobile_secret.reveal()}"
        bench._secrets.append(other.mobile_secret.reveal())
        walk = scanning(bench, unit, forged, forged)
        assert (walk.verdict, walk.finished.sentence) == (Verdict.FAIL, "wrong_label")
        assert asked(walk) == [("label_half_differs", ())]
        good = scanning(bench, bench.finished_unit(recipe, 2), forged.replace(str(unit.spec.serial), "P044"))
        assert good.verdict is Verdict.ERROR


@pytest.mark.rule("A7")
def test_a_mobile_secret_under_another_layout_is_a_word_about_the_keyboard(tmp_path: Path) -> None:
    """The serial number has no letter that moved; its second half has."""
    recipe = replace(LABELLED, keep_secret=True)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe, 6)
        serial, secret = unit.label.split()
        moved = secret.translate(str.maketrans("YZ", "ZY"))
        assert moved != secret
        walk = scanning(bench, unit, f"{serial} {moved}", f"{serial} {moved}", unit.label)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert asked(walk) == [("keyboard_layout", ("QWERTZ",))] * 2


def test_the_label_of_a_neighbour_under_another_layout_speaks_against_no_unit(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED, slots=2) as bench:
        neighbour, unit = bench.finished_unit(LABELLED, 1), bench.finished_unit(LABELLED, 2)
        bench.plug(neighbour, 2)
        bench.scan_when_asked(neighbour.label, 2)
        moved = str(neighbour.spec.serial).translate(str.maketrans("YZ", "ZY"))
        walk = scanning(bench, unit, moved, moved, unit.label)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert asked(walk) == [("keyboard_layout", ("QWERTZ",))] * 2


def test_whoever_goes_on_scanning_something_else_is_told_what_was_read_last(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        walk = scanning(bench, bench.unit(), *["BRN404XKIT"] * 5)
        assert (walk.verdict, walk.finished.sentence) == (Verdict.ERROR, "label_not_scanned")
        assert "BRN404XKIT: order code" in walk.finished.reason
        last = max(bench.when(event) for event in walk.of(ScanRead))
        assert 59.0 < bench.when(walk.finished) - last < 62.0, "a scan gives the whole time again"
        assert (walk.flash_writes, walk.cloud_writes) == (0, 0)


def test_the_time_of_wrong_scans_is_no_time_of_the_step(tmp_path: Path) -> None:
    recipe = replace(LABELLED, limits={"identify": 20.0})
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        walk = scanning(bench, unit, *["BRN404XKIT"] * 9, unit.label)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert walk.steps["identify"].seconds > 45.0
