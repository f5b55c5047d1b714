"""The data directory: private, held by one station at a time, with the key for credential digests.

Everything here is about files; nothing here knows SQL.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import os
import stat
from pathlib import Path

from drivers.host.file_lock import try_lock
from drivers.host.plain_file import check_plain, open_plain, read_plain
from drivers.identity import Secret

from ..errors import JournalError, JournalInUse

log = logging.getLogger(__name__)

JOURNAL_FILE = "journal.db"
LOCK_FILE = "station.lock"
KEY_FILE = "credential.key"
KEY_BYTES = 32


def prepare(directory: Path) -> None:
    """Make ``directory`` (0700). One that exists and is empty or ours is closed to others too.

    A directory that already holds something else is left as it is: the journal's own files are 0600.
    """
    _refuse_link(directory)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_ours = (directory / LOCK_FILE).exists() or not any(directory.iterdir())
        mode = stat.S_IMODE(directory.stat().st_mode)
        if mode & 0o077 and is_ours:
            directory.chmod(0o700)
        elif mode & 0o077:
            log.warning("%s can be read by others (mode %04o)", directory, mode)
    except OSError as error:
        raise JournalError(f"data directory {directory} cannot be used: {error.strerror}; name another one") from error


def private_file(path: Path) -> None:
    """Create ``path`` empty if it does not exist; its mode is 0600 afterwards."""
    if os.path.lexists(path):
        _check(path)
    try:
        handle = open_plain(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
        try:
            os.fchmod(handle, 0o600)
        finally:
            os.close(handle)
    except OSError as error:
        raise JournalError(f"{path} cannot be written: {error.strerror}; check owner and disk") from error


def check_journal_files(directory: Path) -> None:
    """Raise `JournalError` unless ``directory`` holds a journal, in plain files: SQLite opens whatever is there."""
    path = directory / JOURNAL_FILE
    _refuse_link(directory)
    if not os.path.lexists(path):
        raise JournalError(f"{directory} holds no journal; name the data directory of a station")
    check_beside(path)
    _check(path)


def check_beside(path: Path) -> None:
    """The same for the log files SQLite keeps beside the database ``path``, as far as they are there."""
    for suffix in ("-wal", "-shm", "-journal"):
        beside = path.with_name(path.name + suffix)
        if os.path.lexists(beside):
            _check(beside)


def _refuse_link(directory: Path) -> None:
    if directory.is_symlink():
        raise JournalError(f"{directory} is a symbolic link; name the data directory that holds the journal itself")


def _check(path: Path) -> None:
    try:
        check_plain(path)
    except OSError as error:
        raise JournalError(
            f"{path} cannot be used: {error.strerror}; move it away and restore the journal's own"
        ) from error


class DirectoryLock:
    """The operating system's lock on a data directory. It dies with the process, however that ends.

    The library filelock is no gain here: it takes this same lock, but does not say who holds it, locks a FIFO as if it
    were a file, and leaves the mode of a file that is there.
    """

    def __init__(self, directory: Path, station_id: str) -> None:
        """Take the lock or raise `JournalInUse` naming the station that has it."""
        path = directory / LOCK_FILE
        private_file(path)
        self._file = path.open("r+", encoding="utf-8", errors="replace")
        if not try_lock(self._file):
            holder = self._file.read(200).strip() or "another station"
            self._file.close()
            raise JournalInUse(
                f"{directory} is in use by {holder}; stop that station or give this one its own data directory"
            )
        self._file.truncate()
        self._file.write(f"station {station_id} (process {os.getpid()})\n")
        self._file.flush()

    def release(self) -> None:
        """Let the next station in; the file stays, so that nobody locks a name that is being removed."""
        self._file.close()


def credential_key(directory: Path) -> bytes:
    """The station's own 32 random bytes, made at first use (file 0600). Raises `JournalError`."""
    path = directory / KEY_FILE
    if os.path.lexists(path):
        _check(path)
    try:
        if not path.exists():
            write_whole(path, os.urandom(KEY_BYTES))
        key = read_plain(path, KEY_BYTES + 1)
    except OSError as error:
        raise JournalError(f"{path} cannot be used: {error.strerror}; check owner and disk") from error
    if len(key) != KEY_BYTES:
        raise JournalError(
            f"{path} holds {len(key)} bytes, expected {KEY_BYTES}; remove it (Wi-Fi credentials are then written again)"
        )
    return key


def write_whole(path: Path, content: bytes, *, flush: bool = True) -> None:
    """A file of mode 0600, whole or not at all, also when the power goes: written beside, flushed, then renamed.

    ``flush`` False: not when the power goes.
    """
    beside = path.with_suffix(".new")
    with contextlib.suppress(FileNotFoundError):
        beside.unlink()
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, content)
        if flush:
            os.fsync(handle)
    finally:
        os.close(handle)
    beside.replace(path)


def credential_digest(key: bytes, device_id: str, ssid: str, password: Secret | None) -> str:
    """HMAC-SHA-256 (hex) of one unit's Wi-Fi credentials: proof of what was last written, useless to anyone else.

    ``password`` None is an open network. Each part goes in with its length, so that no two sets collide.
    """
    parts = (
        device_id.strip().lower(),
        ssid,
        "open" if password is None else "key",
        password.reveal() if password else "",
    )
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    message = b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
    return hmac.new(key, message, hashlib.sha256).hexdigest()
