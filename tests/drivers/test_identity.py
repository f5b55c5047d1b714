"""Who a unit is, and what a scanner may say. Rules A1 to A13."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import BadIdentity
from drivers.identity import DeviceId, Iccid, Imei, MacAddress, MobileSecret, Secret, SerialNumber
from drivers.platforms import platform
from station.scan.grammar import (
    ScannedDeviceId,
    ScannedIccid,
    ScannedImei,
    ScannedSerial,
    parse_scan,
)

ID = "e00fce6819ef5f971ea9563a"


@pytest.mark.rule("A1")
@pytest.mark.parametrize("text", [ID[:-1], ID + "0", "", ID[:-1] + "g", ID[:12] + " " + ID[12:], "0x" + ID[2:]])
def test_a_device_id_has_exactly_24_hexadecimal_digits(text: str) -> None:
    with pytest.raises(BadIdentity, match="exactly 24"):
        DeviceId.parse(text)


@pytest.mark.rule("A1")
@given(st.text("0123456789abcdef", min_size=24, max_size=24), st.integers(0, 23))
def test_all_digits_of_a_device_id_count(text: str, at: int) -> None:
    other = text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]
    assert DeviceId.parse(text) != DeviceId.parse(other)
    assert len({DeviceId.parse(text), DeviceId.parse(other)}) == 2


@pytest.mark.rule("A2")
def test_a_device_id_is_kept_in_lower_case() -> None:
    assert DeviceId.parse(f" {ID.upper()}\n") == DeviceId.parse(ID)
    assert str(DeviceId.parse(ID.upper())) == ID
    assert parse_scan(ID.upper()) == ScannedDeviceId(DeviceId(ID))


@pytest.mark.rule("A3")
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("P044AB926KXXXXX", "P044AB926KXXXXX"),
        ("p044ab926kxxxxx", "P044AB926KXXXXX"),
        ("B40KAB926KXXXXX", "B40KAB926KXXXXX"),
        ("B40TAB123456789", "B40TAB123456789"),
        ("E31KAB123456789", "E31KAB123456789"),
        ("ARGHAB123456789", "ARGHAB123456789"),
        ("E310-1234-5678", "E310-1234-5678"),
        ("PH-151020-ABC1-0", None),
        ("P044AB926KXXXXXX", None),
        ("P044A", None),
        ("044PAB926KXXXXX", None),
        ("P044AB926KXXX X", None),
        ("P044AB926KXXX=1", None),
    ],
)
def test_serial_numbers_of_both_kinds(text: str, wanted: str | None) -> None:
    if wanted is None:
        with pytest.raises(BadIdentity):
            SerialNumber.parse(text)
    else:
        assert SerialNumber.parse(text).value == wanted


@pytest.mark.rule("A7")
@pytest.mark.parametrize("kind", [Secret, MobileSecret])
def test_a_secret_shows_itself_to_nobody(kind: type[Secret]) -> None:
    secret = kind("3ABCDEFGH123456")
    shown = f"{secret} {secret!r} {[secret]} {(secret,)} {ScannedSerial(SerialNumber('P044AB926KXXXXX'), None)}"
    assert "3ABCDEFGH123456" not in shown
    assert secret.reveal() == "3ABCDEFGH123456"
    assert secret == kind("3ABCDEFGH123456")
    assert secret != kind("other")
    assert not kind("")
    for write in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            write(secret)


@pytest.mark.rule("A7")
def test_a_mobile_secret_and_another_secret_are_never_equal() -> None:
    assert Secret("x") != MobileSecret("x")
    scanned = parse_scan("P044AB926KXXXXX 3ABCDEFGH123456")
    assert "3ABCDEFGH123456" not in repr(scanned)


@pytest.mark.rule("E13")
@pytest.mark.parametrize("text", ["89314404000100000001", "8931 4404 0001 0000 0001", "8931440400010000000F"])
def test_iccid_as_claim_key_is_explained_and_refused(text: str) -> None:
    with pytest.raises(BadIdentity, match="an ICCID, the number of a SIM; give the unit's Device ID"):
        DeviceId.parse(text)


@pytest.mark.rule("A8")
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("8931440400010000000", "8931440400010000000"),
        ("89314404000100000001", "89314404000100000001"),
        ("893144040001000000012", "893144040001000000012"),
        ("8931 4404 0001 0000 0001", "89314404000100000001"),
        ("8931440400010000000F", "8931440400010000000"),
        ("8931440400010000000f", "8931440400010000000"),
        ("8931440400010000000FF", "8931440400010000000"),
        ("893144040001000000", None),
        ("8931440400010000000123", None),
        ("88314404000100000001", None),
        ("8931440400010000000A", None),
    ],
)
def test_iccids(text: str, wanted: str | None) -> None:
    if wanted is None:
        with pytest.raises(BadIdentity):
            Iccid.parse(text)
    else:
        assert Iccid.parse(text).value == wanted
        assert parse_scan(text) == ScannedIccid(Iccid(wanted))


@pytest.mark.rule("A8")
@pytest.mark.parametrize(
    ("text", "kept", "is_odd"),
    [
        ("8931440400010000000F", "8931440400010000000", False),
        ("8931 4404 0001 0000 0001", "89314404000100000001", False),
        ("893144040001000000", "893144040001000000", True),
        ("8901170227200123456789", "8901170227200123456789", True),
        ("898600B5192271001234", "898600B5192271001234", True),
        ("88314404000100000001", "88314404000100000001", True),
    ],
)
def test_what_a_sim_tells_is_kept_and_known_to_be_odd(text: str, kept: str, is_odd: bool) -> None:
    iccid = Iccid.told(text)
    assert (iccid.value, iccid.is_odd) == (kept, is_odd)


@pytest.mark.parametrize("text", ["", "FFFF", "8" * 33, "8931440400010000000\n1", "8931-4404", "\u0668\u0669" * 10])
def test_what_no_sim_tells_is_refused(text: str) -> None:
    with pytest.raises(BadIdentity, match="letters and digits"):
        Iccid.told(text)


def test_fifteen_digits_are_an_imei() -> None:
    assert parse_scan("350000000000006") == ScannedImei(Imei("350000000000006"))
    for text in ("35000000000000", "3500000000000060", "35000000000000a"):
        with pytest.raises(BadIdentity):
            Imei.parse(text)


@pytest.mark.rule("A13")
@pytest.mark.parametrize("text", ["94944a010203", "94:94:4a:01:02:03", "94-94-4A-01-02-03", " 94944A010203 "])
def test_a_mac_address_with_or_without_colons(text: str) -> None:
    assert MacAddress.parse(text).value == "94:94:4a:01:02:03"


@pytest.mark.rule("A13")
@pytest.mark.parametrize("text", ["94944a0102", "94944a01020304", "94944a01020g", "", "::::::"])
def test_a_mac_address_has_twelve_digits(text: str) -> None:
    with pytest.raises(BadIdentity):
        MacAddress.parse(text)


@pytest.mark.rule("A13")
def test_only_platforms_with_wifi_have_a_mac() -> None:
    assert (platform(12).has_wifi, platform(13).has_wifi) == (True, False)


def test_i1_the_device_id_of_an_nrf_unit() -> None:
    words = (0x975FEF19, 0x3A56A91E)
    composed = platform(13).device_id_prefix + "".join(word.to_bytes(4, "little").hex() for word in words)
    assert DeviceId.parse(composed) == DeviceId(ID)


def test_i2_a_gen_4_serial_ends_like_its_device_id() -> None:
    device_id, serial = DeviceId.parse("0a10aced202194944a01a2b3"), SerialNumber.parse("P046AB92601A2B3")
    assert serial.value[9:] == device_id.value[18:].upper()
    assert MacAddress.parse(device_id.value[12:]).value == "94:94:4a:01:a2:b3"
