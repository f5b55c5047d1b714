"""The system's lock on an open file. It dies with the process, however that ends."""

from __future__ import annotations

import fcntl
from typing import IO


def try_lock(file: IO[str]) -> bool:
    """Lock ``file`` until it is closed; returns False, without waiting, when another process has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
