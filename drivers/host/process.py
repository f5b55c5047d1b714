"""Processes: requests to stop, orphans, immediate exit, and the list of running programs."""

from __future__ import annotations

import os
import signal
from pathlib import Path

_STOPPING = frozenset({signal.SIGTERM, signal.SIGINT})
_PARENT_POLL_S = 0.5


class StopRequest:
    """SIGTERM, SIGINT, or the end of the parent process. Create it before any thread starts."""

    def __init__(self) -> None:
        self._parent = os.getppid()
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)

    def wait(self) -> None:
        """Wait for one of them. A killed parent cannot stop its helpers, so they poll for it."""
        while signal.sigtimedwait(_STOPPING, _PARENT_POLL_S) is None and os.getppid() == self._parent:
            pass


def die() -> None:
    """End this process immediately with SIGKILL, as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


def running_programs() -> frozenset[str]:
    """Return the names of the programs running on this computer, each cut to 15 characters."""
    return frozenset(map(_command, Path("/proc").glob("[0-9]*/comm")))


def _command(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""  # it has ended meanwhile
