"""A thousand scans at 1,000 characters a second, typed into a real terminal while 16 slots are busy.

In each state of the screen that takes keys: how many arrived whole, in order, and what else was done by them. A scan
that the writer itself interrupted for longer than a scanner is quick (this machine was busy) is counted apart.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import queue
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from station.tui.scanner import GAP_S

Say = Callable[[str], None]
SLOTS = 16
EACH = 112
CHARACTER_S = 0.001
BETWEEN_S = 0.06  # two scans
HAND_S = 0.2
FOCUS = {
    "bench": "", "slot selected": "2", "label asked for": "2s", "details": "2\r", "batches": "b", "new batch": "bn",
    "find": "f", "help": "?", "question": "1\rx",
}  # fmt: skip


class Bench:
    """The screen on a terminal of 160 x 48; ``sent`` is what it told the station."""

    def __init__(self) -> None:
        self.terminal, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 48, 160, 0, 0))
        told, tell = os.pipe()
        root = Path(__file__).parents[2]
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("screen_once.py")), str(SLOTS), str(tell)],
            stdin=far, stdout=far, stderr=far, pass_fds=[tell], start_new_session=True, cwd=root,
            env=os.environ | {"TERM": "xterm-256color", "PYTHONPATH": f"{root}:{root / 'tests'}"},
        )  # fmt: skip
        os.close(far)
        os.close(tell)
        self.sent: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._drain, daemon=True).start()
        threading.Thread(target=self._listen, args=(told,), daemon=True).start()
        assert self.sent.get(timeout=60) == "ready"

    def _drain(self) -> None:
        with contextlib.suppress(OSError):
            while os.read(self.terminal, 1 << 16):
                pass

    def _listen(self, told: int) -> None:
        with os.fdopen(told) as lines:
            for line in lines:
                self.sent.put(line.strip())

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def bench() -> Iterator[Bench]:
    shown = Bench()
    try:
        yield shown
    finally:
        shown.close()


def type_scan(terminal: int, text: str) -> float:
    """Write ``text`` and Enter; return the longest time between two characters, in seconds."""
    due = last = time.perf_counter()
    longest = 0.0
    for character in f"{text}\r":
        while (now := time.perf_counter()) < due:
            pass
        longest, last, due = max(longest, now - last), now, due + CHARACTER_S
        os.write(terminal, character.encode())
    return longest


@pytest.mark.parametrize("where", FOCUS)
def test_scans_on_a_terminal(where: str, say: Say) -> None:
    labels, slow = [f"P044AB{number:07d}" for number in range(EACH)], set()
    with bench() as shown:
        time.sleep(1.0)
        for key in FOCUS[where]:
            os.write(shown.terminal, key.encode())
            time.sleep(HAND_S)
        for label in labels:
            if type_scan(shown.terminal, label) >= GAP_S / 2:
                slow.add(label)
            time.sleep(BETWEEN_S)
        time.sleep(2.0)
        sent = [json.loads(shown.sent.get()) for _ in range(shown.sent.qsize())]
    scans = [text for kind, text, *_ in sent if kind == "Scan"]
    whole = [label for label in labels if label in scans]
    wrong = [one for one in sent if one[0] != "Scan" or one[1] not in labels]
    say(
        f"{where:16} {EACH} scans: {len(whole)} whole, {len({*labels} - {*whole} - slow)} lost,"
        f" {len(slow - {*whole})} lost of {len(slow)} that were typed slowly; anything else done: {wrong or 'nothing'}"
    )
