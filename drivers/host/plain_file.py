"""Opens files named by a person, but only regular files: a named pipe or a device could block the station forever.

Also writes files that are there whole or not at all. Does not interpret the content.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_KINDS = {
    stat.S_IFDIR: "a folder", stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFLNK: "a symbolic link",
}  # fmt: skip


def open_plain(path: Path, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
    """Open the regular file ``path``; raises `OSError` for anything else, without ever blocking."""
    handle = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY, mode)
    try:
        _refuse_special(path, os.fstat(handle))
    except OSError:
        os.close(handle)
        raise
    return handle


def read_plain(path: Path, limit: int) -> bytes:
    """Read at most ``limit`` bytes from the start of the regular file ``path``. Raises `OSError`."""
    with open(open_plain(path), "rb") as file:
        return file.read(limit)


PART = ".part"
"""Ends the names of files that are being written; they begin with a dot."""


@contextlib.contextmanager
def written_whole(path: Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """Open a file that takes the place of ``path`` only when the block ends well and all of it is on the disk.

    Until then, and after any failure, whatever was at ``path`` stays as it was. Raises `OSError`, which names ``path``.
    ``mode``: usually other logins of this bench may read it, too.
    """
    try:
        handle, name = tempfile.mkstemp(PART, f".{path.name[:100]}.", path.parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    part = Path(name)
    try:
        with open(handle, "wb") as file:
            yield file
            file.flush()
            with contextlib.suppress(OSError):  # the file systems of USB sticks have no rights
                os.fchmod(handle, mode)  # a temporary file is made for one login only
            os.fsync(handle)
        part.replace(path)
        _keep_entry(path.parent)
    except OSError as error:  # a write error names no file
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        part.unlink(missing_ok=True)


def _keep_entry(folder: Path) -> None:
    """Put the folder's own entries on the disk, where its file system has a way to."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def check_plain(path: Path) -> None:
    """Raise `OSError` unless ``path`` itself, not the target of a symbolic link, is a regular file. Opens nothing.

    For files SQLite has open: closing a second descriptor would drop this process's locks on the file.
    """
    _refuse_special(path, path.lstat())


def _refuse_special(path: Path, found: os.stat_result) -> None:
    kind = stat.S_IFMT(found.st_mode)
    if kind != stat.S_IFREG:
        words = f"{_KINDS.get(kind, 'something else')}, expected a plain file"
        raise OSError(errno.EISDIR if kind == stat.S_IFDIR else errno.EINVAL, words, str(path))
