"""Notes how far a journal was checked and how its files looked when the station closed them.

So a start need not read all of it again: nothing, when nobody wrote to the files since; else what came after the note.
Without a note, or when the files changed while no station had them, all is checked. It proves nothing against a
hand that changes the note as well; that is for the hash noted elsewhere (`station.journal.chain`), and ``log verify``.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from drivers.host.plain_file import check_plain, read_plain

from .chain import Tail
from .directory import JOURNAL_FILE, write_whole

SEAL_FILE = "journal.seal"
DOUBT_FILE = "journal.doubt"
_MAX_BYTES = 1000
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Seal:
    """``tail``: up to there all was checked. ``look``: of the closed files; empty while a station has them."""

    tail: Tail
    look: str = ""


def read_seal(directory: Path) -> Seal | None:
    """None when there is none, or none that makes sense."""
    try:
        check_plain(directory / SEAL_FILE)
        noted = json.loads(read_plain(directory / SEAL_FILE, _MAX_BYTES))
        return Seal(Tail(int(noted["seq"]), str(noted["hash"])), str(noted["look"]))
    except (OSError, ValueError, TypeError, LookupError):
        return None


def write_seal(directory: Path, seal: Seal) -> None:
    """Best effort: without it the next start checks more."""
    noted = {"seq": seal.tail.seq, "hash": seal.tail.hash, "look": seal.look}
    with contextlib.suppress(OSError):
        write_whole(directory / SEAL_FILE, json.dumps(noted).encode())


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
    """Whether the station that closed the journal knew all of it to agree, and nobody wrote to it since."""
    seal = read_seal(directory)
    return seal is not None and bool(seal.look) and seal.look == look_of(directory) and not is_doubted(directory)


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
