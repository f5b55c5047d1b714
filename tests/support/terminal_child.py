"""A program of ours on a terminal of its own, spoken to as a person would: wait for a question, type the answer."""

from __future__ import annotations

import errno
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_TAKES_TERMINAL = """\
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from station.cli.main import main
sys.exit(main())
"""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What stood on the terminal, how the program ended, and what it was started with, as all may read it."""

    text: str
    status: int
    command: str


def on_terminal(
    arguments: Sequence[str], answers: Sequence[tuple[str, str | Callable[[], str]]], environ: Mapping[str, str]
) -> Spoken:
    """Run ``station ARGUMENTS`` on a terminal; each of ``answers`` is typed once its question stands there."""
    master, slave = pty.openpty()
    try:
        child = subprocess.Popen(
            [sys.executable, "-c", _TAKES_TERMINAL, *arguments], stdin=slave, stdout=slave, stderr=slave,
            env={**os.environ, **environ}, start_new_session=True,
        )  # fmt: skip
    finally:
        os.close(slave)
    command = Path(f"/proc/{child.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    told, seen, left = "", 0, list(answers)
    try:
        while read := _read(master):
            told += read.decode("utf-8", "replace")
            if left and (at := told.find(left[0][0], seen)) >= 0:
                question, answer = left.pop(0)
                seen = at + len(question)
                os.write(master, ((answer if isinstance(answer, str) else answer()) + "\n").encode())
            elif not left and told.endswith(": ") and len(told) > seen + 2:
                os.write(master, b"\x04")  # nothing was to be asked any more: the person leaves
        assert not left, f"never asked for {left[0][0]!r}; on the terminal stood\n{told}"
        return Spoken(told.replace("\r\n", "\n"), child.wait(), command)
    finally:
        child.kill()
        child.wait()
        os.close(master)


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError as error:
        if error.errno != errno.EIO:  # how a terminal says that nobody has it open any more
            raise
        return b""
