"""Notes how far a journal was checked and how its files looked when the station closed them.

So a start need not read all of it again: nothing, when nobody wrote to the files since; else what came after the note.
While a station has the files, it marks what it knows to agree whenever it has nothing to write: for readers beside it.
Without a note, or when the files changed while no station had them, all is checked. It proves nothing against a
hand that changes the note as well; that is for the hash noted elsewhere (`station.journal.chain`), and ``log verify``.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from drivers.host.plain_file import check_plain, read_plain

from .chain import Tail
from .directory import JOURNAL_FILE, write_whole

SEAL_FILE = "journal.seal"
MARK_FILE = "journal.mark"
DOUBT_FILE = "journal.doubt"
_MAX_BYTES = 1000
_SECOND_NS = 1_000_000_000
_LOOKS, _LOOK_S = 20, 0.02
"""How often a reader looks for the mark of a station that writes at the same time, and the pause between."""


@dataclass(frozen=True, slots=True)
class Seal:
    """``tail``: up to there all was checked. ``look``: of the closed files; empty while a station has them."""

    tail: Tail
    look: str = ""


def read_seal(directory: Path, name: str = SEAL_FILE) -> Seal | None:
    """None when there is none, or none that makes sense."""
    try:
        check_plain(directory / name)
        noted = json.loads(read_plain(directory / name, _MAX_BYTES))
        return Seal(Tail(int(noted["seq"]), str(noted["hash"])), str(noted["look"]))
    except (OSError, ValueError, TypeError, LookupError):
        return None


def write_seal(directory: Path, seal: Seal, name: str = SEAL_FILE) -> None:
    """Best effort: without it the next start checks more."""
    noted = {"seq": seal.tail.seq, "hash": seal.tail.hash, "look": seal.look}
    with contextlib.suppress(OSError):
        write_whole(directory / name, json.dumps(noted).encode(), flush=name == SEAL_FILE)


def look_of(directory: Path, *, settle: bool = False) -> str:
    """What any write to the database or its log would change: inode, size and time of the last write.

    ``settle``: set that time to a whole second first, which no later write leaves it at, however soon it follows.
    """
    looks: list[str] = []
    for suffix in ("", "-wal"):
        path = directory / (JOURNAL_FILE + suffix)
        with contextlib.suppress(OSError):
            found = path.lstat()
            if settle:
                second = found.st_mtime_ns // _SECOND_NS * _SECOND_NS
                os.utime(path, ns=(found.st_atime_ns, second), follow_symlinks=False)
                found = path.lstat()
            if found.st_size:  # a reader leaves an empty log behind
                looks.append(f"{suffix}:{found.st_ino}:{found.st_size}:{found.st_mtime_ns}")
    return " ".join(looks)


def is_untouched(directory: Path) -> bool:
    """Whether the station that closed the journal, or has it, knew all of it to agree, and nobody wrote to it since."""
    seals = (read_seal(directory, name) for name in (SEAL_FILE, MARK_FILE))
    looks = [seal.look for seal in seals if seal is not None and seal.look]
    return bool(looks) and look_of(directory) in looks and not is_doubted(directory)


def is_vouched_for(directory: Path) -> bool:
    """Do as `is_untouched`; while a station writes, wait a moment for its next mark."""
    for _ in range(_LOOKS):
        if is_untouched(directory):
            return True
        if not os.path.lexists(directory / MARK_FILE) or is_doubted(directory):
            return False
        threading.Event().wait(_LOOK_S)
    return False


@dataclass(frozen=True, slots=True)
class Marks:
    """Leaves the mark of a station that has the files: implements `writer.Marker`."""

    directory: Path
    is_sure: Callable[[], bool]

    def look(self, *, settle: bool) -> str:
        """Implement `Marker.look`."""
        return look_of(self.directory, settle=settle)

    def mark(self, tail: Tail, look: str) -> None:
        """Implement `Marker.mark`: only what is sure is vouched for."""
        if self.is_sure():
            write_seal(self.directory, Seal(tail, look), MARK_FILE)

    def take_away(self) -> None:
        """Remove it: the files are closed."""
        with contextlib.suppress(OSError):
            (self.directory / MARK_FILE).unlink()


def doubt(directory: Path, reason: str) -> None:
    """Leave a mark, best effort: the next start compares all of the journal, and makes its tables again if need be."""
    with contextlib.suppress(OSError):
        write_whole(directory / DOUBT_FILE, reason.encode("utf-8", "replace")[:_MAX_BYTES])


def is_doubted(directory: Path) -> bool:
    """Whether somebody left the mark of `doubt`."""
    return os.path.lexists(directory / DOUBT_FILE)


def settle_doubt(directory: Path) -> None:
    """Take the mark away: all was compared."""
    with contextlib.suppress(OSError):
        (directory / DOUBT_FILE).unlink()
