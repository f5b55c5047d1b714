"""The pyserial transport above a port that answers from a script."""

from __future__ import annotations

import errno
import os
import pty
from dataclasses import dataclass

import pytest
import serial
from typing_extensions import Buffer

from drivers.errors import (
    AccessDenied,
    Disconnected,
    LinkError,
    NotFound,
    PortInUse,
    PortShared,
    TransferFailed,
    TransferTimeout,
)
from drivers.identity import PortPath
from drivers.transport import SerialPort
from drivers.transport.serialport import PyserialHost, PyserialTransport, open_system_port
from drivers.wire.usb import UsbId


@dataclass
class Listed:
    device: str
    vid: int | None = 0x2B04
    pid: int | None = 0xC00D
    serial_number: str | None = "e00fce68aaaaaaaaaaaaaaaa"
    location: str | None = "1-2.3:1.0"


class ScriptedPort(serial.SerialBase):
    """Gives ``waiting`` in pieces; raises ``error`` instead if it is set."""

    def __init__(self, pieces: list[bytes], error: Exception | None = None) -> None:
        super().__init__()
        self.pieces, self.error = pieces, error
        self.written = b""
        self.asked: list[float | None] = []

    def _reconfigure_port(self) -> None:
        """Nothing to configure."""

    @property
    def in_waiting(self) -> int:
        return len(self.pieces[0]) if self.pieces else 0

    def read(self, size: int = 1) -> bytes:
        self.asked.append(self.timeout)
        if self.error is not None:
            raise self.error
        if not self.pieces:
            return b""
        head, self.pieces[0] = self.pieces[0][:size], self.pieces[0][size:]
        if not self.pieces[0]:
            self.pieces.pop(0)
        return head

    def write(self, data: Buffer, /) -> int:
        if self.error is not None:
            raise self.error
        self.written += bytes(data)
        return len(bytes(data))

    def close(self) -> None:
        self.is_open = False


def test_only_particle_ports_are_listed_with_their_usb_port() -> None:
    listed = [
        Listed("/dev/ttyACM3"),
        Listed("/dev/ttyACM4", location=None, serial_number=None),
        Listed("/dev/ttyACM5", vid=0x0403),
        Listed("/dev/ttyACM6", pid=0xC020, location="1-2.4:1.1"),
        Listed("/dev/ttyS0", vid=None, pid=None),
    ]
    assert PyserialHost(lambda: listed).ports() == [
        SerialPort("/dev/ttyACM3", UsbId(0x2B04, 0xC00D), "e00fce68aaaaaaaaaaaaaaaa", PortPath("1-2.3")),
        SerialPort("/dev/ttyACM4", UsbId(0x2B04, 0xC00D), "", None),
        SerialPort("/dev/ttyACM6", UsbId(0x2B04, 0xC020), "e00fce68aaaaaaaaaaaaaaaa", PortPath("1-2.4")),
    ]


def test_reading_returns_what_is_there_without_waiting_for_more() -> None:
    port = ScriptedPort([b"abc", b"defg"])
    transport = PyserialTransport(port, "scripted")
    assert transport.read(100, 0.25) == b"abc"
    assert transport.read(2, 0.25) == b"de"
    assert transport.read(100, 0.25) == b"fg"
    assert transport.read(100, 0.25) == b""
    assert set(port.asked) == {0.25}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (serial.SerialException("device reports readiness to read but returned no data"), PortShared),
        (serial.SerialException("write failed: [Errno 5] Input/output error"), TransferFailed),
        (serial.SerialException(errno.EIO, "gone"), TransferFailed),
        (serial.SerialException(errno.EACCES, "denied"), AccessDenied),
        (serial.SerialException(errno.EBUSY, "busy"), PortInUse),
        (serial.SerialException(errno.ENOENT, "none"), NotFound),
        (OSError(errno.ENXIO, "gone"), Disconnected),
        (serial.SerialTimeoutException("Write timeout"), TransferTimeout),
        (TypeError("closed under our feet"), TransferFailed),
    ],
)
def test_every_serial_error_becomes_one_of_ours(error: Exception, expected: type[LinkError]) -> None:
    transport = PyserialTransport(ScriptedPort([], error), "scripted")
    with pytest.raises(LinkError, match="scripted") as caught:
        transport.read(1, 0.1)
    assert type(caught.value) is expected
    with pytest.raises(expected):
        transport.write(b"i")
    transport.close()
    transport.close()


def test_a_refused_port_names_the_remedy_and_no_program() -> None:
    transport = PyserialTransport(ScriptedPort([], serial.SerialException(errno.EACCES, "denied")), "scripted")
    with pytest.raises(AccessDenied, match="install the udev rules") as caught:
        transport.read(1, 0.1)
    assert "station" not in str(caught.value)


def test_a_port_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound, match="ttyACM99"):
        PyserialHost().open(SerialPort("/dev/ttyACM99", UsbId(0x2B04, 0xC00D), "", None))


def test_a_real_terminal_is_opened_at_9600_and_not_shared() -> None:
    master, slave = pty.openpty()
    name = os.ttyname(slave)
    try:
        port = open_system_port(name)
        try:
            assert port.baudrate == 9600
            with pytest.raises(AccessDenied):
                PyserialHost().open(SerialPort(name, UsbId(0x2B04, 0xC00D), "", None))
            os.write(master, b"Device claimed: no\r\n")
            assert PyserialTransport(port, name).read(100, 120.0).startswith(b"Device")
        finally:
            port.close()
    finally:
        os.close(master)
        os.close(slave)
