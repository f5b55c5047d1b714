"""Reads ZIP archives from outside within bounds: how many files, how large, how much in all. Pure but for the file.

A name in an archive is never used as a path. Whatever an archive claims, no more is unpacked than a `Budget` allows.
"""

from __future__ import annotations

import collections
import io
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from drivers.plain_text import printable

from ..errors import BadInput

MAX_UNPACKED = 1 << 30  # the largest release archive, with debug files of every platform, has a third of it
MAX_MEMBERS = 4096
_MAX_DIRECTORY = 1 << 20
_END, _END_SIZE, _END64 = b"PK\5\6", 22, b"PK\6\7"
_LOCATOR_SIZE = 20
_PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, struct.error, zlib.error)
_LOCKED = 0x1  # flag of a member that wants a password
_NAME_SHOWN = 120


class TooMuch(BadInput):
    """What is to be unpacked is more than any release: the whole import ends."""


@dataclass(slots=True)
class Budget:
    """What one import may still unpack, over all archives in it."""

    bytes_left: int = MAX_UNPACKED
    members_left: int = MAX_MEMBERS

    def spend(self, length_bytes: int, name: str) -> None:
        """Count what was unpacked; raises `TooMuch` beyond the limit."""
        self.bytes_left -= length_bytes
        if self.bytes_left < 0:
            raise TooMuch(f"{name} unpacks to more than {MAX_UNPACKED >> 20} MiB; no release is that large")

    def count(self, members: int, name: str) -> None:
        """Count files seen; raises `TooMuch` beyond the limit."""
        self.members_left -= members
        if self.members_left < 0:
            raise TooMuch(f"{name} holds more than {MAX_MEMBERS} files; no release has so many")


def is_zip(data: bytes) -> bool:
    """Return whether ``data`` begins as a ZIP archive does, an empty one included."""
    return data.startswith((b"PK\3\4", _END))


class Archive:
    """A ZIP archive whose list of files has been read and counted. ``name`` is for messages."""

    def __init__(self, file: BinaryIO, name: str, budget: Budget) -> None:
        _check_directory(file, name)
        self.name, self._budget = name, budget
        try:
            self._zip = zipfile.ZipFile(file)
        except _BROKEN as error:
            raise BadInput(f"{name} is a damaged ZIP archive; get it again") from error
        self.members = tuple(one for one in self._zip.infolist() if not one.is_dir())
        budget.count(len(self.members), name)
        names = collections.Counter(one.filename for one in self.members)
        for twice, _ in filter(lambda row: row[1] > 1, names.most_common(1)):
            raise BadInput(f"{name} holds {shown(twice)} twice; make the archive again")

    @classmethod
    def of_bytes(cls, data: bytes, name: str, budget: Budget) -> Archive:
        return cls(io.BytesIO(data), name, budget)

    def where(self, member: zipfile.ZipInfo) -> str:
        """Return where a file is, for messages: ``release.zip: folder/file.bin``."""
        return f"{self.name}: {shown(member.filename)}"

    def head(self, member: zipfile.ZipInfo, size: int) -> bytes:
        """Return the first bytes of a file. Raises `BadInput`."""
        return self._read(member, size)

    def read(self, member: zipfile.ZipInfo, limit: int) -> bytes:
        """Return a whole file of at most ``limit`` bytes. Raises `BadInput`."""
        data = self._read(member, limit + 1) if member.file_size <= limit else b""
        if member.file_size > limit or len(data) > limit:
            raise BadInput(f"{self.where(member)} has more than {limit} bytes; no such file is that large")
        return data

    def _read(self, member: zipfile.ZipInfo, size: int) -> bytes:
        where = self.where(member)
        if member.flag_bits & _LOCKED:
            raise BadInput(f"{where} is locked with a password; unpack it first")
        if member.compress_type not in _PLAIN:
            raise BadInput(f"{where} is packed in a way no release uses; unpack it first")
        try:
            with self._zip.open(member) as file:
                data = file.read(size)
        except _BROKEN as error:
            raise BadInput(f"{where} cannot be unpacked; the archive is damaged, get it again") from error
        self._budget.spend(len(data), self.name)
        return data


def shown(name: str) -> str:
    """Return a name out of an archive as it may be shown."""
    return printable(name)[:_NAME_SHOWN]


def _check_directory(file: BinaryIO, name: str) -> None:
    """Raise `BadInput` when the list of files is larger than any real one: it would be read at once, whole."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _END_SIZE - 0xFFFF - _LOCATOR_SIZE))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_SIZE:
        raise BadInput(f"{name} is a ZIP archive whose end is missing; get it again")
    length = int.from_bytes(tail[at + 12 : at + 16], "little")
    if length > _MAX_DIRECTORY or tail[max(0, at - _LOCATOR_SIZE) : at].startswith(_END64):
        raise BadInput(f"{name} is a ZIP archive with a list of more files than any release has")
