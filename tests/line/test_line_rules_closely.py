"""Vendor rules once more, each where only the rule itself makes the difference."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import ARGON, BORON, DEVELOPER, ME, PRODUCTS, line_bench, replace

from drivers.virtual.dct import SETUP_DONE
from drivers.virtual.flash import Who
from station.cloud.virtual.faults import Fault, FaultKind
from station.engine.events import Event, UnitIdentified, WireTraced
from station.engine.records import WriteConfirmed
from station.model import Verdict

CLAIM = "POST /v1/devices"
MEMBER = "GET /v1/products/:p/devices/:id"


@pytest.mark.rule("A13")
def test_a_boron_has_no_mac_address_and_passes(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        walk = bench.walk(bench.finished_unit(BORON))
        assert walk.verdict is Verdict.PASS, walk.finished
        (told,) = (event for event in walk.events if isinstance(event, UnitIdentified))
        assert "mac" not in {fact.name for fact in told.facts}


@pytest.mark.rule("B2")
def test_a_unit_that_is_online_and_nobodys_is_claimed(tmp_path: Path) -> None:
    recipe = replace(ARGON, claim=True)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        assert bench.walk(unit).verdict is Verdict.PASS
        bench.plug(unit)
        bench.wait_finished()
        bench.cloud.edit_device(unit.spec.device_id, owner=None)
        assert bench.cloud.device(unit.spec.device_id)["connected"]  # type: ignore[index]
        again = bench.retry()
        assert (again.verdict, again.outcomes["claim"]) == (Verdict.PASS, "done")
        assert bench.cloud.device(unit.spec.device_id)["owner"] == ME  # type: ignore[index]


@pytest.mark.rule("C8")
def test_a_product_named_by_its_slug_is_checked_by_the_number_the_cloud_tells(tmp_path: Path) -> None:
    recipe = replace(BORON, slug="boron-product")
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert str(PRODUCTS["boron"]) in walk.steps["product_add"].proof
        assert bench.cloud.device(unit.spec.device_id)["product_id"] == PRODUCTS["boron"]  # type: ignore[index]


@pytest.mark.rule("C8")
@pytest.mark.rule("C2")
@pytest.mark.parametrize("number", [PRODUCTS["argon"], 13, None])
def test_a_read_back_with_another_number_is_no_membership(number: int | None, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON)
        record = {"id": unit.device_id, "product_id": number, "platform_id": 13}
        looks_before_the_import = 1
        bench.cloud.order(
            Fault(FaultKind.STATUS, MEMBER, after=looks_before_the_import, times=None, status=200, body=record)
        )
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.FAIL, "product_add")


@pytest.mark.rule("E2")
def test_a_claim_is_asked_again_as_long_as_the_cloud_does_not_see_the_unit_online(tmp_path: Path) -> None:
    with line_bench(tmp_path, DEVELOPER) as bench:
        body = {"ok": False, "errors": [["Core isn't online", 404]]}
        bench.cloud.order(Fault(FaultKind.STATUS, CLAIM, times=3, status=404, body=body))
        walk = bench.walk(bench.finished_unit(DEVELOPER))
        assert walk.verdict is Verdict.PASS, walk.finished
        asked = [one for one in bench.cloud.requests() if one.route == CLAIM]
        assert [one.status for one in asked] == [404, 404, 404, 200]
        assert walk.steps["claim"].seconds > 14.5


@pytest.mark.rule("F2")
def test_a_product_unit_may_have_the_name_of_another_unit_of_the_account(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit, other = bench.finished_unit(BORON, 1), bench.finished_unit(BORON, 2)
        bench.cloud.edit_device(
            other.spec.device_id, product_id=PRODUCTS["boron"], owner=ME, name=str(unit.spec.serial)
        )  # fmt: skip
        assert bench.walk(unit).verdict is Verdict.PASS
        assert [one for one in bench.cloud.requests() if one.route == "GET /v1/devices"] == []


@pytest.mark.rule("H10")
def test_a_unit_that_comes_up_listening_although_set_up_fails(tmp_path: Path) -> None:
    recipe = replace(ARGON, device_os="3.3.1", online=False)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe, setup_done=False)

        marks: list[Event] = []

        def forgotten_for_a_moment(event: Event) -> None:
            """The mark is not there when the unit starts, and is there again when it is read back."""
            if isinstance(event, WriteConfirmed) and event.what == "set setup-done":
                marks.append(event)
                unit.memory.dct.set("setup_done", b"\xff", Who.SYSTEM)
            if marks and isinstance(event, WireTraced) and "is back in application mode" in event.line:
                unit.memory.dct.set("setup_done", SETUP_DONE, Who.SYSTEM)

        bench.station.bus.subscribe(forgotten_for_a_moment)
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.FAIL, "setup_done")
        assert walk.finished.sentence == "listening_after_setup"
