"""A modem or a unit that is still starting refuses one question: it is asked again, and nobody is judged."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import ARGON, BORON, Recipe, line_bench

from drivers.virtual.faults import parse_fault
from station.model import Verdict

FAULTS = (Path(__file__).parent / "data" / "faults.txt").read_text(encoding="utf-8").split()


@pytest.mark.parametrize("is_new", [True, False], ids=["new", "finished"])
@pytest.mark.parametrize("recipe", [BORON, ARGON], ids=["boron", "argon"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_unit_that_refuses_one_question_passes(fault: str, recipe: Recipe, is_new: bool, tmp_path: Path) -> None:
    with line_bench(tmp_path, recipe) as bench:
        make = bench.unit(recipe.platform) if is_new else bench.finished_unit(recipe)
        make.order(parse_fault(fault))
        walk = bench.walk(make)
        assert walk.verdict is Verdict.PASS, walk.finished


def test_there_are_six_and_each_really_happens_to_some_unit(tmp_path: Path) -> None:
    assert len(FAULTS) == 6
    happened: set[str] = set()
    for number, recipe in enumerate((BORON, ARGON)):
        (tmp_path / str(number)).mkdir()
        with line_bench(tmp_path / str(number), recipe) as bench:
            unit = bench.unit(recipe.platform, faults=tuple(FAULTS))
            assert bench.walk(unit).verdict is Verdict.PASS
            happened |= {fault.spec for fault in unit.faults.happened}
    assert happened >= {fault for fault in FAULTS if ":71" not in fault}
