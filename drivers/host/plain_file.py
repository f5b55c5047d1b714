"""Opens the files a person names, and nothing but files: a named pipe or a device would hold the station for ever.

Knows no content; who asks says what the file is for.
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
    """A descriptor of the regular file ``path``; raises `OSError` for anything else, without ever waiting for it."""
    handle = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY, mode)
    try:
        _refuse_special(path, os.fstat(handle))
    except OSError:
        os.close(handle)
        raise
    return handle


def read_plain(path: Path, limit: int) -> bytes:
    """At most ``limit`` bytes from the start of the regular file ``path``. Raises `OSError`."""
    with open(open_plain(path), "rb") as file:
        return file.read(limit)


def check_plain(path: Path) -> None:
    """Raises `OSError` unless ``path`` itself, not what a symbolic link leads to, is a regular file; opens nothing.

    For files SQLite has open: closing a second descriptor of one would drop the locks this process holds on it.
    """
    _refuse_special(path, path.lstat())


def _refuse_special(path: Path, found: os.stat_result) -> None:
    kind = stat.S_IFMT(found.st_mode)
    if kind != stat.S_IFREG:
        words = f"{_KINDS.get(kind, 'something else')}, expected a plain file"
        raise OSError(errno.EISDIR if kind == stat.S_IFDIR else errno.EINVAL, words, str(path))
