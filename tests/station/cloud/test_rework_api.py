"""The requests of rework against the virtual cloud, over real HTTP: each does what it says, and nothing beside it."""

from __future__ import annotations

import dataclasses

import pytest
from support.cloud_bench import ARGON, BORON, BORON_ICCID, BORON_SERIAL, ME, PRODUCT, Bench

from drivers.identity import DeviceId
from station.cloud import api, rework_api
from station.cloud.answers import CloudDevice, Membership
from station.cloud.errors import CloudRefused, OutcomeUnknown
from station.cloud.virtual import Fault, FaultKind
from station.errors import BadInput

REMOVAL = "DELETE /v1/products/:p/devices/:id"
OWNER = f"{REMOVAL}/owner"
STRANGER = "stranger@example.com"
CUSTOMER = "customer@example.com"


def member(bench: Bench, **columns: object) -> CloudDevice:
    """The Boron as a member of the product, as the cloud shows it."""
    bench.cloud.edit_device(BORON, product_id=PRODUCT, **columns)
    found = bench.client.run(api.device_in_product(PRODUCT, BORON))
    assert found is not None
    return found


@pytest.mark.rule("I1")
@pytest.mark.rule("I4")
@pytest.mark.rule("I10")
@pytest.mark.parametrize(
    "columns", [{"owner": ME}, {"owner": STRANGER}, {"owner": CUSTOMER, "is_customers": 1}],
    ids=["the station's own account", "another user", "a customer"],
)  # fmt: skip
def test_a_member_is_unclaimed_offline_whoever_owns_it_and_stays_a_member(
    bench: Bench, columns: dict[str, object]
) -> None:
    assert not member(bench, **columns).online
    bench.client.run(rework_api.unclaim_member(PRODUCT, BORON))
    after = bench.client.run(api.device_in_product(PRODUCT, BORON))
    assert after is not None
    assert (after.owner, after.product_id) == ("", PRODUCT)
    assert bench.cloud.writes == {OWNER: 1}


@pytest.mark.rule("I2")
def test_a_unit_outside_products_is_unclaimed_by_a_route_of_its_own(bench: Bench) -> None:
    bench.cloud.edit_device(ARGON, owner=ME)
    bench.client.run(rework_api.unclaim_mine(ARGON))
    assert bench.cloud.writes == {"DELETE /v1/devices/:id": 1}
    assert "owner" not in (bench.cloud.device(ARGON) or {})
    bench.client.run(rework_api.unclaim_mine(ARGON))  # 403: it is ours no more, which the read-back has to tell


@pytest.mark.rule("I6")
@pytest.mark.parametrize("owner", [ME, STRANGER])
def test_an_owned_unit_cannot_be_removed_by_any_caller(owner: str, bench: Bench) -> None:
    with pytest.raises(BadInput, match=r"unclaim it first \(I6\)"):
        rework_api.remove(member(bench, owner=owner))
    assert bench.cloud.writes == {}


def test_removing_leaves_the_sim_alone_and_may_be_repeated(bench: Bench) -> None:
    bench.client.run(api.add_to_product(PRODUCT, BORON))
    bench.clock.sleep(60)
    shown = member(bench)
    bench.client.run(rework_api.remove(shown))
    assert bench.client.run(api.device_in_product(PRODUCT, BORON)) is None
    assert bench.cloud.sim_status(BORON_ICCID) == "active"
    bench.client.run(rework_api.remove(shown))  # 404 counts as done: the read-back is the proof
    assert bench.cloud.effects[REMOVAL] == 1


def test_a_lost_answer_to_a_removal_is_unknown_and_not_repeated(bench: Bench) -> None:
    shown = member(bench)
    bench.cloud.order(Fault(FaultKind.DROP_AFTER, REMOVAL, times=1))
    with pytest.raises(OutcomeUnknown):
        bench.client.run(rework_api.remove(shown))
    assert bench.cloud.writes == {REMOVAL: 1}


@pytest.mark.rule("J3")
def test_a_denial_carries_its_body_and_takes_nothing_out(bench: Bench) -> None:
    bench.client.run(rework_api.deny(member(bench, quarantined=1)))
    (request,) = (one for one in bench.cloud.requests() if one.method == "DELETE")
    assert request.body == {"deny": True}
    after = bench.client.run(api.device_in_product(PRODUCT, BORON))
    assert after is not None
    assert (after.quarantined, after.denied, after.product_id) == (True, True, PRODUCT)


@pytest.mark.rule("J3")
def test_an_approved_member_cannot_be_denied_by_any_caller(bench: Bench) -> None:
    with pytest.raises(BadInput, match="not in quarantine"):
        rework_api.deny(member(bench))


@pytest.mark.rule("J3")
def test_denying_and_removing_are_never_the_same_request(bench: Bench) -> None:
    held = member(bench, quarantined=1)
    denial, removal = rework_api.deny(held), rework_api.remove(held)
    assert (denial.method, denial.path) == (removal.method, removal.path)
    assert (denial.json, removal.json) == ({"deny": True}, None)


@pytest.mark.parametrize("act", [rework_api.remove, rework_api.deny])
def test_a_unit_outside_products_is_neither_removed_nor_denied(act: object, bench: Bench) -> None:
    developers = dataclasses.replace(member(bench), product_id=13)  # the cloud gives it its platform there
    with pytest.raises(BadInput, match="in no product"):
        act(developers)  # type: ignore[operator]


@pytest.mark.rule("J2")
def test_adding_a_quarantined_unit_approves_it(bench: Bench) -> None:
    member(bench, quarantined=1, denied=1)
    assert bench.client.run(api.add_to_product(PRODUCT, BORON)).of(BORON) is Membership.ADDED
    after = bench.client.run(api.device_in_product(PRODUCT, BORON))
    assert after is not None
    assert (after.quarantined, after.denied) == (False, False)


@pytest.mark.rule("I7")
def test_a_transfer_is_asked_for_and_changes_no_owner(bench: Bench) -> None:
    bench.cloud.edit_device(ARGON, owner=STRANGER)
    number = bench.client.run(rework_api.request_transfer(ARGON))
    (request,) = (one for one in bench.cloud.requests() if one.method == "POST")
    assert request.body == {"id": str(ARGON), "request_transfer": True}
    assert (bench.cloud.device(ARGON) or {})["owner"] == STRANGER
    assert number is not None
    bench.cloud.approve_transfer(number)
    assert (bench.cloud.device(ARGON) or {})["owner"] == ME


@pytest.mark.rule("A2")
def test_every_route_of_rework_sees_lower_case_ids_only(bench: Bench) -> None:
    typed = DeviceId.parse(str(BORON).upper())
    shown = member(bench, quarantined=1)
    for call in (rework_api.unclaim_member(PRODUCT, typed), rework_api.deny(shown), rework_api.remove(shown)):
        bench.client.run(call)
    assert all(str(BORON) in one.path for one in bench.cloud.requests() if one.method == "DELETE")


@pytest.mark.rule("A15")
def test_a_member_is_found_by_its_whole_serial_number_without_the_scarce_look_up(bench: Bench) -> None:
    member(bench)
    found = bench.client.run(rework_api.member_of_serial(PRODUCT, BORON_SERIAL))
    assert found is not None
    assert found.id == BORON
    bench.cloud.edit_device(BORON, serial_number=f"{BORON_SERIAL}9")
    assert bench.client.run(rework_api.member_of_serial(PRODUCT, BORON_SERIAL)) is None  # a part of another's number
    assert not any("serial_numbers" in one.path for one in bench.cloud.requests())


def test_a_token_outside_the_team_can_do_none_of_it(bench: Bench) -> None:
    shown = member(bench, quarantined=1)
    bench.token = bench.cloud.create_token(STRANGER)
    for call in (rework_api.unclaim_member(PRODUCT, BORON), rework_api.deny(shown), rework_api.remove(shown)):
        with pytest.raises(CloudRefused, match="team"):
            bench.client.run(call)
