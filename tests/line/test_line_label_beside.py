"""What the unit's modem needs is waited for beside the scan of its label, not before it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from line_bench import ARGON, BORON, LineBench, Recipe, line_bench, replace
from support.odd_rates import UsualRates

from drivers.virtual.factory import make_spec
from drivers.virtual.timing import REAL
from drivers.virtual.unit import UnitMode, VirtualUnit
from station.engine.commands import Scan
from station.engine.events import (
    AttemptFinished,
    AttemptStarted,
    HandsDone,
    HandsNeeded,
    ScanRead,
    StepFinished,
    UnitIdentified,
)
from station.model import Verdict

LABELLED = replace(BORON, label=True)
ELECTRON = Recipe("electron", device_os="3.3.1", label=True)
"""It tells by its console only what its modem knows."""
AT_HAND_S = 1.0
MODEM_S = REAL.modem_on_s


def asked_for_label(bench: LineBench, unit: VirtualUnit) -> float:
    """Plug the unit in; the seconds after which its label is asked for, and the scan of it follows at once."""
    bench.plug(unit)
    started = bench.wait_for(AttemptStarted)
    return bench.when(bench.wait_for(HandsNeeded, sentence="scan_label")) - bench.when(started)


@pytest.mark.parametrize("recipe", [LABELLED, ELECTRON], ids=lambda recipe: recipe.platform)
def test_the_label_is_asked_for_while_the_modem_starts(recipe: Recipe, tmp_path: Path) -> None:
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        assert asked_for_label(bench, unit) < MODEM_S / 2
        bench.command(Scan(unit.label))
        finished = bench.wait_finished()
        assert finished.verdict is Verdict.PASS, finished.reason
        identify = bench.told(finished).steps["identify"]
        assert MODEM_S <= identify.seconds < MODEM_S + 2 * AT_HAND_S, "the longer of the two, not their sum"
        facts = {fact.name: fact.value for fact in bench.told(finished).of(UnitIdentified)[-1].facts}  # type: ignore[attr-defined]
        assert (facts["iccid"], facts["imei"]) == (str(unit.spec.iccid), str(unit.spec.imei))


def test_a_label_scanned_late_costs_its_own_time_only(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        unit = bench.finished_unit(LABELLED)
        asked_for_label(bench, unit)
        bench.sleep(2 * MODEM_S)
        mark = bench.mark()
        bench.command(Scan(unit.label))
        read, done = bench.wait_for(ScanRead, since=mark), bench.wait_for(StepFinished, step="identify")
        assert bench.when(done) - bench.when(read) < AT_HAND_S


@pytest.mark.parametrize("what", ["iccid", "imei"])
def test_a_number_of_the_modem_scanned_before_the_modem_told_it_is_waited_for(what: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        unit = bench.finished_unit(LABELLED)
        asked_for_label(bench, unit)
        bench.command(Scan(str(getattr(unit.spec, what))))
        finished = bench.wait_finished()
        assert finished.verdict is Verdict.PASS, finished.reason
        assert [read.accepted for read in bench.told(finished).of(ScanRead)] == [True]  # type: ignore[attr-defined]


def test_a_second_half_that_the_unit_contradicts_later_is_asked_for_again(tmp_path: Path) -> None:
    """A unit found listening tells its secret by its console, after its modem."""
    with line_bench(tmp_path, LABELLED) as bench:
        unit = bench.finished_unit(LABELLED)
        bench.plug(unit)
        bench.wait_for(AttemptStarted)
        unit.hold_mode_button()
        bench.wait_for(HandsNeeded, sentence="scan_label")
        serial, secret = unit.label.split()
        bench.command(Scan(f"{serial} {secret[::-1]}"))
        again = bench.wait_for(HandsNeeded, since=bench.mark(), sentence="scan_label")
        bench.command(Scan(f"{serial} {secret[::-1]}"))
        bench.wait_for(HandsNeeded, since=bench.place_of(again), sentence="label_half_differs")
        bench.command(Scan(unit.label))
        finished = bench.wait_finished()
        assert finished.verdict is Verdict.PASS, finished.reason


def test_a_bad_unit_fails_without_waiting_for_its_label(tmp_path: Path) -> None:
    recipe = replace(ARGON, wifi=True, label=True)
    with line_bench(tmp_path, recipe) as bench:
        bench.plug(bench.unit(spec=dataclasses.replace(make_spec("argon", 7, 1, "6.3.4"), mac=None)))
        asked = bench.wait_for(HandsNeeded, sentence="scan_label")
        bench.wait_for(HandsDone, since=bench.place_of(asked))
        finished = bench.wait_finished()
        assert (finished.verdict, finished.sentence) == (Verdict.FAIL, "identity_missing")
        assert bench.told(finished).of(ScanRead) == []


def test_a_unit_pulled_while_its_modem_starts_is_aborted_at_once(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        asked_for_label(bench, bench.finished_unit(LABELLED))
        pulled = bench.clock.now()
        bench.unplug()
        finished = bench.wait_for(AttemptFinished)
        assert finished.verdict is Verdict.ABORTED  # type: ignore[attr-defined]
        assert bench.when(finished) - pulled < 2.0


def test_hands_for_the_unit_are_asked_for_once_they_have_scanned(tmp_path: Path) -> None:
    """Two sentences for one pair of hands would be one too many."""
    with line_bench(tmp_path, ELECTRON) as bench:
        bench.open_port = UsualRates.opener(bench.bus)
        unit = bench.finished_unit(ELECTRON, faults=tuple(f"at=request:70:{n},do=reject,code=0" for n in (1, 2)))
        asked_for_label(bench, unit)
        bench.sleep(3 * MODEM_S)
        assert [told.say.key for _, told in bench.events if isinstance(told, HandsNeeded)] == ["scan_label"]
        bench.command(Scan(unit.label))
        asked = bench.wait_for(HandsNeeded, sentence="listening_by_hand")
        bench.sleep(4.0)
        unit.hold_mode_button()
        bench.wait_for(HandsDone, since=bench.place_of(asked))
        finished = bench.wait_finished()
        assert finished.verdict is Verdict.PASS, finished.reason
        assert unit.mode is UnitMode.NORMAL
