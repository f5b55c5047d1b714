"""One ``/dev/ttyACMn``: a pty whose other end is the console of a virtual unit.

The client opens the pty itself; only the modem lines, which a pty does not have, are answered here.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pty
import select
import struct
import threading
import tty
from pathlib import Path

from drivers.virtual.bus import Gone, Pluggable, Presence

from .client import NOT_HANDLED, Client, Hangup, Listener

_TIOCMGET, _TIOCMBIS, _TIOCMBIC, _TIOCMSET = 0x5415, 0x5416, 0x5417, 0x5418
_DTR, _RTS = 0x002, 0x004
_ALWAYS_ON = 0x160  # CTS, CD, DSR
_TCGETS2, _TERMIOS2_SIZE, _OSPEED_AT = 0x802C542A, 44, 40
_POLL_S = 0.02
_LOOK_UP_S = 0.5  # seconds of the unit's clock
_PIECE = 4096


class TtyNode:
    """The serial port of one enumeration; ``name`` is its file name below ``/dev``."""

    def __init__(self, name: str, link: Path, listener: Path, presence: Presence, unit: Pluggable) -> None:
        self.name = name
        self._presence, self._unit = presence, unit
        self._link = link
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)  # what nobody reads is lost, as on a real port
        self._dtr = False
        self._speed = self._baud()
        self._is_open = True
        self._listener = Listener(listener, self._serve)
        link.symlink_to(os.ttyname(self._slave))
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._to_unit, self._to_host)]
        for thread in self._threads:
            thread.start()

    def remove(self) -> None:
        """The unit left: readers and writers get an error, as from a real port."""
        self._link.unlink()
        self._is_open = False
        for thread in self._threads:
            thread.join()
        os.close(self._slave)
        os.close(self._master)

    def close(self) -> None:
        """No client is about to open it any more; it must have been removed."""
        self._listener.close()

    # --- data ---

    def _to_unit(self) -> None:
        with contextlib.suppress(Gone):
            while self._is_open:
                if select.select([self._master], [], [], _POLL_S)[0]:
                    self._unit.serial_write(self._presence, os.read(self._master, _PIECE))
                self._follow_speed()

    def _to_host(self) -> None:
        with contextlib.suppress(Gone):
            while self._is_open:
                data = self._unit.serial_read(self._presence, _PIECE, _LOOK_UP_S)
                with contextlib.suppress(BlockingIOError):
                    os.write(self._master, data)

    # --- line settings ---

    def _baud(self) -> int:
        """The rate the client set, also one without a constant of its own (14400)."""
        raw = fcntl.ioctl(self._master, _TCGETS2, bytes(_TERMIOS2_SIZE))
        return int.from_bytes(raw[_OSPEED_AT : _OSPEED_AT + 4], "little")

    def _follow_speed(self) -> None:
        speed = self._baud()
        if speed != self._speed:
            self._speed = speed
            self._tell_line()

    def _tell_line(self) -> None:
        self._unit.serial_line(self._presence, baud=self._speed, dtr=self._dtr)

    def _set_dtr(self, on: bool) -> None:
        if on != self._dtr:
            self._dtr = on
            with contextlib.suppress(Gone):
                self._tell_line()

    def _serve(self, client: Client) -> None:
        lines = _DTR | _RTS  # the kernel raises both for whoever opens a port
        self._set_dtr(True)
        try:
            while True:
                request, argument = client.next_ioctl()
                if not self._is_open:
                    client.finish(-1, errno.EIO)
                elif request == _TIOCMGET:
                    client.finish(writes=((argument, struct.pack("<I", lines | _ALWAYS_ON)),))
                elif request in (_TIOCMBIS, _TIOCMBIC, _TIOCMSET):
                    value = int.from_bytes(client.read_memory(argument, 4), "little")
                    lines = {_TIOCMBIS: lines | value, _TIOCMBIC: lines & ~value, _TIOCMSET: value}[request]
                    self._set_dtr(bool(lines & _DTR))
                    client.finish()
                else:
                    client.finish(NOT_HANDLED, errno.ENOTTY)
        except Hangup:
            self._set_dtr(False)
            raise
