"""Who a unit is, by which source it says so, and which requests it is not sent."""

from __future__ import annotations

from typing import Any

import pytest
from support.device_bench import DeviceBench

from drivers.devices.control import ControlDevice
from drivers.errors import (
    Disconnected,
    DriverError,
    LinkError,
    RequestRejected,
    RequestUnknown,
    Stalled,
    Swapped,
)
from drivers.transport import UsbCandidate, UsbTransport
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.factory import make_spec
from drivers.wire import requests
from drivers.wire.control import host as control
from drivers.wire.control.tables import RequestType
from drivers.wire.image.host import Image, parse_image
from drivers.wire.messages.system import Protection
from drivers.wire.requests import Request
from drivers.wire.usb import Mode, Setup


def image(file: synthetic.SyntheticFile) -> Image:
    return parse_image(file.data, file.name)


@pytest.mark.parametrize("platform", ["argon", "boron", "bsom"])
def test_the_device_id_comes_from_the_serial_string_without_a_request(bench: DeviceBench, platform: str) -> None:
    unit = bench.unit(platform=platform)
    device = bench.device()
    assert str(device.identify(bench.within(10.0))) == unit.device_id
    assert device.mode is Mode.APPLICATION
    assert not any("DEVICE_ID" in line for line in bench.trace)
    assert str(device.os_version(bench.within(5.0))) == "3.3.1"
    assert device.ask(requests.get_serial_number()) == unit.spec.serial


class Anonymous:
    """A unit whose serial string says nothing, as Gen 2 units before 0.6.0; ``deaf_to`` requests are stalled."""

    def __init__(self, inner: UsbCandidate, deaf_to: set[Setup]) -> None:
        self.inner, self.deaf_to = inner, deaf_to
        self.port_path, self.usb_id, self.address = inner.port_path, inner.usb_id, inner.address

    def open(self) -> UsbTransport:
        transport = self.inner.open()
        forward = transport.control

        def answer(setup: Setup, data: bytes = b"", *, timeout_s: float = 5.0) -> bytes:
            if setup in self.deaf_to:
                raise Stalled("it does not know that")
            return forward(setup, data, timeout_s=timeout_s)

        transport.control = answer  # type: ignore[method-assign]
        transport.serial_string = lambda: "00000000050C"  # type: ignore[method-assign]
        return transport


RAW, REQUEST_20 = control.raw_device_id(), control.init(20, 0)


@pytest.mark.parametrize(
    ("deaf_to", "source"),
    [(set(), "raw device id"), ({RAW}, "DEVICE_ID"), ({RAW, REQUEST_20}, "console i")],
)
def test_without_a_serial_string_the_device_id_comes_from_the_next_source(
    bench: DeviceBench, deaf_to: set[Setup], source: str
) -> None:
    unit = bench.unit()
    (candidate,) = bench.host.candidates()
    bench.watch("1-1").attached(Anonymous(candidate, deaf_to))
    device = bench.device()
    assert str(device.identify(bench.within(60.0))) == unit.device_id
    assert any(source in line and "it does not know" not in line for line in bench.trace)


def test_a_unit_that_tells_nothing_is_not_taken_for_the_one_that_was_there(bench: DeviceBench) -> None:
    bench.unit()
    (candidate,) = bench.host.candidates()
    device = bench.identified()
    bench.watch("1-1").attached(Anonymous(candidate, {RAW}))
    with pytest.raises(DriverError):
        device.ask(requests.get_serial_number())


@pytest.mark.rule("H2")
def test_another_unit_on_the_port_is_never_taken_for_the_first(bench: DeviceBench) -> None:
    bench.unit(number=1)
    device = bench.identified()
    bench.bus.unplug("1-1")
    other = bench.unit(number=2)
    bench.clock.sleep(1.0)
    with pytest.raises(Swapped) as caught:
        device.ask(requests.get_serial_number())
    assert (caught.value.expected, caught.value.found) == (str(device.device_id), other.device_id)
    with pytest.raises(Swapped):
        device.identify(bench.within(5.0))


@pytest.mark.rule("H2")
@pytest.mark.parametrize("arrives", [BootRequest.NORMAL, BootRequest.DFU])
@pytest.mark.parametrize("tells", ["serial string", "nothing but its raw device id"])
def test_nothing_is_changed_in_a_unit_that_is_another_one(bench: DeviceBench, arrives: BootRequest, tells: str) -> None:
    """RESET(0) would carry out a restart that another program asked this unit for (reference usb-and-serial 3.7)."""
    bench.unit(number=1)
    device = bench.identified()
    bench.bus.unplug("1-1")
    bench.clock.sleep(1.0)
    bench.plug(make_spec("boron", 7, 2, setup_done=True, arrives=arrives))
    (candidate,) = bench.host.candidates()
    seen: list[Setup] = []
    stranger = Overheard(candidate, seen) if tells == "serial string" else Anonymous(Overheard(candidate, seen), set())
    bench.watch("1-1").attached(stranger)
    with pytest.raises(DriverError, match="1-1"):
        device.ask(requests.get_serial_number())
    assert {setup for setup in seen if setup.request_type != 0x80} <= {RAW}


class Overheard:
    """A unit whose transfers are noted in ``seen``."""

    def __init__(self, inner: UsbCandidate, seen: list[Setup]) -> None:
        self.inner, self.seen = inner, seen
        self.port_path, self.usb_id, self.address = inner.port_path, inner.usb_id, inner.address

    def open(self) -> UsbTransport:
        transport = self.inner.open()
        forward, claim = transport.control, transport.claim

        def note(setup: Setup, data: bytes = b"", *, timeout_s: float = 5.0) -> bytes:
            self.seen.append(setup)
            return forward(setup, data, timeout_s=timeout_s)

        def note_claim(interface: int) -> None:
            self.seen.append(Setup(0, 0, 0, interface, 0))
            claim(interface)

        transport.control = note  # type: ignore[method-assign]
        transport.claim = note_claim  # type: ignore[method-assign]
        return transport


def test_the_same_unit_back_on_its_port_is_opened_again(bench: DeviceBench) -> None:
    unit = bench.unit()
    device = bench.identified()
    bench.bus.unplug("1-1")
    bench.clock.sleep(1.0)
    with pytest.raises(Disconnected, match="1-1"):
        device.ask(requests.get_serial_number())
    bench.bus.plug("1-1", unit)
    bench.watch("1-1").wait_for(lambda _: True, bench.within(10.0))
    assert device.ask(requests.get_serial_number()) == unit.spec.serial


def test_a_unit_that_arrives_in_dfu_is_identified_and_started(bench: DeviceBench) -> None:
    unit = bench.plug(make_spec("boron", 7, 1, setup_done=True, arrives=BootRequest.DFU))
    device = bench.device()
    assert str(device.identify(bench.within(10.0))) == unit.device_id
    assert device.mode is Mode.DFU
    with pytest.raises(LinkError, match="DFU"):
        device.ask(requests.get_serial_number())
    device.leave_dfu(bench.within(60.0))
    assert device.mode is Mode.APPLICATION
    assert device.ask(requests.get_serial_number()) == unit.spec.serial


def test_a_hanging_unit_ends_at_its_deadline_descriptors_included(bench: DeviceBench) -> None:
    bench.unit("at=control:1,do=hang")
    device, started = bench.device(), bench.clock.now()
    with pytest.raises(DriverError):
        device.identify(bench.within(4.0))
    assert bench.clock.now() - started < 6.0


def test_a_unit_that_answers_garbage_is_refused_in_time(bench: DeviceBench) -> None:
    bench.unit("at=control:1,do=garbage,times=1000")
    device, started = bench.device(), bench.clock.now()
    with pytest.raises(DriverError):
        device.identify(bench.within(5.0))
    assert bench.clock.now() - started < 7.0


def test_a_protected_unit_is_identified_and_started_and_says_so(bench: DeviceBench) -> None:
    spec = make_spec("boron", 7, 1, "6.3.4", setup_done=True, arrives=BootRequest.DFU, is_protected=True)
    unit = bench.plug(spec)
    device = bench.identified()
    device.leave_dfu(bench.within(60.0))
    assert str(device.ask(requests.get_device_id())) == unit.device_id
    state = device.ask(requests.get_protected_state())
    assert (state.is_protected, state.is_service_mode) == (True, False)
    refused: list[requests.Request[Any]] = [requests.get_serial_number(), requests.enter_dfu()]
    for request in (*refused, requests.get_module_info()):
        with pytest.raises(RequestRejected) as caught:
            device.ask(request)
        assert caught.value.code == -1801
    assert str(device.os_version(bench.within(5.0))) == "6.3.4"


@pytest.mark.parametrize(
    ("platform", "device_os", "request_"),
    [
        ("boron", "5.8.0", requests.get_protected_state()),
        ("argon", "3.3.1", requests.get_asset_info()),
        ("argon", "6.1.1", Request(RequestType.STORE_NETWORK, "STORE_NETWORK", bytes)),
        ("bsom", "6.3.4", requests.scan_networks()),
        ("argon", "6.3.4", requests.get_iccid()),
    ],
    ids=["protection", "assets", "credentials", "scan", "iccid"],
)
def test_a_request_that_the_device_os_does_not_have_is_not_sent(
    bench: DeviceBench, platform: str, device_os: str, request_: requests.Request[Any]
) -> None:
    unit = bench.unit(platform=platform, device_os=device_os)
    device = bench.identified()
    device.ask(requests.get_device_mode())
    before = unit.transfers["control"]
    assert not device.knows(request_, bench.within(5.0))
    with pytest.raises(RequestUnknown, match=f"was not sent: .* runs Device OS {device_os}, which does not have it"):
        device.ask(request_)
    assert unit.transfers["control"] == before


def test_a_device_os_without_the_request_knows_no_protection_and_is_not_asked(bench: DeviceBench) -> None:
    unit = bench.unit(platform="boron", device_os="5.8.0")
    device = bench.identified()
    device.ask(requests.get_device_mode())
    before = unit.transfers["control"]
    assert device.protection(bench.within(5.0)) == Protection(is_protected=False, is_service_mode=False)
    assert unit.transfers["control"] == before


def test_a_unit_whose_firmware_knows_no_raw_request_tells_its_version_by_another(bench: DeviceBench) -> None:
    bench.unit(platform="boron", device_os="5.8.0")
    device = bench.identified()
    verbs = device.open(bench.within(5.0))
    assert isinstance(verbs, ControlDevice)
    verbs.version = None
    assert not device.protection(bench.within(5.0)).is_protected, "another request tells the version too"
