"""One unit through its restarts: modes confirmed, swaps and departures told apart, deadlines kept."""

from __future__ import annotations

import pytest
import usb.core
import usb.util
from support.device_bench import DeviceBench
from support.odd_rates import UsualRates

from drivers.devices import ParticleDevice
from drivers.errors import (
    Cancelled,
    DidNotReturn,
    Disconnected,
    DriverError,
    LinkError,
    NeedsHands,
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
from drivers.wire.usb import Mode, Setup


@pytest.mark.rule("H3")
def test_dfu_and_back_is_announced_and_confirmed(bench: DeviceBench) -> None:
    unit = bench.unit()
    watch, device = bench.watch("1-1"), bench.identified()
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
    device = bench.identified()
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
    device = bench.identified()
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
    device = bench.identified()
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
    device = bench.identified()
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
    device = bench.identified()
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
    device = bench.identified()
    worn.is_worn = True
    assert device.ask(requests.get_serial_number()) == unit.spec.serial
    assert worn.opened == 2


def test_what_must_not_happen_twice_is_not_asked_again_on_a_new_handle(bench: DeviceBench) -> None:
    bench.unit()
    (candidate,) = bench.host.candidates()
    worn = Worn(candidate)
    bench.watch("1-1").attached(worn)
    device = bench.identified()
    worn.is_worn = True
    with pytest.raises(LinkError):
        device.ask(requests.finish_firmware_update())
    assert worn.opened == 1


def test_a_unit_that_only_stalls_after_its_return_is_given_up_at_the_deadline(bench: DeviceBench) -> None:
    bench.unit()
    device = bench.identified()
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
    device = bench.identified()
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
    device = bench.identified()
    assert device.mode is Mode.DFU
    with pytest.raises(DidNotReturn, match="d00d"):
        device.leave_dfu(bench.within(60.0))
