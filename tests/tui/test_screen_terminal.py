"""The program on a terminal, as a person runs it: what shows, what is said when it cannot, with which exit status."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.known_steps import load_profile
from support.spoken import ENGLISH
from textual.drivers.headless_driver import HeadlessDriver

from drivers.clock import SystemClock
from station.cli.screen import station_screen
from station.compose import Station
from station.demo import Demo, DemoOptions
from station.errors import JournalError
from station.paths import find_profile
from station.tui import app
from station.tui.driver import TerminalDriver

BORON = ("--profile", "boron-product", "--units", "1", "--fault", "unit=1,at=flash:1,do=slow,by=1")
"""A unit that is at work for more than a minute: long enough to be left there, however busy the machine is."""
PATIENCE_S = 300.0
SCREEN_ON = "\x1b[?1049h"


class Terminal:
    """``station`` on a terminal of 100 columns and 30 rows; ``text`` is all that was written, ``status`` its end."""

    def __init__(self, *words: str) -> None:
        self._hand, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        environ = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "station", *words], stdin=far, stdout=far, stderr=far, env=environ,
            start_new_session=True,
        )  # fmt: skip
        os.close(far)
        self.text = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # how Linux says that nobody is at the other end any more
            while data := os.read(self._hand, 65536):
                self.text += data.decode("utf-8", "replace")

    @property
    def words(self) -> str:
        """The text without what moves the cursor and colours it."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.text)

    def type(self, keys: str) -> None:
        os.write(self._hand, keys.encode())

    def wait_for(self, wanted: str) -> None:
        until = time.monotonic() + PATIENCE_S
        while wanted not in self.words:
            assert time.monotonic() < until, f"{wanted!r} never came; the last was {self.words[-2000:]}"
            time.sleep(0.02)

    @property
    def status(self) -> int:
        """Waits for the end."""
        status = self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return status

    def close(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._reader.join(PATIENCE_S)
        os.close(self._hand)


@contextlib.contextmanager
def on_terminal(*words: str) -> Iterator[Terminal]:
    terminal = Terminal(*words)
    try:
        yield terminal
    finally:
        terminal.close()


def with_a_wrong_digest(directory: Path) -> Path:
    profile = directory / "wrong.toml"
    text = find_profile("boron-product").read_text(encoding="utf-8")
    profile.write_text(re.sub(r'sha256 = "....', 'sha256 = "0000', text), encoding="utf-8")
    return profile


def test_a_profile_that_cannot_be_opened_is_said_and_no_screen_is_shown(tmp_path: Path) -> None:
    with on_terminal("demo", "--units", "1", "--profile", str(with_a_wrong_digest(tmp_path))) as terminal:
        assert terminal.status == 2
        assert "SHA-256" in terminal.words
        assert SCREEN_ON not in terminal.text
        assert "Traceback" not in terminal.text


def test_the_batch_page_offers_the_profiles_of_the_demo_and_leaving_gives_the_terminal_back() -> None:
    with on_terminal("demo", *BORON) as terminal:
        terminal.wait_for("Scan its label.")
        terminal.type("b")
        terminal.wait_for("BATCHES")
        terminal.type("n")
        terminal.wait_for("NEW BATCH")
        terminal.wait_for("argon-product")
        terminal.type("\x03")
        terminal.wait_for("Leave anyway?")
        terminal.type("y")
        assert terminal.status == 0  # somebody left, whatever became of the unit
        assert terminal.text.rfind("\x1b[?1049l") > terminal.text.rfind(SCREEN_ON)


@contextlib.contextmanager
def a_station_that_cannot_start(tmp_path: Path) -> Iterator[Station]:
    options = DemoOptions((load_profile(find_profile("boron-product")),), units=1, data_dir=tmp_path)
    demo = Demo(options, SystemClock(), {})
    demo.open_batches()
    demo.station.journal.close()
    try:
        yield demo.station
    finally:
        demo.close()


def test_a_station_that_cannot_start_closes_the_screen_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "TerminalDriver", HeadlessDriver)
    with a_station_that_cannot_start(tmp_path) as station, pytest.raises(JournalError):
        station_screen(station, ENGLISH)


class Unclosable(TerminalDriver):
    """A terminal that fails when it is to be given back, as one may that goes away at that time."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._hand, self.fileno = pty.openpty()
        self._file = io.TextIOWrapper(io.BytesIO())

    def run_input_thread(self) -> None:
        super().run_input_thread()
        READERS_ENDED.set()

    def disable_input(self) -> None:
        """Fail without a word, which is how Textual's own driver fails."""

    def stop_application_mode(self) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


READERS_ENDED = threading.Event()


def test_a_terminal_that_cannot_be_given_back_keeps_no_reader_that_the_program_waits_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "TerminalDriver", Unclosable)
    with a_station_that_cannot_start(tmp_path) as station, pytest.raises(JournalError):
        station_screen(station, ENGLISH)
    assert READERS_ENDED.wait(PATIENCE_S)
