"""A pseudo-terminal with a named link, which another process opens like a serial port.

It has no DTR: being open in another process stands for it. Line rates, including 14400, are read on this side.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import struct
import termios
import tty
from pathlib import Path

_TCGETS2 = 0x802C542A
_TERMIOS2 = struct.Struct("=IIIIB19sII")  # flags, line discipline, control characters, input and output rate


class PseudoTerminal:
    """A pseudo-terminal, linked as ``link`` until `unlink` or `close`."""

    def __init__(self, link: Path) -> None:
        self._link = link
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.unlink()
        link.symlink_to(os.ttyname(slave))
        os.close(slave)  # from now on this side can see whether another process has it open
        self._poll = select.poll()
        self._poll.register(self._master, select.POLLIN)

    def wait(self, timeout_ms: int) -> tuple[bool, bool]:
        """Wait for data; return whether there is any, and whether another process has the terminal open.

        Returns at once while no process has it open.
        """
        events = dict(self._poll.poll(timeout_ms)).get(self._master, 0)
        return bool(events & select.POLLIN), not events & select.POLLHUP

    @property
    def rate(self) -> int:
        """Return the output line rate in baud, including rates without a termios constant, such as 14400."""
        raw = fcntl.ioctl(self._master, _TCGETS2, bytes(_TERMIOS2.size))
        return int(_TERMIOS2.unpack(raw)[-1]) or termios.B9600

    def read(self, max_bytes: int) -> bytes:
        """Return 1 to ``max_bytes`` bytes written at the other end; raises `OSError` when that was closed."""
        return os.read(self._master, max_bytes)

    def write(self, data: bytes) -> None:
        """Write to the other end. Raises `OSError`."""
        os.write(self._master, data)

    def unlink(self) -> None:
        """Remove the link, so that no other process opens it."""
        self._link.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove the link and hang up: the program at the other end gets an error."""
        with contextlib.suppress(OSError):
            self.unlink()
        os.close(self._master)
