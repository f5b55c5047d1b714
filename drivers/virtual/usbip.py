"""A USB/IP server for a virtual bus: the units are in this process, their host in another.

Clients: `usbip_client.UsbIpBackend`, or a Linux kernel with vhci_hcd. When a client dies, its units
keep their state, including leaked requests, DFU state and pending restarts. Unlike usbip-host this
server allows several clients to attach one device, because a killed client's socket may linger.

Real time only. `usbip_bench` is a process that serves units with it.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import socketserver
import struct
import threading
from typing import cast

from ..clock import Clock
from ..identity import PortPath
from ..wire.usb import Setup
from .bus import Gone, HostError, Shown, Stall, TimedOut, VirtualBus
from .descriptors import INTERFACE
from .usbip_wire import (
    BUS_ID_SIZE,
    COMMAND_SIZE,
    COUNT,
    DEVICE,
    DIRECTION_IN,
    FULL_SPEED,
    HEADER,
    LENGTHS,
    NO_PACKETS,
    OPERATION,
    RETURN,
    SUBMIT,
    UNLINK,
    UNLINKED,
    VERSION,
    Command,
    Operation,
)

_LOG = logging.getLogger(__name__)
_URB_TIMEOUT_S = 3600.0  # time-outs are left to the client
_BULK_SLICE_S = 0.1  # how often a waiting bulk read checks whether it was unlinked
_MAX_LENGTH = 65536
_CONSOLE_IN, _CONSOLE_OUT = 1, 1  # endpoint numbers of the CDC data interface


class UsbIpServer:
    """Serves ``bus`` on ``host``:``port`` (0: any free one) until `close`."""

    def __init__(self, bus: VirtualBus, host: str = "127.0.0.1", port: int = 0) -> None:
        self._server = _TcpServer((host, port), _Connection)
        self._server.bus = bus
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="usbip", daemon=True)
        self._thread.start()

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._server.server_address[:2]
        return str(host), int(port)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _TcpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    bus: VirtualBus


class _Connection(socketserver.BaseRequestHandler):
    """One client connection: one operation, followed after IMPORT by the URBs of one device."""

    def handle(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._bus = cast(_TcpServer, self.server).bus
        self._in = self.request.makefile("rb")
        with contextlib.suppress(OSError, struct.error), self._in:
            _, code, _ = OPERATION.unpack(self._in.read(OPERATION.size))
            if code in (Operation.LIST, Operation.DESCRIBE):
                self._list(Operation(code))
            elif code == Operation.IMPORT:
                self._import(self._in.read(BUS_ID_SIZE).rstrip(b"\0").decode("ascii", "replace"))

    def _list(self, operation: Operation) -> None:
        shown = self._bus.shown()
        tail = _interfaces if operation is Operation.LIST else _descriptors
        rows = b"".join(_record(self._bus, one) + tail(one) for one in shown)
        self.request.sendall(OPERATION.pack(VERSION, operation.reply, 0) + COUNT.pack(len(shown)) + rows)

    def _import(self, bus_id: str) -> None:
        found = next((one for one in self._bus.shown() if one.port.value == bus_id), None)
        head = OPERATION.pack(VERSION, Operation.IMPORT.reply, 0 if found else 1)
        self.request.sendall(head + (_record(self._bus, found) if found else b""))
        if found is not None:
            _Attachment(self.request, self._in, self._bus.clock, found).serve(self._bus, found.port)


def _record(bus: VirtualBus, one: Shown) -> bytes:
    descriptors, usb_id = one.presence.descriptors, one.presence.descriptors.usb_id
    bus_id = one.port.value.encode()
    path = b"/sys/devices/virtual/usb%d/%s" % (bus.number, bus_id)
    bcd_device = int.from_bytes(descriptors.device[12:14], "little")
    place = (path, bus_id, bus.number, one.presence.address, FULL_SPEED)
    cls = tuple(descriptors.device[4:7])
    return DEVICE.pack(*place, usb_id.vendor, usb_id.product, bcd_device, *cls, 1, 1, descriptors.interfaces)


def _interfaces(one: Shown) -> bytes:
    """Encode class, subclass and protocol of each interface, from its first alternate setting."""
    raw, at, rows = one.presence.descriptors.configuration, 0, b""
    while at < len(raw):
        if raw[at + 1] == INTERFACE and raw[at + 3] == 0:
            rows += raw[at + 5 : at + 8] + b"\0"
        at += raw[at]
    return rows


def _descriptors(one: Shown) -> bytes:
    device, configuration = one.presence.descriptors.device, one.presence.descriptors.configuration
    return LENGTHS.pack(len(device), len(configuration)) + device + configuration


class _Attachment:
    """An attached device. Every URB runs on its own thread, so that a silent unit blocks only its caller."""

    def __init__(self, connection: socket.socket, stream: object, clock: Clock, one: Shown) -> None:
        self._socket, self._clock, self._unit, self._presence = connection, clock, one.unit, one.presence
        self._in = cast(socket.SocketIO, stream)
        self._lock = threading.Lock()
        self._running: set[int] = set()  # sequence numbers neither answered nor unlinked yet

    def serve(self, bus: VirtualBus, port: PortPath) -> None:
        """Serve commands until the client leaves; unplugging the unit closes the connection, as kernels expect."""

        def changed(where: PortPath) -> None:
            if where == port and self._unit.presence is not self._presence:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

        stop_listening = bus.listen(changed)
        try:
            while len(raw := self._read(COMMAND_SIZE)) == COMMAND_SIZE:
                command, sequence, _, direction, endpoint = HEADER.unpack_from(raw)
                if command == Command.SUBMIT:
                    self._submit(raw, sequence, direction == DIRECTION_IN, endpoint)
                elif command == Command.UNLINK:
                    self._unlink(sequence, UNLINK.unpack_from(raw, HEADER.size)[0])
                else:
                    return
        finally:
            stop_listening()
            with self._lock:
                self._running.clear()

    def _read(self, length: int) -> bytes:
        return self._in.read(length) or b""

    def _submit(self, raw: bytes, sequence: int, is_in: bool, endpoint: int) -> None:
        _, length, _, _, _, setup = SUBMIT.unpack_from(raw, HEADER.size)
        length = max(0, min(length, _MAX_LENGTH))
        data = b"" if is_in else self._read(length)
        with self._lock:
            self._running.add(sequence)
        urb = (sequence, is_in, endpoint, length, Setup.from_bytes(setup), data)
        threading.Thread(target=self._run, args=urb, name=f"urb-{sequence}", daemon=True).start()

    def _unlink(self, sequence: int, victim: int) -> None:
        with self._lock:
            was_running = victim in self._running
            self._running.discard(victim)
            status = -errno.ECONNRESET if was_running else 0
            self._socket.sendall(HEADER.pack(Command.UNLINKED, sequence, 0, 0, 0) + UNLINKED.pack(status))

    def _run(self, sequence: int, is_in: bool, endpoint: int, length: int, setup: Setup, data: bytes) -> None:
        try:
            reply = self._transfer(sequence, is_in, endpoint, length, setup, data)
            status = 0
        except Stall:
            reply, status = b"", -errno.EPIPE
        except TimedOut:
            reply, status = b"", -errno.ETIMEDOUT
        except HostError as error:
            reply, status = b"", -error.errno
        except Gone:
            reply, status = b"", -errno.ESHUTDOWN
        actual = len(reply) if is_in else len(data) if status == 0 else 0
        with self._lock, contextlib.suppress(OSError):
            if sequence in self._running:
                self._running.discard(sequence)
                head = HEADER.pack(Command.SUBMITTED, sequence, 0, 0, 0)
                self._socket.sendall(head + RETURN.pack(status, actual, 0, NO_PACKETS, 0) + reply)

    def _transfer(self, sequence: int, is_in: bool, endpoint: int, length: int, setup: Setup, data: bytes) -> bytes:
        if endpoint == 0:
            return self._unit.control(self._presence, setup, data, _URB_TIMEOUT_S)
        if not is_in and endpoint == _CONSOLE_OUT:
            self._unit.serial_write(self._presence, data)
            return b""
        while sequence in self._running:  # a bulk or interrupt read waits for data without limit
            piece = self._unit.serial_read(self._presence, length, _BULK_SLICE_S) if endpoint == _CONSOLE_IN else b""
            if piece:
                return piece
            if endpoint != _CONSOLE_IN:  # the CDC interrupt endpoint never has data
                self._unit.serial_pending(self._presence)  # raises when the unit leaves
                self._clock.sleep(_BULK_SLICE_S)
        return b""
