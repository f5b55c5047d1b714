"""Modules as the vendor's tools wrap them: compressed, several in one file (reference firmware-and-dfu 3.8, 3.9)."""

from __future__ import annotations

import hashlib
import zlib

from drivers.wire.image.host import parse_image
from drivers.wire.image.tables import COMPRESSION, FLAG_COMBINED, FLAG_COMPRESSED, FLAGS_AT, PREFIX_SIZE


def compressed(plain: bytes, *, method: int = 0, window: int = 0) -> bytes:
    """Return the module that holds ``plain``, which has its header at its beginning."""
    size = parse_image(plain, "plain").suffix_size
    packer = zlib.compressobj(9, zlib.DEFLATED, -(window or 15))
    packed = packer.compress(plain) + packer.flush()
    body = plain[:PREFIX_SIZE] + COMPRESSION.pack(COMPRESSION.size, method, window, len(plain)) + packed
    body += plain[-4 - size : -38]
    start = int.from_bytes(plain[:4], "little")
    return _sealed(body[:4] + (start + len(body) + 34).to_bytes(4, "little") + body[8:], 0, FLAG_COMPRESSED, size)


def combined(*modules: bytes) -> bytes:
    """Return one file of ``modules``, each but the last with the flag that another one follows."""
    return b"".join(map(_followed, modules[:-1])) + modules[-1]


def _followed(module: bytes) -> bytes:
    image = parse_image(module, "part")
    return _sealed(module[:-38], image.prefix_offset, FLAG_COMBINED, image.suffix_size)


def _sealed(body: bytes, prefix_offset: int, flag: int, suffix_size: int) -> bytes:
    at = prefix_offset + FLAGS_AT
    body = body[:at] + bytes((body[at] | flag,)) + body[at + 1 :]
    body += hashlib.sha256(body).digest() + suffix_size.to_bytes(2, "little")
    return body + zlib.crc32(body).to_bytes(4, "big")
