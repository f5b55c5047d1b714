"""A transport behind the write guard: what the guard refuses never reaches the wire.

Every unit in DFU mode is opened through this class, so no caller holds an unguarded handle.
"""

from __future__ import annotations

from ..guard import WriteGuard
from ..identity import PortPath
from ..wire.usb import TO_INTERFACE, Setup, StandardRequest, UsbId
from . import TRANSFER_TIMEOUT_S, UsbTransport


class GuardedTransport:
    """A `UsbTransport` that checks each transfer with ``guard``; raises `WriteRefused` and sends nothing if it refuses.

    A transfer that fails is not reported to the guard, which then treats its effect as unknown.
    """

    def __init__(self, inner: UsbTransport, guard: WriteGuard) -> None:
        self._inner = inner
        self._guard = guard

    @property
    def guard(self) -> WriteGuard:
        """Return the guard of this handle, on which permits are opened."""
        return self._guard

    @property
    def port_path(self) -> PortPath:
        return self._inner.port_path

    @property
    def usb_id(self) -> UsbId:
        return self._inner.usb_id

    def control(self, setup: Setup, data: bytes = b"", *, timeout_s: float = TRANSFER_TIMEOUT_S) -> bytes:
        """Do the transfer as `UsbTransport.control`; raises `WriteRefused` first for one the guard does not permit."""
        self._guard.check(setup, data)
        reply = self._inner.control(setup, data, timeout_s=timeout_s)
        self._guard.observe(setup, reply)
        return reply

    def string(self, index: int) -> str:
        return self._inner.string(index)

    def serial_string(self) -> str:
        return self._inner.serial_string()

    def configuration_descriptor(self) -> bytes:
        return self._inner.configuration_descriptor()

    def claim(self, interface: int) -> None:
        self._inner.claim(interface)

    def set_alternate(self, interface: int, alternate: int) -> None:
        """Select a memory as `UsbTransport.set_alternate`; raises `WriteRefused` where the guard does not permit it."""
        setup = Setup(TO_INTERFACE, StandardRequest.SET_INTERFACE, alternate, interface, 0)
        self._guard.check(setup)
        self._inner.set_alternate(interface, alternate)
        self._guard.observe(setup)

    def close(self) -> None:
        self._inner.close()
