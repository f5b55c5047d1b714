"""Units that lie, babble, stall or change in the middle: every verb ends in time, with an error of ours and no harm."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import struct
import termios
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import serial
from support.device_bench import DeviceBench
from support.hostile_unit import HostileUnit, Lies, answering, corrupting, is_dfu, is_serial_string, is_service, on

from drivers.devices import ParticleDevice
from drivers.errors import (
    BadIdentity,
    BootloaderStuck,
    Cancelled,
    DeadlineExceeded,
    DidNotReturn,
    Disconnected,
    DriverError,
    LinkError,
    OutOfRequests,
    ProtectionUnknown,
    ReadBackDiffers,
    RemoteProtocolError,
    RequestRejected,
    StrangeIdentity,
    Swapped,
    TransferFailed,
)
from drivers.hotplug import Enumerator
from drivers.identity import DeviceId
from drivers.platforms import ModuleFunction
from drivers.transport import SerialPort
from drivers.transport.serialport import PyserialHost
from drivers.transport.usb import PyusbHost
from drivers.virtual import synthetic
from drivers.virtual.backend import DeviceRef, VirtualBackend
from drivers.virtual.boot import BootRequest
from drivers.virtual.bus import Gone
from drivers.virtual.control_service import Outcome, service_reply
from drivers.virtual.factory import make_spec
from drivers.virtual.messages import blob, message, number, text
from drivers.wire import requests
from drivers.wire.control.tables import ServiceStatus
from drivers.wire.image.host import Image, parse_image
from drivers.wire.usb import Setup, UsbId

OTHER = DeviceId("e00fce68" + "0" * 16)


def plug(bench: DeviceBench, lies: Lies, device_os: str = "6.3.4", **settings: object) -> HostileUnit:
    spec = make_spec("boron", 7, 1, device_os, setup_done=True, **settings)  # type: ignore[arg-type]
    unit = HostileUnit(spec, bench.clock, lies)
    bench.bus.plug("1-1", unit)
    bench.watch("1-1").wait_for(lambda _: True, bench.within(30.0))
    return unit


def honestly_identified(bench: DeviceBench, lies: Lies, **settings: object) -> tuple[ParticleDevice, HostileUnit]:
    """The unit tells the truth until it is known; what it does then is in ``lies`` already, but not yet at work."""
    quiet = Lies()
    unit = plug(bench, quiet, **settings)  # type: ignore[arg-type]
    device = bench.device()
    device.identify(bench.within(10.0))
    unit.lies = lies
    return device, unit


@contextlib.contextmanager
def ending_within(bench: DeviceBench, seconds: float) -> Iterator[None]:
    started = bench.clock.now()
    yield
    assert bench.clock.now() - started <= seconds


@contextlib.contextmanager
def printable_if_at_all() -> Iterator[None]:
    """An error of ours may come, in words that cannot act on a terminal."""
    try:
        yield
    except DriverError as error:
        words = str(error)
    else:
        return
    assert words.isprintable()


def application() -> Image:
    file = synthetic.application(13, "6.3.4", seed="hostile")
    return parse_image(file.data, file.name)


def module_of_slot(index: int, version: int = 1) -> bytes:
    return message(2, number(1, 5) + number(2, index) + number(3, version))


# --- strings that lie ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x32",
        b"\xff\x03",
        b"\x02\x03",
        b"\xff\x03" + b"\xd8\x00" * 100,  # half surrogate pairs, unevenly cut
        b"\x32\x03" + "\x1b[2J\u202e=cmd|' /C calc'!A0"[:24].encode("utf-16-le"),
        b"\x32\x09" + b"A\0" * 24,  # a descriptor of another kind
        b"\xfe\x03" + b"1\0" * 126,  # far too long for an ID
        b"\x04\x03\x09",
    ],
)
def test_a_serial_string_that_is_none_never_becomes_an_identity(bench: DeviceBench, raw: bytes) -> None:
    """The other sources tell it then; or nobody does, which is an error of ours."""
    unit = plug(bench, Lies(on(is_serial_string, lambda: raw)))
    with ending_within(bench, 60.0), printable_if_at_all():
        assert str(bench.device().identify(bench.within(60.0))) == unit.device_id


def test_a_unit_that_vanishes_while_its_serial_string_is_read_is_gone(bench: DeviceBench) -> None:
    def leave() -> bytes:
        bench.bus.unplug("1-1")
        raise Gone

    plug(bench, Lies(on(is_serial_string, leave)))
    with pytest.raises(Disconnected), ending_within(bench, 5.0):
        bench.device().identify(bench.within(10.0))


# --- control requests ----------------------------------------------------------------------------------

SERVICE_LIES: list[tuple[str, int, bytes, type[DriverError]]] = [
    ("endless pending", 2, service_reply(ServiceStatus.PENDING), DeadlineExceeded),
    ("endless busy", 1, service_reply(ServiceStatus.BUSY), OutOfRequests),
    ("4 GiB reply", 2, service_reply(ServiceStatus.OK, size=0xFFFFFFFF, result=0), RemoteProtocolError),
    ("64 KiB reply", 2, service_reply(ServiceStatus.OK, size=0xFFFF, result=0), LinkError),
    ("unknown status", 2, struct.pack("<IH", 1, 99), RemoteProtocolError),
    ("no status", 2, struct.pack("<IH", 0, 0), RemoteProtocolError),
    ("cut fields", 1, struct.pack("<IHB", 3, 0, 1), RemoteProtocolError),
    ("pending without payload", 1, service_reply(ServiceStatus.PENDING, request_id=1), RemoteProtocolError),
    ("empty", 1, b"", RemoteProtocolError),
]


@pytest.mark.parametrize(
    ("service", "raw", "kind"), [row[1:] for row in SERVICE_LIES], ids=[r[0] for r in SERVICE_LIES]
)
def test_a_broken_service_ends_the_request_in_time(
    bench: DeviceBench, service: int, raw: bytes, kind: type[DriverError]
) -> None:
    lies = Lies(on(is_service(service), lambda: raw))
    device, _ = honestly_identified(bench, lies)
    with pytest.raises(kind), ending_within(bench, requests.SHORT_S + 6.0):
        device.ask(requests.get_serial_number())


def test_a_unit_that_never_has_an_answer_can_be_cancelled_at_once(bench: DeviceBench) -> None:
    cancel = bench.clock.token()
    plug(bench, Lies(on(is_service(2), lambda: service_reply(ServiceStatus.PENDING))))
    device = bench.device(cancel=cancel)
    device.identify(bench.within(10.0))
    bench.bus.at(3.0, cancel.cancel)
    with pytest.raises(Cancelled), ending_within(bench, 3.5):
        device.ask(requests.get_module_info())


REPLIES: list[tuple[str, requests.Request[Any], bytes]] = [
    ("ten thousand modules", requests.get_module_info(), b"".join(module_of_slot(n & 0x7F) for n in range(8_000))),
    ("a hash of 31 bytes", requests.get_module_info(), message(2, number(1, 5) + blob(8, b"\0" * 31))),
    ("a varint without end", requests.get_module_info(), b"\xff" * 4000),
    ("nested a thousand deep", requests.get_module_info(), b"\x12\xff\x7f" * 1000),
    ("groups a thousand deep", requests.get_module_info(), b"\x0b" * 4000),
    ("an enormous serial", requests.get_serial_number(), text(1, "P" * 60_000)),
    ("a formula", requests.get_serial_number(), text(1, "=HYPERLINK(1)")),
    ("markup", requests.get_serial_number(), text(1, "[red]P044[/]")),
    ("no UTF-8", requests.get_serial_number(), blob(1, b"\xed\xa0\x80P044")),
    ("mode 77", requests.get_device_mode(), number(1, 77)),
    ("status 2^31", requests.get_connection_status(), number(1, 1 << 31)),
    ("ICCID of escapes", requests.get_iccid(), text(1, "\x1b[2J8931")),
]


def ask_after_reset(bench: DeviceBench, device: ParticleDevice, request: requests.Request[Any]) -> None:
    """Lies about requests begin with a boot."""
    device.reset(bench.within(60.0))
    device.ask(request)


@pytest.mark.parametrize(("request_", "reply"), [row[1:] for row in REPLIES], ids=[row[0] for row in REPLIES])
def test_a_reply_that_makes_no_sense_is_refused_in_printable_words(
    bench: DeviceBench, request_: requests.Request[Any], reply: bytes
) -> None:
    device, unit = honestly_identified(bench, Lies())
    unit.lies.requests[request_.type_id] = answering(Outcome(data=reply[:0xFFFF]))
    with pytest.raises((RemoteProtocolError, StrangeIdentity)) as caught:
        ask_after_reset(bench, device, request_)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_a_negative_result_with_data_is_a_refusal_and_the_data_are_dropped(bench: DeviceBench) -> None:
    device, unit = honestly_identified(bench, Lies())
    unit.lies.requests[21] = answering(Outcome(-2_000_000_000, text(1, "P044AB1234567")))
    device.reset(bench.within(60.0))
    with pytest.raises(RequestRejected) as caught:
        device.ask(requests.get_serial_number())
    assert "P044AB" not in str(caught.value)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_a_running_unit_answers_only_errors_of_ours_come_back(bench: DeviceBench, seed: int) -> None:
    unit = plug(bench, Lies(corrupting(seed, 0.3)))
    for _ in range(10):
        device = bench.device()
        with ending_within(bench, 90.0), contextlib.suppress(DriverError):
            device.identify(bench.within(20.0))
            device.ask(requests.get_module_info(), bench.within(20.0))
            device.ask(requests.get_iccid(), bench.within(20.0))
            device.os_version(bench.within(20.0))
        device.close()
    assert unit.score.forbidden == []


def test_a_unit_whose_version_nobody_can_read_is_asked_whether_it_is_protected(bench: DeviceBench) -> None:
    plug(bench, Lies(lambda _, reply: reply.replace(b"5.8.0", b"build")), "5.8.0")
    device = bench.device()
    with pytest.raises(BadIdentity, match="'build'"):
        device.os_version(bench.within(5.0))
    with pytest.raises(ProtectionUnknown, match="-120"):
        device.protection(bench.within(5.0))


# --- who it is --------------------------------------------------------------------------------------------


def swap_id(unit: HostileUnit) -> None:
    unit.spec = dataclasses.replace(unit.spec, device_id=OTHER)


def swap_platform(unit: HostileUnit) -> None:
    unit.spec = dataclasses.replace(unit.spec, platform_id=12)


@pytest.mark.parametrize("change", [swap_id, swap_platform])
@pytest.mark.parametrize("verb", ["reset", "enter_dfu"])
def test_a_unit_that_comes_back_as_another_is_swapped_and_gets_nothing(
    bench: DeviceBench, change: Callable[[HostileUnit], None], verb: str
) -> None:
    """Inside a restart we announced, with the same Device ID but another platform, or the other way round."""
    device, unit = honestly_identified(bench, Lies(before_boot=change))
    with pytest.raises(Swapped), ending_within(bench, 60.0):
        getattr(device, verb)(bench.within(60.0))
    assert unit.score.flash_writes == 0


def test_a_unit_in_dfu_under_another_platform_is_not_written(bench: DeviceBench) -> None:
    """Its guard would be that of the platform it claims: refused before it comes to that."""
    device, unit = honestly_identified(bench, Lies())
    device.enter_dfu(bench.within(60.0))
    unit.lies.before_boot = swap_platform
    with unit.condition:
        unit.restart(BootRequest.DFU)
    bench.clock.sleep(10.0)
    with pytest.raises(DriverError):
        device.dfu(bench.within(30.0)).write_module(application())
    assert unit.score.flash_writes == 0


def test_a_unit_that_enumerates_all_the_time_ends_a_restart_at_its_deadline(bench: DeviceBench) -> None:
    def again(unit: HostileUnit) -> None:
        unit.after(0.001, unit.restart)

    device, _ = honestly_identified(bench, Lies(before_boot=again))
    with pytest.raises((DidNotReturn, LinkError)), ending_within(bench, 31.0):
        device.reset(bench.within(30.0))


# --- the console --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "noise",
    [
        b"x",
        b"\x1b[2J\x1b]0;owned\x07",
        b"SSID: ",
        b"Device ID: ",
        b"system firmware version: ",
        b"system firmware version: 6.3.4\n\r\n",
        b"Device ID: zzz\r\nsystem firmware version: 6.3.4\n\r\n",
        b"\0",
    ],
)
def test_a_console_that_babbles_without_end_ends_in_an_error_in_time(bench: DeviceBench, noise: bytes) -> None:
    device, _ = honestly_identified(bench, Lies(console=noise))
    with (
        pytest.raises(DriverError) as caught,
        ending_within(bench, 45.0),
        device.console(bench.within(30.0)) as console,
    ):
        console.identify()
    assert str(caught.value).isprintable()
    assert not any("owned" in line for line in bench.trace)


# --- DFU ------------------------------------------------------------------------------------------------------


def in_dfu(bench: DeviceBench, lies: Lies) -> tuple[ParticleDevice, HostileUnit]:
    device, unit = honestly_identified(bench, Lies())
    device.enter_dfu(bench.within(60.0))
    device.dfu(bench.within(60.0)).status()
    unit.lies = lies
    return device, unit


STATUS_LIES: list[tuple[str, bytes, type[DriverError]]] = [
    ("wait 4.6 hours", b"\0\xff\xff\xff\x04\0", RemoteProtocolError),
    ("busy for ever", b"\0\0\0\0\x04\0", DeadlineExceeded),
    ("ten seconds, for ever", b"\0\x10\x27\0\x04\0", DeadlineExceeded),
    ("no such state", b"\0\0\0\0\x63\0", RemoteProtocolError),
    ("no such status", b"\x63\0\0\0\x02\0", RemoteProtocolError),
    ("five bytes", b"\0\0\0\0\x02", RemoteProtocolError),
    ("an application's state", b"\0\0\0\0\0\0", BootloaderStuck),
    ("error for ever", b"\x0e\0\0\0\x0a\0", BootloaderStuck),
]


@pytest.mark.parametrize(("raw", "kind"), [row[1:] for row in STATUS_LIES], ids=[row[0] for row in STATUS_LIES])
def test_a_broken_dfu_status_ends_the_write_in_time(bench: DeviceBench, raw: bytes, kind: type[DriverError]) -> None:
    device, unit = in_dfu(bench, Lies(on(is_dfu(3), lambda: raw)))
    with pytest.raises(kind), ending_within(bench, 61.0):
        device.dfu(bench.within(60.0)).write_module(application())
    assert unit.score.forbidden == []


@pytest.mark.parametrize(("readings", "is_believed"), [({0}, False), ({0, 1}, True), ({0, 2}, True)])
def test_a_read_back_that_differs_is_believed_unless_two_more_readings_say_otherwise(
    bench: DeviceBench, readings: set[int], is_believed: bool
) -> None:
    """``readings``: which of the first readings of the first 64 KiB lie."""
    device, _ = in_dfu(bench, Lies())
    dfu = device.dfu(bench.within(300.0))
    image = application()
    dfu.write_module(image)
    count, pages = itertools.count(), -(-min(len(image.flash_bytes), 0x10000) // 4096)

    def lie(setup: Setup, reply: bytes) -> bytes:
        hit = is_dfu(2)(setup) and next(count) in {1 + reading * pages for reading in readings}
        return bytes([reply[0] ^ 1]) + reply[1:] if hit else reply

    unit = bench.bus.unit_at("1-1")
    assert isinstance(unit, HostileUnit)
    unit.lies.tamper = lie
    with pytest.raises(ReadBackDiffers) if is_believed else contextlib.nullcontext():
        dfu.verify(image)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_a_bootloader_answers_no_forbidden_page_is_touched(bench: DeviceBench, seed: int) -> None:
    device, unit = in_dfu(bench, Lies(corrupting(seed, (0.02, 0.2)[seed % 2])))
    image = application()
    for _ in range(4):
        with ending_within(bench, 130.0), contextlib.suppress(DriverError):
            dfu = device.dfu(bench.within(60.0))
            dfu.write_module(image)
            dfu.verify(image)
            assert image.function == ModuleFunction.USER_PART
            assert unit.memory.internal.read(image.flash_address, len(image.data)) == image.data
        device.close()
    assert unit.score.forbidden == []


# --- below pyusb and pyserial -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "foreign", [RuntimeError("x"), AssertionError(), AttributeError("fd"), KeyError(3), MemoryError()]
)
def test_whatever_the_usb_library_is_driven_to_is_a_link_error(bench: DeviceBench, foreign: Exception) -> None:
    def fail() -> bytes:
        raise foreign

    device, _ = honestly_identified(bench, Lies(on(is_service(1), fail)))
    with pytest.raises(LinkError):
        device.ask(requests.get_serial_number())


class BrokenList(VirtualBackend):
    """A host whose list of devices fails in a way no documentation mentions."""

    is_broken = False

    def enumerate_devices(self) -> Iterator[DeviceRef]:
        if self.is_broken:
            raise RuntimeError("descriptor of an unknown kind")
        return super().enumerate_devices()


def test_a_listing_that_breaks_does_not_end_the_enumerator(bench: DeviceBench) -> None:
    backend = BrokenList(bench.bus)
    seen: list[object] = []
    failures: list[DriverError] = []
    enumerator = Enumerator(PyusbHost(backend), bench.clock, seen.append, on_failure=failures.append)
    enumerator.start()
    backend.is_broken = True
    bench.clock.sleep(2.0)
    backend.is_broken = False
    plug(bench, Lies())
    bench.clock.sleep(1.0)
    enumerator.stop()
    assert len(failures) == 1
    assert len(seen) == 1


def test_a_port_that_fails_as_termios_does_is_a_failed_transfer() -> None:
    """pyserial hands that error through when a unit leaves while its port is being opened."""

    def opener(_device: str) -> serial.SerialBase:
        raise termios.error(5, "Input/output error")

    with pytest.raises(TransferFailed):
        PyserialHost(list, opener).open(SerialPort("/dev/ttyACM0", UsbId(0x2B04, 0xC00D), "", None))
