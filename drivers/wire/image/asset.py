"""Wraps a file of an application in the module that takes it to a unit. Pure. Reference firmware-and-dfu 3.8, 3.11."""

from __future__ import annotations

import hashlib
import struct
import zlib

from ...platforms import ModuleFunction
from .tables import (
    COMPRESSION,
    EXTENSION_HASH,
    EXTENSION_NAME,
    EXTENSION_PRODUCT_DATA,
    FLAG_COMPRESSED,
    FLAG_DROP_PREFIX,
    PREFIX,
    PREFIX_SIZE,
    SHA_SIZE,
)

_SHA_256 = 0
_NO_PRODUCT = b"\xff" * 6
_AFTER_EXTENSIONS = 2 + SHA_SIZE + 2  # reserved, SHA-256, suffix size


def asset_module(name: str, content: bytes) -> bytes:
    """Make the asset module of one file, compressed where that makes it smaller.

    ``name``: as the application asks for it, at most 65,000 bytes of UTF-8. Vectors V7 and V7c of the reference.
    """
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = COMPRESSION.pack(COMPRESSION.size, 0, 0, len(content)) + packer.compress(content) + packer.flush()
    is_smaller = len(packed) < len(content)
    payload, flags = (packed, FLAG_DROP_PREFIX | FLAG_COMPRESSED) if is_smaller else (content, FLAG_DROP_PREFIX)
    suffix = _extension(EXTENSION_HASH, bytes((_SHA_256, SHA_SIZE)) + hashlib.sha256(content).digest())
    suffix += _extension(EXTENSION_NAME, name.encode())
    suffix += _extension(EXTENSION_PRODUCT_DATA, _NO_PRODUCT)
    end = PREFIX_SIZE + len(payload) + len(suffix) + _AFTER_EXTENSIONS
    body = PREFIX.pack(0, end, 0, flags, 0, 0, ModuleFunction.ASSET, 0, *(0,) * 6) + payload + suffix + b"\0\0"
    body += hashlib.sha256(body).digest() + (len(suffix) + _AFTER_EXTENSIONS).to_bytes(2, "little")
    return body + zlib.crc32(body).to_bytes(4, "big")


def _extension(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, 4 + len(content)) + content
