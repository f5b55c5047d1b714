"""Takes apart modules that hold others: combined files, and compressed ones. Reference firmware-and-dfu 3.8 3.9."""

from __future__ import annotations

import dataclasses
import hashlib
import zlib

from ...errors import BadImage
from .host import MAX_FILE_SIZE, Image, parse_image
from .tables import (
    COMPRESSION,
    CRC_SIZE,
    FLAG_COMBINED,
    FLAG_COMPRESSED,
    FLAG_DROP_PREFIX,
    FLAGS_AT,
    PREFIX_SIZE,
    SHA_SIZE,
)

MAX_PARTS = 8  # a unit takes two
_DEFLATE = 0


def split(image: Image) -> tuple[Image, ...]:
    """Return the modules of a combined file, first to last, or the module itself if it is a plain one.

    Each is again the file it was before it was combined: without the flag, its checksums made anew (vector V6). One
    that is damaged stays as it is, for `Image.check` to find. Raises `BadImage`.
    """
    parts: list[Image] = []
    rest = image
    while rest.is_combined:
        if len(parts) + 1 == MAX_PARTS:
            raise BadImage(f"{image.name}: more than {MAX_PARTS} modules in one file; a unit takes two")
        size = rest.end - rest.start + CRC_SIZE
        if size >= len(rest.data):
            raise BadImage(
                f"{image.name}: says that another module follows, but its file ends; it is cut, get it again"
            )
        first = parse_image(rest.data[:size], f"{image.name} part {len(parts) + 1}")
        parts.append(_alone(first))
        rest = parse_image(rest.data[size:], f"{image.name} part {len(parts) + 1}")
    return (*parts, rest)


def _alone(part: Image) -> Image:
    """Return the module that ``part`` was before another one was put behind it."""
    if not part.is_crc_valid:
        return dataclasses.replace(part, flags=part.flags & ~FLAG_COMBINED)
    body = bytearray(part.data[: -CRC_SIZE - 2 - SHA_SIZE])
    body[part.prefix_offset + FLAGS_AT] &= ~FLAG_COMBINED
    body += hashlib.sha256(body).digest() + part.data[-CRC_SIZE - 2 : -CRC_SIZE]
    return parse_image(bytes(body) + zlib.crc32(body).to_bytes(CRC_SIZE, "big"), part.name)


def is_compressed(image: Image) -> bool:
    """Return whether its payload has to be unpacked by the unit."""
    return bool(image.flags & FLAG_COMPRESSED)


def unpacked(image: Image) -> bytes:
    """Return what a compressed module holds: the whole original file, or of an asset its content.

    Raises `BadImage` when it does not unpack to exactly the size it states, 4 MiB at most.
    """
    at = image.prefix_offset + PREFIX_SIZE
    packed = image.data[at : -CRC_SIZE - image.suffix_size]
    if len(packed) < COMPRESSION.size:
        raise BadImage(f"{image.name}: is compressed, but its {len(packed)} bytes hold no header of that; damaged")
    size, method, window, length = COMPRESSION.unpack_from(packed)
    if method != _DEFLATE or window not in (0, *range(8, 16)) or not COMPRESSION.size <= size <= len(packed):
        raise BadImage(f"{image.name}: is compressed by an unknown method ({method}, window {window})")
    if length > MAX_FILE_SIZE:
        raise BadImage(f"{image.name}: unpacks to {length} bytes, no module has more than {MAX_FILE_SIZE}")
    inflate = zlib.decompressobj(-(window or 15))
    try:
        content = inflate.decompress(packed[size:], length + 1)
    except zlib.error as error:
        raise BadImage(f"{image.name}: its compressed content does not unpack; damaged") from error
    if len(content) != length or not inflate.eof:
        raise BadImage(f"{image.name}: unpacks to other than the {length} bytes it states; damaged")
    return content


def inner(image: Image) -> Image | None:
    """Return the module inside a compressed one; None for a plain one, and for an asset, which holds no module."""
    if not is_compressed(image) or image.flags & FLAG_DROP_PREFIX:
        return None
    return parse_image(unpacked(image), image.name)
