"""What Gen 2 answers to control requests, by Device OS: usb-and-serial 1.2, 4 and 9.9."""

from __future__ import annotations

import json
from typing import Any

import pytest

from drivers.identity import Secret
from drivers.virtual.messages import Fields, message, number, text
from drivers.virtual.radio import WifiStore
from drivers.virtual.world import AccessPoint, StoredNetwork
from drivers.wire.messages.tables import WifiSecurity

every = pytest.mark.parametrize("slug", ["photon", "p1", "electron"])
KNOWN = (StoredNetwork("elsewhere"),)
NOT_SUPPORTED, NOT_PROGRAMMED = -120, -1


def plug(bench: Any, slug: str, device_os: str, **settings: Any) -> Any:
    """A unit that has nothing to set up, and so runs normally."""
    if slug != "electron":
        settings = {"networks": KNOWN} | settings
    return bench.plug(bench.spec(slug, device_os, **settings))


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
    bench.world.access_points["office"] = AccessPoint("office", Secret("x"), user="me", channel=6, rssi=-70)
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
