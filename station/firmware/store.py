"""Firmware files of this station: found in the cache by SHA-256, else in folders by name; verified, parsed once.

A file is untrusted until its hash matches the profile; even then it is checked for
score, CRC and kind before it is used in a plan.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from drivers.host.plain_file import read_plain
from drivers.platforms import ModuleFunction
from drivers.wire.image.host import MAX_FILE_SIZE, Image

from ..errors import BadInput
from .archive import is_zip
from .cache import Entry, FirmwareCache
from .contents import MAX_BUNDLE, Asset, Content, Kind, check_content, read_content
from .sections import FileRef

SHOWN_DIGITS = 12


class FirmwareStore:
    """Searches ``cache``, then ``folders`` in order, not recursively. Thread-safe, shared by all slots.

    The cache is asked by hash, whatever a file is called there; so is a folder that is another one's cache. ``made``:
    a folder of synthetic files that the program generated. It is searched last and its path is never shown, as it may
    be temporary.
    """

    def __init__(
        self, folders: Iterable[Path], made: Path | None = None, *, cache: FirmwareCache | None = None
    ) -> None:
        self._made, self._cache = made, cache
        self._folders = (*folders, *([made] if made is not None else []))
        self._contents: dict[FileRef, Content] = {}
        self._lock = threading.Lock()

    @property
    def folders(self) -> tuple[Path, ...]:
        return self._folders

    def load(self, ref: FileRef) -> Image:
        """Return the checked image of ``ref``; raises `BadInput` (missing, wrong hash, not one module)."""
        content = self._load(ref)
        if content.kind is not Kind.MODULE:
            raise BadInput(f"firmware file {ref.file} {_HOLDS_MORE[content.kind]}")
        return content.main

    def load_modules(self, ref: FileRef) -> tuple[Image, ...]:
        """Return the plain modules of ``ref``: the parts of a combined file, what a compressed one holds.

        DFU takes plain modules only, and a unit reports the module that was packed. Raises `BadInput` as `load`.
        """
        content = self._load(ref)
        if content.kind is Kind.BUNDLE:
            raise BadInput(f"firmware file {ref.file} {_HOLDS_MORE[content.kind]}")
        return content.plain

    def load_application(self, ref: FileRef) -> tuple[Image, tuple[Asset, ...]]:
        """Return the plain application of ``ref`` and the files it is bundled with; raises `BadInput` as `load`.

        Of a file that holds only other things, the first is returned.
        """
        content = self._load(ref)
        found = (image for image in content.plain if image.function == ModuleFunction.USER_PART)
        return next(found, content.plain[0]), tuple(asset for asset in content.assets if asset.is_wanted)

    def modules(self, ref: FileRef) -> tuple[str, ...]:
        """Return the SHA-256 of each module in ``ref``, of any kind, as a unit reports it; raises `BadInput`."""
        return tuple(image.sha256.hex() for image in self._load(ref).plain)

    def read(self, ref: FileRef) -> tuple[bytes, Content]:
        """Return the file of ``ref`` as it is, of any kind, and what it holds; raises `BadInput` (missing, wrong)."""
        return self._bytes(ref), self._load(ref)

    def _load(self, ref: FileRef) -> Content:
        with self._lock:
            if ref not in self._contents:
                self._contents[ref] = _parsed(ref, self._bytes(ref))
            return self._contents[ref]

    def copies(self, name: str) -> Iterator[tuple[str, bytes]]:
        """Yield every file called ``name``: where it lies, as a sentence says it, and its content."""
        for entry in self._cache.named(name) if self._cache is not None else ():
            yield str(entry.path), entry.path.read_bytes()
        for folder in self._folders:
            data = _read(folder / name)
            if data is not None:
                yield "the synthetic one this program makes" if folder == self._made else str(folder / name), data

    def files(self) -> Iterator[tuple[FileRef, Image]]:
        """Yield every good module there is, and the application of every bundle, by the name a profile may call it."""
        for entry in self._cache.entries() if self._cache is not None else ():
            if isinstance(entry, Entry) and entry.name.endswith(_ENDINGS):
                yield from _named(entry.name, entry.path.read_bytes())
        for folder in self._folders:
            for path in (
                sorted(one for one in folder.iterdir() if one.name.endswith(_ENDINGS)) if folder.is_dir() else ()
            ):
                if path.is_file() and path.stat().st_size <= MAX_BUNDLE and (data := _read(path)) is not None:
                    yield from _named(path.name, data)

    def _bytes(self, ref: FileRef) -> bytes:
        caches = (*([self._cache] if self._cache is not None else []), *map(FirmwareCache, self._folders))
        for kept in (one.find(ref.sha256) for one in caches):
            if kept is not None:
                return kept
        seen: list[str] = []
        for where, data in self.copies(ref.file):
            digest = hashlib.sha256(data).hexdigest()
            if digest == ref.sha256:
                return data
            seen.append(f"{where} has {digest[:SHOWN_DIGITS]}…")
        if not seen:
            raise self.missing(ref.file)
        raise BadInput(
            f"firmware file {ref.file}: the profile wants SHA-256 {ref.sha256[:SHOWN_DIGITS]}…, {' and '.join(seen)}; "
            "fetch the right file, or correct the profile (station profile hash) and raise its revision"
        )

    def missing(self, name: str) -> BadInput:
        """Return the refusal of a file that no folder holds."""
        theirs = [str(folder) for folder in self._folders if folder != self._made]
        cache = [f"the cache {self._cache.folder}"] if self._cache is not None else []
        searched = ", ".join([*cache, *theirs, *(["the synthetic files this program makes"] if self._made else [])])
        advice = "import it: station firmware import" if cache else "copy it there" if theirs else _NAME_A_FOLDER
        return BadInput(f"firmware file {name} is missing, searched {searched or 'no folder at all'}; {advice}")


_ENDINGS = (".bin", ".zip")
_NAME_A_FOLDER = "name the folder that holds it"
_HOLDS_MORE = {
    Kind.BUNDLE: "is an application with its assets; name it below [firmware]",
    Kind.COMBINED: "holds several modules in one file; name it in a profile",
}


def _read(path: Path) -> bytes | None:
    """Read a file of at most 8 MiB; None when there is no such file. Raises `BadInput`."""
    try:
        data = read_plain(path, MAX_BUNDLE + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BadInput(
            f"firmware file {path} cannot be read ({reason}); put the right file there, or check its permissions"
        ) from error
    most = MAX_BUNDLE if is_zip(data) else MAX_FILE_SIZE
    if len(data) > most:
        raise BadInput(f"firmware file {path} has more than {most} bytes; no module is that large")
    return data


def _named(name: str, data: bytes) -> Iterator[tuple[FileRef, Image]]:
    try:
        ref = FileRef(file=name, sha256=hashlib.sha256(data).hexdigest())
        content = _parsed(ref, data)
        if content.kind is not Kind.COMBINED:
            yield ref, content.main
    except (BadInput, ValueError):  # no firmware, or a name no profile can hold
        return


def _parsed(ref: FileRef, data: bytes) -> Content:
    try:
        content = read_content(data, ref.file)
        check_content(content)
    except BadInput as error:
        raise BadInput(f"firmware file {error}") from error
    return content
