"""What an RTL872x unit (Gen 4) shows and answers: reference usb-and-serial 2, 3.7, 3.8, 4.6, 4.8, 5.5, 9.4."""

from __future__ import annotations

import errno
from typing import Any

import pytest
import usb.core
import usb.util

from drivers.identity import MacAddress, Secret
from drivers.platforms import platforms
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.factory import make_spec
from drivers.virtual.flash import Who
from drivers.virtual.messages import Fields, message, number, text
from drivers.virtual.serial_side import VirtualPorts
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.virtual.world import AccessPoint, StoredNetwork
from drivers.wire.messages.network import interface_list

NOT_SUPPORTED, INTERNAL, INVALID_STATE = -120, -250, -210
ROWS = [row for row in platforms() if row.family == "rtl"]


# --- identity ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.slug)
def test_device_id_and_serial_number_are_made_of_the_mac(row: Any) -> None:
    spec = make_spec(row.slug, 3, 4)
    digits = str(spec.mac).replace(":", "")
    assert str(spec.device_id) == "0a10aced2021" + digits
    assert str(spec.serial).startswith(row.serial_prefix)
    assert (str(spec.serial)[9:], len(str(spec.serial))) == (digits[6:].upper(), 15)


def test_a_unit_on_disk_keeps_the_name_of_its_model(bench: Any, tmp_path: Any) -> None:
    spec = make_spec("photon2", 1, 1, "6.3.4")
    VirtualUnit(spec, bench.clock, bench.world, tmp_path).close()
    again = VirtualUnit(spec, bench.clock, bench.world, tmp_path)
    bench.bus.plug("1-1", again)
    bench.clock.sleep(4)
    assert usb.util.get_string(bench.device(), 2) == "Photon 2"


# --- descriptors -------------------------------------------------------------------------------------


def test_the_vendor_interface_comes_first(bench: Any) -> None:
    spec = bench.spec("p2", "6.3.4")
    bench.plug(spec)
    device = bench.device()
    assert (device.idProduct, device.bcdDevice, device.bDeviceClass) == (0xC020, 0x0251, 0xEF)
    configuration = device[0]
    assert (configuration.bmAttributes, configuration.bMaxPower) == (0x80, 0xFA)
    classes = [(one.bInterfaceNumber, one.bInterfaceClass, one.bNumEndpoints) for one in configuration]
    assert classes == [(0, 0xFF, 0), (1, 0x02, 1), (2, 0x0A, 2)]
    assert usb.util.get_string(device, configuration[(1, 0)].iInterface) == "P2 USB Serial"
    assert usb.util.get_string(device, device.iSerialNumber) == str(spec.device_id)
    assert (device.is_kernel_driver_active(0), device.is_kernel_driver_active(1)) == (False, True)


def test_the_microsoft_descriptor_names_interface_0(bench: Any) -> None:
    bench.plug(bench.spec("p2", "6.3.4"))
    reply = bytes.fromhex(bench.wire()("c0 ee 00 00 04 00 28 00"))
    assert (reply[16], reply[18:24]) == (0, b"WINUSB")


def test_its_serial_port_is_on_interface_1(bench: Any) -> None:
    bench.plug(bench.spec("msom", "6.3.4"), "1-2.3")
    (info,) = VirtualPorts(bench.bus).list()
    assert (info.pid, info.location) == (0xC023, "1-2.3:1.1")


NAMES = [
    ("p2", "6.3.4", "P2"),
    ("photon2", "5.8.0", "P2"),
    ("photon2", "5.9.0", "Photon 2"),
    ("photon2", "6.2.0", "Photon 2"),
    ("msom", "6.3.4", "M-SoM"),
    ("muon", "6.3.4", "M-SoM"),
    ("trackerm", "5.0.1", "TrackerM"),
]


@pytest.mark.parametrize(("slug", "device_os", "name"), NAMES)
def test_product_strings(bench: Any, slug: str, device_os: str, name: str) -> None:
    bench.plug(make_spec(slug, 1, 1, device_os), "1-1")
    bench.plug(make_spec(slug, 1, 2, device_os, arrives=BootRequest.DFU), "1-2")
    assert usb.util.get_string(bench.device("1-1"), 2) == name
    assert usb.util.get_string(bench.device("1-2"), 2) == f"{name} DFU Mode"


def test_dfu_mode_shows_two_memories(bench: Any) -> None:
    bench.plug(bench.spec("p2", "6.3.4", arrives=BootRequest.DFU))
    device = bench.device()
    assert (device.idProduct, device.bcdDevice) == (0xD020, 0x0252)
    settings = list(device[0])
    assert [usb.util.get_string(device, one.iInterface) for one in settings] == [
        "@Internal Flash   /0x08000000/2048*004Kg",
        "@DCT Flash   /0x00000000/1*016Ke",
    ]
    assert [one.iInterface for one in settings] == [4, 5], "behind the three of the device"
    assert bytes(settings[-1].extra_descriptors).hex(" ") == "09 21 0b ff 00 00 10 1a 01"


@pytest.mark.parametrize(
    ("device_os", "locked", "told"),
    [("6.2.0", False, "sm=o"), ("6.3.4", True, "sm=p"), ("5.9.0", False, None)],
)
@pytest.mark.parametrize("arrives", [BootRequest.NORMAL, BootRequest.DFU])
def test_string_fa_tells_protection_in_both_modes(
    bench: Any, device_os: str, locked: bool, told: str | None, arrives: BootRequest
) -> None:
    bench.plug(bench.spec("p2", device_os, arrives=arrives, is_protected=locked))
    if told is None:
        with pytest.raises(usb.core.USBError):
            usb.util.get_string(bench.device(), 0xFA)
    else:
        assert usb.util.get_string(bench.device(), 0xFA).rstrip("\0") == told


def test_a_protected_bootloader_is_five_bytes_longer_and_starts() -> None:
    plain, locking = (synthetic.bootloader(32, "6.3.4", is_protected=one).data for one in (False, True))
    assert len(locking) == len(plain) + 5


def test_leaving_takes_longer_than_on_a_gen_3_unit(bench: Any) -> None:
    unit = bench.plug(bench.spec("p2", "6.3.4", arrives=BootRequest.DFU))
    wire, seen = bench.wire(), []
    wire("21 01 02 00 00 00 00 00")
    wire("a1 03 00 00 00 00 06 00")
    for _ in range(2):
        bench.clock.sleep(0.45)
        seen.append(unit.mode)
    assert seen == [UnitMode.DFU, UnitMode.STARTING]


# --- endpoint 0 --------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", ["28 00", "2e 01"], ids=["restart", "cloud disconnect"])
def test_an_out_request_without_data_is_obeyed_and_never_completes(bench: Any, index: str) -> None:
    unit = bench.plug(bench.spec("msom", "6.3.4"))
    start, plain = bench.clock.now(), bench.device()
    told = bench.wire().errno(f"40 50 00 00 {index} 00 00", timeout_ms=2000)
    if index == "28 00":
        assert told == errno.ENODEV
        bench.until(unit, UnitMode.NORMAL)
        assert bench.device().address != plain.address
    else:
        assert (told, round(bench.clock.now() - start)) == (errno.ETIMEDOUT, 2)
        assert bench.wire().ask(300) == (0, b"")


def test_one_byte_of_data_completes_it(bench: Any) -> None:
    bench.plug(bench.spec("msom", "6.3.4"))
    assert bench.wire()("40 50 00 00 2e 01 01 00", "00") == ""


def test_an_unknown_raw_request_is_refused_whatever_data_it_brings(bench: Any) -> None:
    bench.plug(bench.spec("p2", "6.3.4"))
    assert bench.wire().errno("40 50 00 00 63 00 01 00", "00") == errno.EPIPE


def test_a_boron_completes_one_without_data(bench: Any) -> None:
    bench.plug(bench.spec("boron", "6.3.4"))
    assert bench.wire()("40 50 00 00 2e 01 00 00") == ""


def test_zero_length_class_requests_of_dfu_complete(bench: Any) -> None:
    bench.plug(bench.spec("p2", "6.3.4", arrives=BootRequest.DFU))
    assert bench.wire()("21 06 00 00 00 00 00 00") == ""


def test_open_requests_survive_a_bus_reset_until_reset_all(bench: Any) -> None:
    unit = bench.plug(bench.spec("p2", "6.3.4"))
    wire = bench.wire()
    for _ in range(4):
        wire("c0 01 02 00 49 00 40 00")  # announces a payload that never comes
    assert wire("c0 01 00 00 14 00 40 00") == "01 00 00 00 03 00"
    unit.bus_reset(unit.presence)
    assert wire("c0 01 00 00 14 00 40 00") == "01 00 00 00 03 00"
    wire("c0 05 00 00 00 00 40 00")
    assert wire("c0 01 00 00 14 00 40 00").startswith("03 00 00 00 00 00")


# --- requests ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "device_os", "request_type", "is_known"),
    [
        ("p2", "5.0.1", 500, True),
        ("p2", "5.8.0", 507, False),
        ("p2", "5.9.0", 507, True),
        ("p2", "6.2.0", 507, True),
        ("p2", "6.3.4", 554, False),
        ("trackerm", "6.3.4", 506, True),  # compiled in, product or not
        ("msom", "6.3.4", 553, True),
        ("sulu", "6.3.4", 500, False),  # not known of it
        ("p2", "5.9.0", 76, False),
        ("p2", "6.2.0", 76, True),
        ("p2", "5.5.0", 91, False),
        ("p2", "5.8.0", 91, True),
    ],
)
def test_requests_exist_only_where_they_do(
    bench: Any, platform: str, device_os: str, request_type: int, is_known: bool
) -> None:
    bench.plug(bench.spec(platform, device_os))
    result, _ = bench.wire().ask(request_type)
    assert (result != NOT_SUPPORTED) is is_known


def test_the_radio_has_no_firmware_of_its_own(bench: Any) -> None:
    bench.plug(bench.spec("p2", "6.3.4"))
    assert bench.wire().ask(31) == (0, b"\x10\x01")


@pytest.mark.rule("H8")
def test_setup_is_always_done(bench: Any) -> None:
    unit = bench.plug(bench.spec("p2", "5.0.1"))
    wire = bench.wire()
    assert wire.ask(74) == (0, b"\x08\x01")
    assert wire.ask(73, b"\x08\x01") == (0, b"")
    assert wire.ask(73, b"\x08\x00") == (NOT_SUPPORTED, b"")
    assert unit.score.flash_writes == 0


def test_a_serial_number_that_was_never_programmed_is_an_internal_error(bench: Any) -> None:
    bench.plug(bench.spec("p2", "6.3.4", serial=None))
    assert bench.wire().ask(21) == (INTERNAL, b"")


@pytest.mark.parametrize(
    ("platform", "names"),
    [
        ("p2", {1: "lo0", 4: "wl3"}),
        ("msom", {1: "lo0", 4: "pp3", 5: "wl4"}),
        ("trackerm", {1: "lo0", 4: "pp3", 5: "wl4"}),
    ],
)
def test_interfaces_of_units_with_one_radio_and_with_two(bench: Any, platform: str, names: dict[int, str]) -> None:
    spec = bench.spec(platform, "6.2.0")
    bench.plug(spec)
    result, reply = bench.wire().ask(400)
    assert result == 0
    assert {row.index: row.name for row in interface_list(reply)} == names
    wifi = max(names)
    told = Fields(bench.wire().ask(401, number(1, wifi))[1]).message(1)
    assert (told.text(2), told.number(3), told.blob(8).hex(":")) == (names[wifi], 8, str(spec.mac))


def test_ethernet_shows_up_once_it_is_looked_for_and_there(bench: Any) -> None:
    """Reference 9.4, I2: a MAC address that ends with b3 belongs to an Ethernet one with b6."""
    spec = bench.spec("p2", "6.3.4", has_ethernet=True, mac=MacAddress.parse("94:94:4a:01:a2:b3"))
    unit = bench.plug(spec)
    wire = bench.wire()
    assert "en2" not in {row.name for row in interface_list(wire.ask(400)[1])}
    assert wire.ask(33, number(1, 1) + number(2, 1)) == (0, b"")
    assert "en2" not in {row.name for row in interface_list(wire.ask(400)[1])}, "looked for at boot only"
    bench.bus.unplug("1-1")
    bench.bus.plug("1-1", unit)
    bench.clock.sleep(4)
    wire = bench.wire()
    assert {3: "en2", 4: "wl3"}.items() <= {row.index: row.name for row in interface_list(wire.ask(400)[1])}.items()
    told = Fields(wire.ask(401, number(1, 3))[1]).message(1)
    assert (told.number(3), told.blob(8).hex(":")) == (4, "94:94:4a:01:a2:b6")


def test_without_the_chip_there_is_no_ethernet_and_a_borons_has_a_local_address(bench: Any) -> None:
    off = b"\xfd\xff\xff\xff"  # a cleared bit switches it on
    for port, slug, has_chip in (("1-1", "p2", False), ("1-2", "boron", True)):
        unit = VirtualUnit(bench.spec(slug, "6.3.4", has_ethernet=has_chip), bench.clock, bench.world)
        unit.memory.dct.set("feature_flags", off, Who.FACTORY)
        bench.bus.plug(port, unit)
    bench.clock.sleep(4)
    assert "en2" not in {row.name for row in interface_list(bench.wire("1-1").ask(400)[1])}
    told = Fields(bench.wire("1-2").ask(401, number(1, 3))[1]).message(1)
    assert told.blob(8)[0] & 0x03 == 0x02


# --- Wi-Fi and modem ---------------------------------------------------------------------------------


def _join(ssid: str, password: str) -> bytes:
    return text(1, ssid) + number(3, 3) + message(4, number(1, 1) + text(2, password))


def test_joins_fail_with_the_codes_of_this_family(bench: Any) -> None:
    bench.world.access_points["factory-ap"] = AccessPoint("factory-ap", Secret("hunter2hunter2"))
    bench.plug(bench.spec("p2", "6.3.4"))
    wire = bench.wire()
    assert wire.ask(500, _join("factory-ap", "wrong password")) == (INVALID_STATE, b"")
    assert wire.ask(500, _join("elsewhere", "hunter2hunter2")) == (INTERNAL, b"")
    assert wire.ask(502) == (0, b"")
    assert wire.ask(500, _join("factory-ap", "hunter2hunter2")) == (0, b"")


def test_it_hears_the_5_ghz_channels_and_an_argon_does_not(bench: Any) -> None:
    bench.world.access_points["high"] = AccessPoint("high", Secret("hunter2hunter2"), channel=36)
    bench.plug(bench.spec("p2", "6.3.4"), "1-1")
    bench.plug(bench.spec("argon", "6.3.4"), "1-2")
    assert b"high" in bench.wire("1-1").ask(506)[1]
    assert b"high" not in bench.wire("1-2").ask(506)[1]
    assert bench.wire("1-1").ask(500, _join("high", "hunter2hunter2")) == (0, b"")
    assert bench.wire("1-2").ask(500, _join("high", "hunter2hunter2")) == (-1200, b"")


def test_only_a_unit_without_a_modem_listens_for_want_of_a_network(bench: Any) -> None:
    assert bench.plug(bench.spec("p2", "6.3.4"), "1-1").mode is UnitMode.LISTENING
    assert bench.plug(bench.spec("msom", "6.3.4"), "1-2").mode is UnitMode.NORMAL


def test_an_m_som_uses_wifi_where_it_can_and_its_modem_else(bench: Any) -> None:
    bench.world.access_points["factory-ap"] = AccessPoint("factory-ap", Secret("hunter2hunter2"))
    spec = bench.spec("msom", "6.3.4", networks=(StoredNetwork("factory-ap", Secret("hunter2hunter2")),))
    bench.cloud.active.add(str(spec.iccid))
    unit = bench.plug(spec)
    bench.clock.sleep(30)
    assert bench.cloud.log == [("online", unit.device_id)]
    assert Fields(bench.wire().ask(505)[1]).text(1) == "factory-ap"
    del bench.world.access_points["factory-ap"]
    bench.wire().ask(302)
    bench.wire().ask(301)
    bench.clock.sleep(30)
    assert bench.cloud.log[-1] == ("online", unit.device_id)
    assert bench.wire().ask(505) == (INVALID_STATE, b"")


def test_an_m_som_keeps_networks_and_sim_settings_apart(bench: Any) -> None:
    bench.plug(bench.spec("msom", "6.3.4"))
    wire = bench.wire()
    assert wire.ask(552, number(1, 2)) == (0, b"")
    assert wire.ask(507, _join("factory-ap", "hunter2hunter2")) == (0, b"")
    assert wire.ask(553) == (0, number(1, 2))
    assert b"factory-ap" in wire.ask(502)[1]
    assert wire.ask(504) == (0, b"")
    assert (wire.ask(553), wire.ask(502)) == ((0, number(1, 2)), (0, b""))


@pytest.mark.parametrize(("device_os", "takes"), [("5.3.2", False), ("5.5.0", True)])
def test_the_console_takes_wpa3_from_5_5(bench: Any, device_os: str, takes: bool) -> None:
    unit = bench.plug(bench.spec("p2", device_os))
    port = bench.console()
    for answer in (b"w", b"hidden-net\n", b"6\n"):
        port.write(answer)
        bench.clock.sleep(5)
    heard = port.read(4096)
    assert heard.count(b"Security 0=unsecured") == (1 if takes else 2)
    assert unit.mode is UnitMode.LISTENING
