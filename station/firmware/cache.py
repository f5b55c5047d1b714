"""The release cache: firmware files of every kind, kept by content, so that a bench works without internet.

A file lies in the folder of its platform under a name a person recognises, with the first digits of its SHA-256:
``argon/argon-system-part1@6.3.4.5d7db4710c2e99ab.bin``. The files decide; ``index.jsonl`` beside them only remembers
where each came from, and may be lost. What is kept was parsed and its CRC checked first; what is read is hashed again.
"""

from __future__ import annotations

import datetime
import glob
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from drivers.errors import UnknownPlatform
from drivers.host.plain_file import PART, read_plain, written_whole
from drivers.plain_text import printable
from drivers.platforms import ModuleFunction, Platform, platform
from drivers.wire.image.host import MAX_FILE_SIZE, Image

from ..errors import BadInput, StationError
from .contents import MAX_BUNDLE, Content, Kind, check_content, read_content

INDEX = "index.jsonl"
_DIGITS = 16
_NAMED = re.compile(rf"(?P<stem>.+)\.(?P<digits>[0-9a-f]{{{_DIGITS}}})(?P<ending>\.bin|\.zip)")
_UNUSUAL = re.compile(r"[^\w@+ .-]+")
_STEM_BYTES = 120
_MOST = max(MAX_FILE_SIZE, MAX_BUNDLE)
_MAX_INDEX = 16 << 20


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a file of the cache came from, and when: ``source`` a file, an archive, or a release of the cloud."""

    source: str
    at: datetime.datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One good file of the cache. ``name``: the one it came with."""

    path: Path
    name: str
    sha256: str
    size: int
    content: Content
    origin: Origin | None


@dataclass(frozen=True, slots=True)
class Fault:
    """A file in the cache's folder that cannot be used, in a sentence."""

    path: Path
    sentence: str


class CacheUnwritable(StationError):
    """The cache's folder takes no file: read-only, full, or not there."""


class FirmwareCache:
    """The cache in ``folder``, which is made by the first `add`. Several processes may use one folder at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, sha256: str) -> bytes | None:
        """Return the file of that hash (64 digits in lower case); None when there is none whose content has it."""
        paths = sorted(self.folder.glob(f"*/*.{sha256[:_DIGITS]}.*"))
        found = (data for path in paths if (data := _readable(path)) is not None)
        return next((data for data in found if hashlib.sha256(data).hexdigest() == sha256), None)

    def add(self, data: bytes, name: str, where: str, origin: Origin, *, rename: bool = False) -> tuple[Entry, bool]:
        """Keep ``data`` if it may be flashed; return its entry, and whether it is new here.

        ``name`` may be any text; ``where`` it was found stands in messages; ``rename``: what is there already gets the
        name too. Raises `BadInput` when it is no firmware or
        is damaged, `CacheUnwritable` when the folder takes no file; what was in the cache stays.
        """
        content = read_content(data, where)
        check_content(content)
        sha256 = hashlib.sha256(data).hexdigest()
        name, known = printable(default_name(name)), self.entry(sha256)
        if known is not None and not (rename and known.name != name):
            return known, False
        path = self.folder / platform_folder(content.main) / kept_name(name, sha256, content)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with written_whole(path) as file:
                file.write(data)
            self._remember(sha256, name, origin)
            if known is not None and known.path != path:
                known.path.unlink(missing_ok=True)
        except OSError as error:
            raise CacheUnwritable(
                f"{where} cannot be kept in the cache {self.folder} ({error.strerror}); correct the folder's rights or "
                "make room, or name another one with cache below [firmware]"
            ) from error
        return Entry(path, name, sha256, len(data), content, origin), known is None

    def entry(self, sha256: str) -> Entry | None:
        """Return the good file of that hash; None when there is none."""
        found = self._matching(f"*/*.{sha256[:_DIGITS]}.*")
        return next((one for one in found if isinstance(one, Entry) and one.sha256 == sha256), None)

    def named(self, name: str) -> Iterator[Entry]:
        """Yield the good files that came with ``name``."""
        found = self._matching(f"*/{glob.escape(_usual(name))}.*")
        yield from (one for one in found if isinstance(one, Entry) and one.name == name)

    def entries(self) -> Iterator[Entry | Fault]:
        """Read, hash and parse every file, by platform and name; yields what is wrong with those that are not good."""
        yield from self._matching("*/*")

    def of_platform(self, row: Platform) -> list[Entry]:
        """Return the good files of one platform."""
        return [one for one in self._matching(f"{row.slug}/*") if isinstance(one, Entry)]

    def _matching(self, pattern: str) -> Iterator[Entry | Fault]:
        try:
            paths = sorted(path for path in self.folder.glob(pattern) if not path.is_dir())
        except OSError as error:
            raise BadInput(f"the cache {self.folder} cannot be read ({error.strerror}); correct its rights") from error
        origins = self._origins() if paths else {}
        yield from (_looked_at(path, origins) for path in paths)

    # --- where files came from ---

    def _remember(self, sha256: str, name: str, origin: Origin) -> None:
        """Add a line to the index. One write, so that lines of two processes do not mix."""
        row = {"sha256": sha256, "name": name, "source": origin.source, "at": origin.at.isoformat()}
        with (self.folder / INDEX).open("ab", buffering=0) as file:
            file.write(json.dumps(row, ensure_ascii=True).encode() + b"\n")

    def _origins(self) -> dict[str, tuple[str, Origin]]:
        """Read name and origin by SHA-256; lines that say neither are passed over."""
        try:
            lines = read_plain(self.folder / INDEX, _MAX_INDEX).splitlines()
        except OSError:
            return {}
        return dict(row for line in lines if (row := _index_row(line)) is not None)


def default_name(name: str) -> str:
    """Return the name a file had before it came into a cache: without the digits, if it has those of a cache."""
    match = _NAMED.fullmatch(name)
    return f"{match['stem']}{match['ending']}" if match else name


def claimed_digits(name: str) -> str:
    """Return the digits of the SHA-256 that the name of a cache's file claims; "" if it claims none."""
    match = _NAMED.fullmatch(name)
    return match["digits"] if match else ""


def kept_name(name: str, sha256: str, content: Content) -> str:
    """Return the name of a file in a cache: what is usual of its own name, then digits of its hash."""
    ending = ".zip" if content.kind is Kind.BUNDLE else ".bin"
    return f"{_usual(name)}.{sha256[:_DIGITS]}{ending}"


def _usual(name: str) -> str:
    """Return what is usual of a file's name, without its ending."""
    usual = _UNUSUAL.sub("_", Path(name).stem).strip(" .").encode()[:_STEM_BYTES].decode("utf-8", "ignore")
    return usual.strip(" .") or "firmware"


def platform_folder(image: Image) -> str:
    """Return the folder of a module's platform; an asset belongs to none."""
    if image.function == ModuleFunction.ASSET:
        return "assets"
    try:
        return platform(image.platform_id).slug
    except UnknownPlatform:
        return f"platform-{image.platform_id}"


def _readable(path: Path) -> bytes | None:
    try:
        return read_plain(path, _MOST + 1)
    except OSError:
        return None


def _looked_at(path: Path, origins: dict[str, tuple[str, Origin]]) -> Entry | Fault:
    if path.name.endswith(PART):
        return Fault(path, f"{path} is left over from a copy that was cut short; it may be deleted")
    try:
        data = read_plain(path, _MOST + 1)
    except OSError as error:
        return Fault(path, f"{path} cannot be read ({error.strerror}); correct its rights")
    claimed, sha256 = claimed_digits(path.name), hashlib.sha256(data).hexdigest()
    if not claimed:
        return Fault(path, f"{path} was not put here by this program; import it: station firmware import")
    if not sha256.startswith(claimed):
        return Fault(path, f"{path} is damaged, its SHA-256 is {sha256[:_DIGITS]}…; delete it, then fetch or import it")
    name, origin = origins.get(sha256, (default_name(path.name), None))
    try:
        content = read_content(data, name)
        check_content(content)
    except BadInput as error:
        return Fault(path, f"{path}: {error}")
    return Entry(path, name, sha256, len(data), content, origin)


def _index_row(line: bytes) -> tuple[str, tuple[str, Origin]] | None:
    try:
        row = json.loads(line)
        at = datetime.datetime.fromisoformat(row["at"])
        name, source = printable(row["name"]), printable(row["source"])
        return str(row["sha256"]), (name, Origin(source, at if at.tzinfo else at.replace(tzinfo=datetime.UTC)))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
