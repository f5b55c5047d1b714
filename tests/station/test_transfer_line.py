"""The line that shows how far a long transfer is."""

from __future__ import annotations

import contextlib
import datetime
import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from support.zips import release, zipped

from drivers.clock import SimulatedClock
from station.cli.progress import TransferLine, words
from station.firmware.cache import FirmwareCache
from station.firmware.intake import State, into, take
from station.firmware.stick import write

NOW = datetime.datetime(2026, 11, 29, 10, tzinfo=datetime.UTC)


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


def test_an_import_tells_how_much_of_its_source_is_done(tmp_path: Path) -> None:
    (tmp_path / "stick" / "deep").mkdir(parents=True)
    inner = zipped({one.name: one.data for one in release(12)})
    (tmp_path / "stick" / "all.zip").write_bytes(zipped({"argon.zip": inner, "notes.txt": b"text" * 999}))
    (tmp_path / "stick" / "deep" / "b.bin").write_bytes(release(13)[0].data)
    total = sum(path.stat().st_size for path in (tmp_path / "stick").rglob("*.*"))
    told = list[tuple[int, int | None]]()
    keep = into(FirmwareCache(tmp_path / "cache"), tmp_path / "stick", NOW)
    arrivals = list(take(tmp_path / "stick", keep, lambda *row: told.append(row)))
    assert sum(one.state is State.ADDED for one in arrivals) == len(release(12)) + 1
    assert told == sorted(told, key=lambda row: row[0])
    assert {row[1] for row in told} == {total}
    assert told[-1][0] == total
    assert len({row[0] for row in told}) >= len(release(12)), "an archive in an archive moves it, too"


def test_an_export_tells_what_is_on_the_stick(tmp_path: Path) -> None:
    files = {one.name: one.data for one in release(12)}
    told = list[tuple[int, int | None]]()
    write(tmp_path / "stick.zip", files, lambda *row: told.append(row))
    total = sum(map(len, files.values()))
    assert told == sorted(told, key=lambda row: row[0])
    assert {row[1] for row in told} == {total}
    assert told[-1][0] == total
    assert len(told) > len(files)


def test_a_terminal_shows_it_while_a_stick_is_read_and_written(tmp_path: Path) -> None:
    (tmp_path / "r.zip").write_bytes(zipped({one.name: one.data for one in release(12)}))
    cache = ["--cache", str(tmp_path / "cache")]
    for verb in (["import", str(tmp_path / "r.zip")], ["export", "-o", str(tmp_path / "stick.zip")]):
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "station", "firmware", *verb, *cache]
        with subprocess.Popen(command, stderr=theirs, stdout=subprocess.PIPE) as station:
            os.close(theirs)
            shown = _read(ours)
            assert station.stdout is not None
            told = station.stdout.read().decode()
        assert station.returncode == 0
        assert "100 %" in shown
        assert f"{Path(verb[-1]).name}  " in shown
        assert shown.endswith("\r\x1b[K"), "it is gone in the end"
        assert "%" not in told


def _read(terminal: int) -> str:
    """Return all that a terminal is sent until its other end is closed."""
    found = b""
    with contextlib.suppress(OSError):
        while piece := os.read(terminal, 4096):
            found += piece
    os.close(terminal)
    return found.decode()


def test_a_name_cannot_move_the_cursor() -> None:
    assert words("\x1b[2J\r" + "x" * 100, 1, 2, 1.0).isprintable()
