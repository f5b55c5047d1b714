"""Processes: told to end, orphaned, ended at once, and which others run."""

from __future__ import annotations

import os
import signal
from pathlib import Path

_STOPPING = frozenset({signal.SIGTERM, signal.SIGINT})
_PARENT_POLL_S = 0.5


class StopRequest:
    """SIGTERM, SIGINT, or the end of the parent process. Make it before any thread starts."""

    def __init__(self) -> None:
        self._parent = os.getppid()
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)

    def wait(self) -> None:
        """Wait for it. A parent that was killed cannot end its helpers, so they look."""
        while signal.sigtimedwait(_STOPPING, _PARENT_POLL_S) is None and os.getppid() == self._parent:
            pass


def die() -> None:
    """End this process at once and without a word, as a power cut would (SIGKILL)."""
    os.kill(os.getpid(), signal.SIGKILL)


def running_programs() -> frozenset[str]:
    """Return the names of the programs that run on this computer, at most 15 characters of each."""
    return frozenset(map(_command, Path("/proc").glob("[0-9]*/comm")))


def _command(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""  # it ended while we looked
