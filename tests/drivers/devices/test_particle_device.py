"""One unit through its restarts: modes confirmed, swaps and departures told apart, deadlines kept."""

from __future__ import annotations

from typing import Any

import pytest
import usb.core
import usb.util
from support.device_bench import DeviceBench
from support.odd_rates import UsualRates

from drivers.devices import ParticleDevice
from drivers.devices.control import ControlDevice
from drivers.errors import (
    Cancelled,
    DidNotReturn,
    Disconnected,
    DriverError,
    LinkError,
    NeedsHands,
    RequestRejected,
    RequestUnknown,
    Stalled,
    Swapped,
    TransferFailed,
    TransferTimeout,
)
from drivers.transport import UsbCandidate, UsbTransport
from drivers.transport.serialport import PyserialHost
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.factory import make_spec
from drivers.virtual.serial_side import VirtualPorts
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.wire import requests
from drivers.wire.control import host as control
from drivers.wire.control.tables import RAW_REQUEST, Raw, RequestType
from drivers.wire.image.host import Image, parse_image
from drivers.wire.messages.system import Protection
from drivers.wire.requests import Request
from drivers.wire.usb import Mode, Setup


def image(file: synthetic.SyntheticFile) -> Image:
    return parse_image(file.data, file.name)


def identified(bench: DeviceBench) -> ParticleDevice:
    device = bench.device()
    device.identify(bench.within(10.0))
    return device


# --- who is it ---


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
    device = identified(bench)
    bench.watch("1-1").attached(Anonymous(candidate, {RAW}))
    with pytest.raises(DriverError):
        device.ask(requests.get_serial_number())


@pytest.mark.rule("H2")
def test_another_unit_on_the_port_is_never_taken_for_the_first(bench: DeviceBench) -> None:
    bench.unit(number=1)
    device = identified(bench)
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
    device = identified(bench)
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
    device = identified(bench)
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


# --- restarts ---


@pytest.mark.rule("H3")
def test_dfu_and_back_is_announced_and_confirmed(bench: DeviceBench) -> None:
    unit = bench.unit()
    watch, device = bench.watch("1-1"), identified(bench)
    seen: list[str | None] = []
    bench.bus.at(1.5, lambda: seen.append(watch.expected_reason))
    device.enter_dfu(bench.within(60.0))
    assert (device.mode, unit.mode, seen) == (Mode.DFU, UnitMode.DFU, ["dfu"])
    assert not watch.is_restart_expected
    device.enter_dfu(bench.within(60.0))  # again: nothing to do
    device.leave_dfu(bench.within(60.0))
    assert (device.mode, unit.mode) == (Mode.APPLICATION, UnitMode.NORMAL)
    device.leave_dfu(bench.within(60.0))
    assert watch.generation == 3
    assert unit.score.flash_writes == 0


def test_the_handle_is_let_go_as_soon_as_the_restart_is_asked_for(bench: DeviceBench) -> None:
    bench.plug(make_spec("boron", 7, 1, setup_done=True, arrives=BootRequest.DFU))
    device = identified(bench)
    claimed: list[float] = []

    def another_program() -> None:
        usb.util.claim_interface(usb.core.find(backend=bench.backend), 0)
        claimed.append(bench.clock.now())

    bench.bus.at(0.2, another_program)
    device.leave_dfu(bench.within(60.0))
    assert len(claimed) == 1, "the unit was still in DFU mode and its interface free"


@pytest.mark.parametrize("arrives", [BootRequest.NORMAL, BootRequest.DFU])
def test_reset_brings_the_firmware_back_from_either_mode(bench: DeviceBench, arrives: BootRequest) -> None:
    bench.plug(make_spec("boron", 7, 1, setup_done=True, arrives=arrives))
    device = identified(bench)
    device.reset(bench.within(60.0))
    assert device.mode is Mode.APPLICATION
    assert bench.watch("1-1").generation == 2


def test_a_restart_an_earlier_program_left_behind_does_not_confuse(bench: DeviceBench) -> None:
    """RESET(0) of the next program carries the stored restart out (reference usb-and-serial 3.7)."""
    bench.unit()
    (candidate,) = bench.host.candidates()
    transport = candidate.open()
    transport.control(control.init(RequestType.RESET, 0))
    transport.close()
    device = bench.device()
    device.identify(bench.within(10.0))
    bench.clock.sleep(6.0)
    assert device.ask(requests.get_device_mode()) is False
    assert bench.watch("1-1").generation == 2


@pytest.mark.rule("H2")
def test_a_swap_during_re_enumeration_is_found_out(bench: DeviceBench) -> None:
    bench.unit(number=1)
    device = identified(bench)
    stranger = VirtualUnit(make_spec("boron", 7, 2, setup_done=True), bench.clock)

    def swap() -> None:
        bench.bus.unplug("1-1")
        bench.bus.plug("1-1", stranger)

    bench.bus.at(1.2, swap)
    with pytest.raises(Swapped) as caught:
        device.enter_dfu(bench.within(60.0))
    assert caught.value.found == stranger.device_id
    assert not bench.watch("1-1").is_restart_expected


def test_a_unit_that_never_returns_ends_at_the_deadline(bench: DeviceBench) -> None:
    bench.unit()
    device = identified(bench)
    bench.bus.at(1.2, lambda: bench.bus.unplug("1-1"))
    started = bench.clock.now()
    with pytest.raises(DidNotReturn, match="dfu"):
        device.enter_dfu(bench.within(20.0))
    assert bench.clock.now() - started == pytest.approx(20.0, abs=0.5)


class Rough:
    """A unit on a bus that is not ready yet: after ``after`` good transfers come ``errors``, one a transfer."""

    def __init__(self, inner: UsbCandidate, errors: list[DriverError], after: int = 0) -> None:
        self.inner, self.errors, self.after = inner, errors, after
        self.port_path, self.usb_id, self.address = inner.port_path, inner.usb_id, inner.address

    def open(self) -> UsbTransport:
        transport = self.inner.open()
        forward = transport.control

        def answer(setup: Setup, data: bytes = b"", *, timeout_s: float = 5.0) -> bytes:
            if self.after:
                self.after -= 1
            elif self.errors:
                raise self.errors.pop(0)
            return forward(setup, data, timeout_s=timeout_s)

        transport.control = answer  # type: ignore[method-assign]
        return transport


@pytest.mark.parametrize("error", [Stalled("pipe"), Disconnected("I/O"), TransferTimeout("silent")])
@pytest.mark.parametrize("count", [1, 3, 10])
@pytest.mark.parametrize("after", [0, 3], ids=["from the first transfer on", "once it is opened"])
def test_errors_of_a_bus_that_comes_up_are_part_of_an_announced_restart(
    bench: DeviceBench, error: DriverError, count: int, after: int
) -> None:
    unit = bench.unit()
    device = identified(bench)
    errors = [error] * count
    before = bench.watch("1-1").current.address  # type: ignore[union-attr]
    bench.dressed = lambda c: c if c.address == before else Rough(c, errors, after)
    device.reset(bench.within(60.0))
    assert errors == []
    assert device.ask(requests.get_serial_number()) == unit.spec.serial
    assert bench.watch("1-1").generation == 2


class Worn:
    """A unit whose first opened handle fails every transfer once it was used; any later one is good."""

    def __init__(self, inner: UsbCandidate) -> None:
        self.inner, self.opened, self.is_worn = inner, 0, False
        self.port_path, self.usb_id, self.address = inner.port_path, inner.usb_id, inner.address

    def open(self) -> UsbTransport:
        self.opened += 1
        number, transport = self.opened, self.inner.open()
        forward = transport.control

        def answer(setup: Setup, data: bytes = b"", *, timeout_s: float = 5.0) -> bytes:
            if self.is_worn and number == 1:
                raise TransferFailed("input/output error")
            return forward(setup, data, timeout_s=timeout_s)

        transport.control = answer  # type: ignore[method-assign]
        return transport


def test_a_handle_that_fails_every_transfer_is_replaced_before_the_unit_counts_as_lost(bench: DeviceBench) -> None:
    unit = bench.unit()
    (candidate,) = bench.host.candidates()
    worn = Worn(candidate)
    bench.watch("1-1").attached(worn)
    device = identified(bench)
    worn.is_worn = True
    assert device.ask(requests.get_serial_number()) == unit.spec.serial
    assert worn.opened == 2


def test_what_must_not_happen_twice_is_not_asked_again_on_a_new_handle(bench: DeviceBench) -> None:
    bench.unit()
    (candidate,) = bench.host.candidates()
    worn = Worn(candidate)
    bench.watch("1-1").attached(worn)
    device = identified(bench)
    worn.is_worn = True
    with pytest.raises(LinkError):
        device.ask(requests.finish_firmware_update())
    assert worn.opened == 1


def test_a_protected_unit_is_identified_and_started_and_says_so(bench: DeviceBench) -> None:
    spec = make_spec("boron", 7, 1, "6.3.4", setup_done=True, arrives=BootRequest.DFU, is_protected=True)
    unit = bench.plug(spec)
    device = identified(bench)
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
    device = identified(bench)
    device.ask(requests.get_device_mode())
    before = unit.transfers["control"]
    assert not device.knows(request_, bench.within(5.0))
    with pytest.raises(RequestUnknown, match=f"was not sent: .* runs Device OS {device_os}, which does not have it"):
        device.ask(request_)
    assert unit.transfers["control"] == before


def test_a_device_os_without_the_request_knows_no_protection_and_is_not_asked(bench: DeviceBench) -> None:
    unit = bench.unit(platform="boron", device_os="5.8.0")
    device = identified(bench)
    device.ask(requests.get_device_mode())
    before = unit.transfers["control"]
    assert device.protection(bench.within(5.0)) == Protection(is_protected=False, is_service_mode=False)
    assert unit.transfers["control"] == before


def test_a_unit_whose_firmware_knows_no_raw_request_tells_its_version_by_another(bench: DeviceBench) -> None:
    bench.unit(platform="boron", device_os="5.8.0")
    device = identified(bench)
    verbs = device.open(bench.within(5.0))
    assert isinstance(verbs, ControlDevice)
    verbs.version = None
    assert not device.protection(bench.within(5.0)).is_protected, "another request tells the version too"


def test_a_unit_that_only_stalls_after_its_return_is_given_up_at_the_deadline(bench: DeviceBench) -> None:
    bench.unit()
    device = identified(bench)
    address = bench.watch("1-1").current.address  # type: ignore[union-attr]
    bench.dressed = lambda c: c if c.address == address else Rough(c, [Stalled("pipe")] * 1000)
    started = bench.clock.now()
    with pytest.raises(DidNotReturn, match="application"):
        device.reset(bench.within(20.0))
    assert bench.clock.now() - started == pytest.approx(20.0, abs=1.0)


def test_a_unit_back_in_dfu_mode_is_left_alone_for_half_a_second(bench: DeviceBench) -> None:
    unit = bench.unit()
    opened: list[float] = []
    device = ParticleDevice(
        bench.watch("1-1"), bench.serial_host, bench.clock, bench.clock.token(),
        lambda line: opened.append(bench.clock.now()) if line.startswith("dfu open") else None,
    )  # fmt: skip
    device.identify(bench.within(10.0))
    device.enter_dfu(bench.within(60.0))
    assert unit.presence is not None
    assert 0.5 <= opened[0] - unit.presence.since <= 0.9


class Obstinate:
    """A unit that accepts restart requests and does not restart: the requests never reach it."""

    def __init__(self, inner: UsbCandidate) -> None:
        self.inner = inner
        self.port_path, self.usb_id, self.address = inner.port_path, inner.usb_id, inner.address

    def open(self) -> UsbTransport:
        transport = self.inner.open()
        forward = transport.control

        def answer(setup: Setup, data: bytes = b"", *, timeout_s: float = 5.0) -> bytes:
            if setup.index == Raw.RESTART and setup.request == RAW_REQUEST:
                return b""
            if setup == control.init(RequestType.RESET, 0):
                return bytes.fromhex("03 00 00 00 00 00 ff 7f")
            if setup == control.check(0x7FFF):
                return bytes.fromhex("09 00 00 00 00 00 00 00 00 00")
            return forward(setup, data, timeout_s=timeout_s)

        transport.control = answer  # type: ignore[method-assign]
        return transport


def test_a_unit_that_does_not_restart_is_given_up_after_seconds(bench: DeviceBench) -> None:
    ports = VirtualPorts(bench.bus)
    bench.serial_host = PyserialHost(ports.list, UsualRates.opener(bench.bus))
    bench.unit()
    (candidate,) = bench.host.candidates()
    bench.watch("1-1").attached(Obstinate(candidate))
    device = identified(bench)
    started = bench.clock.now()
    with pytest.raises(NeedsHands, match=r"is not back in application mode in time.*press its RESET button"):
        device.reset(bench.within(60.0))
    assert bench.clock.now() - started == pytest.approx(30.0, abs=0.2), "by two ways, three times five seconds each"


def test_stopping_ends_the_wait_for_a_restart(bench: DeviceBench) -> None:
    bench.unit()
    stop = bench.clock.token()
    device = bench.device(cancel=stop)
    device.identify(bench.within(10.0))
    bench.bus.at(1.2, lambda: bench.bus.unplug("1-1"))
    bench.bus.at(3.0, stop.cancel)
    started = bench.clock.now()
    with pytest.raises(Cancelled):
        device.enter_dfu(bench.within(60.0))
    assert bench.clock.now() - started == pytest.approx(3.0, abs=0.1)
    assert not bench.watch("1-1").is_restart_expected


def test_a_unit_without_a_system_part_does_not_leave_dfu(bench: DeviceBench) -> None:
    bootloader = synthetic.release(13, "3.3.1")[0]
    bench.plug(make_spec("boron", 7, 1, modules=[bootloader.data]))
    device = identified(bench)
    assert device.mode is Mode.DFU
    with pytest.raises(DidNotReturn, match="d00d"):
        device.leave_dfu(bench.within(60.0))
