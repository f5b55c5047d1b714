"""Damages the file of a closed journal."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

Spoil = Callable[[Path], None]


def page_of(name: str) -> Spoil:
    """Overwrite the root page of a table or an index."""

    def spoil(path: Path) -> None:
        with contextlib.closing(sqlite3.connect(path)) as db:
            (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
            size = db.execute("PRAGMA page_size").fetchone()[0]
        whole = path.read_bytes()
        path.write_bytes(whole[: (root - 1) * size] + b"\xff" * size + whole[root * size :])

    return spoil
