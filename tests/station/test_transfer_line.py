"""The line that shows how far a long transfer is."""

from __future__ import annotations

import io

import pytest

from drivers.clock import SimulatedClock
from station.cli.progress import TransferLine, words


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("done", "total", "seconds", "line"),
    [
        (0, 1000, 0.0, "a.bin  ░░░░░░░░░░░░░░░░░░░░    0 %"),
        (512_000, 1_024_000, 2.0, "a.bin  ██████████░░░░░░░░░░   50 %  250 KiB/s  0:02 left"),
        (1_024_000, 1_024_000, 4.0, "a.bin  ████████████████████  100 %  250 KiB/s  0:00 left"),
        (2_000_000, 1_024_000, 4.0, "a.bin  ████████████████████  100 %  488 KiB/s  0:00 left"),
        (512_000, None, 2.0, "a.bin  500 KiB  250 KiB/s"),
        (0, 0, 1.0, "a.bin  0 KiB"),
    ],
)
def test_it_says_share_rate_and_time_left(done: int, total: int | None, seconds: float, line: str) -> None:
    assert words("a.bin", done, total, seconds) == line


def test_it_is_rewritten_ten_times_a_second_and_goes_away() -> None:
    clock, stream = SimulatedClock(), Terminal()
    with clock.registered(), TransferLine(clock, stream) as line:
        progress = line.begin("a.bin")
        for done in range(0, 1001, 10):
            clock.sleep(0.01)
            progress(done, 1000)
    shown = stream.getvalue().split("\r\x1b[K")
    assert 8 < len(shown) < 15
    assert "100 %" in shown[-2]
    assert shown[-1] == ""


def test_a_file_gets_nothing() -> None:
    clock, stream = SimulatedClock(), io.StringIO()
    with TransferLine(clock, stream) as line:
        line.begin("a.bin")(10, 10)
    assert stream.getvalue() == ""


def test_a_name_cannot_move_the_cursor() -> None:
    assert words("\x1b[2J\r" + "x" * 100, 1, 2, 1.0).isprintable()
