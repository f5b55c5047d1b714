"""A read that lags behind a confirmed write: read again, then judged."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import BORON, line_bench

from station.cloud.virtual.faults import Fault, FaultKind
from station.model import Verdict

MEMBER = "GET /v1/products/:p/devices/:id"
NOT_THERE = {"ok": False, "error": "Device not found for this product"}


@pytest.mark.parametrize("looks", [1, 2, 4])
def test_a_membership_that_shows_up_some_looks_later_is_no_bad_unit(looks: int, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.cloud.order(Fault(FaultKind.STATUS, MEMBER, status=404, body=NOT_THERE, after=1, times=looks))
        walk = bench.walk(bench.finished_unit(BORON, 1))
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert bench.cloud.writes["POST /v1/products/:p/devices"] == 1


def test_a_membership_that_never_shows_up_is_looked_for_half_a_minute_and_judges_nobody(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.cloud.order(Fault(FaultKind.STATUS, MEMBER, status=404, body=NOT_THERE, times=None))
        walk = bench.walk(bench.finished_unit(BORON, 1))
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.ERROR, "product_add")
        assert 30 <= walk.steps["product_add"].seconds < 60


@pytest.mark.parametrize("step", ["name", "final_check"])
def test_a_member_the_cloud_forgets_within_one_walk_is_contradicted_and_no_bad_unit(step: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON, 1)
        if step == "final_check":  # a unit that needs nothing is looked at by the first step and by the last
            assert bench.walk(unit).verdict is Verdict.PASS
        looks_before = {"name": 2, "final_check": 1}[step]
        bench.cloud.order(
            Fault(FaultKind.STATUS, MEMBER, status=404, body=NOT_THERE, after=looks_before, times=None)
        )  # fmt: skip
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.ERROR, step)
        assert "does not show" in walk.finished.reason
