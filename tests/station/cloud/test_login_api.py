"""Logging in and out over real HTTP, as reference cloud-api 2 has it."""

from __future__ import annotations

import pytest
from support.cloud_bench import ME, PRODUCT, Bench

from drivers.clock import Deadline
from drivers.identity import Secret
from station.cloud import api, login_api
from station.cloud.errors import BadAnswer, NotAllowed, RateLimited, TokenRejected
from station.cloud.login_api import CodeWanted, Denied, Granted
from station.cloud.virtual import Fault, FaultKind

PASSWORD = Secret("a password of a test")
SEED = "JBSWY3DPEHPK3PXP"
STRANGER = "stranger@example.com"


def test_a_password_is_good_for_a_token_of_ninety_days(bench: Bench) -> None:
    bench.cloud.create_user(ME, PASSWORD)
    granted = bench.client.run(login_api.password_login(ME, PASSWORD))
    assert isinstance(granted, Granted)
    assert granted.lasts_s == 90 * 24 * 3600
    bench.token = granted.token
    assert bench.client.run(api.user()).username == ME
    assert PASSWORD.reveal() not in repr(granted) + repr(bench.calls)


def test_a_wrong_password_is_denied_and_asked_once(bench: Bench) -> None:
    bench.cloud.create_user(ME, PASSWORD)
    denied = bench.client.run(login_api.password_login(ME, Secret("wrong")))
    assert denied == Denied("invalid_grant", "User credentials are invalid")
    assert len(bench.calls) == 1


def test_a_second_factor_is_asked_for_and_a_late_code_denied(bench: Bench) -> None:
    bench.cloud.create_user(ME, PASSWORD, otp_secret=Secret(SEED))
    wanted = bench.client.run(login_api.password_login(ME, PASSWORD))
    assert isinstance(wanted, CodeWanted)
    assert bench.client.run(login_api.code_login(wanted, Secret("000000"))) == Denied("invalid_grant", "OTP expired")
    code = Secret(bench.cloud.one_time_password(ME))
    assert isinstance(bench.client.run(login_api.code_login(wanted, code)), Granted)


def test_an_oauth_client_gets_a_token_of_its_owner_and_a_wrong_secret_none(bench: Bench) -> None:
    client = bench.cloud.create_client("line-3", ME)
    granted = bench.client.run(login_api.client_login(client))
    assert isinstance(granted, Granted)
    bench.token = granted.token
    assert bench.client.run(api.user()).username == ME
    denied = bench.client.run(login_api.client_login(("line-3", Secret("wrong"))))
    assert isinstance(denied, Denied)
    assert denied.code == "invalid_client"


def test_ten_wrong_passwords_lock_the_site_out_and_that_is_no_wrong_password(bench: Bench) -> None:
    bench.cloud.create_user(ME, PASSWORD)
    for _ in range(10):
        bench.client.run(login_api.password_login(ME, Secret("wrong")))
    with pytest.raises(RateLimited):
        bench.client.run(login_api.password_login(ME, PASSWORD), deadline=Deadline.after(bench.clock, 20.0))


@pytest.mark.parametrize("body", [{"access_token": ""}, {"access_token": "has a blank"}, {"access_token": 7}])
def test_an_unusable_token_is_refused_and_not_quoted(body: dict[str, object], bench: Bench) -> None:
    bench.cloud.order(Fault(FaultKind.LIE, "POST /oauth/token", body=body))
    with pytest.raises(BadAnswer) as caught:
        bench.client.run(login_api.password_login(ME, PASSWORD))
    assert "has a blank" not in str(caught.value)


def test_deleting_a_token_deletes_no_other_one(bench: Bench) -> None:
    other = bench.cloud.create_token(ME)
    bench.client.run(login_api.revoke_current())
    with pytest.raises(TokenRejected):
        bench.client.run(api.user())
    bench.token = other
    assert bench.client.run(api.user()).username == ME


def test_what_a_person_sees_of_products_and_teams_and_an_api_user_does_not(bench: Bench) -> None:
    bench.cloud.create_product(30001, 12, slug="of-acme", name="Of Acme", team=[ME], org="acme")
    assert [one.id for one in bench.client.run(login_api.user_products())] == [PRODUCT]
    assert bench.client.run(login_api.orgs()) == ("acme",)
    assert [one.slug for one in bench.client.run(login_api.org_products("acme"))] == ["of-acme"]
    assert bench.client.run(login_api.team(PRODUCT)) == (ME,)
    bench.token = bench.cloud.create_token("line+1@api.particle.io", is_api=True, scopes=["devices:get"])
    with pytest.raises(NotAllowed):
        bench.client.run(login_api.orgs())
