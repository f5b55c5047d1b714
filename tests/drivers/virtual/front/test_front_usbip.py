"""Units in another process: USB/IP for transfers, ptys for consoles; they outlive their client."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import serial
import usb.core
import usb.util
from support import child_process

from drivers.clock import SystemClock
from drivers.virtual.bus import VirtualBus
from drivers.virtual.consoles import ConsoleLinks
from drivers.virtual.factory import make_spec
from drivers.virtual.faults import parse_fault
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.virtual.usbip import UsbIpServer
from drivers.virtual.usbip_client import UsbIpBackend, _Link, linked_ports
from drivers.virtual.usbip_wire import DEVICE, HEADER, OPERATION, RETURN, VERSION, Command, Operation
from drivers.wire.usb import Setup

SPEED = 40.0
PATIENCE_S = 120.0
"""A backstop against a hang, however busy the machine is."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Any]:
    """(bus, backend, console ports) of a server in this process, forty times as fast as real."""
    with VirtualBus(SystemClock(SPEED)) as bus:
        server, links = UsbIpServer(bus), ConsoleLinks(bus, tmp_path / "consoles")
        backend = UsbIpBackend(server.address)
        try:
            yield bus, backend, linked_ports(tmp_path / "consoles")
        finally:
            links.close()
            server.close()


@pytest.fixture
def found() -> Iterator[Callable[..., usb.core.Device]]:
    """Wait for a device; everything found is closed in the end."""
    devices: list[usb.core.Device] = []

    def find(backend: UsbIpBackend, **wanted: int) -> usb.core.Device:
        devices.append(_until(lambda: usb.core.find(backend=backend, **(wanted or {"idVendor": 0x2B04}))))
        devices[-1].default_timeout = round(PATIENCE_S * 1000)
        return devices[-1]

    yield find
    for device in devices:
        usb.util.dispose_resources(device)


def _until(condition: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError("it never came")


def _plug(bus: VirtualBus, platform: str = "boron", *faults: str) -> VirtualUnit:
    unit = VirtualUnit(make_spec(platform, 5, 1), bus.clock)
    unit.order(*map(parse_fault, faults))
    bus.plug("1-2.1", unit)
    return unit


def test_the_same_unit_is_found_described_and_asked(served: Any, found: Any) -> None:
    bus, backend, _ = served
    unit = _plug(bus)
    device = found(backend)
    assert (device.bus, device.port_numbers, device.idProduct) == (1, (2, 1), 0xC00D)
    assert device.serial_number == unit.device_id
    assert device.ctrl_transfer(0xC0, 0x50, 0, 30, 64).tobytes() == b"3.3.1"
    with pytest.raises(usb.core.USBError) as caught:
        device.ctrl_transfer(0xC0, 1, 0, 20, 63)
    assert caught.value.errno == errno.EPIPE


def test_pulling_the_cable_is_enodev_and_the_list_is_empty(served: Any, found: Any) -> None:
    bus, backend, _ = served
    _plug(bus)
    device = found(backend)
    device.ctrl_transfer(0xC0, 0x50, 0, 30, 64)
    bus.unplug("1-2.1")
    with pytest.raises(usb.core.USBError) as caught:
        device.ctrl_transfer(0xC0, 0x50, 0, 30, 64)
    assert caught.value.errno == errno.ENODEV
    assert usb.core.find(backend=backend, idVendor=0x2B04) is None


def test_a_silent_unit_times_out_and_can_still_be_listed(served: Any, found: Any) -> None:
    bus, backend, _ = served
    unit = _plug(bus, "boron", "at=control:2,do=hang")
    device = found(backend)
    device.ctrl_transfer(0xC0, 0x50, 0, 30, 64)
    for _ in range(2):
        with pytest.raises(usb.core.USBTimeoutError):
            device.ctrl_transfer(0xC0, 0x50, 0, 30, 64, 100)
    assert usb.core.find(backend=backend, idVendor=0x2B04) is not None
    unit.faults.withdraw()
    _until(lambda: _answers(device))  # the late answers of given-up transfers are not taken for this one


def _answers(device: usb.core.Device) -> bool:
    try:
        return device.ctrl_transfer(0xC0, 0x50, 0, 30, 64, 200).tobytes() == b"3.3.1"
    except usb.core.USBTimeoutError:
        return False


def test_the_console_is_a_pty_with_a_telling_name(served: Any) -> None:
    bus, _, ports = served
    unit = _plug(bus, "argon")
    (info,) = _until(ports.list)
    assert (info.vid, info.pid, info.location, info.serial_number) == (0x2B04, 0xC00C, "1-2.1:1.0", unit.device_id)
    with ports.open(info.device) as port:
        port.timeout = PATIENCE_S
        port.write(b"v")
        assert port.read_until(b"\n\r\n") == b"system firmware version: 3.3.1\n\r\n"
        bus.unplug("1-2.1")
        port.timeout = 1
        with pytest.raises((serial.SerialException, OSError)):
            _talk(port)
    assert ports.list() == []


def _talk(port: serial.SerialBase) -> None:
    for _ in range(50):
        port.write(b"v")
        port.read(1)


def test_14400_baud_on_the_pty_means_dfu(served: Any) -> None:
    bus, _, ports = served
    unit = _plug(bus, "argon")
    (info,) = _until(ports.list)
    with ports.open(info.device) as port:
        port.baudrate = 14400
        _until(lambda: unit.mode is UnitMode.DFU)


def test_a_killed_client_leaves_requests_behind_and_the_unit_in_dfu(tmp_path: Path, found: Any) -> None:
    arguments = ["--unit", "boron@6.2.0", "--speed", "40", "--data-dir", str(tmp_path)]
    command = [sys.executable, "-m", "drivers.virtual.usbip_bench", *arguments]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        ready = json.loads(server.stdout.readline())
        address = (ready["host"], ready["port"])
        client = subprocess.run([sys.executable, "-c", _CLIENT, str(address[1])])
        assert client.returncode == -signal.SIGKILL
        backend = UsbIpBackend(address)
        device = found(backend, idProduct=0xC00D)
        assert device.serial_number == ready["units"][0]
        assert device.ctrl_transfer(0xC0, 1, 0, 20, 64).tobytes().hex() == "010000000300"  # BUSY: four leaked
        device.ctrl_transfer(0xC0, 5, 0, 0, 64)  # RESET all carries the leaked DFU request out
        found(backend, idProduct=0xD00D)
    finally:
        server.terminate()
        assert server.wait(PATIENCE_S) == 0
        assert server.stdout is not None
        server.stdout.close()


def test_a_bench_ends_when_whoever_started_it_is_killed() -> None:
    with child_process.start([sys.executable, "-c", _MOTHER], stdout=subprocess.PIPE) as mother:
        assert mother.stdout is not None
        assert "port" in json.loads(mother.stdout.readline())
        mother.kill()
        assert mother.stdout.read() == "", "the pipe ends with the last process that holds it"


_MOTHER = """
import signal, subprocess, sys
subprocess.Popen([sys.executable, "-m", "drivers.virtual.usbip_bench"])
signal.pause()
"""


_CLIENT = """
import os, signal, sys, time, usb.core
from drivers.virtual.usbip_client import UsbIpBackend
backend = UsbIpBackend(("127.0.0.1", int(sys.argv[1])))
while not (device := usb.core.find(backend=backend, idVendor=0x2B04)):
    time.sleep(0.02)
device.default_timeout = 120_000
for _ in range(4):
    device.ctrl_transfer(0xC0, 1, 0, 50, 64)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_kill_at_a_flash_write_leaves_a_torn_page_on_disk(tmp_path: Path) -> None:
    program = _WRITER.format(home=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", program])
    assert done.returncode == -signal.SIGKILL
    page = (tmp_path / "internal-flash.bin").read_bytes()[0xB4000:0xB5000]
    assert page == b"\0" * 2048 + b"\xff" * 2048


_WRITER = """
from pathlib import Path
from drivers.clock import SimulatedClock
from drivers.virtual.boot import BootRequest
from drivers.virtual.bus import VirtualBus
from drivers.virtual.backend import VirtualBackend
from drivers.virtual.factory import make_spec
from drivers.virtual.faults import parse_fault
from drivers.virtual.unit import VirtualUnit
import usb.core
clock = SimulatedClock()
with clock.registered():
    bus = VirtualBus(clock)
    unit = VirtualUnit(make_spec("boron", 1, 1, arrives=BootRequest.DFU), clock, None, Path({home!r}))
    unit.order(parse_fault("at=dfu-write:1,do=kill"))
    bus.plug("1-1", unit)
    clock.sleep(5)
    device = usb.core.find(backend=VirtualBackend(bus))
    for block, data in ((0, bytes.fromhex("4100400b00")), (0, bytes.fromhex("2100400b00")), (2, bytes(4096))):
        device.ctrl_transfer(0x21, 1, block, 0, data)
        device.ctrl_transfer(0xA1, 3, 0, 0, 6)
        device.ctrl_transfer(0xA1, 3, 0, 0, 6)
"""


def test_a_server_that_is_not_there_is_an_io_error() -> None:
    with pytest.raises(usb.core.USBError) as caught:
        usb.core.find(backend=UsbIpBackend(("127.0.0.1", 1)), idVendor=0x2B04)
    assert caught.value.errno == errno.EIO
    assert os.strerror(errno.EIO)


def test_a_server_that_goes_on_answering_something_else_is_given_up_at_the_time_out() -> None:
    def serve() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(1000)
            device = DEVICE.pack(b"", b"1-1", 1, 5, 2, 0x2B04, 0xC00D, 0, 0, 0, 0, 0, 1, 0)
            connection.sendall(OPERATION.pack(VERSION, Operation.IMPORT.reply, 0) + device)
            while True:
                connection.sendall(HEADER.pack(Command.SUBMITTED, 999, 0, 0, 0) + RETURN.pack(0, 0, 0, 0, 0))
                time.sleep(0.01)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        link = _Link(socket.create_connection(listener.getsockname()), "1-1", 5)
        with pytest.raises(usb.core.USBError):
            link.control(Setup(0xC0, 1, 0, 20, 64), b"", 0.2)
        link.close()
