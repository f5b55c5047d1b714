"""Parses the memory maps in a bootloader's interface strings. Reference firmware-and-dfu 1.6."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import RemoteProtocolError


class Access(enum.IntFlag):
    """Access flags of a segment: its type letter, minus ``a``, plus 1."""

    READABLE = 1  # can be uploaded
    ERASABLE = 2  # must be erased before programming
    WRITABLE = 4  # can be programmed


@dataclass(frozen=True, slots=True)
class Segment:
    """``count`` sectors of ``sector_size`` bytes, beginning at ``start``."""

    start: int
    count: int
    sector_size: int
    access: Access

    @property
    def end(self) -> int:
        return self.start + self.count * self.sector_size


@dataclass(frozen=True, slots=True)
class MemoryLayout:
    """A parsed memory map. It describes the unit but permits nothing: that is up to the write guard."""

    name: str
    segments: tuple[Segment, ...]

    @property
    def is_protected(self) -> bool:
        """Return whether nothing is readable or writable, which is how older bootloaders show device protection."""
        return all(segment.access is Access.ERASABLE for segment in self.segments)

    def first_without(self, access: Access, start: int, end: int) -> int | None:
        """Return the first address in [``start``, ``end``) that lacks any of ``access``; None if there is none."""
        at = start
        while at < end:
            segment = next((s for s in self.segments if s.start <= at < s.end), None)
            if segment is None or access not in segment.access:
                return at
            at = segment.end
        return None


_GROUP = re.compile(r"/0x([0-9A-Fa-f]{1,8})/([^/]+)")
_SEGMENT = re.compile(r"(\d{1,6})\*(\d{1,6})([ BKM]?)([a-g])")
_MULTIPLIER = {"": 1, " ": 1, "B": 1, "K": 1024, "M": 1024 * 1024}
_MIN_SECTOR = 256


def parse_layout(text: str) -> MemoryLayout:
    """Parse the interface string of an alternate setting (``@Name /0xADDRESS/segments``).

    Raises `RemoteProtocolError` for any other format, and for addresses beyond 32 bits.
    """
    text = text.rstrip("\0")
    slash = text.find("/")
    if len(text) > 255 or not text.isprintable() or not text.startswith("@") or slash < 0:
        raise _bad_layout(text)
    groups, at = [], slash
    while at < len(text):
        match = _GROUP.match(text, at)
        if match is None:
            raise _bad_layout(text)
        groups.append(match)
        at = match.end()
    segments = tuple(s for match in groups for s in _segments(int(match[1], 16), match[2], text))
    return MemoryLayout(text[1:slash].rstrip(), segments)


def _segments(at: int, listed: str, text: str) -> Iterator[Segment]:
    for item in listed.split(","):
        match = _SEGMENT.fullmatch(item)
        if match is None:
            raise _bad_layout(text)
        size = int(match[2]) * _MULTIPLIER[match[3]]
        segment = Segment(at, int(match[1]), size, Access(ord(match[4]) - ord("a") + 1))
        if size < _MIN_SECTOR or segment.count == 0 or segment.end > 1 << 32:
            raise _bad_layout(text)
        yield segment
        at = segment.end


def _bad_layout(text: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"memory map {text[:80]!r} is not in DfuSe format; wrong bootloader?")
