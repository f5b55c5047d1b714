"""How Photon, P1 and Electron look and answer on the bus, by Device OS and bootloader: usb-and-serial 2, 3.8, 9.9."""

from __future__ import annotations

import contextlib
import errno
from typing import Any

import pytest
import serial
import usb.core

from drivers.virtual.boot import BootRequest
from drivers.virtual.flash import Who
from drivers.virtual.unit import UnitMode
from drivers.virtual.world import StoredNetwork

every = pytest.mark.parametrize("slug", ["photon", "p1", "electron"])
NAMES = {"photon": "Photon", "p1": "P1", "electron": "Electron"}
KNOWN = (StoredNetwork("elsewhere"),)


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


# --- the copy of the Device ID ---------------------------------------------------------------------------------------


@every
def test_a_copy_of_the_device_id_is_in_the_configuration_memory_and_is_left_alone(bench: Any, slug: str) -> None:
    unit = plug(bench, slug, "0.5.5")
    assert unit.memory.dct.get("device_id").hex() == unit.device_id
    unit.memory.dct.set("device_id", bytes(range(12)), Who.FACTORY)
    unit.restart()
    bench.until(unit, UnitMode.NORMAL)
    assert unit.memory.dct.get("device_id") == bytes(range(12))


def test_a_unit_that_never_ran_writes_that_copy_at_its_first_boot(bench: Any) -> None:
    unit = bench.plug(bench.spec("photon", "0.5.5", modules=()))
    assert unit.memory.dct.get("device_id") == b"\xff" * 12
    unit.memory.install(bench.spec("photon", "0.5.5").modules)
    unit.press_mode_button()
    bench.until(unit, UnitMode.DFU)
    unit.restart()
    bench.until(unit, UnitMode.LISTENING)
    assert unit.memory.dct.get("device_id").hex() == unit.device_id
