"""The byte layout of firmware modules, for both ends. Reference firmware-and-dfu 3.2 to 3.7 and 6.3."""

from __future__ import annotations

import struct

PREFIX = struct.Struct("<IIBBHHBBBBHBBH")
"""Start, end, MCU, flags, version, platform, function, index, then two dependencies: function, index, version each."""
PREFIX_SIZE = PREFIX.size
FLAGS_AT = 9  # in the prefix
CRC_SIZE = 4
MIN_SUFFIX = 36
PRODUCT_SUFFIX = 40
SHA_SIZE = 32

FLAG_DROP_PREFIX = 0x01  # the prefix is not stored with the payload: SoftDevice, assets
FLAG_COMPRESSED = 0x02  # the payload is raw Deflate
FLAG_COMBINED = 0x04  # another module follows
FLAG_ENCRYPTED = 0x08
FLAG_PREFIX_EXTENSIONS = 0x10
ALL_FLAGS = 0x1F

EXTENSION_END = 0x0000
EXTENSION_PRODUCT_DATA = 0x0001
EXTENSION_DYNAMIC_LOCATION = 0x0002
EXTENSION_DEPENDENCY = 0x0003
EXTENSION_HASH = 0x0010
EXTENSION_NAME = 0x0011
EXTENSION_ASSET_DEPENDENCY = 0x0012
EXTENSION_SECURITY_MODE = 0x0013
EXTENSION_ASSET_TYPE = 0x0014
EXTENSION_INVALID = 0xFFFF

VECTORS_SIZE = 0x200  # of the nRF52840's vector table, where a module begins with one
DEPENDENCY_DATA = struct.Struct("<BBHI")  # of an extension: function, index, version, a target of unknown meaning
COMPRESSION = struct.Struct("<HBBI")  # before a compressed payload: its own size, method, window bits, size unpacked
PROTECTED = 1  # content of a security-mode extension

# the information block of a radio stack; its address is in the platform table
RADIO_MAGIC = 0x51B1E5DB
RADIO_MAGIC_AT, RADIO_VERSION_AT = 0x04, 0x0C
RADIO_BUILD_AT, RADIO_BUILD_SIZE = 0x18, 20
