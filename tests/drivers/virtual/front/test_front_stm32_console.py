"""What the console of Photon, P1 and Electron prints and asks, by Device OS (5.4, 5.5, 9.9)."""

from __future__ import annotations

from typing import Any

import pytest
import serial
from support.raw_console import say

from drivers.identity import Secret
from drivers.virtual.radio import WifiStore
from drivers.virtual.unit import UnitMode
from drivers.virtual.world import AccessPoint, Login, StoredNetwork
from drivers.wire.messages.tables import EapType, WifiSecurity

PEM_BLOCKS = (("CERTIFICATE", "AAAA"), ("PRIVATE KEY", "BBBB"), ("CERTIFICATE", "CCCC"))

wifi = pytest.mark.parametrize("slug", ["photon", "p1"])
SECURITY = b"Security 0=unsecured, 1=WEP, 2=WPA, 3=WPA2: "
ENTERPRISE = b"Security 0=unsecured, 1=WEP, 2=WPA, 3=WPA2, 4=WPA Enterprise, 5=WPA2 Enterprise: "
CIPHER = b"Security Cipher 1=AES, 2=TKIP, 3=AES+TKIP: "
SAVING = b"Thanks! Wait while I save those credentials...\r\n\r\n"


def listening(bench: Any, slug: str, device_os: str, **settings: Any) -> tuple[Any, serial.SerialBase]:
    """A unit that listens: one with Wi-Fi because it knows no network, another because its mode was asked for."""
    unit = bench.plug(bench.spec(slug, device_os, **settings))
    if slug == "electron":
        unit.hold_mode_button()
        bench.clock.sleep(3.5)
    assert unit.mode is UnitMode.LISTENING
    return unit, bench.console()


# --- who is it ---------------------------------------------------------------------------------------------------


@wifi
@pytest.mark.parametrize("device_os", ["0.4.9", "0.5.5", "0.7.0", "1.0.1"])
def test_old_ones_print_the_device_id_in_a_sentence(bench: Any, slug: str, device_os: str) -> None:
    unit, port = listening(bench, slug, device_os, serial=bench.spec(slug, "3.3.1").serial)
    assert say(port, b"i") == f"Your device id is {unit.device_id}\r\n".encode()


@wifi
@pytest.mark.parametrize("device_os", ["1.4.4", "3.3.1"])
def test_a_unit_without_serial_number_prints_the_old_sentence_for_ever(bench: Any, slug: str, device_os: str) -> None:
    unit, port = listening(bench, slug, device_os, serial=None)
    assert say(port, b"i") == f"Your device id is {unit.device_id}\r\n".encode()


@wifi
@pytest.mark.parametrize("device_os", ["1.4.4", "3.3.1"])
def test_a_programmed_one_prints_secret_and_serial_from_1_4_1_on(bench: Any, slug: str, device_os: str) -> None:
    unit, port = listening(bench, slug, device_os)
    secret = unit.spec.mobile_secret.reveal()
    assert say(port, b"i").decode() == (
        f"Device ID: {unit.device_id}\r\nDevice Secret: {secret}\r\nSerial Number: {unit.spec.serial}\r\n"
    )


@pytest.mark.parametrize(
    ("device_os", "is_programmed", "lines"),
    [
        ("0.5.5", True, ["Device ID", "IMEI", "ICCID"]),
        ("1.0.1", True, ["Device ID", "IMEI", "ICCID"]),
        ("1.4.4", False, ["Device ID", "IMEI", "ICCID"]),
        ("1.4.4", True, ["Device ID", "Device Secret", "Serial Number", "IMEI", "ICCID"]),
        ("2.3.1", False, ["Device ID", "IMEI", "ICCID", "Cell Radio Version"]),
        ("3.3.1", True, ["Device ID", "Device Secret", "Serial Number", "IMEI", "ICCID", "Cell Radio Version"]),
    ],
)
def test_an_electron_prints_what_its_modem_says_every_time(
    bench: Any, device_os: str, is_programmed: bool, lines: list[str]
) -> None:
    programmed = bench.spec("electron", "3.3.1").serial if is_programmed else None
    unit, port = listening(bench, "electron", device_os, serial=programmed)
    printed = say(port, b"i", 20.0).decode().splitlines()
    assert [line.partition(":")[0] for line in printed] == lines
    assert f"IMEI: {unit.spec.imei}" in printed
    assert f"ICCID: {unit.spec.iccid}" in printed


def test_an_electron_without_sim_prints_no_iccid(bench: Any) -> None:
    _, port = listening(bench, "electron", "2.3.1", iccid=None)
    assert b"ICCID: \r\n" in say(port, b"i", 20.0)


@wifi
def test_mac_and_version(bench: Any, slug: str) -> None:
    unit, port = listening(bench, slug, "0.5.5")
    assert say(port, b"m").decode() == f"Your device MAC address is\r\n{unit.spec.mac}\r\n"
    assert say(port, b"v") == b"system firmware version: 0.5.5\n\r\n"


@wifi
@pytest.mark.parametrize(("device_os", "known"), [("0.5.5", ""), ("0.6.4", "cC"), ("1.0.1", "cCd"), ("3.3.1", "cCd")])
def test_commands_came_with_their_versions(bench: Any, slug: str, device_os: str, known: str) -> None:
    _, port = listening(bench, slug, device_os)
    for key in "cdC":
        heard = say(port, key.encode())
        assert bool(heard) == (key in known), key
        say(port, b"\n")


@pytest.mark.parametrize(("device_os", "has_modem_version"), [("1.5.2", False), ("2.3.1", True)])
def test_the_description_has_the_modem_in_it(bench: Any, device_os: str, has_modem_version: bool) -> None:
    unit, port = listening(bench, "electron", device_os)
    line = say(port, b"s", 20.0).decode()
    assert f'"imei":"{unit.spec.imei}","iccid":"{unit.spec.iccid}"' in line
    assert ("cellfw" in line) == has_modem_version


def test_an_electron_knows_no_wifi_dialogue(bench: Any) -> None:
    _, port = listening(bench, "electron", "2.3.1")
    assert say(port, b"w") == b""


# --- the Wi-Fi dialogue ------------------------------------------------------------------------------------------


@wifi
@pytest.mark.parametrize("device_os", ["0.4.9", "0.5.5", "0.6.4"])
def test_up_to_0_6_it_asks_without_a_look_and_takes_any_key(bench: Any, slug: str, device_os: str) -> None:
    unit, port = listening(bench, slug, device_os)
    assert say(port, b"w") == b"SSID: "
    assert say(port, b"nowhere\n") == b"nowhere\r\n" + SECURITY
    assert say(port, b"4\n") == b"4\r\n" + SECURITY, "no enterprise yet"
    assert say(port, b"3\n", 10) == b"3\r\n" + CIPHER
    assert say(port, b"1\n") == b"1\r\nPassword: "
    end = say(port, b"short\n")
    assert end.startswith(b"short\r\n" + SAVING + b"Awesome.")
    assert b"your device\r\nhas connected" in end
    assert end.endswith(b"<3 you!\r\n\r\n")
    assert WifiStore(unit).networks() == [StoredNetwork("nowhere", Secret("short"))]


@wifi
def test_up_to_0_6_the_cipher_of_a_network_in_range_is_found_by_a_dry_run(bench: Any, slug: str) -> None:
    bench.world.access_points["office"] = AccessPoint("office", Secret("hunter2hunter2"))
    _, port = listening(bench, slug, "0.6.4")
    say(port, b"w")
    assert say(port, b"office\n") == b"office\r\n" + SECURITY
    assert say(port, b"3\n", 10) == b"3\r\nPassword: "


@wifi
@pytest.mark.parametrize("digit", [b"0", b"1"])
def test_up_to_0_6_networks_without_wpa_have_no_cipher(bench: Any, slug: str, digit: bytes) -> None:
    _, port = listening(bench, slug, "0.6.4")
    say(port, b"w")
    say(port, b"nowhere\n")
    heard = say(port, digit + b"\n", 10)
    assert heard.startswith(digit + b"\r\n" + (SAVING if digit == b"0" else b"Password: "))


@wifi
@pytest.mark.parametrize("device_os", ["0.7.0", "1.5.2", "3.3.1"])
def test_from_0_7_it_looks_first_and_knows_enterprise_networks(bench: Any, slug: str, device_os: str) -> None:
    _, port = listening(bench, slug, device_os)
    say(port, b"w")
    assert say(port, b"nowhere\n", 10) == b"nowhere\r\n" + ENTERPRISE
    assert say(port, b"6\n") == b"6\r\n" + ENTERPRISE, "WPA3 never came to it"
    assert say(port, b"0\n") == b"0\r\n" + CIPHER, "also for an open network"
    assert say(port, b"1\n").startswith(b"1\r\n" + SAVING + b"Awesome.")


@wifi
def test_a_network_in_range_is_asked_about_its_password_alone(bench: Any, slug: str) -> None:
    _, port = listening(bench, slug, "2.3.1")
    bench.world.access_points["factory-ap"] = AccessPoint("factory-ap", Secret("hunter2hunter2"))
    say(port, b"w")
    assert say(port, b"factory-ap\n", 10) == b"factory-ap\r\nPassword: "


@wifi
@pytest.mark.parametrize("key", [b"seven77", b""])
def test_from_0_7_a_key_no_wpa_has_is_not_saved(bench: Any, slug: str, key: bytes) -> None:
    unit, port = listening(bench, slug, "0.7.0")
    say(port, b"w")
    for answer in (b"nowhere", b"3", b"1"):
        say(port, answer + b"\n", 10)
    assert say(port, key + b"\n") == key + b"\r\n" + SAVING + b"Derp. Sorry, we couldn't save the credentials.\r\n\r\n"
    assert (unit.mode, WifiStore(unit).networks()) == (UnitMode.LISTENING, [])
    assert say(port, b"v") != b"", "the console goes on"


@wifi
@pytest.mark.parametrize(("device_os", "line"), [("1.4.4", b"device\r\n"), ("1.5.2", b"device \r\n")])
def test_a_blank_came_to_the_last_words_with_1_5(bench: Any, slug: str, device_os: str, line: bytes) -> None:
    _, port = listening(bench, slug, device_os)
    say(port, b"w")
    for answer in (b"nowhere", b"3", b"1"):
        say(port, answer + b"\n", 10)
    assert b"If you see a pulsing cyan light, your " + line in say(port, b"hunter2hunter2\n")


@wifi
def test_enterprise_credentials_by_name_and_password(bench: Any, slug: str) -> None:
    unit, port = listening(bench, slug, "1.5.2")
    say(port, b"w")
    say(port, b"campus\n", 10)
    assert say(port, b"5\n") == b"5\r\n" + CIPHER
    assert say(port, b"1\n") == b"1\r\nEAP Type 0=PEAP/MSCHAPv2, 1=EAP-TLS: "
    assert say(port, b"2\n") == b"2\r\nEAP Type 0=PEAP/MSCHAPv2, 1=EAP-TLS: "
    assert say(port, b"0\n") == b"0\r\nUsername: "
    assert say(port, b"worker\n") == b"worker\r\nPassword: "
    assert say(port, b"short\n") == b"short\r\nOuter identity (optional): "
    assert say(port, b"\n") == b"\r\nRoot CA in PEM format (optional):\r\n"
    assert say(port, b"\n").startswith(b"\r\n" + SAVING + b"Awesome.")
    login = Login(EapType.PEAP, "worker", Secret("short"))
    assert WifiStore(unit).networks() == [StoredNetwork("campus", None, WifiSecurity.WPA2_ENTERPRISE, login=login)]


@wifi
def test_enterprise_credentials_by_certificate(bench: Any, slug: str) -> None:
    unit, port = listening(bench, slug, "1.5.2")
    certificate, key, ca = ([f"-----BEGIN {what}-----", base, f"-----END {what}-----"] for what, base in PEM_BLOCKS)
    login = Login(
        EapType.TLS, certificate="\n".join(certificate), private_key=Secret("\n".join(key)), root_ca="\n".join(ca)
    )
    bench.world.access_points["campus"] = AccessPoint("campus", security=WifiSecurity.WPA2_ENTERPRISE, login=login)
    say(port, b"w")
    assert say(port, b"campus\n", 10) == b"campus\r\nEAP Type 0=PEAP/MSCHAPv2, 1=EAP-TLS: ", "its cipher is known"
    assert say(port, b"1\n") == b"1\r\nClient certificate in PEM format:\r\n"
    assert say(port, b"-----BEGIN CERTIFICATE-----\n") == b"-----BEGIN CERTIFICATE-----\r\n"
    for line in certificate[1:]:
        say(port, line.encode() + b"\n")
    assert say(port, b"\n") == b"\r\nPrivate key in PEM format:\r\n"
    for line in key:
        say(port, line.encode() + b"\n")
    assert say(port, b"\n") == b"\r\nOuter identity (optional): "
    assert say(port, b"me\n") == b"me\r\nRoot CA in PEM format (optional):\r\n"
    for line in ca:
        say(port, line.encode() + b"\n")
    assert say(port, b"\n").startswith(b"\r\n" + SAVING + b"Awesome.")
    assert unit.mode is UnitMode.NORMAL
    bench.clock.sleep(10.0)
    assert (unit.device_id, "online") in {(one, what) for what, one in bench.cloud.log}, "and it gets in"
