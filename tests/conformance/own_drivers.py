"""Our device verbs through real libusb, sysfs, ttys and pyserial. Run by `test_own_drivers.py`, not by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import serial
from conformance.inside import RealHosts, real_hosts
from support.device_bench import DeviceBench

from drivers.clock import Deadline
from drivers.devices import ParticleDevice
from drivers.errors import DidNotReturn, Disconnected, Swapped, WriteRefused
from drivers.host.hotplug_events import UdevChanges
from drivers.hotplug import Enumerator
from drivers.identity import PortPath, Secret
from drivers.platforms import ModuleFunction, platform_by_slug
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.factory import make_spec
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.wire import requests
from drivers.wire.image.host import Image, parse_image
from drivers.wire.messages.tables import WifiSecurity
from drivers.wire.usb import Mode

OPERATION = pytest.mark.operation
GEN_2_TOO = pytest.mark.parametrize("platform", ["photon", "electron", "argon", "boron", "bsom", "p2", "msom"])
PLATFORMS = pytest.mark.parametrize("platform", ["argon", "boron", "bsom", "p2", "msom"])
SPEED = 10.0


class RealBench(DeviceBench):
    """The bench of the device tests, with the hosts of a real station."""

    def __init__(self, real: RealHosts) -> None:
        self._real = real
        super().__init__(real.clock, real.bus)  # type: ignore[arg-type]

    def __post_init__(self) -> None:
        self.host, self.serial_host = self._real.host, self._real.serial_host
        self.enumerator = Enumerator(self.host, self.clock, self._on_event, UdevChanges())

    def within(self, seconds: float) -> Deadline:
        """A hundred times as long, as the clock is fast and the machine may be busy."""
        return super().within(100 * seconds)

    def identified(self, port: str = "1-1") -> ParticleDevice:
        device = self.device(port)
        device.identify(self.within(30.0))
        return device


@pytest.fixture
def bench() -> Iterator[RealBench]:
    with real_hosts(SPEED) as real:
        made = RealBench(real)
        made.enumerator.start()
        yield made
        made.enumerator.stop()


def gone(bench: RealBench, port: str) -> None:
    """Wait until who is on ``port`` is seen to have left."""
    watch = bench.watch(port)
    if (unit := watch.current) is not None:
        watch.wait_gone(unit.address, bench.within(10.0))


def image(unit: VirtualUnit, version: str, part: int) -> Image:
    file = synthetic.release(unit.spec.platform_id, version)[part]
    return parse_image(file.data, file.name)


@GEN_2_TOO
@OPERATION("our drivers on libusb", "identify")
def test_a_unit_is_identified_without_disturbing_it(bench: RealBench, platform: str) -> None:
    held = synthetic.usual_version(platform_by_slug(platform).id)
    unit = bench.unit(platform=platform, device_os=held)
    device = bench.identified()
    assert str(device.device_id) == unit.device_id
    assert device.mode is Mode.APPLICATION
    assert device.ask(requests.get_serial_number(), bench.within(30.0)) == unit.spec.serial
    assert str(device.os_version(bench.within(30.0))) == held
    device.close()


def test_the_serial_string_costs_the_unit_no_transfer(bench: RealBench) -> None:
    unit = bench.unit()
    (candidate,) = bench.host.candidates()
    transport = candidate.open()
    before = unit.transfers["control"]
    assert transport.serial_string() == unit.device_id
    assert unit.transfers["control"] == before
    transport.close()


def test_units_come_and_go_on_their_ports(bench: RealBench) -> None:
    ports = ("1-1", "1-2.3", "1-2.4.1")
    units = [bench.plug(make_spec("boron", 7, number), port=port) for number, port in enumerate(ports)]
    for unit, port in zip(units, ports, strict=True):
        device = bench.identified(port)
        assert str(device.device_id) == unit.device_id
        device.close()
    bench.bus.unplug("1-2.3")
    gone(bench, "1-2.3")
    assert bench.watch("1-1").current is not None
    assert bench.watch("1-2.4.1").current is not None


@pytest.mark.parametrize("platform", ["photon", "boron", "p2"])
@OPERATION("our drivers on pyudev", "arrival, restart, departure")
def test_every_arrival_restart_and_departure_is_announced_by_udev(bench: RealBench, platform: str) -> None:
    told = threading.Semaphore(0)
    end = UdevChanges().listen(told.release)
    bench.unit(platform=platform, device_os=synthetic.usual_version(platform_by_slug(platform).id))
    told.acquire()
    device = bench.identified()
    device.enter_dfu(bench.within(120.0))
    for _ in ("it left", "it came back"):
        told.acquire()
    device.close()
    bench.bus.unplug("1-1")
    told.acquire()
    end()


def test_a_unit_and_its_serial_port_are_placed_by_the_controller_they_hang_on(bench: RealBench) -> None:
    bench.unit()
    (candidate,) = bench.host.candidates()
    while not (ports := bench.serial_host.ports()):
        bench.clock.sleep(0.1)
    assert str(candidate.port_path) == "pci-0000:00:14.0-usb-0:1"
    assert ports[0].port_path == candidate.port_path


@GEN_2_TOO
@OPERATION("our drivers on libusb", "DFU write, read, leave")
def test_system_parts_go_by_dfu_and_are_verified(bench: RealBench, platform: str) -> None:
    number = platform_by_slug(platform).id
    held, older = (synthetic.usual_version(number, version) for version in ("5.8.0", "5.5.0"))
    if held == older:
        older = synthetic.usual_version(number, "2.3.1")
    unit = bench.unit(platform=platform, device_os=held)
    device = bench.identified()
    device.enter_dfu(bench.within(120.0))
    assert (device.mode, unit.mode) == (Mode.DFU, UnitMode.DFU)
    parts = [parse_image(file.data, file.name) for file in synthetic.release(number, older)]
    parts = [part for part in parts if part.function == ModuleFunction.SYSTEM_PART]
    dfu = device.dfu(bench.within(600.0))
    for system in parts:
        assert not dfu.held(system)
        dfu.write_module(system)
        dfu.verify(system)
        assert dfu.held(system)
        assert unit.memory.internal.read(system.flash_address, len(system.flash_bytes)) == system.flash_bytes
    device.leave_dfu(bench.within(120.0))
    assert str(device.os_version(bench.within(30.0))) == older
    assert unit.score.forbidden == []
    device.close()


def test_the_write_guard_stands_before_real_libusb_too(bench: RealBench) -> None:
    unit = bench.plug(make_spec("boron", 7, 1, arrives=BootRequest.DFU))
    device = bench.identified()
    with pytest.raises(WriteRefused):
        device.dfu(bench.within(60.0)).write_module(image(unit, "6.3.4", 0))  # a bootloader
    assert unit.score.flash_writes == 0
    device.close()


def test_a_bootloader_goes_by_control_requests(bench: RealBench) -> None:
    unit = bench.unit(platform="argon")
    device = bench.identified()
    bootloader = image(unit, "6.3.4", 0)
    device.update_over_control(bootloader, bench.within(600.0))
    held = {(m.function, m.index): m.version for m in device.ask(requests.get_module_info(), bench.within(30.0))}
    assert held[2, 0] == bootloader.version
    device.close()


@GEN_2_TOO
@OPERATION("our drivers on libusb", "console")
def test_the_console_tells_every_identity(bench: RealBench, platform: str) -> None:
    held = synthetic.usual_version(platform_by_slug(platform).id)
    unit = bench.unit(platform=platform, device_os=held)
    device = bench.identified()
    with device.console(bench.within(600.0)) as console:
        found = console.identify()
        assert console.version() == held
        assert console.mac() == unit.spec.mac
    assert (str(found.device_id), found.serial, found.secret) == (
        unit.device_id,
        unit.spec.serial,
        unit.spec.mobile_secret,
    )
    device.close()


def test_a_network_goes_in_by_the_console(bench: RealBench) -> None:
    bench.unit(platform="argon")
    device = bench.identified()
    with device.console(bench.within(600.0)) as console:
        console.wifi("factory-ap", Secret("hunter2hunter2"), WifiSecurity.WPA2_PSK)
    assert [row.ssid for row in device.ask(requests.get_known_networks(), bench.within(30.0))] == ["factory-ap"]
    device.close()


def test_a_port_opened_at_14400_baud_sends_the_unit_to_dfu(bench: RealBench) -> None:
    """The vendor's way in by serial port; a rate termios has no name for (reference usb-and-serial 5.1)."""
    unit = bench.unit(device_os="6.3.4")
    while not (ports := bench.serial_host.ports()):
        bench.clock.sleep(0.1)
    first = bench.watch("1-1").current
    with serial.Serial(ports[0].device, 14400):
        bench.watch("1-1").wait_for(lambda candidate: candidate is not first, bench.within(60.0))
    assert unit.mode is UnitMode.DFU


def test_unplugging_during_a_download_is_a_departure(bench: RealBench) -> None:
    unit = bench.plug(make_spec("boron", 7, 1, arrives=BootRequest.DFU), "at=control:150,do=unplug")
    device = bench.identified()
    with pytest.raises(Disconnected):
        device.dfu(bench.within(300.0)).write_module(image(unit, "5.8.0", 2))
    device.close()


def test_another_unit_on_the_port_is_found_out(bench: RealBench) -> None:
    bench.unit(number=1)
    device = bench.identified()
    bench.bus.unplug("1-1")
    gone(bench, "1-1")
    other = bench.unit(number=2)
    with pytest.raises(Swapped) as caught:
        device.ask(requests.get_serial_number(), bench.within(30.0))
    assert caught.value.found == other.device_id
    device.close()


def test_a_unit_that_does_not_return_ends_at_the_deadline(bench: RealBench) -> None:
    bench.unit()
    device = bench.identified()

    def pull_the_cable(port: PortPath) -> None:  # at the first change: when it leaves for DFU mode
        bench.bus.unplug(port)

    bench.bus.listen(pull_the_cable)
    with pytest.raises(DidNotReturn):
        device.enter_dfu(Deadline.after(bench.clock, 15.0))
    device.close()
