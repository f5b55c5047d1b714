"""Run a program of this computer and take what it prints, in bounds: time, output, and no process left behind."""

from __future__ import annotations

import contextlib
import os
import secrets
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, Protocol

from ..clock import CancelToken
from ..plain_text import printable
from .offspring import MARK, end_marked

MAX_OUTPUT = 64 * 1024
"""Bytes of what a program prints that are taken; one that prints more is killed."""
_POLL_S = 0.05
_AT_ONCE = 4096
_PASSED_ON = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "TMPDIR", "TZ", "USER", "XDG_RUNTIME_DIR")
"""Of the environment; the rest may hold tokens and passwords."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: ``status`` 0 if it says that all went well; else ``trouble`` says what went wrong."""

    output: bytes
    status: int | None  # None: it was killed, or never started
    trouble: str = ""


class Programs(Protocol):
    """Where programs are run."""

    def find(self, name: str) -> str | None:
        """Return the path of the program called ``name``, None if there is none that may be run."""
        ...

    def run(self, command: Sequence[str], given: bytes, limit_s: float, cancel: CancelToken) -> Ended:
        """Run ``command`` with ``given`` on its standard input, at most ``limit_s``. Raises `Cancelled`."""
        ...


class SystemPrograms:
    """The programs of this computer. ``now``: seconds of its own clock, which no simulation hurries."""

    def __init__(
        self, now: Callable[[], float] = time.monotonic, environ: Mapping[str, str] = MappingProxyType(os.environ)
    ) -> None:
        self._now, self._environ = now, environ

    def find(self, name: str) -> str | None:
        """Look up an absolute path, or a name on PATH or beside this program's own Python."""
        places = (self._environ.get("PATH", os.defpath), str(Path(sys.executable).parent))
        return shutil.which(name, path=os.pathsep.join(places)) if os.path.isabs(name) or os.sep not in name else None

    def run(self, command: Sequence[str], given: bytes, limit_s: float, cancel: CancelToken) -> Ended:
        """Run it in a process group of its own, which is killed as a whole when it ends, in whatever way.

        What left the group is killed, too, where it can be told (`offspring`).
        """
        cancel.check()
        path = self.find(command[0])
        if path is None:
            return Ended(b"", None, f"there is no program {command[0]} that may be run")
        passed_on = {name: self._environ[name] for name in _PASSED_ON if name in self._environ}
        passed_on[MARK] = mark = secrets.token_hex(8)
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(
                [path, *command[1:]], stdin=pipe, stdout=pipe, stderr=pipe, env=passed_on, start_new_session=True
            )
        except OSError as error:
            return Ended(b"", None, f"it cannot be started ({error.strerror or error})")
        try:
            return self._followed(process, given, self._now() + limit_s, cancel)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # not reaped yet, so the number is still its own
            end_marked(mark)
            for stream in (process.stdin, process.stdout, process.stderr):
                assert stream is not None
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
            process.wait()

    def _followed(self, process: subprocess.Popen[bytes], given: bytes, until: float, cancel: CancelToken) -> Ended:
        taken = {"output": bytearray(), "errors": bytearray()}
        with selectors.DefaultSelector() as streams:
            for stream, kind in ((process.stdout, "output"), (process.stderr, "errors"), (process.stdin, "input")):
                assert stream is not None
                os.set_blocking(stream.fileno(), False)
                streams.register(stream, selectors.EVENT_WRITE if kind == "input" else selectors.EVENT_READ, kind)
            while True:
                cancel.check()
                has_ended = _has_ended(process.pid)
                if has_ended:  # its children too, or they could go on writing while the rest is read
                    os.killpg(process.pid, signal.SIGKILL)
                ready = streams.select(0.0 if has_ended else _POLL_S)
                for key, _ in ready:
                    if key.data == "input":
                        given = _hand_over(key.fd, given)
                        over = not given
                    else:
                        taken[key.data] += (read := os.read(key.fd, _AT_ONCE))
                        over = not read
                    if over:
                        _let_go(streams, key.fileobj)
                output = bytes(taken["output"])
                if len(output) > MAX_OUTPUT:
                    return Ended(b"", None, f"it printed more than {MAX_OUTPUT} bytes")
                del taken["errors"][:-_AT_ONCE]
                if has_ended and all(key.data == "input" for key, _ in ready):  # what it left in the pipes is read
                    status = _status(process.pid)
                    return Ended(output, status, _said(status, bytes(taken["errors"])) if status else "")
                if self._now() >= until:
                    return Ended(output, None, "it did not end in time and was killed")


def _has_ended(pid: int) -> bool:
    """Whether the program has ended; it stays unreaped."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _status(pid: int) -> int:
    """Exit status of an ended program, the negative number of the signal that killed it."""
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


def _hand_over(fd: int, given: bytes) -> bytes:
    """Write what fits; return the rest, nothing for a program that does not read."""
    try:
        return given[os.write(fd, given[:_AT_ONCE]) :]
    except BrokenPipeError:
        return b""


def _let_go(streams: selectors.BaseSelector, stream: object) -> None:
    streams.unregister(stream)  # type: ignore[arg-type]
    assert isinstance(stream, IO) or hasattr(stream, "close")
    stream.close()


def _said(status: int, errors: bytes) -> str:
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    how = f"it was killed by signal {-status}" if status < 0 else f"it ended with status {status}"
    return f"{how}: {printable(lines[-1][:200])}" if lines else how
