"""A bench on a real terminal: however it ends, the terminal is as before, the journal says how, the unit is safe."""

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
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from drivers.host.terminal import RESET
from station.journal import JournalReader
from station.model import Verdict

WRITING = r"Do not unplug"
LASTING = ("--fault", "unit=1,at=flash:1,do=slow,by=1")
"""Has a unit written for more than a minute: whatever is done in the middle of it, no busy machine does it too late."""
PATIENCE_S = 300.0
"""A backstop against a hang, far longer than anything here takes."""
LAST = b"\0"
"""What no program shows, and no terminal either."""


@dataclass
class Terminal:
    """A terminal with a program on it, whose controlling terminal it is unless ``is_controlling`` says otherwise."""

    arguments: tuple[str, ...]
    is_controlling: bool = True
    shown: bytearray = field(default_factory=bytearray)

    def __enter__(self) -> Terminal:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            [sys.executable, *(("-c", _TAKE_TERMINAL) if self.is_controlling else ("-m", "station")), *self.arguments],
            stdin=self.slave, stdout=self.slave, stderr=self.slave,
            env=os.environ | {"TERM": "xterm-256color"}, start_new_session=True,
        )  # fmt: skip
        return self

    def __exit__(self, *exc: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for handle in (self.master, self.slave):
            with contextlib.suppress(OSError):
                os.close(handle)

    def read(self, seconds: float) -> bool:
        """What is shown within ``seconds``; False when nothing came."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        with contextlib.suppress(OSError):
            self.shown += os.read(self.master, 65536)
        return True

    def until(self, pattern: str) -> None:
        ends = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends:
            if re.search(pattern.encode(), bytes(self.shown)):
                return
            self.read(0.1)
        raise AssertionError(f"{pattern} was never shown: {bytes(self.shown[-2000:])!r}")

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def close(self) -> None:
        """As a window that is closed."""
        os.close(self.slave)
        os.close(self.master)

    def ended(self) -> int:
        """The exit status, after all was shown."""
        ends = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends and self.process.poll() is None:
            self.read(0.1)
        status = self.process.wait(0)
        while self.read(0.0):
            pass
        os.write(self.slave, LAST)  # comes behind all that the program wrote, however late the system brings it
        while time.monotonic() < ends and not self.shown.endswith(LAST):
            self.read(0.1)
        self.shown = self.shown.removesuffix(LAST)
        return status

    @property
    def is_as_before(self) -> bool:
        """The line discipline, the normal screen and the cursor."""
        shown = bytes(self.shown)
        return (
            termios.tcgetattr(self.slave) == self.before
            and shown.rfind(b"\x1b[?1049l") > shown.rfind(b"\x1b[?1049h")
            and shown.rfind(b"\x1b[?25h") > shown.rfind(b"\x1b[?25l")
            and shown.rfind(b"\x1b[?1000l") > shown.rfind(b"\x1b[?1000h")
        )


_TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "station", *sys.argv[1:]])
"""


def demo(place: Path, *more: str, is_controlling: bool = True) -> Terminal:
    words = ("demo", "--units", "1", "--profile", "boron-product", "--data-dir", str(place), *more)
    return Terminal(words, is_controlling)


def story(place: Path) -> tuple[list[Verdict | None], str]:
    """The verdicts, and how the last run ended (empty: nobody says so)."""
    with JournalReader(place / "journal") as journal:
        journal.verify()
        last = list(journal.entries())[-1]
        verdicts = [attempt.verdict for attempt in journal.attempts("demo-widget-boron")]
    return verdicts, last.values()["reason"] if last.kind == "StationStopped" else ""


def finishes(place: Path) -> bool:
    """A second start walks the same unit to its end."""
    line = [
        sys.executable, "-m", "station", "demo", "--headless", "--once", "--units", "1", "--profile", "boron-product",
        "--data-dir", str(place),
    ]  # fmt: skip
    again = subprocess.run(line, capture_output=True, text=True)
    return again.returncode == 0 and story(place)[0][-1] is Verdict.PASS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "said"),
    [(signal.SIGTERM, "told to end by the system (SIGTERM)"), (signal.SIGHUP, "the terminal was closed (SIGHUP)")],
)
def test_a_signal_in_the_middle_of_a_write_leaves_terminal_journal_and_unit_in_order(
    number: signal.Signals, said: str, tmp_path: Path
) -> None:
    with demo(tmp_path, *LASTING) as terminal:
        terminal.until(WRITING)
        terminal.process.send_signal(number)
        assert terminal.ended() == 0
        assert terminal.is_as_before
    assert story(tmp_path) == ([Verdict.ABORTED], said)
    assert finishes(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("is_controlling", [True, False])
def test_a_closed_window_is_an_orderly_end(is_controlling: bool, tmp_path: Path) -> None:
    with demo(tmp_path, *LASTING, is_controlling=is_controlling) as terminal:
        terminal.until(WRITING)
        terminal.close()
        assert terminal.process.wait(PATIENCE_S) == 0
    assert story(tmp_path) == ([Verdict.ABORTED], "the terminal was closed (SIGHUP)")


@pytest.mark.slow
def test_a_demo_that_is_left_is_a_success(tmp_path: Path) -> None:
    with demo(tmp_path, *LASTING) as terminal:
        terminal.until(WRITING)
        terminal.press("q")
        terminal.until("Leave anyway")
        terminal.press("y")
        assert terminal.ended() == 0
        assert terminal.is_as_before
        assert b"1 STOPPED in" in terminal.shown
    assert story(tmp_path) == ([Verdict.ABORTED], "left by the operator")


@pytest.mark.slow
def test_a_killed_bench_leaves_a_terminal_that_can_be_used(tmp_path: Path) -> None:
    with demo(tmp_path, "--fault", "unit=1,at=dfu-write:20,do=kill") as terminal:
        assert terminal.ended() == -signal.SIGKILL
        assert terminal.is_as_before
        assert bytes(terminal.shown).endswith(RESET)
    assert story(tmp_path) == ([None], "")
    assert finishes(tmp_path)


@pytest.mark.slow
def test_a_bench_whose_parent_was_killed_ends_in_order(tmp_path: Path) -> None:
    with demo(tmp_path, *LASTING) as terminal:
        terminal.until(WRITING)
        terminal.process.kill()
        terminal.until("1 STOPPED in")
        assert terminal.is_as_before
    assert story(tmp_path) == ([Verdict.ABORTED], "the terminal was closed (SIGHUP)")


@pytest.mark.slow
def test_a_terminal_that_stands_still_keeps_nobody_from_ending(tmp_path: Path) -> None:
    """As after Ctrl-S: nothing more can be written to it."""
    with demo(tmp_path, *LASTING) as terminal:
        terminal.until(WRITING)
        termios.tcflow(terminal.slave, termios.TCOOFF)
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.process.wait(PATIENCE_S) == 0
    assert story(tmp_path) == ([Verdict.ABORTED], "told to end by the system (SIGTERM)")
