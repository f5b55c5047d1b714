"""USB types shared by every layer: the setup packet and the vendor's ids. Tables only."""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass

from ..errors import RemoteProtocolError
from ..platforms import OTHER_DEVICES, OtherDevice, platforms, unknown_device

PARTICLE_VENDOR_ID = 0x2B04
APPLICATION_PRODUCT = 0xC000  # + platform id (reference usb-and-serial 1.1)
DFU_PRODUCT = 0xD000
CONTROL_BYTES_PER_S = 832_000
"""Payload of full-speed control transfers (reference firmware-and-dfu 8.2)."""
CONTROL_TRANSFER_S = 0.00025
"""One control transfer without data (reference firmware-and-dfu 8.2: 0.2 to 1 ms)."""
_SETUP = struct.Struct("<BBHHH")


class Mode(enum.StrEnum):
    """Mode of a unit according to its product id (reference usb-and-serial 2.1).

    Normal, listening and safe mode are all `APPLICATION`.
    """

    APPLICATION = "application"
    DFU = "dfu"


class StandardRequest(enum.IntEnum):
    """bRequest of the standard requests a unit supports; USB 2.0 table 9-4."""

    GET_STATUS = 0
    GET_DESCRIPTOR = 6
    GET_CONFIGURATION = 8
    SET_CONFIGURATION = 9
    GET_INTERFACE = 10
    SET_INTERFACE = 11


TO_DEVICE, TO_INTERFACE = 0x00, 0x01  # bmRequestType of standard requests
STANDARD_IN = frozenset({0x80, 0x81, 0x82})  # from device, interface, endpoint


@dataclass(frozen=True, slots=True)
class Setup:
    """The eight bytes that open a control transfer, USB 2.0 section 9.3."""

    request_type: int
    request: int
    value: int
    index: int
    length: int

    @property
    def is_in(self) -> bool:
        """Return whether the data stage, if any, goes from the unit to the host."""
        return bool(self.request_type & 0x80)

    def to_bytes(self) -> bytes:
        return _SETUP.pack(self.request_type, self.request, self.value, self.index, self.length)

    @classmethod
    def from_bytes(cls, raw: bytes) -> Setup:
        """Parse 8 bytes; raises `RemoteProtocolError` for any other length."""
        if len(raw) != _SETUP.size:
            raise RemoteProtocolError(f"setup packet of {len(raw)} bytes ({raw.hex(' ')}), expected 8")
        return cls(*_SETUP.unpack(raw))


CONFIGURATION = Setup(0x80, StandardRequest.GET_DESCRIPTOR, 0x0200, 0, 512)
"""Read the configuration descriptor with all that follows it, far below 512 bytes on every unit."""
VENDOR_CLASS = (0xFF, 0xFF, 0xFF)
_INTERFACE_DESCRIPTOR = 4


def has_interface(configuration: bytes, cls: tuple[int, int, int]) -> bool:
    """Return whether a configuration contains an interface of that class, subclass and protocol. USB 2.0 9.6."""
    at = 0
    while at + 2 <= len(configuration) and configuration[at] >= 2:
        one = configuration[at : at + configuration[at]]
        if one[1] == _INTERFACE_DESCRIPTOR and tuple(one[5:8]) == cls:
            return True
        at += len(one)
    return False


@dataclass(frozen=True, slots=True)
class UsbId:
    """Vendor and product id of a device descriptor."""

    vendor: int
    product: int

    @classmethod
    def of(cls, mode: Mode, platform_id: int) -> UsbId:
        """Return the ids of a unit of that platform in ``mode``."""
        return cls(PARTICLE_VENDOR_ID, (DFU_PRODUCT if mode is Mode.DFU else APPLICATION_PRODUCT) | platform_id)

    def __str__(self) -> str:
        return f"{self.vendor:04x}:{self.product:04x}"

    @property
    def other_device(self) -> OtherDevice | None:
        """Return what it is, if it is no unit of a platform with a row. Raises `BadPlatformRow` for a bad plug-in."""
        listed = OTHER_DEVICES.get(str(self))
        if listed is not None or self.vendor != PARTICLE_VENDOR_ID:
            return listed
        is_known = any(row.id == self.platform_id for row in platforms())
        return None if is_known else unknown_device(str(self))

    @property
    def mode(self) -> Mode | None:
        """Return application or DFU for a Particle device, None for anything else."""
        if self.vendor != PARTICLE_VENDOR_ID:
            return None
        return {APPLICATION_PRODUCT: Mode.APPLICATION, DFU_PRODUCT: Mode.DFU}.get(self.product & 0xF000)

    @property
    def platform_id(self) -> int | None:
        """Return the low 12 bits of a Particle product id, None for anything else."""
        return self.product & 0x0FFF if self.mode else None
