"""Every nRF52840 platform at its oldest, a middle and its newest Device OS: who it is, listening, DFU and back."""

from __future__ import annotations

import pytest
from support.device_bench import DeviceBench, image

from drivers.devices import ParticleDevice, read_interfaces
from drivers.errors import RequestRejected, RequestUnknown
from drivers.identity import Secret
from drivers.platforms import OsVersion, Platform, platform_by_slug, platforms
from drivers.virtual import synthetic
from drivers.virtual.factory import make_spec
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.wire import requests
from drivers.wire.messages.tables import InterfaceType, WifiSecurity
from drivers.wire.usb import Mode


def lines_of(row: Platform) -> tuple[str, ...]:
    made = synthetic.versions(row.id)
    return tuple(dict.fromkeys((made[0], made[len(made) // 2], made[-1])))


NRF = [(row, line) for row in platforms() if row.family == "nrf" for line in lines_of(row)]


def speaks(row: Platform, device_os: str) -> bool:
    return row.requests_since is None or OsVersion.parse(device_os) >= row.requests_since


def of_units(*, that_speak: bool) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("row", "device_os"),
        [pytest.param(row, line, id=f"{row.slug}-{line}") for row, line in NRF if speaks(row, line) is that_speak],
    )


def identified(bench: DeviceBench, row: Platform, device_os: str) -> tuple[VirtualUnit, ParticleDevice]:
    unit = bench.plug(make_spec(row.slug, 7, 1, device_os, setup_done=True))
    device = bench.device()
    assert str(device.identify(bench.within(10.0))) == unit.device_id
    return unit, device


@of_units(that_speak=True)
def test_a_unit_is_identified_listens_goes_into_dfu_and_comes_back(
    bench: DeviceBench, row: Platform, device_os: str
) -> None:
    unit, device = identified(bench, row, device_os)
    assert str(device.os_version(bench.within(5.0))) == device_os
    assert device.ask(requests.get_serial_number()) == unit.spec.serial
    assert {module.function for module in device.ask(requests.get_module_info())} >= {2, 4, 5, 8}
    if not device.is_listening(bench.within(5.0)):
        device.enter_listening(bench.within(20.0))
    assert unit.mode is UnitMode.LISTENING
    with device.console(bench.within(60.0)) as console:
        found = console.identify()
        assert (found.device_id, found.serial) == (unit.spec.device_id, unit.spec.serial)
        assert console.version() == device_os
        assert console.mac() == unit.spec.mac
    device.enter_dfu(bench.within(30.0))
    assert device.mode is Mode.DFU
    system = row.region("system-part1-legacy")
    content = device.dfu(bench.within(30.0)).read(0, system.start, 4096)
    assert content == unit.memory.internal.read(system.start, 4096)
    device.leave_dfu(bench.within(30.0))
    assert str(device.ask(requests.get_device_id())) == unit.device_id
    assert unit.score.flash_writes == 0


@of_units(that_speak=False)
def test_a_unit_with_0_8_tells_what_its_console_tells_and_obeys_the_line_rate(
    bench: DeviceBench, row: Platform, device_os: str
) -> None:
    unit, device = identified(bench, row, device_os)
    with pytest.raises(RequestUnknown):
        device.ask(requests.get_device_mode(), bench.within(5.0))
    assert device.is_listening(bench.within(5.0)) is (unit.mode is UnitMode.LISTENING)
    assert str(device.os_version(bench.within(60.0))) == device_os
    device.enter_dfu(bench.within(60.0))
    assert device.mode is Mode.DFU
    start = row.region("user-part-legacy").start
    assert device.dfu(bench.within(30.0)).read(0, start, 64) == unit.memory.internal.read(start, 64)
    device.leave_dfu(bench.within(30.0))
    assert device.mode is Mode.APPLICATION


# --- what the table says of a unit is asked first ---


def test_a_console_command_a_unit_lacks_is_not_typed(bench: DeviceBench) -> None:
    unit = bench.unit(platform="boron", device_os="3.3.1")
    device = bench.device()
    device.identify(bench.within(10.0))
    with device.console(bench.within(60.0)) as console:
        typed = unit.transfers["console"]
        with pytest.raises(RequestUnknown, match="console command w was not typed"):
            console.wifi("bench-net", Secret("a passphrase"), WifiSecurity.WPA2_PSK)
        assert unit.transfers["console"] == typed
        assert console.version() == "3.3.1"


def test_a_request_that_is_broken_in_this_very_release_is_not_sent(bench: DeviceBench) -> None:
    unit = bench.unit(platform="boron", device_os="6.2.0")
    device = bench.device()
    device.identify(bench.within(10.0))
    device.is_listening(bench.within(5.0))
    before = unit.transfers["control"]
    with pytest.raises(RequestUnknown, match=r"GET_INTERFACE_LIST \(400\) was not sent"):
        device.ask(requests.get_interface_list())
    assert unit.transfers["control"] == before


@pytest.mark.parametrize(
    ("slug", "device_os", "names"),
    [("argon", "6.3.4", ["wl3"]), ("tracker", "6.2.0", ["wl4"]), ("tracker", "2.0.1", ["wl4"]), ("boron", "6.2.0", [])],
)
def test_interfaces_are_read_by_index_where_their_list_is_broken(
    bench: DeviceBench, slug: str, device_os: str, names: list[str]
) -> None:
    unit = bench.plug(make_spec(slug, 7, 1, device_os, setup_done=True))
    device = bench.device()
    device.identify(bench.within(10.0))
    found = read_interfaces(device, InterfaceType.WIFI, bench.within(30.0))
    assert [one.name for one in found] == names
    assert [one.mac for one in found] == ([unit.spec.mac] if names else [])
    assert not any("400 GET_INTERFACE_LIST" in line for line in bench.trace) or (slug, device_os) != ("boron", "6.2.0")


def test_the_modem_of_a_boron_with_the_broken_list_is_found_by_index(bench: DeviceBench) -> None:
    bench.plug(make_spec("boron", 7, 1, "6.2.0", setup_done=True))
    device = bench.device()
    device.identify(bench.within(10.0))
    assert [one.name for one in read_interfaces(device, InterfaceType.PPP, bench.within(30.0))] == ["pp3"]
    with pytest.raises(RequestRejected):
        device.ask(requests.get_interface(3))


@pytest.mark.parametrize("slug", ["argon", "xenon"])
def test_a_bootloader_left_in_the_update_slot_is_there_after_the_next_boot(bench: DeviceBench, slug: str) -> None:
    """The first line of the family takes no updates by request (firmware-and-dfu 4.6, 5.2)."""
    old, new = "0.8.0-rc.25", "0.8.0-rc.27"
    row = platform_by_slug(slug)
    file = synthetic.bootloader(row.id, new)
    unit = bench.plug(make_spec(slug, 7, 1, old))
    device = bench.device()
    device.identify(bench.within(60.0))
    device.enter_dfu(bench.within(60.0))
    device.dfu(bench.within(60.0)).stage_update(image(file), OsVersion.parse(old))
    assert unit.memory.dct.ota_flag_is_on
    device.leave_dfu(bench.within(60.0))
    assert unit.memory.internal.read(image(file).start, len(file.data)) == file.data
    assert not unit.memory.dct.ota_flag_is_on
    assert unit.score.forbidden == []
