"""A pseudo-terminal under a name of its own: the far end of a console that another process opens like a port.

It has no DTR: being open in another process stands in for it. The line rate is read on this side, 14400 included.
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
    """Linked as ``link`` until `unlink` or `close`."""

    def __init__(self, link: Path) -> None:
        self._link = link
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.unlink()
        link.symlink_to(os.ttyname(slave))
        os.close(slave)  # from now on this side sees whether another process has it open
        self._poll = select.poll()
        self._poll.register(self._master, select.POLLIN)

    def wait(self, timeout_ms: int) -> tuple[bool, bool]:
        """Wait for data; returns whether there is any, and whether another process has the terminal open.

        Returns at once while none has.
        """
        events = dict(self._poll.poll(timeout_ms)).get(self._master, 0)
        return bool(events & select.POLLIN), not events & select.POLLHUP

    @property
    def rate(self) -> int:
        """The output line rate in baud, also one without a termios constant, such as 14400."""
        raw = fcntl.ioctl(self._master, _TCGETS2, bytes(_TERMIOS2.size))
        return int(_TERMIOS2.unpack(raw)[-1]) or termios.B9600

    def read(self, max_bytes: int) -> bytes:
        """Return what was written at the other end; raises `OSError` when that was closed."""
        return os.read(self._master, max_bytes)

    def write(self, data: bytes) -> None:
        """Write to the other end. Raises `OSError`."""
        os.write(self._master, data)

    def unlink(self) -> None:
        """Remove the name, so that nobody else opens it."""
        self._link.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove the name and hang up: the program at the other end gets an error."""
        with contextlib.suppress(OSError):
            self.unlink()
        os.close(self._master)
