"""USB through pyusb: lists Particle devices and opens them. Foreign exceptions are translated here.

The backend is injected and belongs to the caller; this module caches nothing. A unit in DFU
mode is only ever opened behind its platform's write guard.
"""

from __future__ import annotations

import contextlib
import errno
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libusb_package
import usb.core
import usb.util
from usb.backend import IBackend, libusb1

from ..errors import (
    AccessDenied,
    Disconnected,
    DriverError,
    LinkError,
    LocalProtocolError,
    NoDeviceNodes,
    NotFound,
    PortInUse,
    RemoteProtocolError,
    Stalled,
    TransferFailed,
    TransferTimeout,
    UnknownPlatform,
)
from ..guard import WriteGuard
from ..host import port_paths
from ..host.port_paths import ControllerOf, no_controller
from ..host.usb_files import UsbFiles, usb_files
from ..identity import PortPath
from ..platforms import OTHER_DEVICES, platform
from ..wire.usb import PARTICLE_VENDOR_ID, Mode, Setup, UsbId
from . import TRANSFER_TIMEOUT_S, UsbCandidate, UsbTransport
from .guarded import GuardedTransport

MAX_TRANSFER = 4096
"""Maximum data bytes of one control transfer (reference firmware-and-dfu 1.10)."""

DESCRIPTOR_TIMEOUT_S = 1.0
"""A unit answers descriptor requests from an interrupt, within milliseconds; a hung one must not cost more."""

_STRING_MAX = 255
_CONFIGURATION_MAX = 4096
_GET_DESCRIPTOR = 0x06
_CONFIGURATION, _STRING = 0x02, 0x03
_ENGLISH = 0x0409

_ERRORS: dict[int, tuple[type[LinkError], str]] = {
    errno.EPIPE: (Stalled, "the unit refused it (STALL)"),
    errno.ENODEV: (Disconnected, "the unit is gone"),
    errno.ESHUTDOWN: (Disconnected, "the unit is gone"),
    errno.EIO: (TransferFailed, "input/output error; is the cable bad?"),
    errno.EPROTO: (TransferFailed, "bus error; is the cable bad?"),
    errno.ETIMEDOUT: (TransferTimeout, "no answer in time"),
    errno.EACCES: (AccessDenied, "no permission; install the udev rules"),
    errno.EPERM: (AccessDenied, "no permission; install the udev rules"),
    errno.EBUSY: (PortInUse, "another program owns the unit; close it"),
    errno.ENOENT: (NotFound, "nothing there by that address"),
    errno.EOVERFLOW: (TransferFailed, "the unit sent more than was asked for"),
    errno.ENOMEM: (TransferFailed, "this computer has no memory for it"),
    errno.EINTR: (TransferFailed, "the system broke it off"),
}
"""errno of a USB error -> our error. The only place that decides this."""


@contextlib.contextmanager
def _translated(what: str) -> Iterator[None]:
    """Translate everything pyusb raises into the `LinkError` tree; ``what`` begins the message."""
    try:
        yield
    except usb.core.USBError as error:
        kind, words = _ERRORS.get(error.errno or 0, (TransferFailed, "USB error"))
        number = errno.errorcode.get(error.errno or 0, "no errno")
        raise kind(f"{what}: {words} ({number}, {error.strerror})") from error
    except DriverError:
        raise
    except Exception as error:  # a unit's replies can make pyusb raise more than it documents
        raise LinkError(f"{what}: not possible on this host ({type(error).__name__}: {error})") from error


def real_backend() -> IBackend:
    """Load the libusb of the package libusb-package, not the system's. Raises `LinkError` when it does not load.

    Call once and pass the result on: pyusb itself keeps one per process.
    """
    backend = libusb1.get_backend(find_library=libusb_package.find_library)
    if backend is None:
        raise LinkError("libusb did not load; reinstall the package libusb-package")
    return backend


def real_host() -> PyusbHost:
    """Return the host for this machine's own USB ports; call once. Raises `LinkError` when libusb does not load.

    On Linux serial strings come from sysfs: reading them from a unit would disturb another program that talks to it
    (reference usb-and-serial 7.3). Other systems have no equivalent.
    """
    return PyusbHost(real_backend(), usb_files())


class PyusbHost:
    """Lists the Particle devices of one backend, and what is taken for one. For real units use `real_host`.

    ``files``: where the system exposes the same units as files, if it does. ``controller_of``: tells the controllers
    of the buses, by default from ``files``.
    """

    def __init__(
        self, backend: IBackend, files: UsbFiles | None = None, controller_of: ControllerOf | None = None
    ) -> None:
        self._backend, self._files = backend, files
        self._controller_of = controller_of or (no_controller if files is None else files.controller_of)

    def candidates(self) -> list[UsbCandidate]:
        """List what is plugged in, from descriptors the operating system already has.

        Raises `LinkError`, and `NoDeviceNodes` where no unit could ever appear: libusb silently lists nothing there.
        """
        with _translated("list USB devices"):
            found = list(usb.core.find(find_all=True, backend=self._backend, custom_match=_is_worth_a_look))
        if not found and self._files is not None:
            self._files.check_folder()
        controller_of = functools.cache(self._controller_of)  # for this listing: controllers come and go too
        return [PyusbCandidate(device, self._files, controller_of) for device in found]


def _is_worth_a_look(device: Any) -> bool:
    shown = UsbId(device.idVendor, device.idProduct)
    return shown.vendor == PARTICLE_VENDOR_ID or str(shown) in OTHER_DEVICES


class PyusbCandidate:
    """One device from one listing, not opened."""

    def __init__(self, device: Any, files: UsbFiles | None = None, controller_of: ControllerOf = no_controller) -> None:
        self._device, self._files = device, files
        ports = device.port_numbers or ()
        self._port_path = port_paths.of_usb_device(device.bus or 0, ports, device.address, controller_of)
        self._usb_id = UsbId(device.idVendor, device.idProduct)
        self._address = (int(device.bus or 0), int(device.address or 0))

    def __repr__(self) -> str:
        return f"PyusbCandidate({self._port_path}, {self._usb_id}, address {self._address})"

    @property
    def port_path(self) -> PortPath:
        return self._port_path

    @property
    def usb_id(self) -> UsbId:
        return self._usb_id

    @property
    def address(self) -> tuple[int, int]:
        return self._address

    def open(self) -> UsbTransport:
        """Open the device; in DFU mode behind the write guard of its platform.

        Raises `LinkError`, and `UnknownPlatform` for what is no unit of a platform with a row: that is left alone.
        """
        other = self._usb_id.other_device
        if other is not None:
            raise UnknownPlatform(f"port {self._port_path}: {other.sentence}")
        guard = None
        if self._usb_id.mode is Mode.DFU:
            guard = WriteGuard(platform(self._usb_id.platform_id or 0))
        try:
            transport = _PyusbTransport(self, self._device, self._serial_file())
        except LinkError as error:
            self._explain(error)
            raise
        return transport if guard is None else GuardedTransport(transport, guard)

    def _explain(self, failure: LinkError) -> None:
        """Raise `NoDeviceNodes` where that is the cause of ``failure``."""
        if self._files is not None:
            try:
                self._files.check_node(self.port_path, *self._address)
            except NoDeviceNodes as error:
                raise error from failure

    def _serial_file(self) -> Path | None:
        """Return the sysfs file with the serial string of this very enumeration, or None."""
        return None if self._files is None else self._files.serial_file(self._port_path, self._address[1])


class _PyusbTransport:
    """An opened device. Created by `PyusbCandidate.open` only, so that units in DFU mode stay behind their guard."""

    def __init__(self, candidate: PyusbCandidate, device: Any, serial_file: Path | None) -> None:
        self._candidate, self._device, self._serial_file = candidate, device, serial_file
        self._language: int | None = None
        self._serial: str | None = None
        self._is_open = True
        with _translated(f"open the unit on port {candidate.port_path}"):
            device._ctx.managed_open()  # pyusb would open at the first transfer; we want the error now

    @property
    def port_path(self) -> PortPath:
        return self._candidate.port_path

    @property
    def usb_id(self) -> UsbId:
        return self._candidate.usb_id

    def control(self, setup: Setup, data: bytes = b"", *, timeout_s: float = TRANSFER_TIMEOUT_S) -> bytes:
        if not self._is_open:  # pyusb would silently reopen it
            raise LocalProtocolError(f"transfer on port {self.port_path} after its handle was closed")
        if setup.length > MAX_TRANSFER or (not setup.is_in and setup.length != len(data)):
            raise LocalProtocolError(f"transfer {setup.to_bytes().hex(' ')} with {len(data)} data bytes is malformed")
        try:
            result = self._device.ctrl_transfer(
                setup.request_type,
                setup.request,
                setup.value,
                setup.index,
                setup.length if setup.is_in else data,
                max(1, round(timeout_s * 1000)),  # 0 would mean no time-out
            )
        except Exception:  # only now, as its sentence would be made for every transfer
            with _translated(f"transfer {setup.to_bytes().hex(' ')} on port {self.port_path}"):
                raise
        return result.tobytes()[: setup.length] if setup.is_in else b""

    def string(self, index: int) -> str:
        if self._language is None:
            first = self._descriptor(_STRING, 0, 0, _STRING_MAX)
            self._language = int.from_bytes(first[2:4], "little") or _ENGLISH
        raw = self._descriptor(_STRING, index, self._language, _STRING_MAX)
        if len(raw) < 2 or raw[1] != _STRING:
            raise RemoteProtocolError(
                f"string {index} on port {self.port_path} came back as {len(raw)} bytes that are no string descriptor"
                f" ({raw[:8].hex(' ')}{' ...' if len(raw) > 8 else ''}); plug the unit in again, or try another cable"
            )
        return raw[2 : raw[0] & 0xFE].decode("utf-16-le", "replace").rstrip("\0")

    def serial_string(self) -> str:
        if self._serial is None:
            self._serial = self._serial_from_sysfs() or self.string(self._device.iSerialNumber)
        return self._serial

    def _serial_from_sysfs(self) -> str:
        try:
            return "" if self._serial_file is None else self._serial_file.read_text(errors="replace").strip()[:128]
        except OSError:
            return ""

    def configuration_descriptor(self) -> bytes:
        head = self._descriptor(_CONFIGURATION, 0, 0, 9)
        if len(head) < 9:
            raise RemoteProtocolError(
                f"configuration descriptor on port {self.port_path} is {head.hex(' ')}, expected 9 bytes"
            )
        total = min(int.from_bytes(head[2:4], "little"), _CONFIGURATION_MAX)
        return self._descriptor(_CONFIGURATION, 0, 0, total)

    def _descriptor(self, kind: int, index: int, language: int, length: int) -> bytes:
        setup = Setup(0x80, _GET_DESCRIPTOR, kind << 8 | (index & 0xFF), language, length)
        return self.control(setup, timeout_s=DESCRIPTOR_TIMEOUT_S)

    def claim(self, interface: int) -> None:
        with _translated(f"claim interface {interface} on port {self.port_path}"):
            usb.util.claim_interface(self._device, interface)

    def set_alternate(self, interface: int, alternate: int) -> None:
        # An Interface object, not numbers: with numbers pyusb reads the active configuration first, which
        # Gen 3 bootloaders report as 0 once they are configured (reference usb-and-serial 2.6).
        with _translated(f"set alternate setting {alternate} on port {self.port_path}"):
            self._device.set_interface_altsetting(self._device[0][(interface, alternate)])

    def close(self) -> None:
        self._is_open = False
        with contextlib.suppress(Exception):  # nothing can be done about it, and `close` never raises
            usb.util.dispose_resources(self._device)
