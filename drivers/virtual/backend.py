"""A pyusb backend over a virtual bus: the same exceptions, errno and libusb codes as pyusb's libusb1 backend.

Like libusb on Linux it serves descriptors of an enumerated device from a cache (no transfer,
no opening), lets cdc_acm own the CDC interfaces, and refuses what the kernel would refuse.
Bulk and interrupt transfers are not implemented: use `serial_side.py` for the console.
"""

from __future__ import annotations

import errno
import threading
from array import array
from collections.abc import Iterator
from types import SimpleNamespace
from typing import NoReturn

import usb.backend
import usb.core

from ..identity import PortPath
from ..wire.usb import Setup
from .bus import Gone, HostError, Pluggable, Presence, Stall, TimedOut, VirtualBus
from .descriptors import ENDPOINT, INTERFACE

_FULL_SPEED = 2  # LIBUSB_SPEED_FULL
_ERRORS = {
    errno.EPIPE: (-9, "Pipe error"),
    errno.ENODEV: (-4, "No such device (it may have been disconnected)"),
    errno.ETIMEDOUT: (-7, "Operation timed out"),
    errno.EBUSY: (-6, "Resource busy"),
    errno.ENOENT: (-5, "Entity not found"),
    errno.EACCES: (-3, "Access denied (insufficient permissions)"),
    errno.EIO: (-1, "Input/Output Error"),
    errno.EINVAL: (-2, "Invalid parameter"),
    errno.EPROTO: (-1, "Protocol error"),  # libusb folds it into EIO, pyusb's other backends do not
    errno.EOVERFLOW: (-8, "Overflow"),
    errno.ENOMEM: (-11, "Insufficient memory"),
    errno.EINTR: (-10, "System call interrupted (perhaps due to signal)"),
}
_DEVICE_FIELDS = [
    "bLength",
    "bDescriptorType",
    "bcdUSB",
    "bDeviceClass",
    "bDeviceSubClass",
    "bDeviceProtocol",
    "bMaxPacketSize0",
    "idVendor",
    "idProduct",
    "bcdDevice",
    "iManufacturer",
    "iProduct",
    "iSerialNumber",
    "bNumConfigurations",
]
_CONFIGURATION_FIELDS = [
    "bLength",
    "bDescriptorType",
    "wTotalLength",
    "bNumInterfaces",
    "bConfigurationValue",
    "iConfiguration",
    "bmAttributes",
    "bMaxPower",
]
_INTERFACE_FIELDS = [
    "bLength",
    "bDescriptorType",
    "bInterfaceNumber",
    "bAlternateSetting",
    "bNumEndpoints",
    "bInterfaceClass",
    "bInterfaceSubClass",
    "bInterfaceProtocol",
    "iInterface",
]
_ENDPOINT_FIELDS = ["bLength", "bDescriptorType", "bEndpointAddress", "bmAttributes", "wMaxPacketSize", "bInterval"]


def usb_failure(number: int) -> NoReturn:
    """Raise what pyusb's libusb1 backend raises for ``number`` (an errno value)."""
    code, text = _ERRORS[number]
    kind = usb.core.USBTimeoutError if number == errno.ETIMEDOUT else usb.core.USBError
    raise kind(text, code, number)


def _words(raw: bytes, names: list[str], wide: dict[str, int]) -> dict[str, int]:
    """Parse descriptor fields in order: one byte each, two for those in ``wide``."""
    values, at = {}, 0
    for name in names:
        size = wide.get(name, 1)
        values[name] = int.from_bytes(raw[at : at + size], "little")
        at += size
    return values


_WIDE_DEVICE = {"bcdUSB": 2, "idVendor": 2, "idProduct": 2, "bcdDevice": 2}


def parse_device(raw: bytes) -> SimpleNamespace:
    """Parse an 18-byte device descriptor into the attributes pyusb expects."""
    return SimpleNamespace(**_words(raw, _DEVICE_FIELDS, _WIDE_DEVICE))


def parse_configuration(raw: bytes) -> SimpleNamespace:
    """Parse a configuration descriptor, with ``interfaces``: number -> list of alternate settings.

    Class-specific descriptors become ``extra_descriptors`` of what they follow, as in libusb.
    """
    head = SimpleNamespace(**_words(raw, _CONFIGURATION_FIELDS, {"wTotalLength": 2}))
    head.extra_descriptors, head.interfaces = [], {}
    owner = setting = head
    at = raw[0]
    while at < len(raw):
        one = raw[at : at + raw[at]]
        if one[1] == INTERFACE:
            owner = setting = SimpleNamespace(**_words(one, _INTERFACE_FIELDS, {}), extra_descriptors=[], endpoints=[])
            head.interfaces.setdefault(setting.bInterfaceNumber, []).append(setting)
        elif one[1] == ENDPOINT:
            fields = _words(one, _ENDPOINT_FIELDS, {"wMaxPacketSize": 2})
            owner = SimpleNamespace(**fields, bRefresh=0, bSynchAddress=0, extra_descriptors=[])
            setting.endpoints.append(owner)
        else:
            owner.extra_descriptors.extend(one)
        at += raw[at]
    return head


class DeviceRef:
    """The backend's device object for pyusb: one enumeration on one port."""

    def __init__(self, bus_number: int, port: PortPath, presence: Presence, unit: Pluggable | None) -> None:
        self.bus_number, self.port, self.presence, self.unit = bus_number, port, presence, unit
        self.configuration = parse_configuration(presence.descriptors.configuration)

    def described(self) -> SimpleNamespace:
        """Return the device descriptor plus bus, address and ports, which ``usb.core.find`` filters on."""
        fields = parse_device(self.presence.descriptors.device)
        ports = tuple(int(part) for part in self.port.value.split("-")[1].split("."))
        fields.bus, fields.address, fields.speed = self.bus_number, self.presence.address, _FULL_SPEED
        fields.port_number, fields.port_numbers = ports[-1], ports
        return fields


class Handle:
    """One opened device."""

    def __init__(self, ref: DeviceRef) -> None:
        self.ref = ref
        self.claimed: set[int] = set()


class DescriptorBackend(usb.backend.IBackend):  # type: ignore[misc]
    """The part of a backend that needs only descriptors and claims; subclasses add `transfer` and devices."""

    def __init__(self) -> None:
        self._claims: dict[tuple[Presence, int], Handle] = {}
        self._lock = threading.Lock()

    def transfer(self, handle: Handle, setup: Setup, data: bytes, timeout_s: float) -> bytes:
        """Run one control transfer; raises what `usb_failure` raises."""
        raise NotImplementedError

    def get_parent(self, dev: DeviceRef) -> None:  # noqa: ARG002 - pyusb's signature
        return None

    def get_device_descriptor(self, dev: DeviceRef) -> SimpleNamespace:
        return dev.described()

    def get_configuration_descriptor(self, dev: DeviceRef, config: int) -> SimpleNamespace:
        if config:
            raise IndexError(f"configuration index {config}: the unit has one configuration")
        return dev.configuration

    def get_interface_descriptor(self, dev: DeviceRef, intf: int, alt: int, config: int) -> SimpleNamespace:
        settings = self.get_configuration_descriptor(dev, config).interfaces
        found: SimpleNamespace = settings[sorted(settings)[intf]][alt]
        return found

    def get_endpoint_descriptor(self, dev: DeviceRef, ep: int, intf: int, alt: int, config: int) -> SimpleNamespace:
        found: SimpleNamespace = self.get_interface_descriptor(dev, intf, alt, config).endpoints[ep]
        return found

    def get_configuration(self, dev_handle: Handle) -> int:  # noqa: ARG002 - pyusb's signature
        return 1  # from the kernel's cache, which configured it at enumeration; no transfer

    def set_configuration(self, dev_handle: Handle, config_value: int) -> None:
        """Send SET_CONFIGURATION, which restarts the DFU class; EBUSY while any interface has a driver."""
        ref = dev_handle.ref
        with self._lock:
            if any(presence is ref.presence for presence, _ in self._claims):
                usb_failure(errno.EBUSY)
        if ref.presence.descriptors.kernel_bound:
            usb_failure(errno.EBUSY)
        self.transfer(dev_handle, Setup(0x00, 9, config_value, 0, 0), b"", 5.0)

    def set_interface_altsetting(self, dev_handle: Handle, intf: int, altsetting: int) -> None:
        if intf not in dev_handle.claimed:
            usb_failure(errno.ENOENT)
        self.transfer(dev_handle, Setup(0x01, 11, altsetting, intf, 0), b"", 5.0)

    def claim_interface(self, dev_handle: Handle, intf: int) -> None:
        """Claim an interface of one enumeration; EBUSY where another handle or the host's serial driver has it."""
        ref = dev_handle.ref
        if intf >= ref.presence.descriptors.interfaces:
            usb_failure(errno.ENOENT)
        if intf in ref.presence.descriptors.kernel_bound:
            usb_failure(errno.EBUSY)
        with self._lock:
            if self._claims.setdefault((ref.presence, intf), dev_handle) is not dev_handle:
                usb_failure(errno.EBUSY)
        dev_handle.claimed.add(intf)

    def release_interface(self, dev_handle: Handle, intf: int) -> None:
        if intf not in dev_handle.claimed:
            usb_failure(errno.ENOENT)
        dev_handle.claimed.discard(intf)
        with self._lock:
            self._claims.pop((dev_handle.ref.presence, intf), None)

    def close_device(self, dev_handle: Handle) -> None:
        for intf in list(dev_handle.claimed):
            self.release_interface(dev_handle, intf)

    def is_kernel_driver_active(self, dev_handle: Handle, intf: int) -> bool:
        return intf in dev_handle.ref.presence.descriptors.kernel_bound

    def ctrl_transfer(
        self,
        dev_handle: Handle,
        bmRequestType: int,  # noqa: N803 - pyusb's own names
        bRequest: int,  # noqa: N803
        wValue: int,  # noqa: N803
        wIndex: int,  # noqa: N803
        data: array[int],
        timeout: int,
    ) -> int:
        """Run one transfer; IN data is stored in ``data``. ``timeout`` in milliseconds, 0: none."""
        setup = Setup(bmRequestType, bRequest, wValue, wIndex, len(data))
        reply = self.transfer(dev_handle, setup, b"" if setup.is_in else data.tobytes(), (timeout or 3_600_000) / 1000)
        if setup.is_in:
            data[: len(reply)] = array("B", reply)
            return len(reply)
        return len(data)


class VirtualBackend(DescriptorBackend):
    """The units of `VirtualBus`es in this process, one bus a controller."""

    def __init__(self, *buses: VirtualBus) -> None:
        super().__init__()
        self._buses = buses

    def enumerate_devices(self) -> Iterator[DeviceRef]:
        for bus in self._buses:
            for one in bus.shown():
                yield DeviceRef(bus.number, one.port, one.presence, one.unit)

    def open_device(self, dev: DeviceRef) -> Handle:
        if dev.unit is None or dev.unit.presence is not dev.presence:
            usb_failure(errno.ENODEV)
        if dev.presence.is_denied:
            usb_failure(errno.EACCES)
        return Handle(dev)

    def reset_device(self, dev_handle: Handle) -> None:
        unit = dev_handle.ref.unit
        assert unit is not None
        unit.bus_reset(dev_handle.ref.presence)

    def transfer(self, handle: Handle, setup: Setup, data: bytes, timeout_s: float) -> bytes:
        """Run one control transfer; a stall, departure or time-out becomes libusb's EPIPE, ENODEV or ETIMEDOUT."""
        unit = handle.ref.unit
        assert unit is not None
        try:
            return unit.control(handle.ref.presence, setup, data, timeout_s)
        except Stall:
            usb_failure(errno.EPIPE)
        except Gone:
            usb_failure(errno.ENODEV)
        except TimedOut:
            usb_failure(errno.ETIMEDOUT)
        except HostError as error:
            usb_failure(error.errno)
