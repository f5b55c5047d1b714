"""Ends what a program of this computer started and let go of: it left the process group, and init is its parent now.

A mark in the environment, which every process inherits that does not take care to drop it, tells whose it is. Only
Linux shows the environment of other processes, and only of those of the same user.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

MARK = "STATION_RUN"
"""Name of the variable; its value is another one for every program that is run."""
_PROC = Path("/proc")
_ROUNDS = 20
"""How often the list is read: a process may start another one while it is."""


def end_marked(value: str) -> None:
    """Kill every process that has ``value`` in its environment as `MARK`, and those they start meanwhile."""
    for _ in range(_ROUNDS):
        if not list(_killed(f"{MARK}={value}".encode())):
            return


def _killed(mark: bytes) -> Iterator[int]:
    for number in (one.name for one in _PROC.glob("[1-9]*") if one.name.isdecimal()):
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            process = os.pidfd_open(int(number))  # first of all: its number may become another's
            try:
                if mark in (_PROC / number / "environ").read_bytes().split(b"\0"):
                    signal.pidfd_send_signal(process, signal.SIGKILL)
                    yield int(number)
            finally:
                os.close(process)
