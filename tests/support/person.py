"""A person at the program on a terminal of its own: looks at the screen, presses keys, scans, waits for what shows."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from .seen import Seen

BACKSTOP_S = 300.0
"""Against a hang: no limit on how long anything may take on a busy machine as long as something is shown."""
LAST = b"\0"
"""What no program shows, and no terminal either."""

_TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "station", *sys.argv[1:]])
"""


class Person:
    """``station`` with ``arguments``, run in ``place``; everything a person can do about it."""

    def __init__(self, place: Path, *arguments: str, columns: int = 120, rows: int = 40) -> None:
        self._hand, self._far = pty.openpty()
        fcntl.ioctl(self._far, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._before = termios.tcgetattr(self._far)
        self._written, self._seen = bytearray(), Seen(columns, rows)
        self._awaited: set[str] = set()
        environ = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, *arguments], cwd=place, start_new_session=True,
            stdin=self._far, stdout=self._far, stderr=self._far,
            env=environ | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"},
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._hand)
        os.close(self._far)

    @property
    def screen(self) -> str:
        return str(self._seen)

    def sees(self, pattern: str) -> re.Match[str]:
        """Look until ``pattern`` is on the screen; each thing that is shown is looked at."""
        self._look(lambda: re.search(pattern, self.screen, re.MULTILINE) is not None, f"{pattern!r} never showed")
        found = re.search(pattern, self.screen, re.MULTILINE)
        assert found is not None
        return found

    def sees_no_more(self, pattern: str) -> None:
        """Look until ``pattern`` is gone, as after Escape: a key right behind that one would be read as Alt and it."""
        self._look(lambda: re.search(pattern, self.screen, re.MULTILINE) is None, f"{pattern!r} stayed")

    def watches_for(self, *patterns: str) -> None:
        """Notice each of ``patterns`` from now on, whatever else is done meanwhile; `has_seen_all` waits for them."""
        self._awaited |= set(patterns)
        self._notice()

    def has_seen_all(self) -> bool:
        """Wait until everything that was watched for has been on the screen at some time."""
        self._look(lambda: not self._awaited, f"some of {self._awaited} never showed")
        return True

    def _look(self, is_enough: Callable[[], bool], otherwise: str) -> None:
        ends = time.monotonic() + BACKSTOP_S
        while not is_enough():
            if time.monotonic() > ends or self._process.poll() is not None:
                raise AssertionError(f"{otherwise}:\n{self.screen}")
            self._read(0.1)

    def _notice(self) -> None:
        screen = self.screen if self._awaited else ""
        self._awaited = {one for one in self._awaited if not re.search(one, screen, re.MULTILINE)}

    def press(self, keys: str) -> None:
        os.write(self._hand, keys.encode())

    def types(self, text: str) -> None:
        """Type into a field, looking at each character: what comes faster is a scanner."""
        for end in range(1, len(text) + 1):
            self.press(text[end - 1])
            self.sees(re.escape(text[:end]))

    def scans(self, text: str) -> None:
        self.press(text + "\r")

    def sees_the_end(self) -> int:
        """Return the exit status, after all was shown."""
        ends = time.monotonic() + BACKSTOP_S
        while self._process.poll() is None:
            if time.monotonic() > ends:
                raise AssertionError(f"never ended:\n{self.screen}")
            self._read(0.1)
        while self._read(0.0):
            pass
        os.write(self._far, LAST)  # comes behind all that the program wrote, however late the system brings it
        while not self._written.endswith(LAST):
            if time.monotonic() > ends:
                raise AssertionError(f"never told all:\n{self.screen}")
            self._read(0.1)
        return self._process.wait()

    @property
    def has_the_terminal_back(self) -> bool:
        """Line discipline, main screen, cursor and mouse are what they were before."""
        shown = bytes(self._written)
        return termios.tcgetattr(self._far) == self._before and all(
            shown.rfind(off) > shown.rfind(on)
            for on, off in (
                (b"\x1b[?1049h", b"\x1b[?1049l"), (b"\x1b[?25l", b"\x1b[?25h"), (b"\x1b[?1000h", b"\x1b[?1000l"),
            )
        )  # fmt: skip

    def _read(self, seconds: float) -> bool:
        if not select.select([self._hand], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._hand, 65536)
        except OSError:  # how Linux says that nobody is at the other end any more
            return False
        self._written += data
        self._seen.feed(data)
        self._notice()
        return True
