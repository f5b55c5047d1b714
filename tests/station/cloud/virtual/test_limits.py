"""What the virtual cloud lets an address and an account ask in what time (reference cloud-api 9)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from support.cloud_bench import BORON_SERIAL, ME
from support.cloud_web import PASSWORD, Web, web

from drivers.identity import Secret
from station.cloud.virtual import Limit, Limits


@pytest.fixture
def tight() -> Iterator[Web]:
    with web(Limits(calls=Limit(5, 300))) as served:
        yield served


def test_too_many_calls_are_refused_until_the_oldest_is_five_minutes_old(tight: Web) -> None:
    for _ in range(5):
        tight("GET", "/v1/user")
        assert tight.status == 200
        tight.clock.sleep(10)
    tight("GET", "/v1/user")
    assert (tight.status, tight.last.headers["Retry-After"]) == (429, "250")
    tight.clock.sleep(251)
    tight("GET", "/v1/user")
    assert tight.status == 200


def test_a_refused_call_does_not_count_and_need_not_say_when(tight: Web) -> None:
    tight.cloud.limits = Limits(calls=Limit(1, 300), says_when=False)
    for _ in range(4):
        tight("GET", "/v1/user")
    assert tight.status == 429
    assert "Retry-After" not in tight.last.headers
    tight.clock.sleep(301)
    tight("GET", "/v1/user")
    assert tight.status == 200


def test_the_usual_limits_are_the_vendors() -> None:
    usual = Limits()
    assert (usual.calls.count, usual.calls.window_s) == (10_000, 300)
    assert (usual.tokens.count, usual.lookups.count, usual.lookups.window_s) == (100, 50, 3600)
    assert (usual.streams.count, usual.open_streams) == (100, 100)


def test_ten_failed_logins_in_a_row_lock_the_address_for_half_an_hour(cloud: Web) -> None:
    for _ in range(9):
        cloud.login(username=ME, password="wrong")
        assert cloud.status == 400
    cloud.login(username=ME, password=PASSWORD)
    assert cloud.status == 200
    for _ in range(10):
        cloud.login(username=ME, password="wrong")
        assert cloud.status == 400
    cloud.login(username=ME, password=PASSWORD)
    assert (cloud.status, cloud.last.headers["Retry-After"]) == (429, "1800")
    cloud("GET", "/v1/user")
    assert cloud.status == 200
    cloud.clock.sleep(1801)
    cloud.login(username=ME, password=PASSWORD)
    assert cloud.status == 200


def test_a_half_login_is_no_failure(cloud: Web) -> None:
    cloud.cloud.create_user(ME, otp_secret=Secret("JBSWY3DPEHPK3PXP"))
    for _ in range(11):
        cloud.login(username=ME, password=PASSWORD)
        assert cloud.status == 403


def test_a_hundred_tokens_in_five_minutes_are_enough(cloud: Web) -> None:
    for _ in range(100):
        cloud.login(username=ME, password=PASSWORD)
        assert cloud.status == 200
    cloud.login(username=ME, password=PASSWORD)
    assert cloud.status == 429
    cloud.clock.sleep(301)
    cloud.login(username=ME, password=PASSWORD)
    assert cloud.status == 200


def test_the_51st_serial_look_up_of_an_hour_is_refused_for_this_account_only(cloud: Web) -> None:
    for _ in range(50):
        cloud("GET", f"/v1/serial_numbers/{BORON_SERIAL}")
        assert cloud.status == 200
    cloud("GET", f"/v1/serial_numbers/{BORON_SERIAL}")
    assert (cloud.status, cloud.last.headers["Retry-After"]) == (429, "3600")
    other = cloud.as_user("other@example.com")
    other("GET", f"/v1/serial_numbers/{BORON_SERIAL}")
    assert other.status == 200
    cloud.clock.sleep(3601)
    cloud("GET", f"/v1/serial_numbers/{BORON_SERIAL}")
    assert cloud.status == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("PATCH", "/v1/devices", "GET, POST"), ("GET", "/oauth/token", "POST"), ("POST", "/v1/user", "GET")],
)
def test_a_method_that_a_path_has_not_is_405_and_says_which_it_has(
    cloud: Web, method: str, path: str, allowed: str
) -> None:
    answer = requests.request(method, cloud.cloud.base_url + path, timeout=60)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    assert answer.json()["error"] == "method_not_allowed"
