"""Every request about SIM cards against the virtual cloud, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.cloud_bench import BORON, BORON_ICCID, PRODUCT, Bench

from drivers.identity import DeviceId, Iccid
from station.cloud import api, sim_api
from station.cloud.body import Answer
from station.cloud.call import Call
from station.cloud.errors import CloudRefused, OutcomeUnknown
from station.cloud.evidence import BODILESS, Route, Speaker, speaker
from station.cloud.sim_answers import SimAnswer, SimRelease
from station.cloud.virtual import Fault, FaultKind
from station.errors import BadInput

NOBODYS = Iccid.parse("8931440400099999999")


@pytest.mark.rule("G1")
def test_product_add_activates_a_built_in_sim_without_a_sim_call(bench: Bench) -> None:
    assert bench.client.run(sim_api.sim(BORON_ICCID, PRODUCT)) is None
    bench.cloud.order_sim(BORON_ICCID, polls=2)
    bench.client.run(api.add_to_product(PRODUCT, BORON))
    bench.clock.sleep(60)
    states = [bench.client.run(sim_api.sim(BORON_ICCID, PRODUCT)) for _ in range(3)]
    assert [s.is_active for s in states if s] == [False, False, True]
    assert [s.state_change_in_progress for s in states if s] == [True, True, False]
    assert bench.cloud.writes == {"POST /v1/products/:p/devices": 1}
    assert bench.cloud.is_active(str(BORON_ICCID))


def test_a_plastic_sim_stays_asleep_when_its_unit_is_added(bench: Bench) -> None:
    unit, iccid = DeviceId.parse("e00fce68dddd000000000001"), Iccid.parse("89011703278999999999")
    bench.cloud.register_unit(unit, 13, iccid=iccid, is_plastic_sim=True)
    bench.client.run(api.add_to_product(PRODUCT, unit))
    bench.clock.sleep(60)
    assert not bench.cloud.is_active(str(iccid))


def test_a_developer_sim_is_activated_by_its_own_call_and_408_means_running(bench: Bench) -> None:
    assert bench.client.run(sim_api.sim(BORON_ICCID)) is None
    assert bench.client.run(sim_api.activate(BORON_ICCID)) is SimAnswer.ACCEPTED
    assert bench.client.run(sim_api.activate(BORON_ICCID)) is SimAnswer.IN_PROGRESS
    sim = bench.client.run(sim_api.sim(BORON_ICCID))
    assert sim is not None
    assert (sim.is_active, sim.last_action, sim.activations_count) == (False, "activate", 1)
    bench.clock.sleep(5)
    sim = bench.client.run(sim_api.sim(BORON_ICCID))
    assert sim is not None
    assert sim.is_active
    assert bench.cloud.effects == {"PUT /v1/sims/:iccid": 1}


def test_a_failed_activation_is_told_and_may_be_tried_again(bench: Bench) -> None:
    bench.cloud.order_sim(BORON_ICCID, failures=1)
    bench.client.run(sim_api.activate(BORON_ICCID))
    bench.clock.sleep(5)
    sim = bench.client.run(sim_api.sim(BORON_ICCID))
    assert sim is not None
    assert sim.last_action_failed
    bench.client.run(sim_api.activate(BORON_ICCID))
    bench.clock.sleep(5)
    sim = bench.client.run(sim_api.sim(BORON_ICCID))
    assert sim is not None
    assert (sim.is_active, sim.last_action_failed, sim.activations_count) == (True, False, 2)


def test_a_sim_of_a_product_is_foreign_to_the_developer_call(bench: Bench) -> None:
    bench.client.run(api.add_to_product(PRODUCT, BORON))
    assert bench.client.run(sim_api.activate(BORON_ICCID)) is SimAnswer.FOREIGN
    with pytest.raises(CloudRefused):
        bench.client.run(sim_api.sim(BORON_ICCID))


@pytest.mark.parametrize("change", [sim_api.activate, sim_api.deactivate, sim_api.reactivate])
def test_a_number_that_the_cloud_does_not_know_is_unknown(
    bench: Bench, change: Callable[[Iccid], Call[SimAnswer]]
) -> None:
    assert bench.client.run(change(NOBODYS)) is SimAnswer.UNKNOWN


@pytest.mark.parametrize("ref", [None, PRODUCT])
def test_a_sim_is_switched_off_and_on_again_and_both_take_their_time(bench: Bench, ref: int | None) -> None:
    if ref is None:
        bench.client.run(sim_api.activate(BORON_ICCID))
    else:
        bench.client.run(sim_api.import_sims([BORON_ICCID], PRODUCT))
    bench.clock.sleep(5)
    bench.client.run(sim_api.deactivate(BORON_ICCID, ref))
    off = bench.client.run(sim_api.sim(BORON_ICCID, ref))
    assert off is not None
    assert (off.status, off.state_change_in_progress, off.is_off) == ("active", True, True)
    bench.clock.sleep(10)
    assert bench.cloud.sim_status(BORON_ICCID) == "deactivated"
    bench.client.run(sim_api.reactivate(BORON_ICCID, ref))
    bench.clock.sleep(10)
    on = bench.client.run(sim_api.sim(BORON_ICCID, ref))
    assert on is not None
    assert (on.is_active, on.is_off, on.activations_count) == (True, False, 2)


@pytest.mark.rule("L5")
@pytest.mark.parametrize("ref", [None, PRODUCT])
def test_a_release_is_pending_until_the_sim_is_not_found_any_more(bench: Bench, ref: int | None) -> None:
    if ref is None:
        bench.client.run(sim_api.activate(BORON_ICCID))
    else:
        bench.client.run(sim_api.import_sims([BORON_ICCID], PRODUCT))
    bench.clock.sleep(5)
    assert bench.client.run(sim_api.release(BORON_ICCID, ref)) is SimRelease.PENDING
    assert bench.client.run(sim_api.sim(BORON_ICCID, ref)) is not None
    bench.clock.sleep(10)
    assert bench.client.run(sim_api.sim(BORON_ICCID, ref)) is None
    assert bench.client.run(sim_api.release(BORON_ICCID, ref)) is SimRelease.GONE


def test_a_sim_that_is_not_active_is_released_at_once_in_an_answer_without_a_body(bench: Bench) -> None:
    bench.cloud.edit_sim(BORON_ICCID, username="line@example.com")
    assert bench.client.run(sim_api.release(BORON_ICCID)) is SimRelease.RELEASED


@pytest.mark.parametrize("route", Route)
def test_an_answer_without_a_body_is_the_clouds_only_where_it_gives_such_ones(route: Route) -> None:
    assert speaker(route, Answer(204, request_id="1")) is (Speaker.CLOUD if route in BODILESS else Speaker.OTHER)


def test_a_page_in_place_of_a_release_is_not_the_clouds(bench: Bench) -> None:
    bench.cloud.order(Fault(FaultKind.HTML, status=200, route="DELETE /v1/sims/:iccid", times=99))
    with pytest.raises(OutcomeUnknown, match="not the cloud's"):
        bench.client.run(sim_api.release(BORON_ICCID))


@pytest.mark.parametrize("count", [0, 1001])
def test_an_import_of_no_or_too_many_sims_is_refused_before_it_is_sent(count: int) -> None:
    with pytest.raises(BadInput, match=f"one import takes 1 to 1000 SIMs, here are {count}"):
        sim_api.import_sims([NOBODYS] * count, PRODUCT)


def test_many_sims_go_in_one_import_as_digits(bench: Bench) -> None:
    bench.client.run(sim_api.import_sims([BORON_ICCID, NOBODYS], PRODUCT))
    (request,) = bench.cloud.requests()
    assert (request.route, request.body) == (
        "POST /v1/products/:p/sims", {"sims": [str(BORON_ICCID), str(NOBODYS)]},
    )  # fmt: skip
