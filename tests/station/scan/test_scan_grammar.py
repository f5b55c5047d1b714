"""The grammar of scans: labels, single numbers, printed codes, and what a scanner does to them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import BadIdentity
from drivers.identity import DeviceId, Iccid, Imei, MacAddress, MobileSecret, SerialNumber
from station.scan.codes import code_of
from station.scan.grammar import (
    ScannedBadge,
    ScannedBatch,
    ScannedCommand,
    ScannedDeviceId,
    ScannedIccid,
    ScannedImei,
    ScannedSerial,
    parse_scan,
)

ID = "e00fce6819ef5f971ea9563a"


@pytest.mark.rule("A6")
def test_a_data_matrix_is_cut_at_its_first_space() -> None:
    scanned = parse_scan("P044AB926KXXXXX 3ABCDEFGH123456")
    assert scanned == ScannedSerial(SerialNumber("P044AB926KXXXXX"), MobileSecret("3ABCDEFGH123456"))
    assert parse_scan("P044AB926KXXXXX") == ScannedSerial(SerialNumber("P044AB926KXXXXX"))


@pytest.mark.rule("A6")
@pytest.mark.rule("A7")
@pytest.mark.parametrize("secret", ["SHORT", "SIXTEEN-LETTERS!", "3ABCDE FGH12345"])
def test_a_label_with_half_a_secret_is_refused_without_repeating_it(secret: str) -> None:
    with pytest.raises(BadIdentity) as caught:
        parse_scan(f"P044AB926KXXXXX {secret}")
    assert secret not in str(caught.value)
    assert secret[:5] not in str(caught.value)


def test_badges_commands_and_batches_have_prefixes() -> None:
    assert parse_scan("OP:0417") == ScannedBadge("0417")
    assert parse_scan("op:0417") == ScannedBadge("0417")
    assert parse_scan("CMD:RETRY") == ScannedCommand("RETRY")
    assert parse_scan("BATCH:2026-11-22-A") == ScannedBatch("2026-11-22-A")
    for text in ("OP:", "OP:a b", "BATCH:" + "x" * 41, "CMD:=1+1"):
        with pytest.raises(BadIdentity):
            parse_scan(text)


SERIAL, SECRET = "P044AB926KXXXXX", "3ABCDEFGH123456"
LABEL = f"{SERIAL} {SECRET}"
WHOLE, BARE = ScannedSerial(SerialNumber(SERIAL), MobileSecret(SECRET)), ScannedSerial(SerialNumber(SERIAL))


@pytest.mark.rule("A6")
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        *((f"{prefix}{LABEL}", WHOLE) for prefix in ("]d1", "]d2", "]C1", "]Q1", "S/N:", "SN: ", "]d1S/N:")),
        *((f"{prefix}{SERIAL}", BARE) for prefix in ("]C1", "(21)", "]d221", "Serial No.: ", "SERIAL NUMBER=", "21")),
        (f"(01)09501101530003(21){SERIAL}", BARE),
        (f"]d20109501101530003172611221021X\x1d21{SERIAL}", BARE),
        (f"21{SERIAL}\x1d10LOT1", BARE),
        (f"{SERIAL}\x1d", BARE),
        (f"\x1d{LABEL}\x1e\x04", WHOLE),
        *((LABEL * count, WHOLE) for count in (2, 3)),
        *((between.join([LABEL] * 2), WHOLE) for between in (" ", "\x1d", "\t")),
        *((SERIAL * count, BARE) for count in (2, 3)),
        *((between.join([SERIAL] * count), BARE) for between in (" ", "\x1d") for count in (2, 3)),
        (f"]d1{LABEL}]d1{LABEL}", WHOLE),
        ("IMEI:350000000000006", ScannedImei(Imei("350000000000006"))),
        ("8002350000000000006", ScannedImei(Imei("350000000000006"))),
        ("350000000000006" * 2, ScannedImei(Imei("350000000000006"))),
        ("ICCID: 89314404000100000001", ScannedIccid(Iccid("89314404000100000001"))),
        (f"ID:{ID}", ScannedDeviceId(DeviceId(ID))),
        (ID + ID, ScannedDeviceId(DeviceId(ID))),
        ("e00fe00f" * 3, ScannedDeviceId(DeviceId("e00fe00f" * 3))),
        ("123451234512345", ScannedImei(Imei("123451234512345"))),
        ("]Q1OP:0417", ScannedBadge("0417")),
        ("]C1BATCH:B-7", ScannedBatch("B-7")),
    ],
)
def test_what_stands_around_a_label_is_no_part_of_it(text: str, wanted: object) -> None:
    assert parse_scan(text) == wanted


@pytest.mark.rule("A6")
@pytest.mark.parametrize(
    "text",
    [
        f"{LABEL} {SERIAL}", f"{SERIAL} P044AB926KXXXX", f"{LABEL} x{LABEL}", "(10)LOT20261122", "0109501101530003",
        f"]{SERIAL}", f"(21){SERIAL}(", f"99{SERIAL}", f"{SERIAL}\x1dx", LABEL * 4, LABEL * 9,
    ],
)  # fmt: skip
def test_two_things_in_one_scan_are_none_of_them(text: str) -> None:
    with pytest.raises(BadIdentity) as caught:
        parse_scan(text)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("text", ["", "   ", "x" * 101, "P044\x1bAB926KXXXX", "hello world", "=CMD|' /C calc'!A0"])
def test_what_is_no_label(text: str) -> None:
    with pytest.raises(BadIdentity):
        parse_scan(text)


@given(st.text(max_size=120))
def test_a_scan_of_anything_is_typed_or_refused(text: str) -> None:
    with contextlib.suppress(BadIdentity):
        parse_scan(text)
    for kind in (DeviceId, SerialNumber, Iccid, Imei, MacAddress):
        with contextlib.suppress(BadIdentity):
            assert kind.parse(kind.parse(text).value) == kind.parse(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [("CMD:RETRY", ("CMD", "RETRY")), ("]C1op:0417", ("OP", "0417")), ("batch:B-7", ("BATCH", "B-7")),
     ("S/N:P044AB926KXXXXX", ("", "")), ("CMD", ("", "")), ("", ("", "")), (LABEL, ("", ""))],
)  # fmt: skip
def test_screen_and_engine_take_a_printed_code_apart_in_the_same_way(text: str, code: tuple[str, str]) -> None:
    assert code_of(text) == code
