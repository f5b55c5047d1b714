"""The numbers and layouts of Linux usbfs that libusb uses, for machines with 64-bit longs (x86_64, aarch64).

Source: the kernel's ``include/uapi/linux/usbdevice_fs.h``. Tables only; `node.py` gives them meaning.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass


class Ioctl(enum.IntEnum):
    """Requests to a node below ``/dev/bus/usb``."""

    RESETEP = 0x80045503
    SETINTERFACE = 0x80085504  # two unsigned: interface, alternate setting
    SETCONFIGURATION = 0x80045505  # one unsigned
    GETDRIVER = 0x41045508  # unsigned interface in, 256 characters out
    SUBMITURB = 0x8038550A
    DISCARDURB = 0x0000550B  # the argument is the URB's address
    REAPURB = 0x4008550C
    REAPURBNDELAY = 0x4008550D  # out: the address of a finished URB
    CLAIMINTERFACE = 0x8004550F
    RELEASEINTERFACE = 0x80045510
    RESET = 0x00005514
    CLEAR_HALT = 0x80045515
    GET_CAPABILITIES = 0x8004551A
    DISCONNECT_CLAIM = 0x8108551B
    GET_SPEED = 0x0000551F


CAPABILITIES = 0x01 | 0x02 | 0x04 | 0x10
"""Zero packet, bulk continuation, no packet size limit, reap after disconnect."""

FULL_SPEED = 2
"""What GET_SPEED returns for 12 Mbit/s."""

URB_CONTROL = 2
URB_SIZE = 56
URB_STATUS_AT, URB_ACTUAL_AT = 4, 28
"""Where in its URB the client looks for the result."""

_URB = struct.Struct("<BBxxiIxxxxQiiiiiIQ")
assert _URB.size == URB_SIZE


@dataclass(frozen=True, slots=True)
class Urb:
    """A ``struct usbdevfs_urb`` as submitted: ``address`` names it, ``buffer`` is in the client's memory."""

    address: int
    kind: int
    endpoint: int
    buffer: int
    length: int

    @classmethod
    def read(cls, address: int, raw: bytes) -> Urb:
        kind, endpoint, _status, _flags, buffer, length, *_rest = _URB.unpack(raw)
        return cls(address, kind, endpoint, buffer, length)
