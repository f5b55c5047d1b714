"""The listening-mode console through pyserial: reference usb-and-serial 5."""

from __future__ import annotations

import json
from typing import Any

import pytest
import serial
from support.raw_console import say

from drivers.virtual.radio import WifiStore
from drivers.virtual.serial_side import VirtualPorts
from drivers.virtual.unit import UnitMode
from drivers.virtual.world import StoredNetwork


def test_the_port_looks_like_one_on_linux_and_comes_after_the_usb_device(bench: Any) -> None:
    spec = bench.spec("argon")
    bench.plug(spec, "1-2.3", wait_s=2.35)
    assert bench.device("1-2.3") is not None
    assert VirtualPorts(bench.bus).list() == []
    bench.clock.sleep(0.2)
    (info,) = VirtualPorts(bench.bus).list()
    assert (info.vid, info.pid, info.location) == (0x2B04, 0xC00C, "1-2.3:1.0")
    assert info.serial_number == str(spec.device_id)


def test_identify_prints_secret_and_serial_and_no_end_mark(bench: Any) -> None:
    spec = bench.spec("argon")
    bench.plug(spec)
    secret = spec.mobile_secret.reveal()
    assert say(bench.console(), b"i").decode() == (
        f"Device ID: {spec.device_id}\r\nDevice Secret: {secret}\r\nSerial Number: {spec.serial}\r\n"
    )


def test_before_5_6_identify_waits_for_the_modem(bench: Any) -> None:
    spec = bench.spec("boron", "3.3.1")
    bench.plug(spec)
    port = bench.console()
    first = say(port, b"i")
    assert first.endswith(f"Serial Number: {spec.serial}\r\n".encode())
    rest = say(port, b"", patience_s=20)
    assert rest.startswith(f"IMEI: {spec.imei}\r\nICCID: {spec.iccid}\r\nCell Radio Version: ".encode())


def test_from_5_6_identify_prints_what_it_has_and_nothing_if_the_modem_never_ran(bench: Any) -> None:
    spec = bench.spec("boron", "6.2.0")
    bench.plug(spec)
    bench.wire().ask(70)
    assert b"IMEI: \r\nICCID: \r\n" in say(bench.console(), b"i")
    bench.wire().ask(554)
    assert f"IMEI: {spec.imei}\r\nICCID: {spec.iccid}\r\n".encode() in say(bench.console(), b"i")


@pytest.mark.parametrize(
    ("key", "reply"),
    [
        (b"v", b"system firmware version: 6.2.0\n\r\n"),
        (b"c", b"Device claimed: no\r\n"),
        (b"q\r\n\xff", b""),
    ],
)
def test_one_character_commands(bench: Any, key: bytes, reply: bytes) -> None:
    bench.plug(bench.spec("argon", "6.2.0"))
    assert say(bench.console(), key) == reply


def test_mac_and_claimed(bench: Any) -> None:
    spec = bench.spec("argon", claimed=True)
    bench.plug(spec)
    assert say(bench.console(), b"m").decode() == f"Your device MAC address is\r\n{spec.mac}\r\n"
    assert say(bench.console(), b"c") == b"Device claimed: yes\r\n"


def test_describe_lists_what_the_flash_holds(bench: Any) -> None:
    unit = bench.plug(bench.spec("argon", "6.2.0"))
    described = json.loads(say(bench.console(), b"s"))
    assert described["p"] == 12
    by_kind = {module["f"]: module for module in described["m"]}
    assert by_kind["s"]["v"] == 6200
    assert by_kind["b"]["v"] == 3100
    assert by_kind["a"]["v"] == 202
    user = next(m for m in unit.report.modules if m.function == 5)
    assert by_kind["u"]["u"] == user.hash.hex().upper()


def test_wifi_dialogue_echoes_the_password_and_stores_without_trying(bench: Any) -> None:
    unit = bench.plug(bench.spec("argon"))
    port = bench.console()
    assert say(port, b"w") == b"SSID: "
    assert say(port, b"\n") == b"\r\nSSID: "  # empty: asked again
    assert say(port, b"nowherX\x7fe") == b"nowherX\x7fe"
    assert say(port, b"\n", 10) == b"\r\nSecurity 0=unsecured, 1=WEP, 2=WPA, 3=WPA2: "
    assert say(port, b"9\n") == b"9\r\nSecurity 0=unsecured, 1=WEP, 2=WPA, 3=WPA2: "
    assert say(port, b"3\n") == b"3\r\nSecurity Cipher 1=AES, 2=TKIP, 3=AES+TKIP: "
    assert say(port, b"1\n") == b"1\r\nPassword: "
    end = say(port, b"hunter2\n")
    assert end.startswith(
        b"hunter2\r\nThanks! Wait while I save those credentials...\r\n\r\nAwesome. Now we'll connect!"
    )
    assert end.endswith(b"    Particle <3 you!\r\n\r\n")
    assert unit.mode is UnitMode.NORMAL
    assert [n.ssid for n in _stored(unit)] == ["nowhere"]
    assert unit.score.flash_writes == 1


def test_a_network_in_range_is_not_asked_about(bench: Any) -> None:
    bench.plug(bench.spec("argon"))
    port = bench.console()
    say(port, b"w")
    assert say(port, b"factory-ap\n", 10) == b"factory-ap\r\nPassword: "


def test_what_is_typed_ahead_of_a_prompt_is_thrown_away(bench: Any) -> None:
    bench.plug(bench.spec("argon"))
    port = bench.console()
    say(port, b"w")
    heard = say(port, b"elsewhere\n3\n1\n", 10)
    assert heard == b"elsewhere\r\nSecurity 0=unsecured, 1=WEP, 2=WPA, 3=WPA2: "


def test_one_character_too_many_ends_a_line_and_is_swallowed(bench: Any) -> None:
    bench.plug(bench.spec("argon"))
    port = bench.console()
    say(port, b"w")
    assert say(port, b"a" * 33, 10).startswith(b"a" * 32 + b"\r\nSecurity")


def test_before_5_2_a_dialogue_holds_up_control_requests(bench: Any) -> None:
    bench.plug(bench.spec("argon", "4.1.0"))
    port, wire = bench.console(), bench.wire()
    say(port, b"w")
    wire("c0 01 00 00 14 00 40 00")
    bench.clock.sleep(5)
    assert wire("c0 02 00 00 01 00 40 00") == "01 00 00 00 02 00"


def test_x_leaves_and_then_nobody_listens(bench: Any) -> None:
    unit = bench.plug(bench.spec(device_os="3.3.1"))
    port = bench.console()
    assert say(port, b"x") == b""
    assert unit.mode is UnitMode.NORMAL
    assert say(port, b"v") == b""


def test_leaving_listening_mode_ends_a_dialogue_in_the_middle(bench: Any) -> None:
    known = (StoredNetwork("elsewhere"),)
    unit = bench.plug(bench.spec("argon", "6.2.0", networks=known))
    wire = bench.wire()
    wire.ask(70)
    port = bench.console()
    say(port, b"w")
    say(port, b"nowhere\n")  # the scan takes seconds
    wire.ask(71)
    assert say(port, b"v", 10) == b""
    wire.ask(70)
    assert say(port, b"v") == b"system firmware version: 6.2.0\n\r\n"
    assert [n.ssid for n in _stored(unit)] == ["elsewhere"]


def test_a_claim_code_must_have_63_characters_here(bench: Any) -> None:
    unit = bench.plug(bench.spec("argon"))
    port = bench.console()
    say(port, b"C")
    assert b"Sorry, claim code is not 63 characters long. Claim code unchanged.\r\n" in say(port, b"short\n")
    say(port, b"C")
    code = b"k" * 63
    assert say(port, code + b"\n") == code + b"\r\nClaim code set to: " + code + b"\r\n"
    assert unit.memory.dct.get("claim_code") == code


def test_without_dtr_nothing_is_sent(bench: Any) -> None:
    bench.plug(bench.spec("argon"))
    port = bench.console()
    port.dtr = False
    assert say(port, b"v") == b""
    port.dtr = True
    assert say(port, b"v") != b""


def test_14400_baud_throws_the_unit_into_dfu(bench: Any) -> None:
    unit = bench.plug(bench.spec("argon"))
    port = bench.console()
    port.baudrate = 14400
    bench.clock.sleep(0.01)
    assert unit.mode is UnitMode.STARTING
    with pytest.raises(serial.SerialException):
        port.read(1)
    bench.until(unit, UnitMode.DFU)


@pytest.mark.parametrize(("device_os", "mode"), [("5.8.0", UnitMode.LISTENING), ("6.1.1", UnitMode.NORMAL)])
def test_28800_baud_starts_listening_until_5_9(bench: Any, device_os: str, mode: UnitMode) -> None:
    unit = bench.plug(bench.spec(device_os=device_os))
    bench.console().baudrate = 28800
    assert unit.mode is mode


def test_pulling_the_cable_ends_a_read_at_once(bench: Any) -> None:
    bench.plug(bench.spec("argon"))
    port = bench.console()
    port.timeout = 100
    bench.bus.at(1.0, lambda: bench.bus.unplug("1-1"))
    start = bench.clock.now()
    with pytest.raises(serial.SerialException):
        port.read(1)
    assert bench.clock.now() - start == pytest.approx(1.0)


def _stored(unit: Any) -> list[StoredNetwork]:
    return WifiStore(unit).networks()


def test_capital_l_restarts_into_safe_mode_and_listens_there(bench: Any) -> None:
    unit = bench.plug(bench.spec("boron"))
    bench.wire().ask(70)
    assert say(bench.console(), b"L") == b""
    bench.until(unit, UnitMode.STARTING)
    bench.clock.sleep(5.0)
    assert unit.mode is UnitMode.LISTENING
    assert unit.report is not None
    assert unit.report.reason == "safe mode was requested"
