"""Firmware files of this station: found in the cache by SHA-256, else in folders by name; verified, parsed once.

A file is untrusted until its hash matches the profile; even then it is checked for
score, CRC and kind before it is used in a plan.
"""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from drivers.errors import BadImage
from drivers.host.plain_file import read_plain
from drivers.plain_text import printable
from drivers.wire.image.host import MAX_FILE_SIZE, Image, parse_image

from ..errors import BadInput
from .cache import FirmwareCache
from .sections import FileRef

SHOWN_DIGITS = 12


class FirmwareStore:
    """Searches ``cache``, then ``folders`` in order, not recursively. Thread-safe, shared by all slots.

    The cache is asked by hash, whatever a file is called there. ``made``: a folder of synthetic files that the
    program generated. It is searched last and its path is never shown, as it may be temporary.
    """

    def __init__(
        self, folders: Iterable[Path], made: Path | None = None, *, cache: FirmwareCache | None = None
    ) -> None:
        self._made, self._cache = made, cache
        self._folders = (*folders, *([made] if made is not None else []))
        self._images: dict[FileRef, Image] = {}
        self._lock = threading.Lock()

    @property
    def folders(self) -> tuple[Path, ...]:
        return self._folders

    def load(self, ref: FileRef) -> Image:
        """Return the checked image of ``ref``; raises `BadInput` (missing, wrong hash, not flashable)."""
        with self._lock:
            if ref not in self._images:
                self._images[ref] = _parsed(ref, self._bytes(ref))
            return self._images[ref]

    def copies(self, name: str) -> Iterator[tuple[str, bytes]]:
        """Yield every file called ``name``: where it lies, as a sentence says it, and its content."""
        for entry in self._cache.named(name) if self._cache is not None else ():
            yield str(entry.path), entry.path.read_bytes()
        for folder in self._folders:
            data = _read(folder / name)
            if data is not None:
                yield "the synthetic one this program makes" if folder == self._made else str(folder / name), data

    def _bytes(self, ref: FileRef) -> bytes:
        if self._cache is not None and (kept := self._cache.find(ref.sha256)) is not None:
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


_NAME_A_FOLDER = "name the folder that holds it"
_NAMES_SHOWN = 5


def _what_zip(data: bytes) -> str:
    """Describe a ZIP archive, and what to name instead. An application bundled with its assets (firmware-and-dfu 3.11)
    is recognised, but this station does not send assets yet.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [one for one in archive.namelist() if not one.endswith("/")]
    except zipfile.BadZipFile:
        return "is a damaged ZIP archive; fetch it again, or name a .bin file"
    applications = [one for one in names if "/" not in one and one.endswith(".bin")]
    assets = [one.removeprefix("assets/") for one in names if one.startswith("assets/")]
    if len(applications) != 1:
        return f"is a ZIP archive with {len(applications)} .bin files at its top, a bundle has one; name a .bin file"
    shown = ", ".join(printable(one)[:40] for one in assets[:_NAMES_SHOWN]) or "none"
    more = f" and {len(assets) - _NAMES_SHOWN} more" if len(assets) > _NAMES_SHOWN else ""
    return (
        f"is an asset bundle: the application {printable(applications[0])[:40]} with the assets {shown}{more}; this "
        "station does not send assets yet, so name the .bin of an application that needs none"
    )


def _read(path: Path) -> bytes | None:
    """Read a file of at most 4 MiB; None when there is no such file. Raises `BadInput`."""
    try:
        data = read_plain(path, MAX_FILE_SIZE + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BadInput(
            f"firmware file {path} cannot be read ({reason}); put the right file there, or check its permissions"
        ) from error
    if len(data) > MAX_FILE_SIZE:
        raise BadInput(f"firmware file {path} has more than {MAX_FILE_SIZE} bytes; no module is that large")
    return data


def _parsed(ref: FileRef, data: bytes) -> Image:
    if zipfile.is_zipfile(io.BytesIO(data)):
        raise BadInput(f"firmware file {ref.file} {_what_zip(data)}")
    try:
        image = parse_image(data, ref.file)
        image.check()
    except BadImage as error:
        raise BadInput(f"firmware file {error}") from error
    return image
