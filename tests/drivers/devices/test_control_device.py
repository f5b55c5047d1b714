"""Control requests on a virtual unit: every path of reference usb-and-serial 3.4, and units that misbehave."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.device_bench import DeviceBench, echo

from drivers.clock import Deadline, SimulatedClock
from drivers.devices import ControlDevice
from drivers.errors import (
    Cancelled,
    DeadlineExceeded,
    Disconnected,
    DriverError,
    OutcomeUnknown,
    OutOfRequests,
    RequestRejected,
    Stalled,
    TransferTimeout,
)
from drivers.identity import PortPath, Secret
from drivers.platforms import OsVersion
from drivers.transport import UsbTransport
from drivers.wire import requests
from drivers.wire.control import host as control
from drivers.wire.control.tables import RequestType, Service
from drivers.wire.messages.tables import WifiSecurity
from drivers.wire.requests import Request
from drivers.wire.usb import Setup, UsbId


class Tampering:
    """A transport with a hand in it: ``tamper(setup, forward)`` decides what becomes of each transfer."""

    def __init__(self, inner: UsbTransport, tamper: Callable[[Setup, Callable[[], bytes]], bytes]) -> None:
        self.inner, self.tamper = inner, tamper
        self.port_path, self.usb_id = inner.port_path, inner.usb_id

    def control(self, setup: Setup, data: bytes = b"", *, timeout_s: float = 5.0) -> bytes:
        return self.tamper(setup, lambda: self.inner.control(setup, data, timeout_s=timeout_s))

    def close(self) -> None:
        self.inner.close()


def opened(bench: DeviceBench, tamper: Callable[[Setup, Callable[[], bytes]], bytes] | None = None) -> ControlDevice:
    (candidate,) = bench.host.candidates()
    transport = candidate.open()
    device = ControlDevice(Tampering(transport, tamper) if tamper else transport, bench.clock, trace=bench.trace.append)  # type: ignore[arg-type]
    device.open(bench.within(5.0))
    return device


def leak(bench: DeviceBench, count: int) -> None:
    """What a program leaves behind that dies between INIT and CHECK."""
    (candidate,) = bench.host.candidates()
    transport = candidate.open()
    for _ in range(count):
        transport.control(control.init(RequestType.SYSTEM_VERSION, 0))
    transport.close()


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 1027, 4096, 4097, 20_000, 65_535])
def test_payload_and_reply_of_any_size_come_back_whole(bench: DeviceBench, size: int) -> None:
    bench.unit()
    data = bytes(i * 7 & 0xFF for i in range(size))
    assert opened(bench).ask(echo(data), deadline=bench.within(30.0)) == data


def test_a_reply_without_bytes_is_the_default_message(bench: DeviceBench) -> None:
    bench.unit()
    device = opened(bench)
    assert device.ask(requests.get_device_mode(), deadline=bench.within(5.0)) is False
    assert device.ask(requests.is_claimed(), deadline=bench.within(5.0)) is False


def test_opening_reads_the_version_and_frees_what_a_dead_program_left(bench: DeviceBench) -> None:
    bench.unit()
    leak(bench, 4)
    device = opened(bench)
    assert device.version == OsVersion.parse("3.3.1")
    assert device.ask(requests.get_system_version(), deadline=bench.within(1.0)) == device.version
    assert not any("trying again" in line for line in bench.trace)


def test_requests_leaked_after_opening_are_freed_once_the_unit_says_busy(bench: DeviceBench) -> None:
    bench.unit()
    device = opened(bench)
    leak(bench, 4)
    assert device.ask(requests.get_system_version(), deadline=bench.within(5.0)) == OsVersion.parse("3.3.1")
    assert any("four requests are open" in line for line in bench.trace)


def test_a_busy_unit_is_asked_while_there_is_time_each_time_after_a_reset_of_all_requests(bench: DeviceBench) -> None:
    bench.unit("at=request:30,do=busy,times=50")
    sent: list[tuple[float, int]] = []

    def tamper(setup: Setup, forward: Callable[[], bytes]) -> bytes:
        sent.append((bench.clock.now(), setup.request))
        return forward()

    device = opened(bench, tamper)
    sent.clear()
    with pytest.raises(OutOfRequests, match="6 tries"):
        device.ask(requests.get_system_version(), deadline=bench.within(4.0))
    assert [request for _, request in sent] == [Service.INIT, *[Service.RESET, Service.INIT] * 5]
    pauses = [after - before for (before, asked), (after, _) in itertools.pairwise(sent) if asked == Service.INIT]
    assert pauses == pytest.approx([0.1, 0.5, 1.0, 1.0, 1.0], abs=0.01)


@pytest.mark.parametrize(
    ("within_s", "told"), [(0.05, "after 1 try;"), (0.4, "after 2 tries;"), (2.0, "after 4 tries;")]
)
def test_a_busy_unit_is_told_of_with_the_tries_there_were(bench: DeviceBench, within_s: float, told: str) -> None:
    bench.unit("at=request:30,do=busy,times=50")
    device = opened(bench)
    with pytest.raises(OutOfRequests, match=told):
        device.ask(requests.get_system_version(), deadline=bench.within(within_s))


def slots_taken(bench: DeviceBench) -> int:
    """How many of the unit's four slots hold a request, as a program sees it that does not reset them."""
    (candidate,) = bench.host.candidates()
    transport = candidate.open()
    ids = []
    while (reply := control.parse_reply(transport.control(control.init(RequestType.ECHO, 1)))).id is not None:
        ids.append(reply.id)
    for request_id in ids:
        transport.control(control.reset(request_id))
    transport.close()
    return 4 - len(ids)


@pytest.mark.parametrize("stage", [Service.CHECK, Service.RECV])
def test_an_answer_the_unit_does_not_hand_out_frees_its_slot_and_is_an_unknown_outcome(
    bench: DeviceBench, stage: Service
) -> None:
    bench.unit()

    def tamper(setup: Setup, forward: Callable[[], bytes]) -> bytes:
        if setup.request == stage:
            raise Stalled("broken off")
        return forward()

    device = opened(bench, tamper)
    for _ in range(5):  # the unit has four slots
        with pytest.raises(OutcomeUnknown, match="read the unit's state again"):
            device.ask(requests.get_system_version(), deadline=bench.within(5.0))
    assert slots_taken(bench) == 0


@pytest.mark.parametrize("size", [5, 100])
def test_a_payload_that_got_lost_leaves_no_request_open(bench: DeviceBench, size: int) -> None:
    """Small ones are dropped without a word, large ones are stalled (reference usb-and-serial 3.5)."""
    bench.unit()

    def tamper(setup: Setup, forward: Callable[[], bytes]) -> bytes:
        if setup.request != Service.SEND:
            return forward()
        if setup.length > 64:
            raise Stalled("refused")
        return b""

    device = opened(bench, tamper)
    with pytest.raises(OutOfRequests, match="payload was lost"):
        device.ask(echo(bytes(size)), deadline=bench.within(5.0))
    assert slots_taken(bench) == 0


def test_a_request_that_is_stalled_once_is_asked_again(bench: DeviceBench) -> None:
    bench.unit("at=request:30,do=stall")
    assert opened(bench).ask(requests.get_system_version(), deadline=bench.within(5.0)) == OsVersion.parse("3.3.1")


def test_a_request_that_is_always_stalled_says_so_and_the_next_one_works(bench: DeviceBench) -> None:
    bench.unit("at=request:30,do=stall,times=4")
    device = opened(bench)
    with pytest.raises(Stalled, match="SYSTEM_VERSION"):
        device.ask(requests.get_system_version(), deadline=bench.within(5.0))
    assert device.ask(requests.get_system_version(), deadline=bench.within(5.0)) == OsVersion.parse("3.3.1")


def test_a_lost_payload_is_sent_again(bench: DeviceBench) -> None:
    bench.unit()
    lost: list[Setup] = []

    def tamper(setup: Setup, forward: Callable[[], bytes]) -> bytes:
        if setup.request == Service.SEND and not lost:
            lost.append(setup)
            return b""
        return forward()

    assert opened(bench, tamper).ask(echo(b"hello"), deadline=bench.within(5.0)) == b"hello"
    assert len(lost) == 1


def test_a_payload_that_always_gets_lost_ends_in_an_error(bench: DeviceBench) -> None:
    unit = bench.unit()
    device = opened(bench, lambda setup, forward: b"" if setup.request == Service.SEND else forward())
    with pytest.raises(OutOfRequests, match="payload was lost"):
        device.ask(requests.set_setup_done(True), deadline=bench.within(5.0))
    assert unit.score.flash_writes == 0


def losing_the_final_answer(bench: DeviceBench, lost: list[bytes]) -> ControlDevice:

    def tamper(setup: Setup, forward: Callable[[], bytes]) -> bytes:
        reply = forward()
        if setup.request == Service.CHECK and reply[0] == 0x09 and not lost:
            lost.append(reply)
            raise TransferTimeout("the reply got lost on the way")
        return reply

    return opened(bench, tamper)


def test_a_request_that_changes_nothing_the_second_time_is_asked_again_when_its_answer_got_lost(
    bench: DeviceBench,
) -> None:
    """The unit forgets a request when its result has left (reference usb-and-serial 3.5)."""
    bench.unit(device_os="3.3.1")
    lost: list[bytes] = []
    device = losing_the_final_answer(bench, lost)
    device.ask(requests.set_setup_done(False), deadline=bench.within(5.0))
    assert len(lost) == 1
    assert device.ask(requests.is_setup_done(), deadline=bench.within(5.0)) is False


def test_a_lost_final_answer_of_a_request_that_must_not_happen_twice_is_an_unknown_outcome(bench: DeviceBench) -> None:
    unit = bench.unit(device_os="3.3.1")
    lost: list[bytes] = []
    device = losing_the_final_answer(bench, lost)
    lost.append(b"of the request before")
    assert device.ask(requests.start_firmware_update(4096), deadline=bench.within(60.0)) == 1024
    writes = unit.score.flash_writes
    lost.clear()
    with pytest.raises(OutcomeUnknown, match="FIRMWARE_UPDATE_DATA"):
        device.ask(requests.firmware_update_data(b"x" * 64), deadline=bench.within(5.0))
    assert unit.score.flash_writes == writes + 1, "it was carried out once"


def test_a_negative_result_is_raised_in_words_and_number(bench: DeviceBench) -> None:
    bench.unit(device_os="6.3.4")
    with pytest.raises(RequestRejected, match=r"not supported \(-120\)") as caught:
        opened(bench).ask(requests.set_setup_done(False), deadline=bench.within(5.0))
    assert (caught.value.request, caught.value.code) == (73, -120)


def test_the_deadline_ends_a_request_the_unit_does_not_work_on_and_frees_its_slot(bench: DeviceBench) -> None:
    """After a restart request the unit takes requests for a second and does nothing about them (3.7)."""
    bench.unit()
    device = opened(bench)
    device.ask_restart(requests.reset(), deadline=bench.within(5.0))
    bench.trace.clear()
    for _ in range(6):  # the unit has four slots
        started = bench.clock.now()
        with pytest.raises(DeadlineExceeded):
            device.ask(requests.get_system_version(), deadline=bench.within(0.1))
        assert bench.clock.now() - started == pytest.approx(0.1, abs=0.01)
    assert not any("four requests are open" in line for line in bench.trace)


def test_a_hanging_unit_ends_at_the_deadline(bench: DeviceBench) -> None:
    bench.unit("at=request:30,do=hang")
    device = opened(bench)
    started = bench.clock.now()
    with pytest.raises((DeadlineExceeded, TransferTimeout)):
        device.ask(requests.get_system_version(), deadline=bench.within(8.0))
    assert bench.clock.now() - started <= 9.0


def test_cancelling_ends_a_request(bench: DeviceBench) -> None:
    bench.unit()
    device = opened(bench)
    device.ask_restart(requests.reset(), deadline=bench.within(5.0))
    stop = bench.clock.token()
    bench.bus.at(0.3, stop.cancel)
    started = bench.clock.now()
    with pytest.raises(Cancelled):
        device.ask(requests.get_system_version(), deadline=bench.within(0.9), cancel=stop)
    assert bench.clock.now() - started == pytest.approx(0.3, abs=0.01)


def test_unplugging_in_the_middle_is_a_departure(bench: DeviceBench) -> None:
    bench.unit()
    device = opened(bench)
    bench.bus.at(1.0, lambda: bench.bus.unplug("1-1"))
    with pytest.raises(Disconnected):
        device.ask(requests.get_iccid(), deadline=bench.within(60.0))


@pytest.mark.parametrize("stage", [Service.INIT, Service.CHECK])
def test_a_unit_that_vanishes_has_obeyed_a_restart_only_if_it_had_accepted_it(
    bench: DeviceBench, stage: Service
) -> None:
    bench.unit()

    def tamper(setup: Setup, forward: Callable[[], bytes]) -> bytes:
        if setup.request == stage:
            raise Disconnected("gone")
        return forward()

    device = opened(bench, tamper)
    if stage is Service.CHECK:
        device.ask_restart(requests.enter_dfu(), deadline=bench.within(5.0))
    else:
        with pytest.raises(Disconnected):
            device.ask_restart(requests.enter_dfu(), deadline=bench.within(5.0))


@pytest.mark.parametrize("stage", [Service.INIT, Service.CHECK])
def test_a_stall_means_obeyed_only_after_the_restart_request_was_accepted(bench: DeviceBench, stage: Service) -> None:
    """The end of a unit's bus may look like a STALL of the CHECK that runs just then (usb-and-serial 3.7)."""
    bench.unit()

    def tamper(setup: Setup, forward: Callable[[], bytes]) -> bytes:
        if setup.request == stage:
            raise Stalled("gone in the middle")
        return forward()

    device = opened(bench, tamper)
    if stage is Service.CHECK:
        device.ask_restart(requests.enter_dfu(), deadline=bench.within(5.0))
    else:
        with pytest.raises(Stalled):
            device.ask_restart(requests.enter_dfu(), deadline=bench.within(5.0))


@pytest.mark.rule("N5")
def test_the_trace_has_one_line_per_request_and_hides_secret_payloads(bench: DeviceBench) -> None:
    unit = bench.unit(platform="argon")
    device = opened(bench)
    bench.trace.clear()
    password = "correct horse battery"
    with contextlib.suppress(RequestRejected):
        device.ask(
            requests.join_new_network("factory", Secret(password), WifiSecurity.WPA2_PSK), deadline=bench.within(60.0)
        )
    device.ask(requests.get_serial_number(), deadline=bench.within(5.0))
    join, serial = bench.trace
    assert "JOIN_NEW_NETWORK" in join
    assert password.encode()[:6].hex(" ") not in "".join(bench.trace)
    assert b"factory".hex(" ") not in join
    assert "SERIAL_NUMBER" in serial
    words, _, raw = serial.partition("\n")
    assert f": {unit.spec.serial}, " in words
    assert raw.startswith("sent 0 bytes; got ")


# --- hostile units ---


class Hostile:
    """Answers with whatever it was given, over and over."""

    port_path, usb_id = PortPath("1-1"), UsbId(0x2B04, 0xC00D)

    def __init__(self, clock: SimulatedClock, answers: list[bytes]) -> None:
        self.clock, self.answers, self.count = clock, answers or [b""], 0

    def control(self, setup: Setup, data: bytes = b"", *, timeout_s: float = 5.0) -> bytes:
        self.clock.sleep(0.001)
        self.count += 1
        return self.answers[self.count % len(self.answers)][: setup.length] if setup.is_in else b""

    def close(self) -> None:
        """Nothing to close."""


_service_reply = st.builds(
    lambda flags, status, tail: flags.to_bytes(4, "little") + status.to_bytes(2, "little") + tail,
    st.sampled_from([0x01, 0x03, 0x09, 0x0D, 0x0F, 0x00, 0xFFFFFFFF]),
    st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5, 77]),
    st.binary(max_size=12),
)


@given(st.lists(st.one_of(_service_reply, st.binary(max_size=64)), max_size=8), st.sampled_from([b"", b"x" * 65]))
def test_no_answer_of_a_unit_raises_anything_but_driver_errors_or_outlasts_the_deadline(
    answers: list[bytes], payload: bytes
) -> None:
    clock = SimulatedClock()
    with clock.registered():
        device = ControlDevice(Hostile(clock, answers), clock)  # type: ignore[arg-type]
        asked: list[Request[object]] = [echo(payload), requests.get_module_info(), requests.get_interface(4)]  # type: ignore[list-item]
        for request in asked:
            started = clock.now()
            with contextlib.suppress(DriverError):
                device.open(Deadline.after(clock, 2.0))
                device.ask(request, deadline=Deadline.after(clock, 2.0))
            assert clock.now() - started < 3.0
