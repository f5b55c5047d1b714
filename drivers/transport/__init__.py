"""The Protocols for moving bytes over USB and serial ports. Failures raise errors of `drivers.errors` only.

Implementations: ``usb.py`` (pyusb with an injected backend) and ``serialport.py`` (pyserial with an
injected port finder). Foreign exceptions are translated there, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..identity import PortPath
from ..wire.usb import Setup, UsbId

TRANSFER_TIMEOUT_S = 5.0
"""Host time-out of one USB transfer (reference usb-and-serial 3.6)."""


class UsbTransport(Protocol):
    """One opened USB device. All Particle protocols use endpoint 0, so control transfers suffice.

    Not thread-safe: one owner at a time. All methods raise `LinkError` subclasses.
    """

    @property
    def port_path(self) -> PortPath: ...
    @property
    def usb_id(self) -> UsbId: ...
    def control(self, setup: Setup, data: bytes = b"", *, timeout_s: float = TRANSFER_TIMEOUT_S) -> bytes:
        """Run one control transfer. IN returns 0..``setup.length`` bytes; OUT sends ``data`` and returns b""."""
        ...

    def string(self, index: int) -> str:
        """Read a string descriptor; raises `Stalled` when the unit has none at ``index``."""
        ...

    def serial_string(self) -> str:
        """Read the device's serial number string, cached after the first read."""
        ...

    def configuration_descriptor(self) -> bytes:
        """Read the whole configuration descriptor with interfaces and class descriptors."""
        ...

    def claim(self, interface: int) -> None:
        """Claim ``interface`` for this handle; raises `PortInUse` when another program holds it."""
        ...

    def set_alternate(self, interface: int, alternate: int) -> None:
        """Select the alternate setting (SET_INTERFACE); in DFU mode that selects a memory."""
        ...

    def close(self) -> None:
        """Release everything. Never raises; safe to call twice."""
        ...


class UsbCandidate(Protocol):
    """A device listed on the bus and not opened. ``address`` changes with every re-enumeration."""

    @property
    def port_path(self) -> PortPath: ...
    @property
    def usb_id(self) -> UsbId: ...
    @property
    def address(self) -> tuple[int, int]:
        """Return the bus and device number; together with ``usb_id`` it distinguishes two arrivals on one port."""
        ...

    def open(self) -> UsbTransport:
        """Open the device; raises `LinkError`."""
        ...


class UsbHost(Protocol):
    """Lists what is plugged in, without opening anything. Called by one thread only."""

    def candidates(self) -> list[UsbCandidate]:
        """List the Particle devices on the bus now; raises `LinkError`."""
        ...


@dataclass(frozen=True, slots=True)
class SerialPort:
    """A serial port that the operating system lists for a USB device."""

    device: str  # "/dev/ttyACM0", or a name only the virtual finder resolves
    usb_id: UsbId
    serial_string: str
    port_path: PortPath | None


class SerialTransport(Protocol):
    """One opened serial port, DTR set, 9600 8N1: 14400 baud would put the unit into DFU mode (`SerialHost.touch`).

    `write` and `read` raise `LinkError` subclasses.
    """

    def write(self, data: bytes) -> None: ...
    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        """Return 1 to ``max_bytes`` bytes as soon as any arrive; b"" when ``timeout_s`` has passed."""
        ...

    def close(self) -> None:
        """Close the port. Never raises; safe to call twice."""
        ...


class SerialHost(Protocol):
    """Finds and opens serial ports. All methods raise `LinkError` subclasses."""

    def ports(self) -> list[SerialPort]: ...
    def open(self, port: SerialPort) -> SerialTransport: ...
    def touch(self, port: SerialPort, baud: int) -> None:
        """Open the port, set ``baud`` for a moment and close it: a unit takes two rates as commands (5.1).

        Raises `RateRefused` where this computer cannot set it. A unit that leaves meanwhile is no error.
        """
        ...
