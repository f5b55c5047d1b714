"""One unit through its restarts: modes confirmed, swaps and departures told apart, deadlines kept."""

from __future__ import annotations

import pytest
import usb.core
import usb.util
from device_bench import DeviceBench

from drivers.devices import ParticleDevice
from drivers.errors import (
    Cancelled,
    DeadlineExceeded,
    DidNotReturn,
    Disconnected,
    DriverError,
    LinkError,
    RequestRejected,
    Stalled,
    Swapped,
    TransferTimeout,
    WriteRefused,
)
from drivers.identity import Secret
from drivers.transport import UsbCandidate, UsbTransport
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.factory import make_spec
from drivers.virtual.faults import parse_fault
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.wire import control, requests
from drivers.wire.module import Image, parse_image
from drivers.wire.requests import WifiSecurity
from drivers.wire.usb import Mode, Setup


def image(file: synthetic.SyntheticFile) -> Image:
    return parse_image(file.data, file.name)


def identified(bench: DeviceBench) -> ParticleDevice:
    device = bench.device()
    device.identify(bench.within(10.0))
    return device


# --- who is it ---


@pytest.mark.parametrize("platform", ["argon", "boron"])
def test_the_device_id_comes_from_the_serial_string_without_a_request(bench: DeviceBench, platform: str) -> None:
    unit = bench.unit(platform=platform)
    device = bench.device()
    assert str(device.identify(bench.within(10.0))) == unit.device_id
    assert device.mode is Mode.APPLICATION
    assert not any("DEVICE_ID" in line for line in bench.trace)
    assert device.os_version(bench.within(5.0)) == "3.3.1"
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
    transport.control(control.init(requests.RequestType.RESET, 0))
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
    bench.bus.at(1.2, lambda: bench.bus.unplug("1-1") and None)
    started = bench.clock.now()
    with pytest.raises(DidNotReturn, match="dfu"):
        device.enter_dfu(bench.within(20.0))
    assert bench.clock.now() - started == pytest.approx(20.0, abs=0.5)


class Obstinate:
    """A unit that accepts restart requests and does not restart: the requests never reach it."""

    def __init__(self, inner: UsbCandidate) -> None:
        self.inner = inner
        self.port_path, self.usb_id, self.address = inner.port_path, inner.usb_id, inner.address

    def open(self) -> UsbTransport:
        transport = self.inner.open()
        forward = transport.control

        def answer(setup: Setup, data: bytes = b"", *, timeout_s: float = 5.0) -> bytes:
            if setup == control.init(requests.RequestType.RESET, 0):
                return bytes.fromhex("03 00 00 00 00 00 ff 7f")
            if setup == control.check(0x7FFF):
                return bytes.fromhex("09 00 00 00 00 00 00 00 00 00")
            return forward(setup, data, timeout_s=timeout_s)

        transport.control = answer  # type: ignore[method-assign]
        return transport


def test_a_unit_that_does_not_restart_is_given_up_after_seconds(bench: DeviceBench) -> None:
    bench.unit()
    (candidate,) = bench.host.candidates()
    bench.watch("1-1").attached(Obstinate(candidate))
    device = identified(bench)
    started = bench.clock.now()
    with pytest.raises(DidNotReturn, match="application"):
        device.reset(bench.within(60.0))
    assert bench.clock.now() - started == pytest.approx(5.0, abs=0.1)


def test_stopping_ends_the_wait_for_a_restart(bench: DeviceBench) -> None:
    bench.unit()
    stop = bench.clock.token()
    device = bench.device(cancel=stop)
    device.identify(bench.within(10.0))
    bench.bus.at(1.2, lambda: bench.bus.unplug("1-1") and None)
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


# --- listening mode and the console ---


def test_listening_mode_is_entered_and_left_on_the_units_own_word(bench: DeviceBench) -> None:
    unit = bench.unit()
    device = identified(bench)
    device.enter_listening(bench.within(10.0))
    assert unit.mode is UnitMode.LISTENING
    assert device.is_listening(bench.within(5.0))
    assert device.leave_listening(bench.within(10.0)) is True
    assert unit.mode is UnitMode.NORMAL


def test_a_wifi_unit_without_networks_returns_to_listening_and_that_is_no_error(bench: DeviceBench) -> None:
    bench.unit(platform="argon", device_os="6.3.4")
    device = identified(bench)
    if not device.is_listening(bench.within(5.0)):
        device.enter_listening(bench.within(10.0))
    device.leave_listening(bench.within(30.0))
    bench.clock.sleep(20.0)
    assert device.is_listening(bench.within(5.0))


@pytest.mark.rule("A7")
@pytest.mark.parametrize(("platform", "device_os"), [("boron", "3.3.1"), ("boron", "6.3.4"), ("argon", "5.8.0")])
def test_the_console_tells_every_identity_and_leaves_the_mode_as_it_was(
    bench: DeviceBench, platform: str, device_os: str
) -> None:
    unit = bench.unit(platform=platform, device_os=device_os)
    device = identified(bench)
    was_listening = device.is_listening(bench.within(5.0))
    with device.console(bench.within(90.0)) as console:
        found = console.identify()
        assert console.version() == device_os
        assert console.claimed() is False
        assert console.modules().platform_id == unit.spec.platform_id
        assert console.mac() == unit.spec.mac
    assert str(found.device_id) == unit.device_id
    assert (found.serial, found.secret) == (unit.spec.serial, unit.spec.mobile_secret)
    assert device.is_listening(bench.within(5.0)) == was_listening
    assert unit.spec.mobile_secret.reveal() not in "\n".join(bench.trace)


@pytest.mark.rule("N5")
def test_the_console_stores_a_network_without_showing_its_password(bench: DeviceBench) -> None:
    unit = bench.unit(platform="argon")
    device = identified(bench)
    with device.console(bench.within(120.0)) as console:
        console.wifi("factory-ap", Secret("hunter2hunter2"), WifiSecurity.WPA2_PSK)
    assert [row.ssid for row in device.ask(requests.get_known_networks())] == ["factory-ap"]
    assert "hunter2" not in "\n".join(bench.trace)
    assert unit.score.flash_writes == 1


def test_a_silent_console_ends_after_its_own_time_and_listening_mode_is_left(bench: DeviceBench) -> None:
    unit = bench.unit()
    device = identified(bench)
    with device.console(bench.within(60.0)) as console:
        unit.order(parse_fault("at=console:4,do=hang,for=7"))  # three bytes went when it was opened
        started = bench.clock.now()
        with pytest.raises(TransferTimeout, match="silent"):
            console.version()
        assert bench.clock.now() - started == pytest.approx(5.0, abs=0.1)
        bench.clock.sleep(3.0)
        assert console.version() == "3.3.1"
    assert unit.mode is UnitMode.NORMAL


@pytest.mark.parametrize("how", ["stopped", "too late"])
def test_a_unit_does_not_stay_in_listening_mode_when_its_reader_gives_up(bench: DeviceBench, how: str) -> None:
    unit = bench.unit()
    stop = bench.clock.token()
    device = bench.device(cancel=stop)
    device.identify(bench.within(10.0))

    def read() -> None:
        with device.console(bench.within(5.0)) as console:
            assert unit.mode is UnitMode.LISTENING
            if how == "stopped":
                stop.cancel()
            else:
                bench.clock.sleep(5.0)
            console.version()

    with pytest.raises(Cancelled if how == "stopped" else DeadlineExceeded):
        read()
    bench.clock.sleep(1.0)
    assert unit.mode is UnitMode.NORMAL


def test_two_consoles_are_told_apart_by_serial_string(bench: DeviceBench) -> None:
    bench.unit(number=1)
    second = bench.plug(make_spec("boron", 7, 2, setup_done=True), port="1-2")
    device = bench.device("1-2")
    device.identify(bench.within(10.0))
    with device.console(bench.within(90.0)) as console:
        assert str(console.identify().device_id) == second.device_id


# --- update by control requests ---


def test_a_bootloader_goes_by_control_request_and_is_there_after_the_restart(bench: DeviceBench) -> None:
    unit = bench.unit()
    device = identified(bench)
    new = image(synthetic.release(13, "6.3.4")[0])
    shares: list[float] = []
    started = bench.clock.now()
    device.update_over_control(new, bench.within(240.0), shares.append)
    assert shares[-1] == 1.0
    assert shares == sorted(shares)
    held = {(m.function, m.index): m.version for m in device.ask(requests.get_module_info())}
    assert held[2, 0] == new.version == 3200
    assert unit.score.forbidden == []
    assert bench.clock.now() - started < 30.0


def test_a_module_of_another_platform_is_refused_before_anything_is_sent(bench: DeviceBench) -> None:
    unit = bench.unit()
    device = identified(bench)
    with pytest.raises(WriteRefused, match="Boron"):
        device.update_over_control(image(synthetic.release(12, "6.3.4")[0]), bench.within(60.0))
    assert unit.score.flash_writes == 0


def test_what_the_unit_refuses_at_the_end_is_raised_with_its_code(bench: DeviceBench) -> None:
    """A system part whose SoftDevice is missing: nothing is applied, nothing restarts."""
    unit = bench.unit()
    device = identified(bench)
    with pytest.raises(RequestRejected) as caught:
        device.update_over_control(image(synthetic.release(13, "6.3.4")[2]), bench.within(240.0))
    assert caught.value.code == -1340
    assert unit.mode is UnitMode.NORMAL, "listening mode was left again"
    assert bench.watch("1-1").generation == 1
    assert not bench.watch("1-1").is_restart_expected


def test_unplugging_in_the_middle_of_an_update_is_a_departure(bench: DeviceBench) -> None:
    bench.unit("at=request:253:20,do=unplug")
    device = identified(bench)
    with pytest.raises(Disconnected):
        device.update_over_control(image(synthetic.release(13, "6.3.4")[0]), bench.within(240.0))
    assert not bench.watch("1-1").is_restart_expected


def test_a_deadline_in_the_past_ends_every_verb_at_once(bench: DeviceBench) -> None:
    bench.unit()
    device = identified(bench)
    gone = bench.within(0.0)
    for verb in (device.enter_dfu, device.reset, device.enter_listening, device.leave_listening, device.is_listening):
        with pytest.raises(DeadlineExceeded):
            verb(gone)
