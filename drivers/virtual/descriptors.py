"""USB descriptors of the virtual units: the building blocks from which each chip family makes its own.

Application mode: reference usb-and-serial 2.2, 2.3, 2.5; DFU mode: 2.6, 2.7 and
firmware-and-dfu 1.1. Nothing here answers requests; `endpoint.py` hands these bytes out.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field, replace

from ..platforms import Platform
from ..wire.dfu.tables import (
    ATTRIBUTES,
    DETACH_TIMEOUT_MS,
    DFUSE_VERSION,
    FUNCTIONAL_DESCRIPTOR,
    FUNCTIONAL_TYPE,
    PROTECTION_OPEN,
    PROTECTION_PROTECTED,
    PROTECTION_STRING,
    TRANSFER_SIZE,
)
from ..wire.usb import Mode, UsbId

DEVICE, CONFIGURATION, STRING, INTERFACE, ENDPOINT = 1, 2, 3, 4, 5
_ASSOCIATION, _CS_INTERFACE = 11, 0x24
_FULL_SPEED_PACKET = 64
MICROSOFT_STRING, ERROR_STRING = 0xEE, 10
_US_ENGLISH = 0x0409
_SAYS_DCD_UP_TO = 1101  # module version of the bootloaders of 4.0.0 to 4.0.2, all assumed to say what 4.0.0 says
_SAYS_DCD_AGAIN = 2000  # ... of 5.0.0
_SAYS_DCD = {"@DCT Flash   /0x00000000/1*016Ke": "@DCD Flash   /0x00000000/1*016Ke"}
_SEGMENT_TYPE = re.compile("[a-g](?=,|$)")
_PROTECTED_WORDS = "Device is in protected mode"
DFU_FUNCTIONAL = FUNCTIONAL_DESCRIPTOR.pack(
    FUNCTIONAL_DESCRIPTOR.size, FUNCTIONAL_TYPE, ATTRIBUTES, DETACH_TIMEOUT_MS, TRANSFER_SIZE, DFUSE_VERSION
)


@dataclass(frozen=True, slots=True)
class Descriptors:
    """The descriptors of one enumeration. ``strings``: index -> text, without index 0 (languages)."""

    usb_id: UsbId
    device: bytes  # 18
    configuration: bytes
    strings: dict[int, str] = field(default_factory=dict)
    interfaces: int = 1  # bNumInterfaces
    vendor_interface: int | None = None  # its number; in DFU mode there is none
    kernel_bound: tuple[int, ...] = ()  # interfaces a host's own driver claims at once (cdc_acm)

    @property
    def serial(self) -> str:
        return self.strings[3]

    def string(self, index: int) -> bytes | None:
        """Return the string descriptor at ``index``; None if there is none. USB 2.0 section 9.6.7."""
        if index == 0:
            return struct.pack("<BBH", 4, STRING, _US_ENGLISH)
        text = self.strings.get(index)
        if text is None:
            return None
        raw = text.encode("utf-16-le")
        tail = struct.pack("<BB", MICROSOFT_STRING, 0) if index == MICROSOFT_STRING else b""
        return struct.pack("<BB", 2 + len(raw) + len(tail), STRING) + raw + tail


def _device(usb_id: UsbId, cls: tuple[int, int, int], bcd_device: int) -> bytes:
    ids = (usb_id.vendor, usb_id.product, bcd_device)
    return struct.pack("<BBHBBBBHHHBBBB", 18, DEVICE, 0x0200, *cls, _FULL_SPEED_PACKET, *ids, 1, 2, 3, 1)


def _interface(number: int, alternate: int, endpoints: int, cls: tuple[int, int, int], string: int) -> bytes:
    return struct.pack("<9B", 9, INTERFACE, number, alternate, endpoints, *cls, string)


def _endpoint(address: int, kind: int, packet: int, interval: int) -> bytes:
    return struct.pack("<BBBBHB", 7, ENDPOINT, address, kind, packet, interval)


def _configuration(interfaces: int, attributes: int, power_2ma: int, body: bytes) -> bytes:
    head = struct.pack("<BBHBBBBB", 9, CONFIGURATION, 9 + len(body), interfaces, 1, 0, attributes, power_2ma)
    return head + body


@dataclass(frozen=True, slots=True)
class CdcLook:
    """Where a chip family puts its serial function and its vendor interface (reference usb-and-serial 2.3)."""

    first: int  # number of the CDC control interface; its data interface follows
    vendor: int | None  # number of the interface without endpoints; None: firmware too old to have one
    notification: int = 0x82  # endpoint
    has_association: bool = True  # without one the whole device is of the CDC class

    def body(self) -> bytes:
        """Return all interfaces in the order of their numbers, with the serial function's association before it."""
        if self.vendor is None:
            return self._cdc()
        vendor = _interface(self.vendor, 0, 0, (0xFF, 0xFF, 0xFF), 5)
        return vendor + self._cdc() if self.vendor < self.first else self._cdc() + vendor

    def _cdc(self) -> bytes:
        control, data = self.first, self.first + 1
        return b"".join((
            struct.pack("<8B", 8, _ASSOCIATION, control, 2, 2, 2, 1, 4) if self.has_association else b"",
            _interface(control, 0, 1, (0x02, 0x02, 0x01), 4),
            struct.pack("<BBBH", 5, _CS_INTERFACE, 0, 0x0110),  # header
            struct.pack("<5B", 5, _CS_INTERFACE, 1, 0, data),  # call management
            struct.pack("<4B", 4, _CS_INTERFACE, 2, 2),  # abstract control model
            struct.pack("<5B", 5, _CS_INTERFACE, 6, control, data),  # union
            _endpoint(self.notification, 3, 8, 16),
            _interface(data, 0, 2, (0x0A, 0x00, 0x00), 0),
            _endpoint(0x01, 2, _FULL_SPEED_PACKET, 0),
            _endpoint(0x81, 2, _FULL_SPEED_PACKET, 0),
        ))  # fmt: skip


def application_descriptors(
    platform: Platform,
    serial: str,
    look: CdcLook,
    *,
    product: str,
    bcd_device: int,
    attributes: int,
    power_2ma: int,
    serial_suffix: str = "Serial",
    device_class: tuple[int, int, int] = (0xEF, 0x02, 0x01),
    has_microsoft_string: bool = True,
) -> Descriptors:
    """Return the descriptors of normal, listening and safe mode, which are identical (2.2, 2.3).

    ``power_2ma``: what the unit may draw, in units of 2 mA.
    """
    usb_id = UsbId.of(Mode.APPLICATION, platform.id)
    names = {4: f"{product} {serial_suffix}"}
    if look.vendor is not None:
        names[5] = f"{product} Control Interface"
    count = 2 if look.vendor is None else 3
    return Descriptors(
        usb_id=usb_id,
        device=_device(usb_id, device_class, bcd_device),
        configuration=_configuration(count, attributes, power_2ma, look.body()),
        strings={1: "Particle", 2: product, 3: serial}
        | names
        | _microsoft(has_microsoft_string and look.vendor is not None),
        interfaces=count,
        vendor_interface=look.vendor,
        kernel_bound=(look.first, look.first + 1),
    )


def with_protection(shown: Descriptors, *, is_protected: bool) -> Descriptors:
    """Return them with the string that tells device protection (2.7)."""
    text = (PROTECTION_PROTECTED if is_protected else PROTECTION_OPEN).ljust(8, "\0")
    return replace(shown, strings=shown.strings | {PROTECTION_STRING: text})


def _microsoft(is_there: bool) -> dict[int, str]:
    """Return the string that tells Windows to use WinUSB (2.5)."""
    return {MICROSOFT_STRING: "MSFT100"} if is_there else {}


def dfu_alternates(platform: Platform, bootloader_version: int, *, is_protected: bool = False) -> tuple[str, ...]:
    """Return the memory maps of a bootloader (firmware-and-dfu 1.6); one name has changed twice on newer families.

    Under device protection every segment is erasable only, which is an indication of protection, not a map.
    """
    old_name = bootloader_version <= _SAYS_DCD_UP_TO or bootloader_version == _SAYS_DCD_AGAIN
    maps = tuple(
        _SAYS_DCD.get(memory.layout, memory.layout) if old_name else memory.layout
        for memory in sorted(platform.memories, key=lambda memory: memory.alt)
    )
    return tuple(_SEGMENT_TYPE.sub("b", text) for text in maps) if is_protected else maps


def dfu_descriptors(
    platform: Platform,
    serial: str,
    bootloader_version: int,
    *,
    bcd_device: int,
    first_map: int = 6,
    is_protected: bool = False,
    has_microsoft_string: bool = True,
) -> Descriptors:
    """Return the descriptors of DFU mode; newer bootloaders report device protection in string 0xFA (2.7).

    ``first_map``: index of the string that holds the memory map of alternate setting 0; the others follow.
    """
    usb_id = UsbId.of(Mode.DFU, platform.id)
    maps = dfu_alternates(platform, bootloader_version, is_protected=is_protected)
    body = b"".join(_interface(0, alt, 0, (0xFE, 0x01, 0x02), first_map + alt) for alt in range(len(maps)))
    strings = {1: "Particle", 2: f"{platform.usb_name} DFU Mode", 3: serial} | _microsoft(has_microsoft_string)
    strings |= {first_map + alt: text for alt, text in enumerate(maps)}
    if is_protected:
        strings[ERROR_STRING] = _PROTECTED_WORDS
    shown = Descriptors(
        usb_id=usb_id,
        device=_device(usb_id, (0, 0, 0), bcd_device),
        configuration=_configuration(1, 0xC0, 0x32, body + DFU_FUNCTIONAL),
        strings=strings,
    )
    if bootloader_version < platform.bootloader.protection_string:
        return shown
    return with_protection(shown, is_protected=is_protected)


def microsoft_compatible_id(interface: int) -> bytes:
    """Return the WINUSB compatible-ID descriptor, 40 bytes, of ``interface`` (2.5)."""
    head = struct.pack("<IHHB7x", 40, 0x0100, 4, 1)
    return head + struct.pack("<BB8s8s6x", interface, 1, b"WINUSB", b"")
