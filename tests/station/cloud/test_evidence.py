"""The one table of who gave an answer, what it is about, and what follows: each row of reference cloud-api."""

from __future__ import annotations

import pytest

from station.cloud.body import Answer
from station.cloud.errors import CloudRefused, is_waiting
from station.cloud.evidence import ROWS, TABLE, About, Follows, Route, Speaker, about, speaker, texts_of

PERMISSION_DENIED = {"error": "Permission Denied", "info": "I didn't recognize that device name or ID"}
NO_PRODUCT = {"ok": False, "error": "Product not found."}

CASES: list[tuple[str, Route, int, object, About]] = [
    ("1.2 a token that expired", Route.MEMBER, 401, {"error": "invalid_token"}, About.ACCOUNT),
    ("1.2 a token that is missing", Route.USER, 400, {"error": "invalid_request"}, About.ACCOUNT),
    ("2.6 a scope that is missing", Route.IMPORT, 400, {"error": "unauthorized"}, About.ACCOUNT),
    (
        "2.6 no call for API users", Route.CLAIM, 400,
        {"error": "unauthorized", "error_description": "API users are not allowed to call this"}, About.ACCOUNT,
    ),
    ("2.1 a wrong password", Route.LOGIN, 400, {"error": "invalid_grant"}, About.ACCOUNT),
    ("2.1 a code is wanted", Route.LOGIN, 403, {"error": "mfa_required", "mfa_token": "a.b.c"}, About.MOMENT),
    ("2.6 no right to list the team", Route.TEAM, 403, {"ok": False, "error": "Permission denied"}, About.ACCOUNT),
    ("1.2 a call of an offline device", Route.DEVICE, 400, {"ok": False, "errors": ["Timed out."]}, About.MOMENT),
    ("1.2 a request not understood", Route.MEMBER, 400, {"error": "bad_request", "description": "x"}, About.STATION),
    ("1.2 a schema that refuses", Route.MEMBER, 422, {"message": "no", "violations": []}, About.STATION),
    ("3.2 no such product", Route.PRODUCT, 404, NO_PRODUCT, About.PRODUCT),
    ("3.2 a slug, or a team", Route.PRODUCT, 403, {"error": "Permission denied"}, About.ACCOUNT),
    ("4.1 adding to no such product", Route.IMPORT, 404, {"error": "Not found"}, About.PRODUCT),
    ("4.1 adding without the right", Route.IMPORT, 403, {"ok": False, "error": "Permission denied"}, About.ACCOUNT),
    ("4.1 a full plan, whatever it is answered", Route.IMPORT, 402, {"error": "device limit"}, About.ACCOUNT),
    ("4.1 the same with another status", Route.IMPORT, 409, {"message": "upgrade your plan"}, About.ACCOUNT),
    ("4.2 no member", Route.MEMBER, 404, {"ok": False, "error": "Device not found for this product"}, About.UNIT),
    ("4.2 a product that is gone", Route.MEMBER, 404, NO_PRODUCT, About.PRODUCT),
    ("4.2 a right that is lost", Route.MEMBER, 403, {"error": "Permission denied"}, About.ACCOUNT),
    ("4.2 unknown or not ours", Route.DEVICE, 403, PERMISSION_DENIED, About.UNIT),
    ("4.2 the same in the other way", Route.DEVICE, 404, {"error": "not found"}, About.UNIT),
    ("5.1 somebody else's", Route.CLAIM, 403, {"errors": ["That belongs to someone else."]}, About.UNIT),
    ("5.1 unknown", Route.CLAIM, 404, {"ok": False, "errors": ["device does not exist"]}, About.UNIT),
    ("5.1 not online", Route.CLAIM, 404, {"ok": False, "errors": [["Core isn't online", 404]]}, About.MOMENT),
    ("5.1 not online, silently", Route.CLAIM, 404, {}, About.MOMENT),
    ("5.1 out of the team", Route.CLAIM, 403, PERMISSION_DENIED, About.ACCOUNT),
    ("5.4 no right to list clients", Route.CLIENTS, 403, {"error": "Permission denied"}, About.ACCOUNT),
    ("5.4 no such customer", Route.CUSTOMER_TOKEN, 400, {"error": "invalid_grant"}, About.UNIT),
    ("5.4 the wrong client", Route.CUSTOMERS, 400, {"error": "invalid_client"}, About.STATION),
    ("5.4 the same in the other way", Route.CUSTOMER_TOKEN, 401, {"error": "no such token client"}, About.STATION),
    ("5.3 a customer of another product", Route.CUSTOMER_CODE, 403, {"error": "not a customer"}, About.STATION),
    ("5.3 the product of a code is gone", Route.CUSTOMER_CODE, 404, NO_PRODUCT, About.PRODUCT),
    ("5.3 a code that is not for API users", Route.CLAIM_CODE, 400, {"error": "unauthorized"}, About.ACCOUNT),
    ("6.1 an unknown serial", Route.SERIAL, 404, {"error": "not found"}, About.UNIT),
    ("4.4 no such firmware", Route.MEMBER, 404, {"ok": False, "error": "Firmware version 7 not found"}, About.STATION),
    ("4.7 no member to remove", Route.MEMBER_REMOVAL, 404, {"error": "Device not found for this product"}, About.UNIT),
    ("4.7 removing from a product that is gone", Route.MEMBER_REMOVAL, 404, NO_PRODUCT, About.PRODUCT),
    ("4.7 no right to remove", Route.MEMBER_REMOVAL, 403, {"error": "Permission denied"}, About.ACCOUNT),
    ("4.7 unclaiming what is not ours", Route.DEVICE, 403, PERMISSION_DENIED, About.UNIT),
    ("5.2 asking for what is not there", Route.CLAIM, 404, {"errors": ["device does not exist"]}, About.UNIT),
    ("4.5 no such group yet", Route.GROUP, 404, {"ok": False, "error": "Group not found"}, About.UNIT),
    ("4.3 no right to list", Route.MEMBERS, 403, {"error": "Permission denied"}, About.ACCOUNT),
    ("6.3 the product of a release is gone", Route.FIRMWARE, 404, NO_PRODUCT, About.PRODUCT),
    ("6.3 no right to see releases", Route.FIRMWARE, 403, {"error": "Permission denied"}, About.ACCOUNT),
    ("6.3 no scope for a file", Route.BINARY, 400, {"error": "unauthorized"}, About.ACCOUNT),
    ("6.3 no such version", Route.BINARY, 404, {"ok": False, "error": "Firmware version 7 not found"}, About.STATION),
    ("8.2 no SIM of the product", Route.MEMBER_SIM, 404, {"error": "SIM card not found"}, About.UNIT),
    ("8.2 the product of a SIM is gone", Route.MEMBER_SIM, 404, NO_PRODUCT, About.PRODUCT),
    ("8.2 no right to see SIMs", Route.MEMBER_SIM, 403, {"error": "Permission denied"}, About.ACCOUNT),
    ("8.2 no SIM of the account", Route.SIM, 404, {"error": "SIM card not found"}, About.UNIT),
    ("8.2 a SIM of somebody else", Route.SIM, 403, {"error": "Permission denied"}, About.UNIT),
    ("8.2 no SIM to release", Route.SIM_RELEASE, 404, {"error": "SIM card not found"}, About.UNIT),
    ("8.2 releasing a SIM of somebody else", Route.SIM_RELEASE, 403, {"error": "Permission denied"}, About.UNIT),
    ("8.2 no SIM of the product to release", Route.MEMBER_SIM_RELEASE, 404, {"error": "not found"}, About.UNIT),
    ("8.2 no right to release", Route.MEMBER_SIM_RELEASE, 403, {"error": "Permission denied"}, About.ACCOUNT),
    ("8.2 an activation that runs", Route.SIM, 408, {"error": "in progress"}, About.MOMENT),
    ("1.2 too many requests", Route.USER, 429, {"error": "slow down"}, About.MOMENT),
    ("1.2 a time-out of the cloud's own", Route.USER, 500, {"errors": [{"error": "Timed out"}]}, About.MOMENT),
    ("1.2 an event stream too many", Route.USER, 529, {"error": "x"}, About.MOMENT),
    ("1.1 a 200 that refuses", Route.IMPORT, 200, {"ok": False, "errors": ["no"]}, About.STATION),
    ("a route that is not there", Route.USER, 404, {"error": "not found"}, About.STATION),
]  # fmt: skip


@pytest.mark.parametrize(("route", "status", "body", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_each_row_of_the_reference_is_about_what_it_says(
    route: Route, status: int, body: object, expected: About
) -> None:
    answer = Answer(status, body, is_json=True, request_id="r-1" if body in _NAMELESS else "")
    assert speaker(route, answer) is Speaker.CLOUD
    assert about(route, answer) is expected


_NAMELESS = ({"error": "not found"}, {"error": "Not found"})
"""Said without a word of what there is none of: the cloud's only with its request id."""


@pytest.mark.parametrize("route", [Route.MEMBER, Route.DEVICE, Route.SIM, Route.MEMBER_SIM, Route.MEMBER_REMOVAL])
@pytest.mark.parametrize(
    "body",
    [
        {"error": "no route"}, {"message": "page not found"}, {"error": "Not Found"},
        {"error": "Not Found", "message": "Cannot GET /v1/products/1/devices/e00fce680000000000000001"},
        {"message": "no Route matched with those values"}, {"error": "no such path /v1/sims"},
    ],
)  # fmt: skip
def test_a_gateway_that_knows_no_such_path_says_nothing_of_what_was_looked_up(route: Route, body: object) -> None:
    assert speaker(route, Answer(404, body, is_json=True)) is Speaker.OTHER


def test_every_row_of_the_table_is_used() -> None:
    """A row that a case before it always hides would say something nobody obeys."""
    used = set()
    for _, route, status, body, _ in CASES:
        said = str(body).lower()
        used.add(next((row for row in ROWS if route in row.routes and row.status == status and row.says in said), None))
    rest = {row for row in ROWS if row not in used}
    assert {(row.status, row.says) for row in rest} <= {(403, ""), (502, ""), (503, ""), (504, "")}


@pytest.mark.parametrize("route", Route)
@pytest.mark.parametrize("status", [302, 307, 407, 451, 511])
@pytest.mark.parametrize("body", [{}, {"error": "blocked"}, [], None])
def test_some_statuses_are_never_the_clouds(route: Route, status: int, body: object) -> None:
    assert speaker(route, Answer(status, body, is_json=body is not None)) is Speaker.OTHER


@pytest.mark.parametrize("route", Route)
@pytest.mark.parametrize("status", [200, 201, 400, 401, 403, 404, 422])
def test_a_page_is_never_the_clouds_whatever_its_status(route: Route, status: int) -> None:
    assert speaker(route, Answer(status)) is Speaker.OTHER


@pytest.mark.parametrize("route", Route)
@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 422])
@pytest.mark.parametrize("body", [{}, "fine", 1, None, {"redirect": 1}])
def test_json_that_says_nothing_is_not_the_clouds_but_for_a_claim_of_an_offline_unit(
    route: Route, status: int, body: object
) -> None:
    is_known = (route, status, body) == (Route.CLAIM, 404, {})
    assert speaker(route, Answer(status, body, is_json=True)) is (Speaker.CLOUD if is_known else Speaker.OTHER)


STRANGE: list[tuple[int, object]] = [
    (401, {"error": "login"}),
    (401, {"message": "Unauthorized"}),
    (400, {"error": "blocked", "url": "http://portal.example"}),
    (403, {"error": {"code": 403}, "reason": "policy"}),
    (403, {"errors": "category: uncategorized"}),
    (404, {"timestamp": "2026-01-05T06:00:00", "status": 404, "error": "Not Found", "path": "/v1/devices"}),
    (404, {"detail": "Not Found", "error": "not found"}),
    (404, {"ok": "no", "error": "not found"}),
    (200, {"login": "https://portal.example"}),
    (200, {"status": "success"}),
]


@pytest.mark.parametrize("route", Route)
@pytest.mark.parametrize(("status", "body"), STRANGE)
def test_json_of_no_shape_of_the_clouds_is_somebody_elses_unless_it_bears_a_request_number(
    route: Route, status: int, body: object
) -> None:
    assert speaker(route, Answer(status, body, is_json=True)) is Speaker.OTHER
    is_said = status == 200 or any(texts_of(body))
    numbered = speaker(route, Answer(status, body, is_json=True, request_id="r-1"))
    assert numbered is (Speaker.CLOUD if is_said else Speaker.OTHER)


@pytest.mark.parametrize("route", Route)
@pytest.mark.parametrize("request_id", ["", "r-1"])
def test_a_list_answers_nothing_but_a_question_for_many(route: Route, request_id: str) -> None:
    answer = Answer(200, [], is_json=True, request_id=request_id)
    asks_for_many = route in (Route.DEVICES, Route.FIRMWARE)
    assert speaker(route, answer) is (Speaker.CLOUD if asks_for_many else Speaker.OTHER)


@pytest.mark.parametrize("route", Route)
def test_a_file_answers_nothing_but_a_question_for_one(route: Route) -> None:
    told = speaker(route, Answer(200, file=b"\0\1\2"))
    assert told is (Speaker.CLOUD if route is Route.BINARY else Speaker.OTHER)
    assert speaker(route, Answer(404, file=b"\0\1\2")) is Speaker.OTHER


def test_only_the_clouds_own_word_about_one_unit_judges_it() -> None:
    judging = {key for key, row in TABLE.items() if row.follows is Follows.JUDGE}
    assert judging == {(Speaker.CLOUD, About.UNIT)}
    assert set(TABLE) == {(who, what) for who in Speaker for what in About}
    assert {row.follows for (who, _), row in TABLE.items() if who is Speaker.OTHER} == {Follows.AWAY}


@pytest.mark.parametrize("subject", About)
def test_whatever_makes_a_unit_wait_says_who_can_mend_it(subject: About) -> None:
    error = CloudRefused("no", status=403, words="no", about=subject)
    assert is_waiting(error) is (subject is not About.UNIT)
    assert error.told == f"no; waits for {error.who}"
    assert error.say == TABLE[Speaker.CLOUD, subject].say
