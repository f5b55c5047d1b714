"""A Photon, P1 or Electron followed through its restarts by the host's own drivers, as far as its Device OS allows."""

from __future__ import annotations

import pytest
from support.device_bench import DeviceBench, image

from drivers.errors import RemoteProtocolError, RequestRejected
from drivers.platforms import platform_by_slug
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.factory import make_spec
from drivers.virtual.flash import Who
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.virtual.world import StoredNetwork
from drivers.wire import requests
from drivers.wire.usb import Mode

every = pytest.mark.parametrize("slug", ["photon", "p1", "electron"])
BAD_PLATFORM = -1360


def plug(bench: DeviceBench, slug: str, device_os: str) -> VirtualUnit:
    """A unit that has nothing to set up, and so runs normally."""
    networks = (StoredNetwork("elsewhere"),) if platform_by_slug(slug).has_wifi else ()
    return bench.plug(make_spec(slug, 7, 1, device_os, networks=networks))


@every
@pytest.mark.parametrize("device_os", ["1.0.1", "1.4.4", "1.5.2", "2.3.1", "3.3.1"])
def test_to_dfu_and_back_by_command(bench: DeviceBench, slug: str, device_os: str) -> None:
    unit = plug(bench, slug, device_os)
    device = bench.device()
    assert str(device.identify(bench.within(30.0))) == unit.device_id
    device.enter_dfu(bench.within(120.0))
    assert (device.mode, unit.mode) == (Mode.DFU, UnitMode.DFU)
    module = image(synthetic.application(unit.spec.platform_id, device_os, seed="other", size=20_000))
    dfu = device.dfu(bench.within(300.0))
    dfu.write_module(module)
    dfu.verify(module)
    device.leave_dfu(bench.within(120.0))
    assert (device.mode, unit.mode) == (Mode.APPLICATION, UnitMode.NORMAL)
    assert str(device.os_version(bench.within(30.0))) == device_os


@every
@pytest.mark.parametrize("device_os", ["1.4.4", "1.5.2", "3.3.1"])
def test_into_listening_mode_and_out_of_it(bench: DeviceBench, slug: str, device_os: str) -> None:
    unit = plug(bench, slug, device_os)
    device = bench.device()
    device.identify(bench.within(30.0))
    device.enter_listening(bench.within(60.0))
    assert unit.mode is UnitMode.LISTENING
    assert device.leave_listening(bench.within(60.0))
    assert unit.mode is UnitMode.NORMAL


@every
def test_a_release_goes_as_updates_what_others_need_first(bench: DeviceBench, slug: str) -> None:
    unit = plug(bench, slug, "1.5.2")
    device = bench.device()
    device.identify(bench.within(30.0))
    bootloader, *parts = (image(file) for file in synthetic.release(unit.spec.platform_id, "2.3.1"))
    for one in (bootloader, *sorted(parts, key=lambda part: (part.index != 3, part.index))):  # what others need first
        device.update_over_control(one, bench.within(600.0))
    assert unit.report is not None
    assert (unit.report.bootloader_version, unit.report.system_version) == (1006, "2.3.1")
    assert unit.report.missing == ()


@every
def test_a_module_of_another_platform_is_refused(bench: DeviceBench, slug: str) -> None:
    plug(bench, slug, "2.3.1")
    other = {"photon": 8, "p1": 6, "electron": 6}[slug]
    device = bench.device()
    device.identify(bench.within(30.0))
    data = synthetic.application(other, "2.3.1").data
    device.ask(requests.start_firmware_update(len(data)))
    for at in range(0, len(data), 1024):
        device.ask(requests.firmware_update_data(data[at : at + 1024]))
    with pytest.raises(RequestRejected) as refused:
        device.ask(requests.finish_firmware_update(validate_only=True))
    assert refused.value.code in (BAD_PLATFORM, -1300), "an application of a Photon has no place on an Electron"


@every
@pytest.mark.rule("H2")
def test_whom_only_its_port_vouches_for_proves_itself_by_its_console_or_its_memory(
    bench: DeviceBench, slug: str
) -> None:
    """Device OS and bootloader of 0.5.5 show the same USB serial string on every unit."""
    unit = bench.plug(make_spec(slug, 7, 1, "0.5.5", networks=(StoredNetwork("elsewhere"),), arrives=BootRequest.DFU))
    device = bench.device()
    assert str(device.identify(bench.within(30.0))) == unit.device_id
    assert device.is_proved
    device.leave_dfu(bench.within(60.0))
    assert not device.is_proved
    device.identify(bench.within(60.0))
    assert device.is_proved
    device.enter_dfu(bench.within(60.0))
    assert device.is_proved, "its configuration memory has its Device ID"
    device.leave_dfu(bench.within(60.0))
    unit.memory.dct.set("device_id", bytes([0xFF]) * 12, Who.SYSTEM)
    device.enter_dfu(bench.within(60.0))
    assert not device.is_proved
    with pytest.raises(RemoteProtocolError, match="did not report a Device ID"):
        device.identify(bench.within(30.0))
