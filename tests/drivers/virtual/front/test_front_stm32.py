"""How Photon, P1 and Electron look and answer on the bus, by Device OS and bootloader: usb-and-serial 2, 3.8, 9.9."""

from __future__ import annotations

import contextlib
import errno
import json
from typing import Any

import pytest
import serial
import usb.core

from drivers.identity import Secret
from drivers.virtual.boot import BootRequest
from drivers.virtual.messages import Fields, message, number, text
from drivers.virtual.radio import WifiStore
from drivers.virtual.unit import UnitMode
from drivers.virtual.world import AccessPoint, Login, StoredNetwork
from drivers.wire.messages.tables import WifiSecurity

every = pytest.mark.parametrize("slug", ["photon", "p1", "electron"])
NAMES = {"photon": "Photon", "p1": "P1", "electron": "Electron"}
KNOWN = (StoredNetwork("elsewhere"),)
NOT_SUPPORTED, NOT_PROGRAMMED = -120, -1


def plug(bench: Any, slug: str, device_os: str, **settings: Any) -> Any:
    """A unit that has nothing to set up, and so runs normally."""
    if slug != "electron":
        settings = {"networks": KNOWN} | settings
    return bench.plug(bench.spec(slug, device_os, **settings))


def raw(bench: Any, index: int, value: int = 0, length: int = 64) -> bytes:
    return bytes.fromhex(bench.wire()(f"c050{value:02x}00{index & 0xFF:02x}{index >> 8:02x}{length:02x}00"))


def send_raw(bench: Any, index: int, value: int = 0) -> None:
    """A unit that restarts at once is gone before it has acknowledged."""
    with contextlib.suppress(usb.core.USBError):
        bench.wire()(f"4050{value:02x}00{index & 0xFF:02x}{index >> 8:02x}0000")


# --- descriptors -------------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("device_os", ["0.4.9", "0.5.5"])
def test_before_0_6_it_is_a_cdc_device_with_the_same_serial_string_as_every_other(
    bench: Any, slug: str, device_os: str
) -> None:
    plug(bench, slug, device_os)
    device = bench.device()
    assert (device.bDeviceClass, device.bDeviceSubClass, device.bDeviceProtocol) == (2, 0, 0)
    assert (device.bcdDevice, device.bcdUSB) == (0x0200, 0x0200)
    assert (device.product, device.serial_number) == (NAMES[slug], "00000000050C")
    config = device[0]
    assert [(one.bInterfaceNumber, one.bInterfaceClass) for one in config] == [(0, 2), (1, 10)]
    with pytest.raises(usb.core.USBError):
        usb.util.get_string(device, 0xEE)


@every
@pytest.mark.parametrize(("device_os", "is_upper"), [("0.6.4", True), ("0.7.0", False), ("3.3.1", False)])
def test_from_0_6_the_serial_string_is_the_device_id_and_there_is_a_vendor_interface(
    bench: Any, slug: str, device_os: str, is_upper: bool
) -> None:
    unit = plug(bench, slug, device_os)
    device = bench.device()
    assert (device.bDeviceClass, device.bDeviceSubClass, device.bDeviceProtocol) == (0xEF, 2, 1)
    assert device.bcdDevice == 0x0250
    assert device.serial_number == (unit.device_id.upper() if is_upper else unit.device_id)
    config = device[0]
    assert [(one.bInterfaceNumber, one.bInterfaceClass) for one in config] == [(0, 2), (1, 10), (2, 0xFF)]
    assert (config.bmAttributes, config.bMaxPower) == (0x80, 0x32)
    notification = config[0, 0][0].bEndpointAddress
    assert notification == (0x8A if slug == "electron" else 0x83)
    assert usb.util.get_string(device, config[2, 0].iInterface) == f"{NAMES[slug]} Control Interface"


@every
@pytest.mark.parametrize(
    ("device_os", "form"), [("0.5.5", None), ("0.6.4", str.upper), ("0.7.0", str.lower), ("3.3.1", str.lower)]
)
def test_in_dfu_mode_the_serial_string_is_the_bootloaders(bench: Any, slug: str, device_os: str, form: Any) -> None:
    unit = bench.plug(bench.spec(slug, device_os, arrives=BootRequest.DFU))
    device = bench.device()
    assert (device.idProduct, device.bcdDevice, device.bDeviceClass) == (0xD000 + unit.spec.platform_id, 0x0250, 0)
    assert device.product == f"{NAMES[slug]} DFU Mode"
    assert device.serial_number == ("00000000010C" if form is None else form(unit.device_id))
    maps = [usb.util.get_string(device, one.iInterface) for one in device[0]]
    assert maps == [
        "@Internal Flash   /0x08000000/03*016Ka,01*016Kg,01*064Kg,07*128Kg", "@DCT Flash   /0x00000000/01*016Kg",
    ] + (["@Serial Flash   /0x00000000/256*004Kg"] if slug == "p1" else [])  # fmt: skip


@every
def test_configurations_are_counted_as_usb_says(bench: Any, slug: str) -> None:
    """The upside-down answer is another family's."""
    bench.plug(bench.spec(slug, "2.3.1", arrives=BootRequest.DFU))
    assert bench.wire()("80 08 00 00 00 00 01 00") == "01"


# --- vendor requests -----------------------------------------------------------------------------------------


@every
def test_0_5_never_answers_an_init_or_send_and_stalls_the_rest(bench: Any, slug: str) -> None:
    plug(bench, slug, "0.5.5")
    wire = bench.wire()
    for setup, data in (("c001000014004000", ""), ("4003000001000200", "0801")):
        before = bench.clock.now()
        assert wire.errno(setup, data, timeout_ms=3000) == errno.ETIMEDOUT
        assert bench.clock.now() - before == pytest.approx(3.0, abs=0.1)
    for setup in ("c002000001004000", "c05000001e004000", "c050000014004000", "4050000028000000"):
        assert wire.errno(setup) == errno.EPIPE


@every
@pytest.mark.parametrize("device_os", ["0.6.4", "0.7.0"])
def test_0_6_and_0_7_answer_raw_requests_alone_and_fill_texts_up(bench: Any, slug: str, device_os: str) -> None:
    unit = plug(bench, slug, device_os)
    assert raw(bench, 30) == device_os.encode().ljust(64, b"\0")
    assert raw(bench, 20) == unit.device_id.upper().encode().ljust(64, b"\0")
    assert raw(bench, 20, value=1)[:12] == bytes.fromhex(unit.device_id)
    assert bench.wire().errno("c001000014004000") == errno.EPIPE
    assert bench.wire().errno("405000002e010000") == errno.EPIPE


@every
@pytest.mark.parametrize("device_os", ["0.6.4", "0.7.0"])
@pytest.mark.parametrize(("index", "mode"), [(40, UnitMode.NORMAL), (50, UnitMode.DFU), (60, UnitMode.SAFE)])
def test_restarts_by_raw_request(bench: Any, slug: str, device_os: str, index: int, mode: UnitMode) -> None:
    unit = plug(bench, slug, device_os)
    send_raw(bench, index)
    bench.until(unit, UnitMode.STARTING)
    bench.until(unit, mode)


@every
def test_listening_by_raw_request_is_a_restart_in_0_6_and_none_in_0_7(bench: Any, slug: str) -> None:
    unit = plug(bench, slug, "0.6.4")
    send_raw(bench, 70)
    bench.until(unit, UnitMode.STARTING)
    bench.until(unit, UnitMode.LISTENING)


@every
def test_0_7_leaves_listening_mode_by_the_same_raw_request(bench: Any, slug: str) -> None:
    unit = plug(bench, slug, "0.7.0")
    send_raw(bench, 70)
    assert bench.until(unit, UnitMode.LISTENING) < 1.0
    send_raw(bench, 70, value=1)
    assert bench.until(unit, UnitMode.NORMAL) < 1.0


@every
@pytest.mark.parametrize(("device_os", "is_known"), [("1.0.1", False), ("1.5.2", False), ("2.3.1", True)])
def test_from_0_8_texts_end_where_they_end_and_a_raw_restart_comes_back_in_2_0(
    bench: Any, slug: str, device_os: str, is_known: bool
) -> None:
    unit = plug(bench, slug, device_os)
    assert raw(bench, 30) == device_os.encode()
    wire = bench.wire()
    assert wire.errno("4050000032000000") == errno.EPIPE
    assert wire.errno("4050000099000100", "00") == errno.EPIPE, "data makes an unknown one no better here"
    if is_known:
        send_raw(bench, 302)
        send_raw(bench, 40)
        bench.until(unit, UnitMode.STARTING)
    else:
        assert wire.errno("4050000028000000") == errno.EPIPE
        assert unit.mode is UnitMode.NORMAL


# --- control requests ----------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize(
    ("device_os", "unknown"),
    [
        ("1.0.1", {1, 20, 21, 30, 32, 72, 300}), ("1.4.4", {1}), ("1.5.2", set()), ("2.3.1", set()), ("3.3.1", set()),
    ],
)  # fmt: skip
def test_which_requests_a_device_os_knows(bench: Any, slug: str, device_os: str, unknown: set[int]) -> None:
    plug(bench, slug, device_os)
    wire = bench.wire()
    never = {31, 73, 74, 76, 77, 91, 400, 401, 500, 502, 505, 506, 507, 550, 551, 553, 554}
    for request in sorted({1, 20, 21, 30, 32, 72, 90, 100, 201, 300} | never):
        is_known = request not in unknown | never
        result, _ = wire.ask(request)
        assert (result != NOT_SUPPORTED) == is_known, f"request {request}"


@every
def test_module_info_is_json_up_to_1_0_1_and_a_message_from_1_1(bench: Any, slug: str) -> None:
    unit = plug(bench, slug, "1.0.1")
    result, reply = bench.wire().ask(90)
    assert result == 0
    described = json.loads(reply)
    assert described["p"] == unit.spec.platform_id
    systems = {"1", "2", "3"} if slug == "electron" else {"1", "2"}
    assert {(m["f"], m["n"]) for m in described["m"]} == {("b", "0"), ("u", "1"), *(("s", n) for n in systems)}
    assert {m["v"] for m in described["m"] if m["f"] == "s"} == {1002}


@every
def test_module_info_of_newer_ones_is_the_old_message(bench: Any, slug: str) -> None:
    plug(bench, slug, "1.4.4")
    result, reply = bench.wire().ask(90)
    assert (result, reply[0]) == (0, 0x0A)


@every
@pytest.mark.rule("A4")
@pytest.mark.parametrize(("device_os", "is_told"), [("1.1.0", False), ("1.4.4", True), ("3.3.1", True)])
def test_a_serial_number_is_told_from_1_4_1_on_where_one_was_programmed(
    bench: Any, slug: str, device_os: str, is_told: bool
) -> None:
    version = "1.0.1" if device_os == "1.1.0" else device_os
    unit = plug(bench, slug, version, serial=bench.spec(slug, "3.3.1").serial)
    expected = NOT_SUPPORTED if version == "1.0.1" else 0
    result, reply = bench.wire().ask(21)
    assert result == expected
    assert (Fields(reply).text(1) == str(unit.spec.serial)) == is_told


@every
def test_a_unit_whose_serial_number_was_never_programmed_says_so(bench: Any, slug: str) -> None:
    plug(bench, slug, "3.3.1", serial=None)
    assert bench.wire().ask(21) == (NOT_PROGRAMMED, b"")


def test_units_that_left_the_factory_with_an_old_device_os_have_no_serial_number(bench: Any) -> None:
    assert bench.spec("photon", "0.5.5").serial is None
    assert bench.spec("photon", "1.4.4").serial is not None


# --- old Wi-Fi requests, keys -----------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", ["photon", "p1"])
def test_old_wifi_requests_store_list_and_clear(bench: Any, slug: str) -> None:
    unit = plug(bench, slug, "1.5.2", networks=())
    wire = bench.wire()
    point = text(1, "factory-ap") + number(3, 3) + number(4, 1) + text(8, "hunter2hunter2")
    assert wire.ask(113, message(1, point)) == (0, b"")
    assert WifiStore(unit).networks() == [StoredNetwork("factory-ap", Secret("hunter2hunter2"))]
    result, reply = wire.ask(114)
    listed = Fields(reply).message(1).message(1)
    assert (result, listed.text(1), listed.number(3), listed.text(8)) == (0, "factory-ap", 3, "")
    assert wire.ask(115) == (0, b"")
    assert WifiStore(unit).networks() == []
    assert wire.ask(113, message(1, text(1, "x") + number(3, 3) + text(8, "short")))[0] == -270
    assert wire.ask(113, message(1, number(3, 3)))[0] == -270


@pytest.mark.parametrize("slug", ["photon", "p1"])
def test_the_documented_message_sets_credentials(bench: Any, slug: str) -> None:
    """M31 of the reference."""
    unit = plug(bench, slug, "1.4.4", networks=())
    raw_message = (
        "0a 20 0a 0a 66 61 63 74 6f 72 79 2d 61 70 18 03 20 01 42 0e 68 75 6e 74 65 72 32 68 75 6e 74 65 72 32"
    )
    assert bench.wire().ask(113, bytes.fromhex(raw_message)) == (0, b"")
    assert [one.ssid for one in WifiStore(unit).networks()] == ["factory-ap"]


@pytest.mark.parametrize("slug", ["photon", "p1"])
def test_an_old_scan_tells_what_is_in_range(bench: Any, slug: str) -> None:
    bench.world.access_points["office"] = AccessPoint(
        "office", security=WifiSecurity.WPA2_ENTERPRISE, channel=6, rssi=-70, login=Login(username="me")
    )
    bench.world.access_points["5ghz"] = AccessPoint("5ghz", channel=36)
    plug(bench, slug, "1.5.2")
    result, reply = bench.wire().ask(112)
    assert result == 0
    assert (b"factory-ap" in reply, b"office" in reply, b"5ghz" in reply) == (True, True, False)
    assert Fields(reply).message(1).message(1).number(3) == 5, "the last one is WPA2 Enterprise"


@pytest.mark.parametrize(("slug", "device_os"), [("photon", "2.3.1"), ("p1", "3.3.1"), ("electron", "1.5.2")])
def test_old_wifi_requests_are_gone_in_2_0_and_never_were_on_an_electron(bench: Any, slug: str, device_os: str) -> None:
    plug(bench, slug, device_os)
    for request in range(110, 116):
        assert bench.wire().ask(request)[0] == NOT_SUPPORTED


@pytest.mark.parametrize("slug", ["photon", "p1"])
def test_an_antenna_is_remembered(bench: Any, slug: str) -> None:
    plug(bench, slug, "1.5.2")
    wire = bench.wire()
    assert wire.ask(111) == (0, number(1, 1))
    assert wire.ask(110, number(1, 2)) == (0, b"")
    assert wire.ask(111) == (0, number(1, 2))
    assert wire.ask(110, number(1, 9))[0] == -270


@every
def test_keys_and_transport(bench: Any, slug: str) -> None:
    unit = plug(bench, slug, "2.3.1")
    wire = bench.wire()
    assert wire.ask(210, number(1, 6) + message(2, b"server key"))[0] == 0
    assert unit.memory.dct.get("server_public_key_udp").startswith(b"server key\xff")
    assert wire.ask(211, number(1, 6))[1].find(b"server key") >= 0
    assert wire.ask(211, number(1, 9))[0] == -270
    is_udp = slug == "electron"
    assert wire.ask(223) == (0, number(1, 2 if is_udp else 1))
    assert wire.ask(222, number(1, 2))[0] == (0 if is_udp else NOT_SUPPORTED)
    assert wire.ask(222, number(1, 1))[0] == 0
    assert wire.ask(223) == (0, number(1, 1))
    assert wire.ask(240, text(1, "Setup") + text(2, "AB12"))[0] == 0
    assert unit.memory.dct.get("ssid_prefix")[:6] == b"\x05Setup"


# --- listening mode ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", ["photon", "p1"])
@pytest.mark.parametrize("device_os", ["0.5.5", "1.5.2", "3.3.1"])
def test_without_a_network_it_listens(bench: Any, slug: str, device_os: str) -> None:
    unit = plug(bench, slug, device_os, networks=())
    assert unit.mode is UnitMode.LISTENING


@pytest.mark.rule("H12")
@pytest.mark.parametrize("device_os", ["0.5.5", "2.3.1"])
def test_an_electron_without_sim_listens_with_no_command_given(bench: Any, device_os: str) -> None:
    assert plug(bench, "electron", device_os, iccid=None).mode is UnitMode.LISTENING
    bench.bus.unplug("1-1")
    assert plug(bench, "electron", device_os, number=2).mode is UnitMode.NORMAL


def test_an_electron_leaves_listening_mode_after_five_minutes_and_a_photon_does_not(bench: Any) -> None:
    electron = plug(bench, "electron", "2.3.1")
    photon = bench.plug(bench.spec("photon", "2.3.1", networks=KNOWN), "1-2")
    for port in ("1-1", "1-2"):
        bench.wire(port).ask(70)
    bench.until(electron, UnitMode.LISTENING)
    bench.until(photon, UnitMode.LISTENING)
    bench.clock.sleep(299.0 - 2.0)
    assert electron.mode is UnitMode.LISTENING
    bench.clock.sleep(5.0)
    assert (electron.mode, photon.mode) == (UnitMode.NORMAL, UnitMode.LISTENING)


def test_the_five_minutes_begin_anew_with_every_entry(bench: Any) -> None:
    unit = plug(bench, "electron", "2.3.1")
    wire = bench.wire()
    wire.ask(70)
    bench.clock.sleep(200.0)
    wire.ask(71)
    bench.until(unit, UnitMode.NORMAL)
    wire.ask(70)
    bench.clock.sleep(200.0)
    assert unit.mode is UnitMode.LISTENING


@every
@pytest.mark.parametrize(("device_os", "listens"), [("0.4.9", False), ("0.5.5", True), ("3.3.1", True)])
def test_28800_baud_begins_listening_from_0_5_on(bench: Any, slug: str, device_os: str, listens: bool) -> None:
    unit = plug(bench, slug, device_os)
    bench.console().baudrate = 28800
    assert unit.mode is (UnitMode.LISTENING if listens else UnitMode.NORMAL)


@every
@pytest.mark.parametrize("device_os", ["0.4.9", "0.5.5", "3.3.1"])
def test_14400_baud_is_dfu_mode_for_all_of_them(bench: Any, slug: str, device_os: str) -> None:
    unit = plug(bench, slug, device_os)
    port = bench.console()
    port.baudrate = 14400
    bench.clock.sleep(0.01)
    with pytest.raises(serial.SerialException):
        port.read(1)
    bench.until(unit, UnitMode.DFU)


# --- the network store ----------------------------------------------------------------------------------------------


def test_a_photon_keeps_five_networks_the_newest_first_and_replaces_one_in_its_place(bench: Any) -> None:
    unit = plug(bench, "photon", "1.5.2", networks=())
    wire = bench.wire()
    for name in ("a", "b", "c", "d", "e", "f"):
        assert wire.ask(113, message(1, text(1, name) + number(3, 0)))[0] == 0
    assert [one.ssid for one in WifiStore(unit).networks()] == ["f", "e", "d", "c", "b"]
    wire.ask(113, message(1, text(1, "d") + number(3, 3) + text(8, "hunter2hunter2")))
    stored = WifiStore(unit).networks()
    assert [one.ssid for one in stored] == ["f", "e", "d", "c", "b"]
    assert stored[2].security is WifiSecurity.WPA2_PSK
