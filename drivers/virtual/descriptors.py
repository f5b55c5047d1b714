"""USB descriptors of the virtual units, byte for byte as the nRF52840 family shows them.

Application mode: reference usb-and-serial 2.2, 2.3, 2.5; DFU mode: 2.6, 2.7 and
firmware-and-dfu 1.1. Nothing here answers requests; `endpoint.py` hands these bytes out.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

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
VENDOR_INTERFACE = 2
_SAYS_DCD_UP_TO = 1101  # module version of the bootloaders of 4.0.0 to 4.0.2: taken to say what 4.0.0 says
_SAYS_DCD_AGAIN = 2000  # ... of 5.0.0
_SEGMENT_TYPE = re.compile("[a-g](?=,|$)")
_PROTECTED_WORDS = "Device is in protected mode"
DFU_FUNCTIONAL = FUNCTIONAL_DESCRIPTOR.pack(
    FUNCTIONAL_DESCRIPTOR.size, FUNCTIONAL_TYPE, ATTRIBUTES, DETACH_TIMEOUT_MS, TRANSFER_SIZE, DFUSE_VERSION
)


@dataclass(frozen=True, slots=True)
class Descriptors:
    """What one enumeration shows. ``strings``: index -> text; index 0 (languages) is added on the wire."""

    usb_id: UsbId
    device: bytes  # 18
    configuration: bytes
    strings: dict[int, str] = field(default_factory=dict)
    interfaces: int = 1  # bNumInterfaces
    kernel_bound: tuple[int, ...] = ()  # interfaces a host's own driver claims at once (cdc_acm)

    @property
    def serial(self) -> str:
        return self.strings[3]

    def string(self, index: int) -> bytes | None:
        """Return the string descriptor at ``index``, None if the unit has none there. USB 2.0 section 9.6.7."""
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


def _cdc_body() -> bytes:
    """CDC ACM on interfaces 0 and 1, the vendor interface without endpoints on 2 (2.3)."""
    header = struct.pack("<BBBH", 5, _CS_INTERFACE, 0, 0x0110)
    call_management = struct.pack("<5B", 5, _CS_INTERFACE, 1, 0, 1)
    acm = struct.pack("<4B", 4, _CS_INTERFACE, 2, 2)
    union = struct.pack("<5B", 5, _CS_INTERFACE, 6, 0, 1)
    return b"".join(
        (
            struct.pack("<8B", 8, _ASSOCIATION, 0, 2, 2, 2, 1, 4),
            _interface(0, 0, 1, (0x02, 0x02, 0x01), 4),
            header + call_management + acm + union,
            _endpoint(0x82, 3, 8, 16),
            _interface(1, 0, 2, (0x0A, 0x00, 0x00), 0),
            _endpoint(0x01, 2, _FULL_SPEED_PACKET, 0),
            _endpoint(0x81, 2, _FULL_SPEED_PACKET, 0),
            _interface(VENDOR_INTERFACE, 0, 0, (0xFF, 0xFF, 0xFF), 5),
        )
    )


def application_descriptors(platform: Platform, device_id: str) -> Descriptors:
    """Describe normal, listening and safe mode: three modes nobody can tell apart from here."""
    usb_id = UsbId.of(Mode.APPLICATION, platform.id)
    product = f"{platform.name} CDC Mode"
    strings = {1: "Particle", 2: product, 3: device_id, 4: f"{product} Serial", 5: f"{product} Control Interface"}
    return Descriptors(
        usb_id=usb_id,
        device=_device(usb_id, (0xEF, 0x02, 0x01), 0x0102),
        configuration=_configuration(3, 0xC0, 0xFA, _cdc_body()),
        strings=strings | {MICROSOFT_STRING: "MSFT100"},
        interfaces=3,
        kernel_bound=(0, 1),
    )


def dfu_alternates(platform: Platform, bootloader_version: int, *, is_protected: bool = False) -> tuple[str, ...]:
    """Return the memory maps a bootloader shows (firmware-and-dfu 1.6): one name has changed, twice.

    Under device protection every segment is shown as erasable only, which is a sign and no map.
    """
    old_name = bootloader_version <= _SAYS_DCD_UP_TO or bootloader_version == _SAYS_DCD_AGAIN
    maps = tuple(
        memory.layout.replace("@DCT ", "@DCD ") if old_name else memory.layout
        for memory in sorted(platform.memories, key=lambda memory: memory.alt)
    )
    return tuple(_SEGMENT_TYPE.sub("b", text) for text in maps) if is_protected else maps


def dfu_descriptors(
    platform: Platform, device_id: str, bootloader_version: int, *, is_protected: bool = False
) -> Descriptors:
    """Describe the DfuSe interface; bootloaders from 6.2.0 tell in string 0xFA whether they are protected (2.7)."""
    usb_id = UsbId.of(Mode.DFU, platform.id)
    maps = dfu_alternates(platform, bootloader_version, is_protected=is_protected)
    body = b"".join(_interface(0, alt, 0, (0xFE, 0x01, 0x02), 6 + alt) for alt in range(len(maps)))
    strings = {1: "Particle", 2: f"{platform.name} DFU Mode", 3: device_id, MICROSOFT_STRING: "MSFT100"}
    strings |= {6 + alt: text for alt, text in enumerate(maps)}
    if is_protected:
        strings[ERROR_STRING] = _PROTECTED_WORDS
    if bootloader_version >= platform.bootloader.protection_string:
        strings[PROTECTION_STRING] = (PROTECTION_PROTECTED if is_protected else PROTECTION_OPEN).ljust(8, "\0")
    return Descriptors(
        usb_id=usb_id,
        device=_device(usb_id, (0, 0, 0), 0x0251),
        configuration=_configuration(1, 0xC0, 0x32, body + DFU_FUNCTIONAL),
        strings=strings,
    )


def microsoft_compatible_id(interface: int) -> bytes:
    """Return the WINUSB compatible-ID descriptor, 40 bytes, of ``interface`` (2.5)."""
    head = struct.pack("<IHHB7x", 40, 0x0100, 4, 1)
    return head + struct.pack("<BB8s8s6x", interface, 1, b"WINUSB", b"")
