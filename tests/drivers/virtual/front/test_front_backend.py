"""The pyusb backend answers as libusb on Linux would, and units come and go on their ports."""

from __future__ import annotations

import errno
import functools
from typing import Any

import pytest
import usb.core
import usb.util

from drivers.platforms import platform
from drivers.virtual.backend import VirtualBackend
from drivers.virtual.boot import BootRequest
from drivers.virtual.descriptors import dfu_alternates
from drivers.virtual.unit import UnitMode


def test_a_unit_appears_after_boot_with_the_descriptors_of_its_family(bench: Any) -> None:
    spec = bench.spec("argon", "6.2.0")
    bench.plug(spec, "1-2.3", wait_s=2.2)
    assert bench.device("1-2.3") is None
    bench.clock.sleep(0.2)
    device = bench.device("1-2.3")
    assert (device.idVendor, device.idProduct, device.bcdDevice) == (0x2B04, 0xC00C, 0x0102)
    assert (device.bDeviceClass, device.bDeviceSubClass, device.bDeviceProtocol) == (0xEF, 2, 1)
    assert (device.manufacturer, device.product) == ("Particle", "Argon CDC Mode")
    assert device.serial_number == str(spec.device_id)
    vendor = device[0][(2, 0)]
    assert (vendor.bInterfaceClass, vendor.bNumEndpoints) == (0xFF, 0)
    assert [e.bEndpointAddress for e in device[0][(1, 0)]] == [0x01, 0x81]


def test_dfu_mode_shows_one_alternate_setting_per_memory(bench: Any) -> None:
    bench.plug(bench.spec("boron", "6.2.0", arrives=BootRequest.DFU))
    device = bench.device()
    assert (device.idProduct, device.bcdDevice) == (0xD00D, 0x0251)
    settings = list(device[0])
    assert [usb.util.get_string(device, s.iInterface).split("/")[0].strip() for s in settings] == [
        "@Internal Flash",
        "@DCT Flash",
        "@External Flash",
    ]
    assert bytes(settings[2].extra_descriptors).hex(" ") == "09 21 0b ff 00 00 10 1a 01"
    assert usb.util.get_string(device, 0xFA).rstrip("\0") == "sm=o"


@pytest.mark.parametrize(("device_os", "name"), [("3.3.1", "DCD"), ("4.1.0", "DCT"), ("5.8.0", "DCT")])
def test_the_configuration_area_had_another_name_in_old_bootloaders(bench: Any, device_os: str, name: str) -> None:
    bench.plug(bench.spec("boron", device_os, arrives=BootRequest.DFU))
    device = bench.device()
    assert usb.util.get_string(device, device[0][(0, 1)].iInterface) == f"@{name} Flash   /0x00000000/1*016Ke"


@pytest.mark.parametrize(
    ("version", "name"), [(1100, "DCD"), (1101, "DCD"), (1200, "DCT"), (2000, "DCD"), (2001, "DCT"), (3200, "DCT")]
)
def test_the_old_name_came_back_for_one_release(version: int, name: str) -> None:
    assert dfu_alternates(platform(13), version)[1].startswith(f"@{name} ")


PROTECTED_MAPS = [
    "@Internal Flash   /0x00000000/1*004Kb,47*004Kb,192*004Kb,4*004Kb,4*004Kb,8*004Kb",
    "@DCT Flash   /0x00000000/1*016Kb",
    "@External Flash   /0x80000000/1024*004Kb",
]


@pytest.mark.parametrize("device_os", ["6.1.1", "6.2.0", "6.3.4"])
def test_a_protected_bootloader_shows_it_in_its_maps_and_newer_ones_in_a_string(bench: Any, device_os: str) -> None:
    bench.plug(bench.spec("boron", device_os, arrives=BootRequest.DFU, is_protected=True))
    device = bench.device()
    assert [usb.util.get_string(device, s.iInterface) for s in device[0]] == PROTECTED_MAPS
    if device_os == "6.1.1":
        with pytest.raises(usb.core.USBError):
            usb.util.get_string(device, 0xFA)
    else:
        assert usb.util.get_string(device, 0xFA).rstrip("\0") == "sm=p"


def test_a_bootloader_older_than_protection_is_open(bench: Any) -> None:
    bench.plug(bench.spec("boron", "5.8.0", arrives=BootRequest.DFU, is_protected=True))
    device = bench.device()
    assert usb.util.get_string(device, device[0][(0, 0)].iInterface).endswith("8*004Ka")


@pytest.mark.parametrize("block", ["21 00 40 0b 00", "41 00 40 0b 00"], ids=["set address", "erase"])
def test_a_protected_bootloader_refuses_commands_with_a_text(bench: Any, block: str) -> None:
    unit = bench.plug(bench.spec("boron", "6.2.0", arrives=BootRequest.DFU, is_protected=True))
    wire = bench.wire()
    assert wire("a1 02 00 00 00 00 40 00") == "00 21 41 fa fb"
    wire("21 01 00 00 00 00 05 00", block)
    wire("a1 03 00 00 00 00 06 00")
    assert wire("a1 03 00 00 00 00 06 00") == "0b 00 00 00 0a 0a"
    assert usb.util.get_string(wire.device, 0x0A) == "Device is in protected mode"
    assert unit.score.flash_writes == 0


def test_a_protected_bootloader_hands_nothing_out(bench: Any) -> None:
    bench.plug(bench.spec("boron", "6.2.0", arrives=BootRequest.DFU, is_protected=True))
    wire = bench.wire()
    assert wire.errno("a1 02 02 00 00 00 40 00") == errno.EPIPE
    assert wire("a1 03 00 00 00 00 06 00") == "0b 00 00 00 0a 0a"


def test_a_protected_bootloader_still_leaves(bench: Any) -> None:
    unit = bench.plug(bench.spec("boron", "6.2.0", arrives=BootRequest.DFU, is_protected=True))
    wire = bench.wire()
    wire("21 01 02 00 00 00 00 00")
    wire("a1 03 00 00 00 00 06 00")
    bench.until(unit, UnitMode.NORMAL)
    assert unit.score.flash_writes == 0


def test_an_older_bootloader_has_no_protection_string(bench: Any) -> None:
    bench.plug(bench.spec("boron", "6.1.1", arrives=BootRequest.DFU))
    with pytest.raises(usb.core.USBError) as caught:
        usb.util.get_string(bench.device(), 0xFA)
    assert caught.value.errno == errno.EPIPE


def test_the_microsoft_descriptor_names_the_vendor_interface(bench: Any) -> None:
    bench.plug(bench.spec())
    reply = bytes.fromhex(bench.wire()("c0 ee 00 00 04 00 28 00"))
    assert reply[16] == 2
    assert reply[18:24] == b"WINUSB"


def test_vendor_requests_do_not_exist_in_dfu_mode(bench: Any) -> None:
    bench.plug(bench.spec(arrives=BootRequest.DFU))
    assert bench.wire().errno("c0 50 00 00 1e 00 40 00") == errno.EPIPE


def test_claims_are_exclusive_and_the_console_belongs_to_the_kernel(bench: Any) -> None:
    bench.plug(bench.spec())
    first, second = bench.device(), bench.device()
    assert first.is_kernel_driver_active(0)
    with pytest.raises(usb.core.USBError, match="busy"):
        usb.util.claim_interface(first, 0)
    usb.util.claim_interface(first, 2)
    second = usb.core.Device(first._ctx.dev, first.backend)
    with pytest.raises(usb.core.USBError, match="busy"):
        usb.util.claim_interface(second, 2)
    usb.util.dispose_resources(first)
    usb.util.claim_interface(second, 2)


def test_set_configuration_is_refused_while_something_is_claimed_and_restarts_dfu_else(bench: Any) -> None:
    bench.plug(bench.spec(arrives=BootRequest.DFU))
    device, wire = bench.device(), bench.wire()
    wire("21 01 00 00 00 00 05 00", "21 00 40 0b 00")
    usb.util.claim_interface(device, 0)
    with pytest.raises(usb.core.USBError) as caught:
        device.set_configuration()
    assert caught.value.errno == errno.EBUSY
    usb.util.release_interface(device, 0)
    device.set_configuration()
    assert wire("a1 05 00 00 00 00 01 00") == "02"


def test_get_configuration_on_the_wire_is_0_once_configured(bench: Any) -> None:
    bench.plug(bench.spec(arrives=BootRequest.DFU))
    assert bench.wire()("80 08 00 00 00 00 01 00") == "00"


def test_a_handle_dies_with_its_enumeration(bench: Any) -> None:
    unit = bench.plug(bench.spec())
    wire = bench.wire()
    assert wire.errno("40 50 00 00 28 00 00 00") == errno.ENODEV  # raw reset: it is gone before it answers
    assert unit.mode is UnitMode.STARTING
    bench.until(unit, UnitMode.NORMAL)
    assert wire.errno("c0 50 00 00 1e 00 40 00") == errno.ENODEV
    again = bench.wire()
    assert again.device.address != wire.device.address
    again("c0 50 00 00 1e 00 40 00")


def test_leaving_dfu_takes_half_a_second_and_a_boot(bench: Any) -> None:
    unit = bench.plug(bench.spec(arrives=BootRequest.DFU))
    wire = bench.wire()
    wire("21 01 02 00 00 00 00 00")
    assert wire("a1 03 00 00 00 00 06 00") == "00 00 00 00 07 00"
    assert bench.until(unit, UnitMode.NORMAL) == pytest.approx(2.5, abs=0.1)


def test_a_dead_unit_shows_nothing_until_somebody_presses_its_button(bench: Any) -> None:
    unit = bench.plug(bench.spec(modules=()))
    assert unit.mode is UnitMode.DEAD
    assert bench.device() is None


def test_dfu_by_hand(bench: Any) -> None:
    unit = bench.plug(bench.spec())
    unit.press_mode_button()
    bench.until(unit, UnitMode.DFU)
    assert bench.device().idProduct == 0xD00D


def test_a_taken_port_takes_no_second_plug(bench: Any) -> None:
    bench.plug(bench.spec())
    with pytest.raises(ValueError, match="taken"):
        bench.plug(bench.spec(number=2))


def test_two_units_in_parallel_run_the_same_way_every_time() -> None:
    first, second = _parallel_run(), _parallel_run()
    assert first == second
    assert len(first) > 40


def _parallel_run() -> list[tuple[float, str, str]]:
    """Two threads talk to two units; every reply with its moment."""
    from drivers.clock import SimulatedClock
    from drivers.virtual.bus import VirtualBus
    from drivers.virtual.factory import make_spec
    from drivers.virtual.unit import VirtualUnit

    clock, log = SimulatedClock(stall_s=20), []
    with clock.registered(), VirtualBus(clock) as bus:
        for number, platform in ((1, "argon"), (2, "boron")):
            bus.plug(f"1-{number}", VirtualUnit(make_spec(platform, 3, number), clock))
        clock.sleep(3)

        def talk(number: int) -> None:
            clock.sleep(0.001 * number)
            device = usb.core.find(backend=VirtualBackend(bus), port_numbers=(number,))
            for request in (20, 21, 30, 90, 201):
                device.ctrl_transfer(0xC0, 5, 0, 0, 64, 5000)
                device.ctrl_transfer(0xC0, 1, 0, request, 64, 5000)
                for _ in range(3):
                    clock.sleep(0.0007 * number)
                    reply = device.ctrl_transfer(0xC0, 0x50, 0, 20, 64, 5000)
                    log.append((clock.now(), platform_of(number), reply.tobytes().hex()))
                log.append((clock.now(), platform_of(number), str(device.address)))
            log.append((clock.now(), platform_of(number), device.serial_number))

        def platform_of(number: int) -> str:
            return f"unit {number}"

        threads = [clock.thread(f"talker-{n}", functools.partial(talk, n)) for n in (1, 2)]
        for thread in threads:
            thread.join()
    return log
