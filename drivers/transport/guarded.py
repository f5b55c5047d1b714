"""A transport with the write guard under it: what the guard refuses never reaches the wire.

Every unit in DFU mode is opened as one of these, so no caller above has an unguarded handle.
"""

from __future__ import annotations

from ..guard import WriteGuard
from ..identity import PortPath
from ..wire.usb import TO_INTERFACE, Setup, StandardRequest, UsbId
from . import TRANSFER_TIMEOUT_S, UsbTransport


class GuardedTransport:
    """A `UsbTransport` that asks ``guard`` before each transfer; raises `WriteRefused` and sends nothing.

    A transfer that fails is not shown to the guard: it then takes nothing for certain.
    """

    def __init__(self, inner: UsbTransport, guard: WriteGuard) -> None:
        self._inner = inner
        self._guard = guard

    @property
    def guard(self) -> WriteGuard:
        """The guard of this handle: permits are opened on it."""
        return self._guard

    @property
    def port_path(self) -> PortPath:
        return self._inner.port_path

    @property
    def usb_id(self) -> UsbId:
        return self._inner.usb_id

    def control(self, setup: Setup, data: bytes = b"", *, timeout_s: float = TRANSFER_TIMEOUT_S) -> bytes:
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
        setup = Setup(TO_INTERFACE, StandardRequest.SET_INTERFACE, alternate, interface, 0)
        self._guard.check(setup)
        self._inner.set_alternate(interface, alternate)
        self._guard.observe(setup)

    def close(self) -> None:
        self._inner.close()
