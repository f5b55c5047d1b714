"""Opens files named by a person, but only regular files: a named pipe or a device could block the station forever.

Does not interpret the content.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

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
