"""Serial ports through pyserial: finds and opens them. Foreign exceptions are translated here."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import serial
from serial.tools import list_ports

from ..errors import (
    AccessDenied,
    Disconnected,
    DriverError,
    LinkError,
    NotFound,
    PortInUse,
    PortShared,
    RateRefused,
    TransferFailed,
    TransferTimeout,
)
from ..host import port_paths
from ..host.port_paths import ControllerOf, no_controller
from ..host.usb_files import usb_files
from ..wire.usb import PARTICLE_VENDOR_ID, UsbId
from . import SerialPort, SerialTransport

BAUD = 9600
"""Any rate works except 14400 (puts the unit into DFU mode) and 28800 (reference usb-and-serial 5.1)."""
WRITE_TIMEOUT_S = 5.0

_ERRORS: dict[int, tuple[type[LinkError], str]] = {
    errno.EACCES: (AccessDenied, "no permission; install the udev rules"),
    errno.EPERM: (AccessDenied, "no permission; install the udev rules"),
    errno.EBUSY: (PortInUse, "another program owns the port; close it"),
    errno.EAGAIN: (PortInUse, "another program has locked the port; close it"),
    errno.ENOENT: (NotFound, "there is no such port"),
    errno.ENODEV: (Disconnected, "the unit is gone"),
    errno.ENXIO: (Disconnected, "the unit is gone"),
    errno.EIO: (TransferFailed, "the line was hung up, or the unit is gone"),
    errno.EBADF: (Disconnected, "the port was closed"),
}
"""errno of a serial error -> our error. Any other number: the transfer failed, the unit may still be there."""
_BROKEN = (TransferFailed, "the line broke, or the unit is gone")
_SHARED = (PortShared, "it gave nothing though it was ready; is another program on it, or is the unit gone?")
_READY_FOR_NOTHING = "reports readiness"
"""Part of pyserial's message, without an errno, when two programs read one port or the unit is just leaving."""


class PortInfo(Protocol):
    """What pyserial's ``list_ports`` reports of a port."""

    device: str
    vid: int | None
    pid: int | None
    serial_number: str | None
    location: str | None


_RATE_REFUSED = frozenset({errno.EINVAL, errno.ENOTTY, errno.ENOSYS, errno.EOPNOTSUPP})
"""errno with which a kernel refuses a rate; pyserial turns some of them into a `ValueError`."""


def _errno_of(error: BaseException | None) -> int:
    """Return the error number in ``error``, 0 if it has none."""
    args = getattr(error, "args", ())
    number = getattr(error, "errno", None) or next((a for a in args[:1] if isinstance(a, int)), None)
    return number or 0


@contextlib.contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except serial.SerialTimeoutException as error:
        raise TransferTimeout(f"{what}: the unit takes no data; other cable, other port?") from error
    except DriverError:
        raise
    except Exception as error:  # SerialException is an OSError, often without errno; termios raises its own class
        kind, words = _ERRORS.get(_errno_of(error), _SHARED if _READY_FOR_NOTHING in str(error) else _BROKEN)
        raise kind(f"{what}: {words} ({error})") from error


def list_system_ports() -> Iterable[PortInfo]:
    """List the serial ports of this machine, of any vendor."""
    return list_ports.comports()


def open_system_port(device: str) -> serial.SerialBase:
    """Open a port of this machine exclusively, with the line settings applied before it opens."""
    port = serial.Serial(None, BAUD, write_timeout=WRITE_TIMEOUT_S, exclusive=True)
    port.port = device
    port.open()
    return port


def real_serial_host() -> PyserialHost:
    """Return the host for this machine's own serial ports, placed as `drivers.transport.usb.real_host` places units."""
    files = usb_files()
    return PyserialHost(controller_of=no_controller if files is None else files.controller_of)


class PyserialHost:
    """Particle's serial ports. ``finder`` lists ports, ``opener`` opens one by device name, at 9600 8N1 with DTR.

    ``controller_of``: the one of the `UsbHost` beside it, or no port is found by its path.
    """

    def __init__(
        self,
        finder: Callable[[], Iterable[PortInfo]] = list_system_ports,
        opener: Callable[[str], serial.SerialBase] = open_system_port,
        controller_of: ControllerOf = no_controller,
    ) -> None:
        self._finder, self._opener, self._controller_of = finder, opener, controller_of

    def ports(self) -> list[SerialPort]:
        """List the serial ports of the Particle units attached now. Raises `LinkError`."""
        with _translated("list serial ports"):
            return [
                SerialPort(
                    info.device,
                    UsbId(info.vid, info.pid),
                    info.serial_number or "",
                    port_paths.of_serial_port(info.location, self._controller_of),
                )
                for info in self._finder()
                if info.vid == PARTICLE_VENDOR_ID and info.pid is not None
            ]

    def open(self, port: SerialPort) -> SerialTransport:
        with _translated(f"open serial port {port.device}"):
            return PyserialTransport(self._opener(port.device), port.device)

    def touch(self, port: SerialPort, baud: int) -> None:
        """Implement `SerialHost.touch`."""
        with _translated(f"open serial port {port.device}"):
            opened = self._opener(port.device)
        try:
            with _translated(f"set {baud} baud on {port.device}"):
                opened.baudrate = baud
        except LinkError as error:  # usually the unit: it leaves at once
            cause = error.__cause__
            if isinstance(cause, ValueError) or _errno_of(cause) in _RATE_REFUSED:
                raise RateRefused(f"this computer cannot set {baud} baud on {port.device} ({cause})") from error
        finally:
            with contextlib.suppress(Exception):  # the unit has probably left
                opened.close()


class PyserialTransport:
    """An opened serial port."""

    def __init__(self, port: serial.SerialBase, name: str) -> None:
        self._port, self._name = port, name

    def write(self, data: bytes) -> None:
        with _translated(f"write {len(data)} bytes to {self._name}"):
            self._port.write(data)

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        """Return 1 to ``max_bytes`` bytes as soon as any are there, b"" after ``timeout_s``; raises `LinkError`."""
        with _translated(f"read from {self._name}"):
            self._port.timeout = max(0.0, timeout_s)
            first = bytes(self._port.read(1))
            waiting = min(int(getattr(self._port, "in_waiting", 0)), max_bytes - 1) if first else 0
            return first + bytes(self._port.read(waiting)) if waiting > 0 else first

    def close(self) -> None:
        with contextlib.suppress(Exception):  # nothing can be done about it, and `close` never raises
            self._port.close()
