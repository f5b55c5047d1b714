"""Rework of what the cloud does not show, or shows of another: "already" needs a proof that it was this very one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from line_bench import BORON, OTHER_PRODUCT, line_bench
from support.rework_bench import PRODUCT, RELEASE, REMOVE, Desk

from drivers.identity import Iccid
from drivers.virtual.unit import VirtualUnit
from station.cloud.errors import BadAnswer
from station.cloud.virtual import Fault, FaultKind
from station.errors import UnitRejected
from station.line.rework.case import Target
from station.model import Outcome

MISTYPED = Iccid.parse("89011703278123456789")
SIM_OF = "GET /v1/products/:p/sims/:iccid"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with line_bench(tmp_path, BORON) as bench:
        yield Desk(bench)


@pytest.mark.parametrize("product", [PRODUCT, None])
def test_a_sim_that_is_not_there_is_not_already_released(product: int | None, desk: Desk) -> None:
    with pytest.raises(UnitRejected, match=f"has no SIM {MISTYPED}.*check its number"):
        desk.rework("release", MISTYPED, product=product)
    assert desk.cloud.writes == {}


@pytest.mark.parametrize("first", ["the card", "the unit"])
@pytest.mark.parametrize("then", ["the card", "the unit"])
def test_a_sim_that_was_released_from_here_is_already_released(first: str, then: str, desk: Desk) -> None:
    unit = desk.unit()
    named: dict[str, VirtualUnit | Target] = {"the card": desk.active_sim(unit), "the unit": unit}
    assert desk.rework("release", named[first]).outcome is Outcome.DONE
    told = desk.rework("release", named[then])
    assert (told.outcome, "it was released here" in told.proof) == (Outcome.ALREADY, True)
    assert desk.cloud.writes == {RELEASE: 1}


def test_a_release_whose_answer_never_came_shows_in_the_journal(desk: Desk) -> None:
    iccid = desk.active_sim(desk.unit())
    outage = Fault(FaultKind.STATUS, "", status=503, times=None, after=2)
    desk.cloud.order(Fault(FaultKind.DROP_AFTER, RELEASE))
    desk.cloud.order(outage)
    with pytest.raises(Exception, match="503"):
        desk.rework("release", iccid)
    desk.cloud.cancel_faults()
    assert desk.rework("release", iccid).outcome is Outcome.ALREADY


@pytest.mark.parametrize("kind", ["release", "sim"])
def test_a_sim_record_of_another_product_proves_nothing(kind: str, desk: Desk) -> None:
    unit = desk.unit()
    iccid = desk.active_sim(unit)
    body = {"_id": str(iccid), "status": "active", "product_id": OTHER_PRODUCT}
    desk.cloud.order(Fault(FaultKind.STATUS, SIM_OF, status=200, body=body, times=None))
    with pytest.raises(BadAnswer, match=f"in product {OTHER_PRODUCT}"):
        desk.rework(kind, unit)
    assert desk.cloud.writes == {}


@pytest.mark.parametrize(
    ("kind", "wishes"), [("release", {}), ("sim", {"off": True}), ("remove", {"releases_sim": True})]
)
def test_a_sim_that_another_unit_uses_is_not_switched_off_by_the_name_of_this_one(
    kind: str, wishes: dict[str, bool], desk: Desk
) -> None:
    unit = desk.unit()
    iccid = desk.active_sim(unit)
    other = "e00fce68aaaaaaaaaaaaaaaa"
    body = {"_id": str(iccid), "status": "active", "product_id": PRODUCT, "last_device_id": other}
    desk.cloud.order(Fault(FaultKind.STATUS, SIM_OF, status=200, body=body, times=None))
    with pytest.raises(UnitRejected, match=f"last used by {other}"):
        desk.rework(kind, unit, **wishes)
    assert desk.cloud.writes == {}


def test_a_unit_that_was_taken_out_from_here_is_out_already_and_any_other_is_not_known(desk: Desk) -> None:
    unit, stranger = desk.unit(), desk.unit(number=2, product=None)
    assert desk.rework("remove", unit).outcome is Outcome.DONE
    told = desk.rework("remove", unit)
    assert (told.outcome, told.proof) == (
        Outcome.ALREADY, f"product {PRODUCT} has it no more; by the records here it was in it",
    )  # fmt: skip
    assert desk.changes() == [REMOVE]
    with pytest.raises(UnitRejected, match="shows no unit"):
        desk.rework("remove", stranger)


def test_a_unit_that_the_bench_added_and_somebody_took_out_is_out_already(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON)
        bench.walk(unit)
        bench.cloud.edit_device(unit.spec.device_id, product_id=None)
        assert Desk(bench).rework("remove", unit).outcome is Outcome.ALREADY
