"""Readers of cloud answers: tolerant where the reference says so, one sentence everywhere else."""

from __future__ import annotations

import contextlib
import datetime
import json
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cloud_bench import BORON, BORON_ICCID

from drivers.errors import BadIdentity
from drivers.identity import DeviceId
from station.cloud import answers as read
from station.cloud.answers import Membership
from station.cloud.body import MAX_LIST_BYTES, error_words, parse_body
from station.cloud.errors import BadAnswer
from station.cloud.sim_answers import read_sim, read_sims

ID = str(BORON)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"error": "invalid_grant", "error_description": "User credentials are invalid"},
            "User credentials are invalid",
        ),
        ({"error": "Permission Denied", "info": "unknown name"}, "Permission Denied"),
        ({"ok": False, "error": "Product not found."}, "Product not found."),
        ({"ok": False, "errors": ["device does not exist"]}, "device does not exist"),
        ({"ok": False, "errors": [["Core isn't online", 404]]}, "Core isn't online"),
        ({"ok": False, "code": 500, "errors": [{"error": "Timed out, no answer"}]}, "Timed out, no answer"),
        ({"ok": False, "errors": [{"error": {"status": "stuck"}}]}, "stuck"),
        ({"ok": False, "code": 500, "errors": ["Request Timed Out"]}, "Request Timed Out"),
        ({"error": "bad_request", "description": "why"}, "bad_request"),
        ({"message": "no", "description": "why", "violations": []}, "no"),
        ({"errors": [{"message": "m"}]}, "m"),
        ({"output": "o"}, "o"),
        ({"errors": [[[[["too deep"]]]]]}, ""),
        ({}, ""),
        ([], ""),
        (None, ""),
        ({"error": "a\x1b[31mb\n"}, "a\ufffd[31mb\ufffd"),
        ({"error": "x" * 999}, "x" * 160),
    ],
)
def test_every_shape_of_an_error_body_yields_its_words(body: object, words: str) -> None:
    assert error_words(body) == words


@pytest.mark.parametrize(
    ("body", "result"),
    [
        ({"updated": 1, "updatedDeviceIds": [ID]}, Membership.ADDED),
        ({"updated": 1, "updatedDeviceIds": [ID.upper()]}, Membership.ADDED),
        ({"updated": 0, "existingDeviceIds": [ID]}, Membership.EXISTING),
        ({"updated": 0, "nonmemberDeviceIds": [ID]}, Membership.NONMEMBER),
        ({"updated": 0, "invalidDeviceIds": [ID], "updatedDeviceIds": None}, Membership.INVALID),
        ({"updated": 0, "protectedDeviceIds": [ID]}, Membership.PROTECTED),
        ({"updated": 1, "nonmemberDeviceIds": [], "invalidDeviceIds": []}, Membership.ADDED),
        ({"updated": 0, "nonmemberDeviceIds": [], "invalidDeviceIds": []}, Membership.EXISTING),
        ({"updated": 1, "updatedDeviceIds": ["0123456789abcdef01234567"]}, Membership.UNCONFIRMED),
        ({"updated": 1, "updatedDeviceIds": []}, Membership.UNCONFIRMED),
        ({}, Membership.UNCONFIRMED),
    ],
)
@pytest.mark.rule("C11")
def test_an_import_answer_is_read_per_identifier(body: object, result: Membership) -> None:
    assert read.read_import(body, [ID]).of(BORON) is result


def test_a_device_never_heard_of_has_few_fields() -> None:
    device = read.read_device({"id": ID, "owner": None, "name": None})
    assert (device.owner, device.name, device.online, device.is_product_device) == ("", "", False, False)


def test_a_developer_device_shows_its_platform_as_product() -> None:
    assert not read.read_device({"id": ID, "product_id": 13, "platform_id": 13}).is_product_device
    assert read.read_device({"id": ID, "product_id": 20001, "platform_id": 13}).is_product_device


def test_an_answer_about_another_device_is_refused() -> None:
    with pytest.raises(BadAnswer, match="answered with device 0123456789abcdef01234567"):
        read.read_device({"id": "0123456789abcdef01234567"}, BORON)


def test_device_lists_come_bare_or_wrapped() -> None:
    assert read.read_devices([{"id": ID}]) == read.read_devices({"devices": [{"id": ID}], "meta": {}})


def test_a_token_without_an_end_lasts_for_ever_and_the_client_has_two_names() -> None:
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    assert read.read_token_info({"expires_at": None, "client_id": "x"}).lasts(1e9, now)
    assert read.read_token_info({"expires_at": "2026-01-01T00:05:00.000Z", "client": "x"}).lasts(300, now)
    assert not read.read_token_info({"expires_at": "2026-01-01T00:04:59.000Z"}).lasts(300, now)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"id": "12"}, "expected a Device ID"),
        ({"id": ID, "name": "x" * 300}, "at most 256"),
        ({"id": ID, "online": "yes"}, "expected true or false"),
        ({"id": ID, "product_id": "12"}, "expected a whole number"),
        ({"id": ID, "product_id": True}, "expected a whole number"),
        ({"id": ID, "groups": [1]}, "short texts"),
        ({"id": ID, "last_heard": "yesterday"}, "ISO 8601"),
        ("<html>", "expected"),
    ],
)
def test_a_field_of_the_wrong_kind_is_refused_with_one_sentence(body: object, says: str) -> None:
    with pytest.raises(BadAnswer, match=says) as caught:
        read.read_device(body)
    assert "\n" not in str(caught.value)


@pytest.mark.rule("A1")
def test_a_shortened_device_id_in_an_answer_is_refused() -> None:
    with pytest.raises(BadAnswer):
        read.read_device({"id": ID[:-1]})
    with pytest.raises(BadIdentity):
        DeviceId.parse(ID[:-1])


_NAMES = [
    "id",
    "product",
    "devices",
    "updated",
    "updatedDeviceIds",
    "expires_at",
    "scopes",
    "_id",
    "sim",
    "settings",
    "platform_id",
    "username",
    "online",
    "device_id",
    "errors",
    "error",
    "groups",
]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(ID),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=6),
    max_leaves=12,
)


@pytest.mark.parametrize(
    "reader",
    [
        read.read_token_info, read.read_user, read.read_product, read.read_device, read.read_devices, read.read_ping,
        lambda body: read.read_import(body, [ID]), read_sims,
        lambda body: read_sim(body, BORON_ICCID), lambda body: read.read_serial(body, "P044AB1234567"), error_words,
    ],
)  # fmt: skip
@given(body=_JSON)
def test_readers_raise_nothing_but_bad_answer(reader: Callable[[object], object], body: object) -> None:
    with contextlib.suppress(BadAnswer):
        reader(body)


@given(raw=st.binary(max_size=200))
def test_any_bytes_are_json_or_not(raw: bytes) -> None:
    body, is_json = parse_body(raw)
    assert is_json or body is None


def test_nesting_without_end_is_not_json() -> None:
    assert parse_body(b"[" * 200_000) == (None, False)


def test_an_answer_is_read_to_sixteen_levels() -> None:
    assert parse_body(b"[" * 16 + b"]" * 16)[1]
    assert parse_body(b'{"a":' * 16 + b"1" + b"}" * 16)[1]
    assert parse_body(b"[" * 17 + b"]" * 17) == (None, False)
    assert parse_body(b'{"a":' * 17 + b"1" + b"}" * 17) == (None, False)


def test_only_utf_8_is_read() -> None:
    assert parse_body('{"é": 1}'.encode()) == ({"é": 1}, True)
    assert parse_body(b"\xef\xbb\xbf{}") == ({}, True)
    assert parse_body("{}".encode("utf-16")) == (None, False)


def peak_bytes(read_it: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        read_it()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("item", [b"[]", b"{}", b"1", b'""'])
def test_an_answer_of_very_many_small_values_is_refused_before_it_fills_the_memory(item: bytes) -> None:
    raw = b"[" + b",".join([item] * (MAX_LIST_BYTES // (len(item) + 1))) + b"]"
    assert parse_body(raw) == (None, False)
    assert peak_bytes(lambda: parse_body(raw)) < 2 * MAX_LIST_BYTES


def test_a_long_complaint_is_cut_before_it_is_cleaned() -> None:
    body = {"error": "\x01" * MAX_LIST_BYTES}
    assert error_words(body) == "\ufffd" * 160
    assert peak_bytes(lambda: error_words(body)) < 100_000


def test_lists_in_answers_have_an_end() -> None:
    assert len(read.read_device({"id": ID, "groups": ["g"] * 100}).groups) == 100
    with pytest.raises(BadAnswer, match="groups holds 101 texts, expected at most 100"):
        read.read_device({"id": ID, "groups": ["g"] * 101})
    with pytest.raises(BadAnswer, match="holds 1001 texts"):
        read.read_import({"invalidDeviceIds": [ID] * 1001}, [ID])
    with pytest.raises(BadAnswer, match="10001 devices, expected at most 10000"):
        read.read_devices([{"id": ID}] * 10_001)


def test_the_largest_import_there_is_can_be_read() -> None:
    ids = [f"{number:024x}" for number in range(1, 1001)]
    result = read.read_import({"updated": 1000, "updatedDeviceIds": ids}, ids)
    assert {membership for _, membership in result.rows} == {Membership.ADDED}


def test_a_device_list_of_a_large_account_is_read() -> None:
    """About what the cloud sends per device (reference cloud-api 4.2)."""
    device = {"id": ID, "groups": ["asia"], "functions": [], "variables": {}} | {
        f"field_{n}": "x" * 12 for n in range(28)
    }
    raw = json.dumps([device] * 4000).encode()
    assert len(raw) < MAX_LIST_BYTES
    body, is_json = parse_body(raw)
    assert is_json
    assert len(read.read_devices(body)) == 4000


PRODUCT = {"id": 20002, "slug": "widget-two", "name": "Two", "platform_id": 13}


@pytest.mark.rule("C8")
@pytest.mark.parametrize("wanted", [20001, "20001", "widget-one"])
def test_an_answer_about_another_product_than_was_asked_for_is_no_answer(wanted: int | str) -> None:
    with pytest.raises(BadAnswer, match=f"product {wanted}: the cloud answered with product 20002"):
        read.read_product({"product": PRODUCT}, wanted)


@pytest.mark.parametrize("wanted", [20002, "20002", "widget-two", None])
def test_a_product_is_found_by_its_number_or_its_slug(wanted: int | str | None) -> None:
    assert read.read_product({"product": [PRODUCT]}, wanted).id == 20002
