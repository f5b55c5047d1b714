"""One node below ``/dev/bus/usb``: what usbfs does for libusb, with a virtual unit at the other end.

The node is a FIFO whose pipe is kept full: polling it for writing then blocks until a URB is finished, as
on a real usbfs. A regular file would always be ready, and libusb would spin.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from drivers.virtual.bus import Gone, Pluggable, Presence, Stall, TimedOut
from drivers.wire.usb import Setup

from .client import Client, Listener, Refused
from .usbfs import CAPABILITIES, FULL_SPEED, URB_ACTUAL_AT, URB_CONTROL, URB_SIZE, URB_STATUS_AT, Ioctl, Urb

_PIPE_BYTES = 4096
_FOREVER_S = 86_400.0  # a URB has no time-out: libusb discards it
_KERNEL_S = 5.0  # the kernel's own requests have one
_SETUP_SIZE = 8

Writes = tuple[tuple[int, bytes], ...]
Answer = tuple[int, Writes]


@dataclass(frozen=True, slots=True)
class Finished:
    """A URB the client may reap: ``data`` goes to ``buffer``; ``status`` is 0 or a negative errno."""

    urb: int
    status: int
    actual: int = 0
    buffer: int = 0
    data: bytes = b""


class DeviceNode:
    """The node of one enumeration; ``unit`` None is a root hub, which stalls everything."""

    def __init__(self, fifo: Path, listener: Path, presence: Presence, unit: Pluggable | None) -> None:
        self.presence, self.unit = presence, unit
        self.lock = threading.RLock()
        self.is_gone = False
        self.claims: dict[int, Handle] = {}
        self._handles: set[Handle] = set()
        self._fifo = fifo
        fifo.parent.mkdir(parents=True, exist_ok=True)
        unnoticed = fifo.with_name(f".{fifo.name}")
        os.mkfifo(unnoticed)
        self._pipe = os.open(unnoticed, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._is_ready = True
        self.show_ready()
        self._listener = Listener(listener, self._serve)
        unnoticed.rename(fifo)

    def remove(self) -> None:
        """The unit left: what is in flight fails, what is finished can still be reaped."""
        self._fifo.unlink()
        with self.lock:
            self.is_gone = True
            for handle in self._handles:
                handle.fail_all(errno.ESHUTDOWN)
            self.show_ready()

    def close(self) -> None:
        """Let go of the pipe; the node must have been removed, and no client may open or wait on it any more."""
        self._listener.close()
        with self.lock:
            pipe, self._pipe = self._pipe, -1
        os.close(pipe)

    def control(self, setup: Setup, data: bytes, timeout_s: float) -> tuple[int, bytes]:
        """Run one control transfer at the unit: (0 or negative errno, what came back)."""
        if self.unit is None:
            return -errno.EPIPE, b""
        try:
            return 0, self.unit.control(self.presence, setup, data, timeout_s)
        except Stall:
            return -errno.EPIPE, b""
        except Gone:
            return -errno.ESHUTDOWN, b""
        except TimedOut:
            return -errno.ETIMEDOUT, b""

    def driver(self, interface: int) -> str | None:
        """Who owns ``interface`` on this host."""
        if interface in self.claims:
            return "usbfs"
        return "cdc_acm" if interface in self.presence.descriptors.kernel_bound else None

    def show_ready(self) -> None:
        """Let pollers through exactly while something can be reaped. The lock is held or not yet needed."""
        ready = any(handle.finished for handle in self._handles)
        if ready == self._is_ready or self._pipe < 0:
            return
        self._is_ready = ready
        if ready:
            os.read(self._pipe, _PIPE_BYTES)
        else:
            os.write(self._pipe, b"\0")

    def _serve(self, client: Client) -> None:
        handle = Handle(self, client)
        with self.lock:
            self._handles.add(handle)
        try:
            handle.run()
        finally:
            with self.lock:
                self._handles.discard(handle)
                self.claims = {number: owner for number, owner in self.claims.items() if owner is not handle}
                self.show_ready()


class Handle:
    """One open file on a node; its thread answers ioctls, URBs run on threads of their own."""

    def __init__(self, node: DeviceNode, client: Client) -> None:
        self._node, self._client = node, client
        self.finished: deque[Finished] = deque()
        self._flying: set[int] = set()
        self._when_gone: dict[int, Callable[[int], Answer]] = {
            Ioctl.REAPURB: self._reap,
            Ioctl.REAPURBNDELAY: self._reap,
            Ioctl.DISCARDURB: self._discard,
        }
        self._while_there: dict[int, Callable[[int], Answer]] = {
            Ioctl.SUBMITURB: self._submit,
            Ioctl.GET_CAPABILITIES: lambda at: (0, ((at, struct.pack("<I", CAPABILITIES)),)),
            Ioctl.GET_SPEED: lambda _at: (FULL_SPEED, ()),
            Ioctl.CLAIMINTERFACE: lambda at: self._claim(self._number(at)),
            Ioctl.RELEASEINTERFACE: lambda at: self._release(self._number(at)),
            Ioctl.GETDRIVER: self._get_driver,
            Ioctl.SETINTERFACE: self._set_interface,
            Ioctl.SETCONFIGURATION: self._set_configuration,
            Ioctl.RESET: self._reset,
            Ioctl.CLEAR_HALT: lambda _at: (0, ()),
            Ioctl.RESETEP: lambda _at: (0, ()),
        }

    def run(self) -> None:
        """Answer until the client closes the file."""
        while True:
            request, argument = self._client.next_ioctl()
            try:
                result, writes = self._answer(request, argument)
            except Refused as refused:
                self._client.finish(-1, refused.number)
            else:
                self._client.finish(result, 0, writes)

    def _answer(self, request: int, argument: int) -> Answer:
        handler = self._when_gone.get(request)
        if handler is None and self._node.is_gone:
            raise Refused(errno.ENODEV)
        handler = handler or self._while_there.get(request)
        if handler is None:
            raise Refused(errno.ENOTTY)
        return handler(argument)

    # --- URBs ---

    def _submit(self, address: int) -> Answer:
        urb = Urb.read(address, self._client.read_memory(address, URB_SIZE))
        if urb.kind != URB_CONTROL:  # bulk data of the CDC interfaces belongs to the tty, as with cdc_acm bound
            raise Refused(errno.ENOENT)
        setup = Setup.from_bytes(self._client.read_memory(urb.buffer, _SETUP_SIZE))
        room = min(setup.length, urb.length - _SETUP_SIZE)
        data = b"" if setup.is_in else self._client.read_memory(urb.buffer + _SETUP_SIZE, room)
        if setup.request_type & 0x1F == 1:  # to an interface: usbfs claims it for whoever asks
            self._claim(setup.index & 0xFF)
        with self._node.lock:
            self._flying.add(address)
        threading.Thread(target=self._transfer, args=(urb, setup, data), daemon=True).start()
        return 0, ()

    def _transfer(self, urb: Urb, setup: Setup, data: bytes) -> None:
        status, reply = self._node.control(setup, data, _FOREVER_S)
        actual = 0 if status else len(reply) if setup.is_in else len(data)
        self._finish(Finished(urb.address, status, actual, urb.buffer + _SETUP_SIZE, reply))

    def _finish(self, finished: Finished) -> bool:
        with self._node.lock:
            if finished.urb not in self._flying:
                return False
            self._flying.discard(finished.urb)
            self.finished.append(finished)
            self._node.show_ready()
        return True

    def _discard(self, address: int) -> Answer:
        if not self._finish(Finished(address, -errno.ENOENT)):
            raise Refused(errno.EINVAL)
        return 0, ()

    def fail_all(self, number: int) -> None:
        for urb in list(self._flying):
            self._finish(Finished(urb, -number))

    def _reap(self, address: int) -> Answer:
        with self._node.lock:
            if not self.finished:
                raise Refused(errno.ENODEV if self._node.is_gone else errno.EAGAIN)
            one = self.finished.popleft()
            self._node.show_ready()
        return 0, (
            (one.buffer, one.data),
            (one.urb + URB_STATUS_AT, struct.pack("<i", one.status)),
            (one.urb + URB_ACTUAL_AT, struct.pack("<i", one.actual)),
            (address, struct.pack("<Q", one.urb)),
        )

    # --- interfaces ---

    def _number(self, address: int) -> int:
        return int.from_bytes(self._client.read_memory(address, 4), "little")

    def _claim(self, interface: int) -> Answer:
        if interface >= self._node.presence.descriptors.interfaces:
            raise Refused(errno.ENOENT)
        with self._node.lock:
            owner = self._node.claims.get(interface)
            if owner is not self and self._node.driver(interface) is not None:
                raise Refused(errno.EBUSY)
            self._node.claims[interface] = self
        return 0, ()

    def _release(self, interface: int) -> Answer:
        with self._node.lock:
            if self._node.claims.get(interface) is not self:
                raise Refused(errno.EINVAL)
            del self._node.claims[interface]
        return 0, ()

    def _get_driver(self, address: int) -> Answer:
        name = self._node.driver(self._number(address))
        if name is None:
            raise Refused(errno.ENODATA)
        return 0, ((address + 4, name.encode() + b"\0"),)

    def _set_interface(self, address: int) -> Answer:
        interface, alternate = struct.unpack("<II", self._client.read_memory(address, 8))
        return self._kernel_request(Setup(0x01, 11, alternate, interface, 0))

    def _set_configuration(self, address: int) -> Answer:
        if self._node.claims or self._node.presence.descriptors.kernel_bound:
            raise Refused(errno.EBUSY)
        return self._kernel_request(Setup(0x00, 9, self._number(address), 0, 0))

    def _kernel_request(self, setup: Setup) -> Answer:
        status, _reply = self._node.control(setup, b"", _KERNEL_S)
        if status:
            raise Refused(-status)
        return 0, ()

    def _reset(self, _address: int) -> Answer:
        if self._node.unit is not None:
            with contextlib.suppress(Gone):
                self._node.unit.bus_reset(self._node.presence)
        return 0, ()
