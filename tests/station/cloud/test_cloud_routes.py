"""Every verb of the client against the virtual cloud, over real HTTP."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest
from support.cloud_bench import ARGON, BORON, BORON_ICCID, BORON_SERIAL, ME, MOBILE_SECRET, PRODUCT, Bench

from drivers.identity import DeviceId, Secret, SerialNumber
from station.cloud import api, sim_api
from station.cloud.answers import ClaimAnswer, Membership
from station.cloud.call import Bearer, Call
from station.cloud.errors import CloudRefused, NotAllowed, TokenRejected
from station.cloud.evidence import Route
from station.cloud.virtual import Fault, FaultKind, Quirks
from station.errors import BadInput

STRANGER = DeviceId.parse("0123456789abcdef01234567")


# --- account and product ---


def test_token_info_tells_when_the_token_ends(bench: Bench) -> None:
    now = bench.clock.utc()
    assert bench.client.run(api.token_info()).expires_at is None
    bench.token = bench.cloud.create_token(ME, expires_in=600)
    info = bench.client.run(api.token_info())
    assert info.lasts(599, now)
    assert not info.lasts(601, now)


def test_user_is_the_account_of_the_token(bench: Bench) -> None:
    assert bench.client.run(api.user()).username == ME


@pytest.mark.rule("C8")
@pytest.mark.parametrize("ref", [PRODUCT, str(PRODUCT), "widget-boron"])
@pytest.mark.parametrize("as_list", [False, True])
def test_a_product_is_found_by_number_or_slug_and_yields_its_number(
    bench: Bench, ref: int | str, as_list: bool
) -> None:
    bench.cloud.quirks = Quirks(product_as_list=as_list)
    product = bench.client.run(api.product(ref))
    assert (product.id, product.platform_id, product.slug, product.quarantine) == (PRODUCT, 13, "widget-boron", True)


@pytest.mark.parametrize(("ref", "status"), [(99999, 404), ("no-such", 403)])
def test_an_unknown_product_is_refused_with_the_clouds_words(bench: Bench, ref: int | str, status: int) -> None:
    with pytest.raises(CloudRefused, match=f"look up product {ref}") as caught:
        bench.client.run(api.product(ref))
    assert caught.value.status == status
    assert caught.value.request_id.startswith("virtual-")


def test_a_missing_product_is_not_mistaken_for_a_missing_member(bench: Bench) -> None:
    with pytest.raises(CloudRefused, match="Product not found"):
        bench.client.run(api.device_in_product(99999, BORON))


# --- membership ---


@pytest.mark.rule("C8")
def test_add_by_slug_is_confirmed_by_reading_the_numeric_product_id(bench: Bench) -> None:
    assert bench.client.run(api.device_in_product(PRODUCT, BORON)) is None
    assert bench.client.run(api.add_to_product("widget-boron", BORON)).of(BORON) is Membership.ADDED
    device = bench.client.run(api.device_in_product("widget-boron", BORON))
    assert device is not None
    assert device.product_id == PRODUCT
    assert device.is_product_device
    assert device.serial_number == str(BORON_SERIAL)


def test_a_second_add_finds_an_existing_member_and_changes_nothing(bench: Bench) -> None:
    bench.client.run(api.add_to_product(PRODUCT, BORON))
    assert bench.client.run(api.add_to_product(PRODUCT, BORON)).of(BORON) is Membership.EXISTING
    assert bench.cloud.writes == {"POST /v1/products/:p/devices": 2}
    assert bench.cloud.effects == {"POST /v1/products/:p/devices": 1}


@pytest.mark.rule("C11")
def test_one_import_with_every_result_yields_one_line_each(bench: Bench) -> None:
    ids = [DeviceId.parse(f"e00fce68cccc00000000000{n}") for n in range(5)]
    for device_id in ids:
        bench.cloud.register_unit(device_id, 13)
    bench.cloud.edit_device(ids[1], product_id=PRODUCT)
    bench.cloud.edit_device(ids[2], owner="stranger@example.com")
    bench.cloud.edit_device(ids[3], is_protected=1)
    bench.cloud.edit_device(ids[4], product_id=777)
    result = bench.client.run(api.add_to_product(PRODUCT, [*ids, STRANGER]))
    assert [r for _, r in result.rows] == [
        Membership.ADDED, Membership.EXISTING, Membership.NONMEMBER, Membership.PROTECTED, Membership.INVALID,
        Membership.INVALID,
    ]  # fmt: skip
    assert bench.calls[-1].status == 200


def many(count: int) -> list[DeviceId]:
    return [DeviceId.parse(f"e00fce68dddd{number:012x}") for number in range(count)]


@pytest.mark.parametrize("count", [0, 1001])
def test_an_import_of_no_or_too_many_units_is_refused_before_it_is_sent(bench: Bench, count: int) -> None:
    with pytest.raises(BadInput, match=f"one import takes 1 to 1000 devices, here are {count}; send them in parts"):
        bench.client.run(api.add_to_product(PRODUCT, many(count)))
    assert bench.calls == []


def test_a_thousand_units_go_in_one_import(bench: Bench) -> None:
    result = bench.client.run(api.add_to_product(PRODUCT, many(1000)))
    assert [membership for _, membership in result.rows] == [Membership.INVALID] * 1000
    assert len(bench.calls) == 1


@pytest.mark.parametrize(
    ("shape", "first", "second"),
    [
        ("lists", Membership.ADDED, Membership.EXISTING),
        ("old", Membership.ADDED, Membership.EXISTING),
        ("empty", Membership.UNCONFIRMED, Membership.EXISTING),
    ],
)
def test_imports_of_older_servers_are_read_too(bench: Bench, shape: str, first: Membership, second: Membership) -> None:
    bench.cloud.quirks = Quirks(import_answer=shape)
    assert bench.client.run(api.add_to_product(PRODUCT, BORON)).of(BORON) is first
    assert bench.client.run(api.add_to_product(PRODUCT, BORON)).of(BORON) is second


@pytest.mark.rule("C3")
def test_the_cloud_does_not_take_a_unit_of_another_platform(bench: Bench) -> None:
    assert bench.client.run(api.add_to_product(PRODUCT, ARGON)).of(ARGON) is Membership.INVALID
    assert bench.client.run(api.device_in_product(PRODUCT, ARGON)) is None
    assert bench.cloud.effects == {}


# --- one device ---


def test_a_unit_of_nobody_is_invisible_to_the_developer_route(bench: Bench) -> None:
    assert bench.client.run(api.my_device(BORON)) is None


@pytest.mark.rule("A2")
def test_every_route_sees_lower_case_ids_only(bench: Bench) -> None:
    scanned = DeviceId.parse(str(BORON).upper())
    client = bench.client
    client.run(api.add_to_product(PRODUCT, scanned))
    client.run(api.device_in_product(PRODUCT, scanned))
    client.run(api.change(scanned, {"name": "a"}, PRODUCT))
    client.run(api.ping(scanned, PRODUCT))
    client.run(api.claim(scanned))
    client.run(api.my_device(scanned))
    client.run(api.change(scanned, {"name": "b"}))
    client.run(api.ping(scanned))
    seen = bench.cloud.requests()
    assert len({r.route for r in seen}) == 8
    for request in seen:
        assert request.status == 200
        assert str(BORON) in request.path + str(request.body)
        assert str(BORON).upper() not in request.path + str(request.body)


def test_names_are_set_by_both_routes_and_repeating_changes_nothing(bench: Bench) -> None:
    bench.client.run(api.add_to_product(PRODUCT, BORON))
    bench.client.run(api.change(BORON, {"name": "P044AB1234567"}, PRODUCT))
    bench.client.run(api.change(BORON, {"name": "P044AB1234567"}, PRODUCT))
    device = bench.client.run(api.device_in_product(PRODUCT, BORON))
    assert device is not None
    assert device.name == "P044AB1234567"
    assert bench.cloud.effects["PUT /v1/products/:p/devices/:id"] == 1
    bench.client.run(api.claim(BORON))
    bench.client.run(api.change(BORON, {"name": "mine"}))
    (mine,) = bench.client.run(api.my_devices())
    assert (mine.name, mine.owner) == ("mine", ME)


def test_ping_asks_the_unit_while_the_online_flag_lies(bench: Bench) -> None:
    bench.client.run(api.add_to_product(PRODUCT, BORON))
    assert bench.client.run(api.ping(BORON, PRODUCT)) is False
    bench.go_online(BORON)
    assert bench.client.run(api.ping(BORON, PRODUCT)) is True
    bench.cloud.offline(str(BORON))
    device = bench.client.run(api.device_in_product(PRODUCT, BORON))
    assert device is not None
    assert device.online
    assert bench.client.run(api.ping(BORON, PRODUCT)) is False
    bench.clock.sleep(46 * 60)
    device = bench.client.run(api.device_in_product(PRODUCT, BORON))
    assert device is not None
    assert not device.online


def test_a_new_session_shows_by_a_later_handshake_in_cloud_time(bench: Bench) -> None:
    bench.client.run(api.add_to_product(PRODUCT, BORON))
    bench.clock.sleep(100)
    before = bench.client.run(api.device_in_product(PRODUCT, BORON))
    assert before is not None
    assert before.last_handshake_at is None
    asked_at = bench.client.cloud_date
    assert asked_at is not None
    assert asked_at == bench.clock.utc().replace(microsecond=0)
    bench.clock.sleep(5)
    bench.go_online(BORON)
    after = bench.client.run(api.device_in_product(PRODUCT, BORON))
    assert after is not None
    assert after.last_handshake_at == asked_at + datetime.timedelta(seconds=5)
    assert after.system_firmware_version == "6.3.4"


@pytest.mark.rule("A7")
@pytest.mark.rule("N5")
def test_the_mobile_secret_in_a_device_answer_is_not_kept(bench: Bench) -> None:
    bench.client.run(api.add_to_product(PRODUCT, BORON))
    assert (bench.cloud.device(BORON) or {})["mobile_secret"] == MOBILE_SECRET
    assert MOBILE_SECRET not in repr(bench.client.run(api.device_in_product(PRODUCT, BORON)))


# --- three associations ---


def test_owner_membership_and_sim_change_one_at_a_time(bench: Bench) -> None:
    def three() -> tuple[str | None, int, str]:
        device = bench.cloud.device(BORON) or {}
        return device.get("owner"), device["product_id"], bench.cloud.sim_status(BORON_ICCID)

    bench.go_online(BORON)
    assert three() == (None, 13, "inactive")
    bench.client.run(api.claim(BORON))
    assert three() == (ME, 13, "inactive")
    bench.cloud.edit_device(BORON, owner=None)
    bench.client.run(sim_api.activate(BORON_ICCID))
    bench.clock.sleep(10)
    assert three() == (None, 13, "active")
    bench.client.run(api.add_to_product(PRODUCT, BORON))
    assert three() == (None, PRODUCT, "active")


@pytest.mark.rule("B2")
def test_an_unclaimed_unit_that_is_online_is_reported_exactly_so(bench: Bench) -> None:
    bench.client.run(api.add_to_product(PRODUCT, BORON))
    bench.go_online(BORON)
    device = bench.client.run(api.device_in_product(PRODUCT, BORON))
    assert device is not None
    assert (device.online, device.owner) == (True, "")


# --- claiming ---


@pytest.mark.rule("E2")
@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (None, ClaimAnswer.OFFLINE),
        ({}, ClaimAnswer.OFFLINE),
        ({"ok": False, "errors": ["device does not exist"]}, ClaimAnswer.UNKNOWN),
    ],
)
def test_claim_of_an_offline_developer_unit_is_answered_404_in_three_ways(
    bench: Bench, body: object, answer: ClaimAnswer
) -> None:
    bench.cloud.quirks = Quirks(offline_claim=body)
    assert bench.client.run(api.claim(ARGON)) is answer
    bench.go_online(ARGON)
    assert bench.client.run(api.claim(ARGON)) is ClaimAnswer.ACCEPTED
    device = bench.client.run(api.my_device(ARGON))
    assert device is not None
    assert device.owner == ME


@pytest.mark.rule("E3")
def test_a_member_is_claimed_while_offline(bench: Bench) -> None:
    bench.client.run(api.add_to_product(PRODUCT, BORON))
    assert bench.client.run(api.claim(BORON)) is ClaimAnswer.ACCEPTED


@pytest.mark.rule("E10")
def test_a_claim_sends_the_device_id_only_with_the_owners_token(bench: Bench) -> None:
    bench.go_online(ARGON)
    bench.client.run(api.claim(ARGON))
    (request,) = bench.cloud.requests()
    assert (request.route, request.body, request.username) == ("POST /v1/devices", {"id": str(ARGON)}, ME)


def test_a_unit_of_somebody_else_is_foreign_and_an_unknown_one_unknown(bench: Bench) -> None:
    bench.cloud.edit_device(ARGON, owner="stranger@example.com")
    assert bench.client.run(api.claim(ARGON)) is ClaimAnswer.FOREIGN
    assert bench.client.run(api.claim(STRANGER)) is ClaimAnswer.UNKNOWN


@pytest.mark.rule("B5")
def test_a_claim_that_only_says_yes_is_seen_through_by_reading_the_owner(bench: Bench) -> None:
    bench.client.run(api.add_to_product(PRODUCT, BORON))
    bench.cloud.order(Fault(FaultKind.LIE, route="POST /v1/devices"))
    assert bench.client.run(api.claim(BORON)) is ClaimAnswer.ACCEPTED
    device = bench.client.run(api.device_in_product(PRODUCT, BORON))
    assert device is not None
    assert device.owner == ""


# --- serial look-up ---


@pytest.mark.rule("A15")
@pytest.mark.parametrize("key", ["deviceID", "device_id"])
def test_a_serial_is_looked_up_once_and_remembered(bench: Bench, key: str) -> None:
    bench.cloud.quirks = Quirks(serial_key=key)
    first, second = bench.client.serial_lookup(BORON_SERIAL), bench.client.serial_lookup(BORON_SERIAL)
    assert first is not None
    assert (first.device_id, first.iccid, first.platform_id) == (BORON, str(BORON_ICCID), 13)
    assert second == first
    assert len(bench.cloud.requests()) == 1


@pytest.mark.rule("A15")
def test_the_51st_look_up_within_an_hour_waits_instead_of_being_refused(bench: Bench) -> None:
    for n in range(50):
        assert bench.client.serial_lookup(SerialNumber.parse(f"P044AB00000{n:02d}")) is None
    assert bench.clock.now() < 60
    bench.client.serial_lookup(BORON_SERIAL)
    assert bench.clock.now() >= 3600
    assert {r.status for r in bench.cloud.requests()} == {404, 200}


# --- tokens and scopes ---


def test_an_api_user_may_import_but_not_claim_and_is_told_why(bench: Bench) -> None:
    bench.token = bench.cloud.create_token(
        "line-3@api.example.com", is_api=True, scopes=["devices:import", "devices:get"]
    )
    bench.cloud.create_product(PRODUCT, 13, slug="widget-boron", name="", team=["line-3@api.example.com"])
    assert bench.client.run(api.add_to_product(PRODUCT, BORON)).of(BORON) is Membership.ADDED
    with pytest.raises(NotAllowed, match="API users are not allowed"):
        bench.client.run(api.claim(BORON))
    with pytest.raises(NotAllowed, match="scope"):
        bench.client.run(api.change(BORON, {"name": "x"}, PRODUCT))


@pytest.mark.rule("N4")
def test_a_token_replaced_in_the_middle_is_used_at_once(bench: Bench) -> None:
    bench.client.run(api.add_to_product(PRODUCT, BORON))
    bench.cloud.revoke_tokens(ME)
    with pytest.raises(TokenRejected, match="station login"):
        bench.client.run(api.change(BORON, {"name": "P044AB1234567"}, PRODUCT))
    bench.token = bench.cloud.create_token(ME)
    bench.client.run(api.change(BORON, {"name": "P044AB1234567"}, PRODUCT))
    device = bench.client.run(api.device_in_product(PRODUCT, BORON))
    assert device is not None
    assert device.name == "P044AB1234567"


@pytest.mark.rule("N4")
def test_a_401_is_tried_once_more_if_the_provider_has_another_token(bench: Bench) -> None:
    old = bench.token
    bench.cloud.revoke_tokens(ME)
    bench.token = bench.cloud.create_token(ME)
    answers = iter([old, bench.token, bench.token])
    bench.ask_token = lambda: next(answers)
    assert bench.client.run(api.user()).username == ME
    assert [c.status for c in bench.calls] == [401, 200]


# --- requests that bear another token, or none ---


def test_a_form_goes_out_as_a_form_with_its_secrets_and_without_the_stations_token(bench: Bench) -> None:
    bench.cloud.create_user(ME, Secret("pw of a test"))
    form: dict[str, str | Secret] = {
        "grant_type": "password", "username": ME, "password": Secret("pw of a test"), "client_id": "particle",
        "client_secret": "particle",
    }  # fmt: skip
    login = Call(
        Route.TOKEN, "POST", "/oauth/token", "log in", lambda a: a.body, form=form, bearer=Bearer.NOBODY
    )  # fmt: skip
    said = bench.client.run(login)
    assert isinstance(said, dict)
    assert len(said["access_token"]) == 40
    assert "pw of a test" not in repr(login)
    assert [request.username for request in bench.cloud.requests()] == [""]


def test_a_request_may_bring_a_token_of_its_own(bench: Bench) -> None:
    other = bench.cloud.create_token("other@example.com")
    assert bench.client.run(replace(api.user(), bearer=other)).username == "other@example.com"
    assert bench.client.run(api.user()).username == ME


def test_a_token_of_the_requests_own_that_is_refused_is_no_matter_of_the_stations(bench: Bench) -> None:
    with pytest.raises(CloudRefused) as caught:
        bench.client.run(replace(api.user(), bearer=Secret("of nobody")))
    assert not isinstance(caught.value, TokenRejected)
    assert caught.value.status == 401
