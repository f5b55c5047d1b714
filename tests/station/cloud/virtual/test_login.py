"""Tokens, accounts, teams and clients of the virtual cloud (reference cloud-api 2)."""

from __future__ import annotations

import re

import pytest
from support.cloud_bench import BORON, BORON_SERIAL, ME, PRODUCT
from support.cloud_web import PASSWORD, STRANGER, Web

from drivers.identity import Secret

OTP_SECRET = "JBSWY3DPEHPK3PXP"


def test_a_password_gives_a_token_that_lasts_90_days_and_another_at_every_login(cloud: Web) -> None:
    answer = cloud.login(username=ME, password=PASSWORD)
    assert (cloud.status, answer["token_type"], answer["expires_in"]) == (200, "bearer", 7_776_000)
    assert re.fullmatch("[0-9a-f]{40}", answer["access_token"])
    assert cloud.login(username=ME, password=PASSWORD)["access_token"] != answer["access_token"]
    cloud.token = answer["access_token"]
    assert cloud("GET", "/v1/user")["username"] == ME
    cloud.clock.sleep(7_776_000)
    assert cloud("GET", "/v1/user")["error"] == "invalid_token"
    assert cloud.status == 401


@pytest.mark.parametrize(
    ("fields", "ends"),
    [
        ({"expires_in": 0}, None),
        ({"expires_in": 60}, "Z"),
        ({"expires_at": "2100-01-01T00:00:00Z"}, "2100-01-01T00:00:0"),
    ],
)
def test_a_token_ends_when_it_was_asked_to(cloud: Web, fields: dict[str, object], ends: str | None) -> None:
    cloud.token = cloud.login(username=ME, password=PASSWORD, **fields)["access_token"]
    said = cloud("GET", "/v1/access_tokens/current")
    assert said["client"] == "particle"
    assert said["expires_at"] is ends or (ends is not None and ends in said["expires_at"])


@pytest.mark.parametrize("username", [ME, "nobody@example.com"])
def test_a_wrong_password_and_an_unknown_user_look_alike(cloud: Web, username: str) -> None:
    said = cloud.login(username=username, password="wrong")
    assert (cloud.status, said) == (
        400, {"error": "invalid_grant", "error_description": "User credentials are invalid"}
    )  # fmt: skip


def test_tokens_are_created_by_form_only(cloud: Web) -> None:
    said = cloud("POST", "/oauth/token", {"grant_type": "password", "username": ME, "password": PASSWORD})
    assert (cloud.status, said["error"]) == (400, "invalid_request")


def test_a_second_factor_is_asked_for_and_a_code_works_once(cloud: Web) -> None:
    cloud.cloud.create_user(ME, otp_secret=Secret(OTP_SECRET))
    half = cloud.login(username=ME, password=PASSWORD)
    assert (cloud.status, half["error"]) == (403, "mfa_required")

    def second(otp: str) -> object:
        return cloud.login(grant_type="urn:custom:mfa-otp", mfa_token=half["mfa_token"], otp=otp)

    right = cloud.cloud.one_time_password(ME)
    wrong = f"{(int(right) + 1) % 10**6:06}"
    assert second(wrong) == {"error": "invalid_grant", "error_description": "OTP expired"}
    answer = second(right)
    assert cloud.status == 200
    assert isinstance(answer, dict)
    assert answer["access_token"]
    second(right)
    assert cloud.status == 400


def test_a_code_of_yesterday_is_late(cloud: Web) -> None:
    cloud.cloud.create_user(ME, otp_secret=Secret(OTP_SECRET))
    half, code = cloud.login(username=ME, password=PASSWORD), cloud.cloud.one_time_password(ME)
    cloud.clock.sleep(120)
    cloud.login(grant_type="urn:custom:mfa-otp", mfa_token=half["mfa_token"], otp=code)
    assert cloud.status == 400
    cloud.clock.sleep(300)
    cloud.login(grant_type="urn:custom:mfa-otp", mfa_token=half["mfa_token"], otp=cloud.cloud.one_time_password(ME))
    assert cloud.status == 400


def test_one_time_passwords_are_those_of_rfc_6238() -> None:
    import datetime

    from station.cloud.virtual.login import otp_of

    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # "12345678901234567890", appendix B
    at = datetime.datetime.fromtimestamp(1_111_111_109, datetime.UTC)
    assert otp_of(secret, at) == "081804"


def test_a_client_gets_a_token_of_its_owner(cloud: Web) -> None:
    name, secret = cloud.cloud.create_client("line-1", ME)
    said = cloud.login(grant_type="client_credentials", client_id=name, client_secret=secret.reveal())
    assert cloud("GET", "/v1/user", token=said["access_token"])["username"] == ME
    basic = cloud(
        "POST", "/oauth/token", data={"grant_type": "client_credentials"}, token="", auth=(name, secret.reveal())
    )
    assert basic["access_token"]
    cloud.login(grant_type="client_credentials", client_id=name, client_secret="wrong")
    assert cloud.status == 400


def test_tokens_are_listed_for_a_password_and_revoked_one_by_one_or_all(cloud: Web) -> None:
    mine = cloud.login(username=ME, password=PASSWORD)["access_token"]
    other = cloud.login(username=ME, password=PASSWORD)["access_token"]
    listed = cloud("GET", "/v1/access_tokens", token="", auth=(ME, PASSWORD))
    assert {row["client"] for row in listed} == {"particle"}
    assert len(listed) == 3
    cloud("GET", "/v1/access_tokens", token="", auth=(ME, "wrong"))
    assert (cloud.status, cloud.last.json()) == (401, {"ok": False, "errors": ["Bad password"]})
    cloud("GET", "/v1/access_tokens", token="", auth=("nobody@example.com", "x"))
    assert (cloud.status, cloud.last.json()) == (400, {"ok": False, "errors": ["Unknown user"]})
    assert cloud("DELETE", f"/v1/access_tokens/{other}", token="") == {"ok": True}
    cloud("GET", "/v1/user", token=other)
    assert cloud.status == 401
    assert cloud("DELETE", "/v1/access_tokens/current", token=mine) == {"ok": True}
    cloud("GET", "/v1/user", token=mine)
    assert cloud.status == 401
    for row in cloud("GET", "/v1/access_tokens", token="", auth=(ME, PASSWORD)):
        assert cloud("DELETE", f"/v1/access_tokens/{row['token']}") == {"ok": True}
    cloud("GET", "/v1/user")
    assert cloud.status == 401


def test_no_credential_is_in_the_log_of_requests(cloud: Web) -> None:
    token = cloud.login(username=ME, password=PASSWORD)["access_token"]
    cloud("DELETE", f"/v1/access_tokens/{token}", token="")
    seen = repr(cloud.cloud.requests())
    assert "password" in seen
    assert PASSWORD not in seen
    assert token not in seen


def test_an_api_user_has_one_token_that_never_expires_and_its_scopes_only(cloud: Web) -> None:
    said = cloud("POST", f"/v1/products/{PRODUCT}/team", {"friendly_name": "line 3", "scopes": ["devices:import"]})
    made = said["created"]
    assert re.fullmatch(r"line-3\+[0-9a-f]{10}@api\.particle\.io", made["username"])
    token = made["tokens"][0]["token"]
    assert cloud("GET", "/v1/access_tokens/current", token=token)["expires_at"] is None
    cloud("POST", f"/v1/products/{PRODUCT}/devices", {"id": str(BORON)}, token=token)
    assert cloud.status == 200
    assert cloud("GET", f"/v1/products/{PRODUCT}/devices/{BORON}", token=token) == {"error": "unauthorized"}
    changed = cloud("PUT", f"/v1/products/{PRODUCT}/team/{made['username']}", {"scopes": ["devices:get"]})["updated"]
    cloud("GET", f"/v1/products/{PRODUCT}/devices/{BORON}", token=token)
    assert cloud.status == 401
    token = changed["tokens"][0]["token"]
    assert cloud("GET", f"/v1/products/{PRODUCT}/devices/{BORON}", token=token)["id"] == str(BORON)
    cloud("DELETE", f"/v1/products/{PRODUCT}/team/{made['username']}")
    assert cloud.status == 204
    cloud("GET", f"/v1/products/{PRODUCT}/devices/{BORON}", token=token)
    assert cloud.status == 401


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/devices", {"id": str(BORON)}),
        ("GET", f"/v1/serial_numbers/{BORON_SERIAL}", None),
        ("POST", "/v1/device_claims", {}),
        ("GET", "/v1/user", None),
    ],
)
def test_what_no_api_user_may_do_is_refused_in_the_documented_words(
    cloud: Web, method: str, path: str, body: object
) -> None:
    token = cloud.cloud.create_token("line-3@api.particle.io", is_api=True, scopes=["devices:import"]).reveal()
    assert cloud(method, path, body, token=token) == {
        "error": "unauthorized", "error_description": "API users are not allowed to call this endpoint"
    }  # fmt: skip
    assert cloud.status == 400


def test_people_are_invited_to_a_team_and_removed(cloud: Web) -> None:
    stranger = cloud.as_user(STRANGER)
    stranger("GET", f"/v1/products/{PRODUCT}")
    assert stranger.status == 403
    cloud("POST", f"/v1/products/{PRODUCT}/team", {"username": STRANGER})
    assert stranger("GET", f"/v1/products/{PRODUCT}")["product"]["id"] == PRODUCT
    assert {row["username"] for row in cloud("GET", f"/v1/products/{PRODUCT}/team")["team"]} == {ME, STRANGER}
    cloud("DELETE", f"/v1/products/{PRODUCT}/team/{STRANGER}")
    stranger("GET", f"/v1/products/{PRODUCT}")
    assert stranger.status == 403


@pytest.mark.parametrize("head", ["/v1", f"/v1/products/{PRODUCT}"])
def test_a_clients_secret_is_shown_once_and_its_tokens_end_with_it(cloud: Web, head: str) -> None:
    made = cloud("POST", f"{head}/clients", {"name": "Line", "type": "installed"})["client"]
    form = {"grant_type": "client_credentials", "client_id": made["id"], "client_secret": made["secret"]}
    token = cloud.login(**form)["access_token"]
    listed = cloud("GET", f"{head}/clients")["clients"]
    assert listed == [{"id": made["id"], "name": "Line", "type": "installed"}]
    assert cloud("PUT", f"{head}/clients/{made['id']}", {"name": "Line 2"})["client"]["name"] == "Line 2"
    cloud("DELETE", f"{head}/clients/{made['id']}")
    assert cloud.status == 204
    cloud("GET", "/v1/user", token=token)
    assert cloud.status == 401
    assert cloud("GET", f"{head}/clients")["clients"] == []


def test_an_account_is_made_with_a_password(cloud: Web) -> None:
    assert cloud("POST", "/v1/users", {"username": "new@example.com", "password": "x"}, token="") == {"ok": True}
    assert cloud.login(username="new@example.com", password="x")["access_token"]
    cloud("POST", "/v1/users", {"username": "new@example.com", "password": "y"}, token="")
    assert cloud.status == 400
