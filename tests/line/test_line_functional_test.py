"""Functional tests on the line: what the application and instruments tell, in verdict, journal, export and screen."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from line_bench import BORON, LineBench, Recipe, Walk, line_bench
from support.instruments import Instrument, Instruments
from support.tested import LIMITS, METER, Trial

from drivers.host.executable import Ended
from station.engine.commands import StopSlot
from station.engine.events import StepHeld, StepResumed, StepStarted
from station.errors import BadInput
from station.export import export
from station.model import Verdict
from station.words.languages import load


def sentence(walk: Walk, language: str = "en") -> str:
    return load(language).line(walk.finished.say)


def walked(bench: LineBench, recipe: Recipe, *faults: str, number: int = 1) -> Walk:
    return bench.walk(bench.finished_unit(recipe, number, faults=faults))


def exported(bench: LineBench) -> list[dict[str, str]]:
    sheet = io.StringIO(newline="")
    with bench.reader() as journal:
        export(journal, [recipe.batch for recipe in bench.recipes], sheet)
    return list(csv.DictReader(io.StringIO(sheet.getvalue().lstrip("\ufeff"), newline="")))


@pytest.mark.parametrize("platform", ["boron", "argon"])
def test_a_value_out_of_its_limits_twice_fails_the_unit_and_stands_in_verdict_journal_and_sheet(
    tmp_path: Path, platform: str
) -> None:
    recipe = Trial(platform, online=platform == "argon")
    with line_bench(tmp_path, recipe) as bench:
        good, bad = bench.finished_unit(recipe, 1), bench.finished_unit(recipe, 2, faults=("do=app,says=vbat:3.31",))
        assert bench.walk(good).verdict is Verdict.PASS
        walk = bench.walk(bad)
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.FAIL, "app_test")
        assert sentence(walk) == "Battery 3.31 V, wants 3.6 to 4.2 V. Red bin."
        assert sentence(walk, "de") == "Battery 3,31 V, soll 3,6 bis 4,2 V. Rote Kiste."
        assert "Battery 3.31 V" in sentence(walk, "zh")
        measured = {m.name: m for m in walk.steps["app_test"].measurements}
        assert list(measured) == ["Battery", "temp", "fw", "charge"]  # what comes after it is measured all the same
        assert [m.name for m in measured.values() if m.is_out] == ["Battery"]
        with bench.reader() as journal:
            steps = {step.step: step for step in journal.steps(walk.finished.attempt or "")}
        assert steps["app_test"].measurements == walk.steps["app_test"].measurements
        rows = exported(bench)
    named = [(r["app_test: Battery (V)"], r["app_test: Battery min"], r["app_test: Battery max"]) for r in rows]
    assert named == [(f"{good.sensors['vbat']:g}", "3.6", "4.2"), ("3.31", "3.6", "4.2")]
    assert [row["Out of Limits"] for row in rows] == ["", "Battery"]
    assert [row["app_test: charge wanted"] for row in rows] == ["done", "done"]


def test_the_first_value_out_in_the_order_of_the_profile_is_named(tmp_path: Path) -> None:
    recipe = Trial(tests=LIMITS.replace('text = "done"', 'text = "full"').replace("max = 40", "max = 11"))
    with line_bench(tmp_path, recipe) as bench:
        walk = walked(bench, recipe)
        unit = bench.units[0]
        assert walk.verdict is Verdict.FAIL
        assert sentence(walk) == f"temp {unit.sensors['temp']} C, wants 10 to 11 C. Red bin."
        assert "1 more out of their limits" in walk.finished.reason


def test_a_value_that_is_out_only_once_judges_nobody(tmp_path: Path) -> None:
    recipe = Trial()
    with line_bench(tmp_path, recipe) as bench:
        walk = walked(bench, recipe, "do=app,says=vbat:9.9,times=1")
        assert walk.verdict is Verdict.PASS
        assert not any(m.is_out for m in walk.steps["app_test"].measurements)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("says=silence", "Test does not answer. Plug it in again."),
        ("says=garbage", "Answer of the test is garbled. Technician."),
        ("says=unknown", "Unit does not know this command. Call supervisor."),
    ],
)
def test_no_answer_is_no_verdict_about_the_unit_and_passes_once_it_answers(
    tmp_path: Path, fault: str, said: str
) -> None:
    recipe = Trial()
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe, faults=(f"do=app,{fault}",))
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.failed_step, sentence(walk)) == (Verdict.ERROR, "app_test", said)
        unit.faults.withdraw()
        assert bench.walk(unit).verdict is Verdict.PASS


@pytest.mark.parametrize("fault", ["says=garbage,times=1", "says=silence,times=1", "says=unknown,times=1"])
def test_one_answer_of_no_use_is_asked_for_again(tmp_path: Path, fault: str) -> None:
    recipe = Trial()
    with line_bench(tmp_path, recipe) as bench:
        assert walked(bench, recipe, f"do=app,{fault}").verdict is Verdict.PASS


def test_a_profile_whose_application_has_no_tests_fails_no_unit(tmp_path: Path) -> None:
    for recipe, said in (
        (Trial(test_program="tinker"), "Unit does not know this command. Call supervisor."),
        (Trial(tests=LIMITS.replace("limits.temp", "limits.tmp")), "Test does not tell tmp. Call supervisor."),
    ):
        with line_bench(tmp_path / recipe.test_program, recipe) as bench:
            walk = walked(bench, recipe)
            assert (walk.verdict, sentence(walk)) == (Verdict.ERROR, said)


def test_a_unit_that_leaves_during_its_test_is_stopped(tmp_path: Path) -> None:
    recipe = Trial()
    with line_bench(tmp_path, recipe) as bench:
        walk = walked(bench, recipe, "at=request:10,do=unplug")
        assert walk.verdict is Verdict.ABORTED


# --- instruments ---


def with_meter(bench: LineBench, recipe: Recipe, meter: Instrument, seconds: float = 2.0) -> Instruments:
    instruments = Instruments(bench.clock, seconds, **{"power-meter": meter})
    bench.programs = instruments
    bench.restart(replace(recipe, revision=2))  # another text than that of the batch before
    return instruments


def test_an_instrument_is_told_who_the_unit_is_and_its_values_are_judged_alike(tmp_path: Path) -> None:
    recipe = Trial(tests=METER)
    with line_bench(tmp_path, BORON) as bench:
        draws = {"1": 8.5, "2": 31.0}
        instruments = with_meter(bench, recipe, lambda unit: f"idle_ma={draws[str(unit['slot'])]}\n")
        unit = bench.finished_unit(recipe)
        assert bench.walk(unit).verdict is Verdict.PASS
        (_, _, told) = instruments.runs[0]
        assert told == {
            "test": "power", "slot": 1, "attempt": told["attempt"], "device_id": unit.device_id, "platform": "boron",
            "serial": str(unit.spec.serial), "iccid": str(unit.spec.iccid), "imei": str(unit.spec.imei),
            "sku": told["sku"], "device_os": "6.3.4",
        }  # fmt: skip
        draws["1"] = 31.0
        walk = bench.walk(bench.finished_unit(recipe, 2))
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.FAIL, "tests")
        assert sentence(walk) == "idle_ma 31 mA, wants at most 12 mA. Red bin."
        assert len(instruments.runs) == 3  # it measured twice before it judged
        rows = exported(bench)
    assert [(r["tests: idle_ma (mA)"], r["tests: idle_ma max"]) for r in rows] == [("8.5", "12"), ("31", "12")]


def test_a_program_of_this_computer_measures_in_a_walk(tmp_path: Path) -> None:
    recipe = Trial(tests=METER.replace("power-meter", "station-virtual-meter"))
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS
        assert [m.value for m in walk.steps["tests"].measurements] == [unit.sensors["idle_ma"]]


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (Ended(b"", 3, "it ended with status 3: no probe"), "power does not measure. Technician."),
        (Ended(b"", None, "it did not end in time and was killed"), "power does not measure. Technician."),
        ("no values", "Answer of the test is garbled. Technician."),
        ('{"idle_ma": NaN}', "idle_ma nan, wants a number. Red bin."),
    ],
)
def test_an_instrument_that_fails_twice_judges_no_unit_and_one_failure_is_tried_again(
    tmp_path: Path, ended: str | Ended, said: str
) -> None:
    recipe = Trial(tests=METER)
    with line_bench(tmp_path, BORON) as bench:
        answers = [ended, ended, ended, "idle_ma=8"]
        with_meter(bench, recipe, lambda _: answers.pop(0))
        walk = walked(bench, recipe)
        assert walk.verdict is (Verdict.FAIL if "Red bin" in said else Verdict.ERROR)
        assert sentence(walk) == said
        assert walked(bench, recipe, number=2).verdict is Verdict.PASS


@pytest.mark.parametrize("parallel", [False, True])
def test_one_slot_waits_for_the_other_unless_an_instrument_serves_both(tmp_path: Path, parallel: bool) -> None:
    tests = METER.replace("timeout_s", f"parallel = {str(parallel).lower()}\ntimeout_s")
    recipe = Trial(tests=tests)
    with line_bench(tmp_path, BORON, slots=2) as bench:
        instruments = with_meter(bench, recipe, lambda _: "idle_ma=8", seconds=60.0)
        units = [bench.finished_unit(recipe, number) for number in (1, 2)]
        mark = bench.mark()
        for slot, unit in enumerate(units, 1):
            bench.plug(unit, slot)
        for slot in (1, 2):
            assert bench.wait_finished(slot, since=mark).verdict is Verdict.PASS
        (first_from, first_to, _), (second_from, _, _) = sorted(instruments.runs, key=lambda run: run[0])
        assert (second_from >= first_to) is not parallel
        held = [e for _, e in bench.events if isinstance(e, StepHeld) and e.say.key == "instrument_busy"]
        assert [e.before for e in held] == ([] if parallel else [1])
        resumed = [e for _, e in bench.events if isinstance(e, StepResumed) and e.step == "tests"]
        assert len(resumed) == len(held)
        assert second_from - first_from < 90 or parallel


def test_the_instrument_measures_while_unit_and_cloud_are_at_work(tmp_path: Path) -> None:
    recipe = Trial(tests=LIMITS + METER)
    with line_bench(tmp_path, BORON) as bench:
        with_meter(bench, recipe, lambda _: "idle_ma=8", seconds=20.0)
        walk = walked(bench, recipe)
        assert walk.verdict is Verdict.PASS
        at = {e.step: bench.when(e) for e in walk.events if isinstance(e, StepStarted)}
        assert abs(at["tests"] - at["app_test"]) < 1.0
        assert at["final_check"] >= at["tests"] + 20.0


def test_a_stop_ends_the_instrument_and_lets_the_next_slot_have_it(tmp_path: Path) -> None:
    recipe = Trial(tests=METER)
    with line_bench(tmp_path, BORON) as bench:
        with_meter(bench, recipe, lambda _: "idle_ma=8", seconds=1000.0)
        mark = bench.mark()
        bench.plug(bench.finished_unit(recipe))
        bench.wait_for(StepStarted, step="tests", since=mark)
        bench.sleep(5.0)
        asked = bench.clock.now()
        bench.command(StopSlot(1))
        assert bench.wait_finished(since=mark).verdict is Verdict.ABORTED
        assert bench.clock.now() - asked < 1.0


def test_a_batch_whose_program_is_not_here_is_not_opened(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        recipe = Trial("argon", tests=METER, online=True)
        bench.write_firmware(*recipe.files())
        with pytest.raises(BadInput, match=r"\[tests\] power: there is no program power-meter that may be run"):
            bench.station.open_batch("b", recipe.profile())


def test_an_instrument_is_told_no_secret(tmp_path: Path) -> None:
    told: list[Mapping[str, Any]] = []
    recipe = Trial(tests=METER, label=True, keep_secret=True)
    with line_bench(tmp_path, BORON) as bench:
        with_meter(bench, recipe, lambda unit: told.append(unit) or "idle_ma=8")  # type: ignore[func-returns-value]
        unit = bench.finished_unit(recipe)
        walk = bench.walk(unit, during=lambda: bench.scan_when_asked(unit.label))
        assert walk.verdict is Verdict.PASS
        bench.check_no_secret(json.dumps(told))


def test_an_instrument_that_finds_every_unit_bad_is_doubted_until_one_is_good(tmp_path: Path) -> None:
    recipe = Trial(tests=METER)
    with line_bench(tmp_path, BORON) as bench:
        draws: list[float] = []
        with_meter(bench, recipe, lambda _: f"idle_ma={draws[-1]}")

        def measured(number: int, ma: float) -> Walk:
            draws.append(ma)
            return walked(bench, recipe, number=number)

        assert [measured(1, 31).verdict, measured(2, 30).verdict] == [Verdict.FAIL, Verdict.FAIL]
        assert measured(2, 30).verdict is Verdict.FAIL  # the same unit again tells nothing new
        third = measured(3, 31)
        assert (third.verdict, sentence(third)) == (Verdict.ERROR, "power does not measure. Technician.")
        assert "known to be good" in third.finished.reason
        assert [m.value for m in third.steps["tests"].measurements] == [31.0]
        assert measured(1, 31).verdict is Verdict.ERROR
        assert measured(4, 8).verdict is Verdict.PASS
        assert measured(3, 31).verdict is Verdict.FAIL


def test_a_doubt_outlives_the_station_and_ends_with_a_good_unit_of_the_day_before(tmp_path: Path) -> None:
    recipe = Trial(tests=METER)
    with line_bench(tmp_path, BORON) as bench:
        draws: list[float] = []
        with_meter(bench, recipe, lambda _: f"idle_ma={draws[-1]}")

        def measured(number: int, ma: float) -> Verdict:
            draws.append(ma)
            return walked(bench, recipe, number=number).verdict

        assert [measured(1, 31), measured(2, 30)] == [Verdict.FAIL, Verdict.FAIL]
        bench.restart()
        assert measured(3, 31) is Verdict.ERROR, "the third in a row, two of them before the restart"
        bench.restart()
        assert measured(1, 31) is Verdict.ERROR
        assert measured(4, 8) is Verdict.PASS
        bench.restart()
        assert [measured(5, 31), measured(6, 31), measured(7, 31)] == [Verdict.FAIL, Verdict.FAIL, Verdict.ERROR]


def test_a_doubted_instrument_clears_no_unit_of_what_another_one_measured(tmp_path: Path) -> None:
    other = METER.replace('"power"', '"scale"').replace("idle_ma", "weight_g").replace("max = 12", "min = 20")
    recipe = Trial(tests=METER + other.replace('unit = "mA"', 'unit = "g"'))
    with line_bench(tmp_path, BORON) as bench:
        weights = {"1": 25.0}

        def measure(unit: Mapping[str, Any]) -> str:
            return "idle_ma=31" if unit["test"] == "power" else f"weight_g={weights['1']}"

        with_meter(bench, recipe, measure)
        assert [walked(bench, recipe, number=n).verdict for n in (1, 2)] == [Verdict.FAIL] * 2
        assert walked(bench, recipe, number=3).verdict is Verdict.ERROR
        weights["1"] = 3.0
        walk = walked(bench, recipe, number=4)
        assert (walk.verdict, sentence(walk)) == (Verdict.FAIL, "weight_g 3 g, wants at least 20 g. Red bin.")
