"""A journal on a medium nobody can write to, as a copy in an archive, is read all the same."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.journal_story import everything

from drivers.clock import SimulatedClock
from station.journal import Journal

ROOT = Path(__file__).parents[3]
_AS_NOBODY = """
import csv, gettext, locale, os, sys
import station.cli.batch, station.cli.doctor, station.cli.log  # while this user may still read them
from station.cli.main import main
if os.getuid() == 0:  # whom no mode of a file holds back
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def archive() -> Iterator[Path]:
    """Where everybody may look and nobody write; pytest's own folders are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
            journal.record(*everything())
        for path in (place / "journal").iterdir():
            path.chmod(0o444)
        (place / "journal").chmod(0o555)
        place.chmod(0o755)
        yield place
        (place / "journal").chmod(0o755)


def as_nobody(*words: str) -> subprocess.CompletedProcess[str]:
    """``station`` with ``words``, for a login that owns nothing."""
    line = [sys.executable, "-c", _AS_NOBODY, *words]
    env = os.environ | {"PYTHONPATH": str(ROOT), "HOME": "/"}
    return subprocess.run(line, capture_output=True, text=True, env=env, cwd="/")


@pytest.mark.parametrize("verb", [("log", "verify"), ("batch", "list"), ("log", "export", "--batch", "B1")])
def test_a_journal_on_a_read_only_medium_is_read(archive: Path, verb: tuple[str, ...]) -> None:
    before = {path.name for path in (archive / "journal").iterdir()}
    done = as_nobody(*verb, "--data-dir", str(archive))
    assert (done.returncode, done.stderr) == (0, "")
    assert "B1" in done.stdout or "chain unbroken" in done.stdout
    assert {path.name for path in (archive / "journal").iterdir()} == before


# modes of data directory, journal folder and files, and the finding that stops
RIGHTS = {
    "all may be written": (0o777, 0o777, 0o666, ""),
    "the data directory": (0o555, 0o777, 0o666, "STOP  disk"),
    "the journal's folder": (0o777, 0o555, 0o666, "STOP  journal"),
    "the database": (0o777, 0o777, 0o444, "STOP  journal"),
}


@pytest.mark.parametrize("what", RIGHTS)
def test_the_doctor_stops_a_bench_that_cannot_write_its_journal(what: str, archive: Path) -> None:
    data_mode, folder_mode, file_mode, stop = RIGHTS[what]
    for path in (archive / "journal").iterdir():
        path.chmod(file_mode)
    (archive / "journal").chmod(folder_mode)
    archive.chmod(data_mode)
    said = as_nobody("doctor", "--no-cloud", "--data-dir", str(archive)).stdout.splitlines()
    found = {line.split()[1]: line for line in said}
    stopped = [line for name, line in found.items() if name in ("disk", "journal") and line.startswith("STOP")]
    assert [line[: len(stop)] for line in stopped] == ([stop] if stop else [])
    if stopped:
        assert "cannot be written" in stopped[0]
        assert str(archive) in stopped[0]
    else:
        assert found["journal"].startswith("ok")
