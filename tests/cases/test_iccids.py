"""SIM numbers of odd form: kept as read, a word about the SIM, never a verdict on who the unit is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from line_bench import BORON, DEVELOPER, LineBench, Recipe, line_bench, replace

from drivers.identity import Iccid
from drivers.virtual.factory import make_spec
from drivers.virtual.unit import VirtualUnit
from station.engine.events import UnitIdentified
from station.model import Verdict

NUMBERS = [
    line.split("\t")[0]
    for line in (Path(__file__).parent / "data" / "iccids.txt").read_text(encoding="utf-8").splitlines()
]
ODD = [number for number in NUMBERS if Iccid.told(number).is_odd]
DEVELOPER_BORON = replace(DEVELOPER, platform="boron")


def unit_with_sim(bench: LineBench, recipe: Recipe, number: str, *, is_known: bool) -> VirtualUnit:
    """A finished unit whose SIM tells ``number``; ``is_known``: the cloud has it."""
    modules = tuple(file.data for file in recipe.files())
    fresh = make_spec("boron", 7, 1, "6.3.4", modules=modules, setup_done=True)
    unit = bench.unit(spec=dataclasses.replace(fresh, iccid=Iccid(number)), is_known=False)
    made = unit.spec
    bench.cloud.register_unit(
        made.device_id, 13, serial=made.serial, iccid=made.iccid if is_known else None, imei=made.imei
    )
    return unit


@pytest.mark.rule("A8")
@pytest.mark.parametrize("number", NUMBERS)
def test_a_unit_passes_whatever_form_its_sims_number_has(number: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        walk = bench.walk(unit_with_sim(bench, BORON, number, is_known=True))
        assert walk.verdict is Verdict.PASS, walk.finished
        (identified,) = walk.of(UnitIdentified)
        assert isinstance(identified, UnitIdentified)
        (told,) = {fact.value for fact in identified.facts if fact.name == "iccid"}
        assert told == number.rstrip("F")
        assert ("odd" in walk.steps["sim"].proof) is (number in ODD)


@pytest.mark.parametrize("recipe", [BORON, DEVELOPER_BORON], ids=["product", "developer"])
@pytest.mark.parametrize("number", ODD)
def test_a_sim_of_odd_number_that_the_cloud_does_not_know_is_said_of_the_sim_and_not_of_the_unit(
    number: str, recipe: Recipe, tmp_path: Path
) -> None:
    """Nor is an activation asked for by a number that may have been read wrong."""
    with line_bench(tmp_path, recipe) as bench:
        walk = bench.walk(unit_with_sim(bench, recipe, number, is_known=False))
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.ERROR, "sim")
        assert (walk.finished.sentence, walk.finished.values) == ("sim_odd", (number,))
        assert "PUT /v1/sims/:iccid" not in bench.cloud.writes


def test_the_four_odd_ones_are_of_both_kinds() -> None:
    assert len(NUMBERS) == 5
    assert len(ODD) == 3, "two fillers are taken off as one is"
