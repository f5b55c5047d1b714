"""What a scan is, and what may be displayed of it."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.virtual.factory import make_spec
from station.scan.grammar import ScannedSerial
from station.scan.reading import Reading, is_unit_serial, may_be_label, read_scan, thing_of
from station.settings.sku import SKU_ROWS

SECRET = "3ABCDEFGH123456"


@pytest.mark.parametrize("platform", ["boron", "argon", "bsom"])
def test_every_number_of_a_virtual_unit_but_a_random_imei_may_speak_for_one(platform: str) -> None:
    made = make_spec(platform, 7, 1, "6.3.4")
    for number in (made.label, made.serial, made.device_id, made.iccid):
        if number is not None:
            assert may_be_label(read_scan(str(number)).scanned, str(made.serial))


@pytest.mark.rule("A6")
def test_a_label_of_any_model_is_one_with_both_halves() -> None:
    assert may_be_label(read_scan(f"ARGHABEZW7Y4JRW {SECRET}").scanned)
    assert not may_be_label(read_scan(f"ARGHABEZW7 {SECRET}").scanned)
    assert not may_be_label(read_scan("ARGHABEZW7Y4JRW").scanned)


@pytest.mark.parametrize("text", ["350000000000006", "490154203237518"])
def test_an_imei_has_its_check_digit(text: str) -> None:
    assert may_be_label(read_scan(text).scanned)
    other = text[:-1] + str((int(text[-1]) + 1) % 10)
    assert not may_be_label(read_scan(other).scanned)
    assert read_scan(other).number == other


@pytest.mark.rule("A3")
@pytest.mark.parametrize(
    ("serial", "own", "is_one"),
    [
        ("P044ABEZW7Y4JRW", "", True),
        ("P999ABEZW7Y4JRW", "", True),
        ("B40TABEZW7Y4JRW", "", True),
        ("ARGHABEZW7Y4JRW", "", False),
        ("ARGHABEZW7Y4JRW", "ARGHAB123456789", True),
        ("E310-1234-5678", "E310-1234-9999", True),
        ("E310-1234-5678", "", False),
        ("DATE20261122001", "P044ABEZW7Y4JRW", False),
        ("P20261122001234", "P044ABEZW7Y4JRW", False),
        ("B40T123", "", False),
        ("P044ABEZW7", "P044ABEZW7Y4JRW", False),
    ],
)
def test_a_serial_number_has_a_known_model_code_or_that_of_the_unit(serial: str, own: str, is_one: bool) -> None:
    assert is_unit_serial(serial, own) is is_one


@pytest.mark.parametrize("sku", sorted(sku for row in SKU_ROWS for sku in row.skus))
def test_no_order_code_may_be_taken_for_a_label(sku: str) -> None:
    read = read_scan(sku)
    assert not may_be_label(read.scanned, "P044ABEZW7Y4JRW")
    assert isinstance(read.scanned, ScannedSerial) is (thing_of(read.scanned) == "order code")


@pytest.mark.rule("A7")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"P044ABEZW7Y4JRW {SECRET}", "P044ABEZW7Y4JRW"),
        (SECRET, "***"),
        ("ABCDEFGH1234567", "***"),  # by its form a serial number, by its length perhaps a secret
        (f"P044ABEZW7Y4JRW{SECRET}", "***"),
        (f"P044 {SECRET}x", "P044 ***"),
        (f"]d1{SECRET}", "***"),
        (f"(21){SECRET}", "***"),
        ("350000000000006", "350000000000006"),
        ("89314404000100000001", "89314404000100000001"),
        ("e00fce6819ef5f971ea9563a", "e00fce6819ef5f971ea9563a"),
        ("BRN404XKIT", "BRN404XKIT"),
        ("OP:0417", ""),
    ],
)
def test_what_may_be_a_mobile_secret_is_not_shown(text: str, shown: str) -> None:
    assert read_scan(text).shown == shown


@pytest.mark.rule("A7")
@given(
    st.text(string.ascii_uppercase + string.digits, min_size=15, max_size=15).filter(lambda t: not is_unit_serial(t)),
    st.sampled_from(
        ["{}", "]d1{}", "P044ABEZW7Y4JRW {}", "P044ABEZW7Y4JRW  {}", "x {} y", "{0}{0}", "{0} {0}", "ID:{}"]
    ),
)
def test_no_way_of_scanning_a_secret_shows_it(secret: str, around: str) -> None:
    read = read_scan(around.format(secret))
    assert secret.isdigit() or secret not in f"{read.shown} {read.why}"


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    read = read_scan(text)
    assert isinstance(read, Reading)
    assert read.shown.isprintable()
    assert bool(read.why) is (read.scanned is None)
    assert len(read.batch_name) <= 40
