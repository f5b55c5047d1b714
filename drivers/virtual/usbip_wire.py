"""USB/IP on the wire: the structures shared by our server and client. Tables only.

Protocol version 1.1.1 as the Linux kernel documents it (usb/usbip_protocol), big endian
throughout, plus one operation of our own: DESCRIBE, a device list that includes the descriptors.
A kernel caches those at enumeration; without DESCRIBE a client would have to read them from a unit that may be silent.
"""

from __future__ import annotations

import enum
import struct

VERSION = 0x0111
OPERATION = struct.Struct(">HHI")  # version, code, status
COUNT = struct.Struct(">I")
BUS_ID_SIZE = 32
DEVICE = struct.Struct(">256s32sIIIHHHBBBBBB")  # path, bus id, bus, device, speed, ids, class, configurations
LENGTHS = struct.Struct(">HH")  # DESCRIBE: bytes of device and configuration descriptor that follow

HEADER = struct.Struct(">IIIII")  # command, sequence number, device id, direction, endpoint
SUBMIT = struct.Struct(">IiIII8s")  # flags, length, start frame, packets, interval, setup packet
UNLINK = struct.Struct(">I24x")  # sequence number of the victim
RETURN = struct.Struct(">iiIII8x")  # status, actual length, start frame, packets, errors
UNLINKED = struct.Struct(">i24x")  # status
COMMAND_SIZE = 48

FULL_SPEED = 2
NO_PACKETS = 0xFFFFFFFF
DIRECTION_OUT, DIRECTION_IN = 0, 1


class Operation(enum.IntEnum):
    """First message of a connection; a reply has the same code without the top bit."""

    IMPORT = 0x8003  # attach one device; URBs follow
    LIST = 0x8005  # list the devices
    DESCRIBE = 0x8F05  # ours: LIST with descriptors

    @property
    def reply(self) -> int:
        return self.value & 0x7FFF


class Command(enum.IntEnum):
    """Messages on an attached connection."""

    SUBMIT = 1
    UNLINK = 2
    SUBMITTED = 3
    UNLINKED = 4
