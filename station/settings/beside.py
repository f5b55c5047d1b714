"""Files that a profile names and that lie beside it; those of shipped profiles are found from anywhere."""

from __future__ import annotations

from pathlib import Path

from drivers.host.plain_file import read_plain

from ..paths import shipped


def read_beside(document: str, name: str, limit: int) -> bytes:
    """Return at most ``limit`` bytes of the file ``name`` beside ``document``, else of the shipped one of that name.

    A copy of a shipped profile, wherever it is, so finds what it names: its SHA-256 says whether that is the same.
    Raises `OSError` about the file beside it.
    """
    beside = Path(document).parent / name
    try:
        return read_plain(beside, limit)
    except FileNotFoundError:
        there = shipped("profiles") / name
        if Path(name).name != name or not there.is_file():
            raise
        return read_plain(there, limit)
