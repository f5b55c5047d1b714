"""The unit's own small encoder and decoder for protocol buffers.

Deliberately independent of the host's generated messages: a wrong field number there must not
be matched by the same wrong number here. Like the firmware's encoder it omits zero values.
"""

from __future__ import annotations

from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class BadMessage(Exception):
    """The payload cannot be decoded: result -280."""


def varint(value: int) -> bytes:
    """Encode in base 128; a negative number takes ten bytes, as an int32 on the wire does."""
    value &= 0xFFFF_FFFF_FFFF_FFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    """Encode a varint field; b"" for 0."""
    return varint(field << 3 | _VARINT) + varint(value) if value else b""


def fixed32(field: int, value: int) -> bytes:
    return varint(field << 3 | _FIXED32) + value.to_bytes(4, "little") if value else b""


def blob(field: int, value: bytes) -> bytes:
    """Encode a bytes or string field; b"" if empty."""
    return message(field, value) if value else b""


def text(field: int, value: str) -> bytes:
    return blob(field, value.encode())


def message(field: int, value: bytes) -> bytes:
    """Encode a nested message, written even if empty (an element of a repeated field)."""
    return varint(field << 3 | _BYTES) + varint(len(value)) + value


class Fields:
    """A decoded message: last value per field number. Raises `BadMessage`."""

    def __init__(self, raw: bytes) -> None:
        self._numbers: dict[int, int] = {}
        self._blobs: dict[int, bytes] = {}
        for field, value in _fields(raw):
            if isinstance(value, int):
                self._numbers[field] = value
            else:
                self._blobs[field] = value

    def number(self, field: int) -> int:
        return self._numbers.get(field, 0)

    def flag(self, field: int) -> bool:
        return bool(self.number(field))

    def blob(self, field: int) -> bytes:
        return self._blobs.get(field, b"")

    def text(self, field: int) -> str:
        """Return a text field, "" if it is absent; raises `BadMessage` for one that is not UTF-8."""
        try:
            return self.blob(field).decode()
        except UnicodeDecodeError:
            raise BadMessage from None

    def message(self, field: int) -> Fields:
        return Fields(self.blob(field))


def _fields(raw: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(raw):
        key, at = _varint(raw, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(raw, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            size, at = _varint(raw, at)
        else:
            size = {_FIXED32: 4, _FIXED64: 8}.get(kind, -1)
        if size < 0 or at + size > len(raw):
            raise BadMessage
        piece, at = raw[at : at + size], at + size
        yield key >> 3, piece if kind == _BYTES else int.from_bytes(piece, "little")


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(raw):
            raise BadMessage
        value |= (raw[at] & 0x7F) << shift
        at += 1
        if raw[at - 1] < 0x80:
            return value, at
    raise BadMessage
