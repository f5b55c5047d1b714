"""Firmware files on this bench: found by name, trusted by SHA-256, parsed once.

A file is untrusted until its hash is the profile's; what the profile names is then still checked for
score, CRC and kind before anything is planned with it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable
from pathlib import Path

from drivers.errors import BadImage
from drivers.wire.module import MAX_FILE_SIZE, Image, parse_image

from ..errors import BadInput
from ..plain_file import read_plain
from ..profile import FileRef

_SHOWN_DIGITS = 12


class FirmwareStore:
    """Looks in ``folders``, in their order, never below them. Safe to share between slots.

    ``made``: a folder of synthetic files that the program wrote for itself. It is looked in last and never named to
    people, as it may be gone when they look.
    """

    def __init__(self, folders: Iterable[Path], made: Path | None = None) -> None:
        self._made = made
        self._folders = (*folders, *([made] if made is not None else []))
        self._images: dict[FileRef, Image] = {}
        self._lock = threading.Lock()

    @property
    def folders(self) -> tuple[Path, ...]:
        return self._folders

    def load(self, ref: FileRef) -> Image:
        """The checked image of ``ref``; raises `BadInput` (missing, wrong hash, unfit for flashing)."""
        with self._lock:
            if ref not in self._images:
                self._images[ref] = _parsed(ref, self._bytes(ref))
            return self._images[ref]

    def _bytes(self, ref: FileRef) -> bytes:
        seen: list[str] = []
        for path in (folder / ref.file for folder in self._folders):
            data = _read(path)
            if data is None:
                continue
            digest = hashlib.sha256(data).hexdigest()
            if digest == ref.sha256:
                return data
            where = "the synthetic one this program makes" if path.parent == self._made else str(path)
            seen.append(f"{where} has {digest[:_SHOWN_DIGITS]}…")
        if seen:
            raise BadInput(
                f"firmware file {ref.file}: the profile wants SHA-256 {ref.sha256[:_SHOWN_DIGITS]}…, "
                f"{' and '.join(seen)}; fetch the right file, or correct the profile and raise its revision"
            )
        theirs = [str(folder) for folder in self._folders if folder != self._made]
        searched = ", ".join([*theirs, *(["the synthetic files this program makes"] if self._made else [])])
        advice = "copy it there" if theirs else "name the folder that holds it"
        raise BadInput(f"firmware file {ref.file} is missing, searched {searched or 'no folder at all'}; {advice}")


def _read(path: Path) -> bytes | None:
    """The bytes of a file of at most 4 MiB, None when there is no such file."""
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
    try:
        image = parse_image(data, ref.file)
        image.check()
    except BadImage as error:
        raise BadInput(f"firmware file {error}") from error
    return image
