"""Notes what was checked of a journal and how its files looked when the station closed them.

So a start need not read all of it again: nothing, when no byte changed since; else what came after the note.
Without a note, or when the files changed while no station had them, all is checked. It proves nothing against
a hand that changes the note as well; that is for the hash noted elsewhere (`station.journal.chain`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from ..plain_file import check_plain, read_plain
from .chain import Tail
from .directory import JOURNAL_FILE, write_whole

SEAL_FILE = "journal.seal"
_MAX_BYTES = 1000


@dataclass(frozen=True, slots=True)
class Seal:
    """``tail``: up to there all was checked. ``digest``: of the closed files; empty while a station has them."""

    tail: Tail
    digest: str = ""


def read_seal(directory: Path) -> Seal | None:
    """None when there is none, or none that makes sense."""
    try:
        check_plain(directory / SEAL_FILE)
        noted = json.loads(read_plain(directory / SEAL_FILE, _MAX_BYTES))
        return Seal(Tail(int(noted["seq"]), str(noted["hash"])), str(noted["digest"]))
    except (OSError, ValueError, TypeError, LookupError):
        return None


def write_seal(directory: Path, seal: Seal) -> None:
    """Best effort: without it the next start checks more."""
    noted = {"seq": seal.tail.seq, "hash": seal.tail.hash, "digest": seal.digest}
    with contextlib.suppress(OSError):
        write_whole(directory / SEAL_FILE, json.dumps(noted).encode())


def digest_of(directory: Path) -> str:
    """SHA-256 (hex) of the database and its log. Nobody in this process may have them open."""
    digest = hashlib.sha256()
    for suffix in ("", "-wal"):
        path = directory / (JOURNAL_FILE + suffix)
        if path.exists() and path.stat().st_size:  # a reader leaves an empty log behind
            with open(path, "rb", opener=_without_links) as file:
                digest.update(suffix.encode() + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _without_links(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
