"""A member whose SIM was released, deactivated, or is another one than the cloud has: cured, or told at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import BORON, PRODUCTS, line_bench, replace

from drivers.virtual.factory import make_spec
from station.cloud.virtual.faults import Fault, FaultKind
from station.engine.events import OwedWorkStuck, VerdictRevised
from station.model import Outcome, Verdict

SIMS = "POST /v1/products/:p/sims"


@pytest.mark.rule("G4")
def test_a_member_whose_sim_was_released_gets_it_back_by_one_call(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON, 1)
        bench.cloud.edit_device(unit.spec.device_id, product_id=PRODUCTS["boron"])
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert walk.outcomes["sim"] == "done"
        assert bench.cloud.writes[SIMS] == 1
        assert not bench.station.journal.waiting()


@pytest.mark.rule("N2")
@pytest.mark.parametrize("lost", [FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER])
def test_a_sim_import_whose_answer_got_lost_is_decided_by_a_look(lost: FaultKind, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON, 1)
        bench.cloud.edit_device(unit.spec.device_id, product_id=PRODUCTS["boron"])
        bench.cloud.order(Fault(lost, SIMS))
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert bench.cloud.effects[SIMS] == 1


@pytest.mark.parametrize("status", ["deactivated", "being deactivated"])
def test_a_sim_that_was_switched_off_is_told_before_the_first_write(status: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.unit("boron", 1)
        assert unit.spec.iccid is not None
        bench.cloud.edit_device(unit.spec.device_id, product_id=PRODUCTS["boron"])
        changes: dict[str, object] = {"status": "deactivated"}
        if status == "being deactivated":
            changes = {"status": "active", "changing": 1, "polls_left": 10**6, "last_action": "deactivate"}
        bench.cloud.edit_sim(unit.spec.iccid, product_id=PRODUCTS["boron"], **changes)
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.sentence) == (Verdict.FAIL, "sim_off")
        assert "supervisor" in walk.finished.reason
        assert (walk.flash_writes, walk.cloud_writes) == (0, 0)


def test_a_sim_that_is_being_activated_again_is_waited_for(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON, 1)
        assert unit.spec.iccid is not None
        bench.cloud.edit_device(unit.spec.device_id, product_id=PRODUCTS["boron"])
        bench.cloud.edit_sim(
            unit.spec.iccid, product_id=PRODUCTS["boron"], status="deactivated", changing=1, polls_left=3,
            last_action="reactivate",
        )  # fmt: skip
        assert bench.walk(unit).verdict is Verdict.PASS


@pytest.mark.rule("A10")
@pytest.mark.parametrize("is_member", [True, False])
def test_a_sim_that_was_swapped_is_brought_into_the_product(is_member: bool, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON, 1)
        bench.cloud.edit_device(unit.spec.device_id, iccid=str(make_spec("boron", 99, 99, "3.3.1").iccid))
        if is_member:
            bench.cloud.edit_device(unit.spec.device_id, product_id=PRODUCTS["boron"])
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert bench.cloud.writes[SIMS] == 1


@pytest.mark.parametrize("is_member", [True, False])
def test_a_strange_sim_that_no_import_brings_is_told_with_both_numbers(is_member: bool, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON, 1)
        other = make_spec("boron", 99, 99, "3.3.1").iccid
        bench.cloud.edit_device(unit.spec.device_id, iccid=str(other))
        bench.cloud._store.run("DELETE FROM sims WHERE iccid = ?", str(unit.spec.iccid))
        if is_member:
            bench.cloud.edit_device(unit.spec.device_id, product_id=PRODUCTS["boron"])
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.sentence) == (Verdict.PENDING, "sim_odd")
        for number in (other, unit.spec.iccid, "supervisor"):
            assert str(number) in walk.finished.reason
        told = bench.wait_for(OwedWorkStuck, attempt=walk.finished.attempt, sentence="sim_odd")
        assert str(other) in told.reason  # type: ignore[attr-defined]
        assert bench.cloud.writes[SIMS] == 1


@pytest.mark.rule("A10")
def test_another_sim_that_the_product_has_is_a_swap_and_no_fault(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON, 1)
        assert unit.spec.iccid is not None
        bench.cloud.edit_device(
            unit.spec.device_id, product_id=PRODUCTS["boron"], iccid=str(make_spec("boron", 99, 99, "3.3.1").iccid)
        )
        bench.cloud.edit_sim(unit.spec.iccid, product_id=PRODUCTS["boron"], status="active")
        assert bench.walk(unit).verdict is Verdict.PASS


def test_owed_work_never_brings_back_a_released_sim_by_itself_and_says_so_at_once(tmp_path: Path) -> None:
    recipe = replace(BORON, limits={"name": 5})
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe, 1)
        bench.cloud.edit_device(unit.spec.device_id, product_id=PRODUCTS["boron"])
        bench.cloud.order(Fault(FaultKind.DROP_BEFORE, "PUT /v1/products/:p/devices/:id", times=None))
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PENDING
        assert {"name", "sim"} <= walk.with_outcome(Outcome.DEFERRED)
        bench.cloud.cancel_faults()
        told = bench.wait_for(OwedWorkStuck, sentence="sim_released")
        assert "supervisor" in told.reason  # type: ignore[attr-defined]
        bench.sleep(3600.0)
        assert SIMS not in bench.cloud.writes
        assert unit.spec.iccid is not None
        bench.cloud.edit_sim(unit.spec.iccid, product_id=PRODUCTS["boron"], status="active")
        revised = bench.wait_for(VerdictRevised, attempt=walk.finished.attempt)
        assert revised.verdict is Verdict.PASS  # type: ignore[attr-defined]
