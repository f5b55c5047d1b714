"""Takes firmware from where a person points: single files, release archives, folders, another station's export.

Only reads there, within bounds. What is firmware is handed on, of everything else it is said what it is.
"""

from __future__ import annotations

import datetime
import enum
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from drivers.host.plain_file import open_plain
from drivers.plain_text import printable
from drivers.wire.image.host import FULL_SCORE, MAX_FILE_SIZE

from ..cloud.download import Progress
from ..errors import BadInput
from .archive import Archive, Budget, TooMuch, is_zip
from .cache import Entry, FirmwareCache, Origin, claimed_digits
from .contents import MAX_BUNDLE, Kind, NotFirmware, is_bundle, read_content

_HEAD_BYTES = 1024
_DEEPEST = 2  # archives in an archive: that of all platforms may hold one for each
_MAX_INNER = 64 << 20
_FOLDERS_DEEP = 4
_HIDDEN = ("__MACOSX",)
_UNKNOWN = "a file of unknown kind"


class State(enum.Enum):
    """What became of one file."""

    ADDED = "added"
    THERE = "already here"
    REFUSED = "refused"  # firmware that is damaged, or a name that promises firmware and does not keep it
    LEFT_OUT = "left out"  # something else that lay beside firmware


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of one file. ``why``: the sentence of a refusal, or what a file is instead of firmware."""

    where: str
    state: State
    entry: Entry | None = None
    why: str = ""


Keep = Callable[[bytes, str, str], Arrival]
"""Takes content, name and place of one file of firmware, and says what became of it."""


def into(cache: FirmwareCache, source: Path, at: datetime.datetime, name: str = "") -> Keep:
    """Return what keeps files in ``cache``, remembered as coming from ``source`` at that time.

    ``name``: keep the one file that ``source`` is under this name, whatever it is called now.
    """
    origin = Origin(printable(source.name), at)

    def keep(data: bytes, own_name: str, where: str) -> Arrival:
        if name and where != printable(str(source)):
            raise BadInput(f"{where}: a name is for one file, not for one of an archive or folder; unpack it, name it")
        entry, is_new = cache.add(data, name or own_name, where, origin, rename=bool(name))
        return Arrival(where, State.ADDED if is_new else State.THERE, entry)

    return keep


def take(source: Path, keep: Keep, progress: Progress = lambda _done, _total: None) -> Iterator[Arrival]:
    """Give ``keep`` every file of firmware in a file, archive or folder; yields what became of each file there.

    ``progress`` is told how many bytes of ``source`` are done. Raises `BadInput` when ``source`` cannot be read or
    nothing in it is firmware, and what ``keep`` raises beside it.
    """
    is_any, others = False, set()
    for arrival in _Intake(keep, progress).take(source):
        is_any = is_any or arrival.state is not State.LEFT_OUT
        others |= {arrival.why} if arrival.state is State.LEFT_OUT else set()
        yield arrival
    if not is_any:
        held = f", but {' and '.join(sorted(others))}" if others else ""
        raise BadInput(f"{source} holds no firmware{held}; name modules, a release archive or a bundle")


class _Intake:
    """One import: a walk through files, archives and folders within one budget."""

    def __init__(self, keep: Keep, progress: Progress) -> None:
        self._keep, self._budget, self._progress = keep, Budget(), progress
        self._done = self._total = 0

    def take(self, source: Path) -> Iterator[Arrival]:
        files = list(self._files(source, _FOLDERS_DEEP)) if source.is_dir() else [source]
        self._total = sum(map(_size, files))
        for path in files:
            must = path is source or _promises(path.name)
            yield from _guarded(str(path), self._file(path, must=must))
            self._done += _size(path)
            self._progress(self._done, self._total)

    def _files(self, folder: Path, depth: int) -> Iterator[Path]:
        """Yield the files below a folder, counted."""
        try:
            inside = sorted(one for one in folder.iterdir() if not one.name.startswith(".") and not one.is_symlink())
        except OSError as error:
            raise _unreadable(folder, error) from error
        self._budget.count(len(inside), str(folder))
        for path in inside:
            if not path.is_dir():
                yield path
            elif depth:
                yield from self._files(path, depth - 1)

    def _file(self, path: Path, *, must: bool) -> Iterator[Arrival]:
        """Take one file; ``must``: a person named it or its name promises firmware, so anything else is refused."""
        where = printable(str(path))
        try:
            with open(open_plain(path), "rb") as file:
                head = file.read(_HEAD_BYTES)
                if is_zip(head):
                    yield from self._archive(file, path.name, where, range(_size(path)), _DEEPEST)
                    return
                data = head + file.read(MAX_FILE_SIZE + 1 - len(head))
        except OSError as error:
            raise _unreadable(path, error) from error
        yield self._one(data, path.name, where, must)

    def _archive(self, file: BinaryIO, name: str, where: str, span: range, depth: int) -> Iterator[Arrival]:
        """Take the files of an archive. ``span``: the bytes of the source's file that it is, for the progress."""
        archive = Archive(file, where, self._budget)
        if is_bundle(archive):
            file.seek(0)
            yield self._one(file.read(MAX_BUNDLE + 1), name, where, True)
            return
        packed = sum(member.compress_size for member in archive.members) or 1
        at = span.start
        for member in archive.members:
            end = at + len(span) * member.compress_size // packed
            yield from _guarded(archive.where(member), self._member(archive, member, range(at, end), depth))
            at = end
            self._progress(self._done + at, self._total)

    def _member(self, archive: Archive, member: zipfile.ZipInfo, span: range, depth: int) -> Iterator[Arrival]:
        path, where = PurePosixPath(member.filename.replace("\\", "/")), archive.where(member)
        if path.name.startswith(".") or path.parts[:1] == _HIDDEN:
            yield Arrival(where, State.LEFT_OUT, why="a hidden file")
            return
        head = archive.head(member, _HEAD_BYTES)
        if is_zip(head) and depth > 1:
            inner = io.BytesIO(archive.read(member, _MAX_INNER))
            yield from self._archive(inner, path.name, where, span, depth - 1)
        elif is_zip(head):
            yield Arrival(where, State.LEFT_OUT, why="an archive in an archive; import it by itself")
        else:
            data = archive.head(member, MAX_FILE_SIZE + 1)
            yield self._one(data, path.name, where, _promises(path.name))

    def _one(self, data: bytes, name: str, where: str, must: bool) -> Arrival:
        claimed, sha256 = claimed_digits(name), hashlib.sha256(data).hexdigest()
        if claimed and not sha256.startswith(claimed):
            why = f"{where} is not the file its name says, its SHA-256 begins with {sha256[:16]}; copy it again"
            return Arrival(where, State.REFUSED, why=why)
        try:
            content = read_content(data, where)
        except BadInput as error:
            other = error.what if isinstance(error, NotFirmware) else _UNKNOWN
            return Arrival(where, State.REFUSED, why=str(error)) if must else Arrival(where, State.LEFT_OUT, why=other)
        if content.main.score < FULL_SCORE and content.kind is Kind.MODULE and not must:
            return Arrival(where, State.LEFT_OUT, why=_UNKNOWN)
        return self._keep(data, name, where)


def _guarded(where: str, arrivals: Iterator[Arrival]) -> Iterator[Arrival]:
    """Make a refusal of one file an arrival like the others; only what ends the whole import is raised."""
    try:
        yield from arrivals
    except TooMuch:
        raise
    except BadInput as error:
        yield Arrival(printable(where), State.REFUSED, why=str(error))


def _size(path: Path) -> int:
    """Return the bytes of a file; 0 where nobody may know."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _promises(name: str) -> bool:
    """Return whether a name in an archive promises firmware. What it holds is decided by its content."""
    return name.lower().endswith(".bin")


def _unreadable(path: Path, error: OSError) -> BadInput:
    return BadInput(
        f"{printable(str(path))} cannot be read ({error.strerror}); check its rights, or the stick it is on"
    )
