"""The client of `usbip.UsbIpServer`: a pyusb backend, and the console links as serial ports.

Only control transfers, one at a time per opened device. Time-outs are in real time, as are the units
in the other process.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import serial
from serial.tools.list_ports_common import ListPortInfo

from ..clock import Deadline, SystemClock
from ..identity import PortPath
from ..wire.usb import Setup, UsbId
from .backend import DescriptorBackend, DeviceRef, Handle, parse_configuration, parse_device, usb_failure
from .bus import Presence
from .consoles import Link
from .descriptors import Descriptors
from .usbip_wire import (
    BUS_ID_SIZE,
    COUNT,
    DEVICE,
    DIRECTION_IN,
    DIRECTION_OUT,
    HEADER,
    LENGTHS,
    NO_PACKETS,
    OPERATION,
    RETURN,
    SUBMIT,
    UNLINK,
    VERSION,
    Command,
    Operation,
)

_CONNECT_TIMEOUT_S = 5.0
_UNLINK_TIMEOUT_S = 2.0
_MAX_DEVICES, _MAX_DESCRIPTOR, _MAX_REPLY = 255, 4096, 65536
_KERNEL_CLASSES = (0x02, 0x0A)  # interface classes claimed by a host's cdc_acm
_WRITE_TIMEOUT_S = 5.0
_UNIT_STILL_PRESENT = frozenset(
    {errno.EPIPE, errno.ETIMEDOUT, errno.EIO, errno.EPROTO, errno.EOVERFLOW, errno.ENOMEM, errno.EINTR}
)


class UsbIpBackend(DescriptorBackend):
    """A pyusb backend for the devices of a USB/IP server. A server that does not answer is an I/O error."""

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__()
        self._address = address
        self._presences: dict[tuple[str, int], Presence] = {}
        self._list_lock = threading.Lock()

    def enumerate_devices(self) -> Iterator[DeviceRef]:
        with self._list_lock:
            rows = self._describe()
            self._presences = {key: self._presences.get(key) or made for key, _, made in rows}
            refs = [DeviceRef(bus, PortPath(key[0]), self._presences[key], None) for key, bus, _ in rows]
        yield from refs

    def open_device(self, dev: DeviceRef) -> Handle:
        return _LinkedHandle(dev, _Link(self._connect(), dev.port.value, dev.presence.address))

    def close_device(self, dev_handle: Handle) -> None:
        super().close_device(dev_handle)
        if isinstance(dev_handle, _LinkedHandle):
            dev_handle.link.close()

    def transfer(self, handle: Handle, setup: Setup, data: bytes, timeout_s: float) -> bytes:
        assert isinstance(handle, _LinkedHandle)
        return handle.link.control(setup, data, timeout_s)

    def _connect(self) -> socket.socket:
        try:
            connection = socket.create_connection(self._address, _CONNECT_TIMEOUT_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            usb_failure(errno.EIO)
        return connection

    def _describe(self) -> list[tuple[tuple[str, int], int, Presence]]:
        """List ((bus id, device number), bus number, presence) of each device."""
        try:
            with self._connect() as connection, connection.makefile("rb") as stream:
                connection.sendall(OPERATION.pack(VERSION, Operation.DESCRIBE, 0))
                _, code, status = OPERATION.unpack(stream.read(OPERATION.size))
                (count,) = COUNT.unpack(stream.read(COUNT.size))
                if code != Operation.DESCRIBE.reply or status or count > _MAX_DEVICES:
                    usb_failure(errno.EIO)
                return [_read_device(stream) for _ in range(count)]
        except (OSError, struct.error) as error:
            if getattr(error, "backend_error_code", None) is not None:
                raise
            usb_failure(errno.EIO)


def _read_device(stream: BinaryIO) -> tuple[tuple[str, int], int, Presence]:
    _, bus_id, bus, number, *_ = DEVICE.unpack(stream.read(DEVICE.size))
    sizes = LENGTHS.unpack(stream.read(LENGTHS.size))
    device, configuration = (stream.read(min(size, _MAX_DESCRIPTOR)) for size in sizes)
    fields, parsed = parse_device(device), parse_configuration(configuration)
    bound = tuple(n for n, settings in parsed.interfaces.items() if settings[0].bInterfaceClass in _KERNEL_CLASSES)
    descriptors = Descriptors(
        UsbId(fields.idVendor, fields.idProduct),
        device,
        configuration,
        interfaces=parsed.bNumInterfaces,
        kernel_bound=bound,
    )
    name = bus_id.rstrip(b"\0").decode("ascii", "replace")
    return (name, number), bus, Presence(number, descriptors, 0.0)


class _LinkedHandle(Handle):
    def __init__(self, ref: DeviceRef, link: _Link) -> None:
        super().__init__(ref)
        self.link = link


class _Link:
    """An attached device."""

    def __init__(self, connection: socket.socket, bus_id: str, number: int) -> None:
        self._socket, self._lock, self._sequence = connection, threading.Lock(), 0
        self._until = Deadline.after(SystemClock(), _CONNECT_TIMEOUT_S)  # of the exchange in progress
        try:
            connection.sendall(OPERATION.pack(VERSION, Operation.IMPORT, 0) + bus_id.encode().ljust(BUS_ID_SIZE, b"\0"))
            _, _, status = OPERATION.unpack(self._read(OPERATION.size))
            found = DEVICE.unpack(self._read(DEVICE.size))[3] if status == 0 else None
        except (OSError, struct.error):
            found = None
        if found != number:
            connection.close()
            usb_failure(errno.ENODEV)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def control(self, setup: Setup, data: bytes, timeout_s: float) -> bytes:
        """Run one control transfer; raises the errors of pyusb's libusb backend."""
        with self._lock:
            self._sequence += 1
            sequence = self._sequence
            direction = DIRECTION_IN if setup.is_in else DIRECTION_OUT
            head = HEADER.pack(Command.SUBMIT, sequence, 0, direction, 0)
            body = SUBMIT.pack(0, setup.length, 0, NO_PACKETS, 0, setup.to_bytes())
            try:
                self._send(head + body + data, timeout_s)
                status, reply = self._answer(sequence, setup.is_in)
            except TimeoutError:
                self._unlink(sequence)
                usb_failure(errno.ETIMEDOUT)
            except (OSError, struct.error):
                usb_failure(errno.ENODEV)
        if status:
            usb_failure(-status if -status in _UNIT_STILL_PRESENT else errno.ENODEV)
        return reply

    def _answer(self, sequence: int, is_in: bool) -> tuple[int, bytes]:
        """Read the reply to ``sequence``, skipping replies to transfers abandoned earlier."""
        while True:
            command, number, *_ = HEADER.unpack(self._read(HEADER.size))
            status, actual, *_ = RETURN.unpack(self._read(RETURN.size))
            is_data = command == Command.SUBMITTED and is_in and actual > 0
            data = self._read(min(actual, _MAX_REPLY)) if is_data else b""
            if command == Command.SUBMITTED and number == sequence:
                return status, data
            if command == Command.UNLINKED and number == -sequence & 0xFFFFFFFF:
                return -errno.ETIMEDOUT, b""

    def _unlink(self, sequence: int) -> None:
        """Cancel a transfer. UNLINK uses the negated sequence number, so that its reply can be distinguished."""
        with contextlib.suppress(OSError, struct.error):
            head = HEADER.pack(Command.UNLINK, -sequence & 0xFFFFFFFF, 0, 0, 0)
            self._send(head + UNLINK.pack(sequence), _UNLINK_TIMEOUT_S)
            while True:
                command, number, *_ = HEADER.unpack(self._read(HEADER.size))
                self._read(RETURN.size)
                if command == Command.UNLINKED and number == -sequence & 0xFFFFFFFF:
                    return

    def _send(self, data: bytes, timeout_s: float) -> None:
        """Begin an exchange, which must complete within ``timeout_s`` real seconds."""
        self._until = Deadline.after(SystemClock(), timeout_s)
        self._socket.settimeout(timeout_s)
        self._socket.sendall(data)

    def _read(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            if self._until.expired:
                raise TimeoutError("the server did not send the expected reply in time")
            self._socket.settimeout(self._until.remaining)
            piece = self._socket.recv(length - len(data))
            if not piece:
                raise ConnectionResetError("the server closed the connection: the unit left")
            data += piece
        return data


class LinkedPorts:
    """Finder and opener, for pyserial, of the console links in a directory of `consoles.ConsoleLinks`."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    def list(self) -> builtins.list[ListPortInfo]:
        """List the consoles in the folder, as ``comports()`` lists ports; none where there is no folder."""
        if self._directory is None or not self._directory.is_dir():
            return []
        found = ((path, Link.parse(path.name)) for path in sorted(self._directory.iterdir()))
        return [_info(path, link) for path, link in found if link is not None and path.exists()]

    def open(self, device: str) -> serial.SerialBase:
        """Open one at 9600 8N1; raises `serial.SerialException`."""
        port = serial.Serial(None, 9600, write_timeout=_WRITE_TIMEOUT_S, exclusive=True)
        port.port = device
        port.open()
        return port


def linked_ports(directory: Path | None) -> LinkedPorts:
    """Return finder and opener for `drivers.transport.serialport.PyserialHost`; without a directory they find none."""
    return LinkedPorts(directory)


def _info(path: Path, link: Link) -> ListPortInfo:
    info = ListPortInfo(str(path), skip_link_detection=True)
    info.vid, info.pid, info.serial_number = link.usb_id.vendor, link.usb_id.product, link.serial_number
    info.location = f"{link.port}:1.{link.interface}"
    return info
