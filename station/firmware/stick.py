"""Writes firmware for another bench: a ZIP that `station firmware import` takes back as it was."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable
from pathlib import Path

from drivers.host.plain_file import written_whole
from drivers.plain_text import printable

from ..cloud.download import Progress
from ..errors import BadInput, StationError
from .cache import Entry, Fault, FirmwareCache, kept_name, platform_folder
from .sections import FileRef
from .store import FirmwareStore

_PIECE = 1 << 16
_NO_TIME = (1980, 1, 1, 0, 0, 0)  # so that the same files make the same archive


class StickFailed(StationError):
    """The export cannot be written: the stick is full, read-only, or gone."""


def cache_files(cache: FirmwareCache) -> dict[str, bytes]:
    """Return every file of the cache by its place there. Raises `BadInput` when one is not good."""
    found = {}
    for one in cache.entries():
        data = cache.find(one.sha256) if isinstance(one, Entry) else None
        if not isinstance(one, Entry) or data is None:
            why = one.sentence if isinstance(one, Fault) else f"{one.path} has just changed"
            raise BadInput(f"nothing was exported: {why}")
        found[f"{one.path.parent.name}/{one.path.name}"] = data
    return found


def wanted_files(refs: Iterable[FileRef], store: FirmwareStore) -> dict[str, bytes]:
    """Return the files that profiles name, wherever this bench has them. Raises `BadInput` with all that is missing."""
    found: dict[str, bytes] = {}
    missing: list[str] = []
    for ref in dict.fromkeys(refs):
        try:
            data, content = store.read(ref)
        except BadInput as error:
            missing += error.sentences
            continue
        found[f"{platform_folder(content.main)}/{kept_name(ref.file, ref.sha256, content)}"] = data
    if missing:
        raise BadInput(*missing)
    return found


def write(path: Path, files: dict[str, bytes], progress: Progress) -> None:
    """Write the archive to ``path``, which is replaced only by a whole one. Raises `StickFailed`.

    ``progress`` is told what is on the stick, not what the system has promised to put there.
    """
    done, total = 0, sum(map(len, files.values()))
    try:
        with written_whole(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in sorted(files.items()):
                row = zipfile.ZipInfo(name, _NO_TIME)
                row.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(row, "w") as member:
                    for at in range(0, len(data), _PIECE):
                        member.write(data[at : at + _PIECE])
                        progress(done + at, total)
                file.flush()
                os.fsync(file.fileno())
                done += len(data)
                progress(done, total)
    except OSError as error:
        raise StickFailed(
            f"{printable(str(path))} cannot be written ({error.strerror}); make room, or name another place with -o"
        ) from error
