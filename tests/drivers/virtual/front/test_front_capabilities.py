"""Virtual units answer what the platform table says they can be asked, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from drivers.platforms import OsVersion, platform_by_slug
from drivers.virtual.messages import Fields
from drivers.virtual.request_handlers import REQUESTS
from drivers.virtual.unit import UnitMode
from drivers.wire.console.tables import Key
from drivers.wire.control.tables import RequestType

NOT_SUPPORTED, STALL, GONE = -120, 32, 19
FOR_THE_APPLICATION = {RequestType.APP_CUSTOM}
RESTART = {RequestType.RESET, RequestType.FACTORY_RESET, RequestType.DFU_MODE, RequestType.SAFE_MODE}
UNITS = [
    ("argon", "0.9.0"), ("boron", "1.1.0"), ("xenon", "1.5.2"), ("xsom", "1.4.4"), ("bsom", "2.3.1"), ("asom", "3.3.1"),
    ("b5som", "5.8.2"), ("argon", "6.0.0"), ("boron", "6.1.0"), ("esomx", "6.2.0"), ("tracker", "6.3.4"),
    ("electron2", "6.4.1"),
]  # fmt: skip
each_unit = pytest.mark.parametrize(("slug", "device_os"), UNITS)


@each_unit
def test_a_unit_refuses_exactly_the_requests_the_table_says_it_lacks(bench: Any, slug: str, device_os: str) -> None:
    bench.plug(bench.spec(slug, device_os, setup_done=True))
    wire, row, version = bench.wire(), platform_by_slug(slug), OsVersion.parse(device_os)
    asked = [one for one in RequestType if one not in FOR_THE_APPLICATION | RESTART]
    refused = {one for one in asked if wire.ask(one)[0] == NOT_SUPPORTED}
    may_refuse = {RequestType.SET_FEATURE, RequestType.GET_FEATURE, RequestType.SET_DEVICE_SETUP_DONE} | {
        one
        for one in asked
        if 550 <= one <= 553  # no SIM is named
    }
    assert refused - may_refuse == {one for one in asked if row.refusal(one, version) == NOT_SUPPORTED} - may_refuse
    assert {one for one in asked if row.knows_request(one, version)} - FOR_THE_APPLICATION <= REQUESTS.keys()


@pytest.mark.parametrize(
    ("slug", "device_os", "request_type", "is_known"),
    [
        ("argon", "5.8.0", 507, False), ("argon", "5.8.2", 507, True), ("argon", "5.9.0", 507, True),
        ("argon", "6.0.0", 507, False), ("argon", "6.1.1", 507, False), ("argon", "6.1.2", 507, False),
        ("argon", "6.2.0", 507, True), ("tracker", "6.2.0", 507, True), ("tracker", "6.2.0", 506, True),
        ("argon", "1.4.4", 1, False), ("argon", "1.5.2", 1, True), ("xenon", "0.9.0", 1, False),
        ("boron", "6.3.4", 600, False), ("boron", "6.4.0", 600, True), ("boron", "6.4.0", 601, True),
        ("boron", "6.4.0", 555, False), ("boron", "6.4.1", 555, True), ("argon", "6.4.1", 555, False),
        ("xenon", "1.5.2", 554, False), ("asom", "6.3.4", 76, False), ("electron2", "6.4.1", 76, False),
        ("esomx", "6.3.4", 76, True), ("esomx", "6.3.4", 500, False), ("asom", "3.3.1", 500, True),
        ("argon", "1.5.2", 1001, False), ("boron", "0.9.0", 20, True),
    ],
)  # fmt: skip
def test_requests_by_release(bench: Any, slug: str, device_os: str, request_type: int, is_known: bool) -> None:
    """Reference usb-and-serial 4 and 6, read off by hand."""
    bench.plug(bench.spec(slug, device_os))
    assert (bench.wire().ask(request_type)[0] != NOT_SUPPORTED) is is_known


@pytest.mark.parametrize(
    ("slug", "device_os", "is_broken"),
    [("boron", "6.2.0", True), ("bsom", "6.2.0", True), ("esomx", "6.2.0", True), ("b5som", "6.2.0", True),
     ("tracker", "6.2.0", False), ("argon", "6.2.0", False), ("b5som", "6.1.2", False), ("b5som", "6.2.1", False)],
)  # fmt: skip
def test_the_interface_list_is_broken_in_one_release_of_some(
    bench: Any, slug: str, device_os: str, is_broken: bool
) -> None:
    bench.plug(bench.spec(slug, device_os))
    assert (bench.wire().ask(400)[0] == -100) is is_broken
    assert bench.wire().ask(401, b"\x08\x04")[0] == 0


@pytest.mark.parametrize(
    ("device_os", "has_imei"),
    [("5.7.0", False), ("5.8.0", True), ("5.9.0", True), ("6.0.0", False), ("6.1.0", True), ("6.4.1", True)],
)
def test_the_imei_came_went_and_came_back(bench: Any, device_os: str, has_imei: bool) -> None:
    spec = bench.spec("boron", device_os)
    bench.plug(spec)
    reply = Fields(bench.wire().ask(554)[1])
    assert (reply.text(1), reply.text(2)) == (str(spec.iccid), str(spec.imei) if has_imei else "")


def test_before_0_9_a_unit_shows_a_serial_function_and_nothing_else(bench: Any) -> None:
    unit = bench.plug(bench.spec("argon", "0.8.0-rc.25"))
    assert unit.presence is not None
    shown = unit.presence.descriptors
    assert (shown.interfaces, shown.vendor_interface, shown.device[12:14]) == (2, None, b"\x00\x01")
    for setup in ("c050000014004000", "c050 0000 1e00 4000", "c001 0000 1400 4000", "40500000 2800 0000"):
        assert bench.wire().errno(setup) == STALL


@pytest.mark.parametrize(
    ("device_os", "bcd_device", "has_winusb"),
    [("0.8.0-rc.27", 0x0100, False), ("0.9.0", 0x0101, False), ("1.1.0", 0x0102, True), ("6.3.4", 0x0102, True)],
)
def test_descriptors_by_device_os(bench: Any, device_os: str, bcd_device: int, has_winusb: bool) -> None:
    unit = bench.plug(bench.spec("xenon" if device_os < "2" else "boron", device_os))
    assert unit.presence is not None
    shown = unit.presence.descriptors
    assert int.from_bytes(shown.device[12:14], "little") == bcd_device
    assert (shown.string(0xEE) is not None) is has_winusb
    assert shown.strings[2].endswith(" CDC Mode")


def test_a_monitor_one_is_called_tracker_on_the_bus_and_shows_both_radios(bench: Any) -> None:
    spec = bench.spec("monitorone", "6.3.4")
    unit = bench.plug(spec)
    assert unit.presence is not None
    assert unit.presence.descriptors.strings[2] == "Tracker CDC Mode"
    reply = Fields(bench.wire().ask(401, b"\x08\x05")[1]).message(1)
    assert (reply.text(2), reply.blob(8).hex()) == ("wl4", str(spec.mac).replace(":", ""))
    assert Fields(bench.wire().ask(401, b"\x08\x04")[1]).message(1).text(2) == "pp3"


@pytest.mark.parametrize(("device_os", "restarts"), [("1.5.2", False), ("2.0.1", True)])
def test_the_raw_restart_came_with_2_0(bench: Any, device_os: str, restarts: bool) -> None:
    unit = bench.plug(bench.spec("boron", device_os))
    assert bench.wire().errno("4050 0000 2800 0000") == (GONE if restarts else STALL)
    bench.clock.sleep(0.5)
    assert (unit.mode is UnitMode.STARTING) is restarts


@pytest.mark.parametrize(
    ("slug", "device_os", "page"),
    [("b5som", "1.5.2", "1024*008Kg"), ("tracker", "2.0.1", "1024*008Kg"), ("tracker", "2.2.0", "2048*004Kg"),
     ("b5som", "3.0.0", "1024*008Kg"), ("b5som", "3.1.0", "2048*004Kg"), ("boron", "2.0.1", "1024*004Kg")],
)  # fmt: skip
def test_the_map_of_external_flash_by_bootloader(bench: Any, slug: str, device_os: str, page: str) -> None:
    unit = bench.plug(bench.spec(slug, device_os))
    unit.press_mode_button()
    bench.clock.sleep(3.0)
    assert unit.presence is not None
    strings = unit.presence.descriptors.strings
    assert strings[8] == f"@External Flash   /0x80000000/{page}"
    assert strings[7].startswith("@DCD Flash")


def test_environment_variables_can_be_read_and_cleared(bench: Any) -> None:
    bench.plug(replace(bench.spec("boron", "6.4.0"), environment=(("A", "1"),)))
    assert bench.wire().ask(600) == (0, bytes.fromhex("0a08 0a0141 120131 1801"))  # vector M33
    assert bench.wire().ask(601) == (0, b"\x08\x01")
    assert bench.wire().ask(600) == (0, b"")
    assert bench.wire().ask(601) == (0, b"")


@each_unit
def test_the_console_knows_exactly_the_commands_of_the_table(bench: Any, slug: str, device_os: str) -> None:
    """`w` asks for an SSID where there is Wi-Fi, and is dropped like any other letter where there is none."""
    bench.plug(bench.spec(slug, device_os))
    bench.wire().ask(70)
    bench.clock.sleep(1.0)
    console = bench.console()
    row, version = platform_by_slug(slug), OsVersion.parse(device_os)
    assert all(row.knows_command(key, version) for key in Key if key is not Key.WIFI)
    console.write(b"w")
    assert bool(console.read(100)) is row.knows_command("w", version) is row.has_wifi
