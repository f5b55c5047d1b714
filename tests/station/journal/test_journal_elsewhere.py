"""A journal on a medium nobody can write to, as a copy in an archive, is read all the same."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from journal_story import everything

from drivers.clock import SimulatedClock
from station.journal import Journal

ROOT = Path(__file__).parents[3]
_AS_NOBODY = """
import csv, gettext, locale, os, sys
import station.cli.batch, station.cli.log  # while this user may still read them
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


@pytest.mark.parametrize("verb", [("log", "verify"), ("batch", "list"), ("log", "export", "--batch", "B1")])
def test_a_journal_on_a_read_only_medium_is_read(archive: Path, verb: tuple[str, ...]) -> None:
    before = {path.name for path in (archive / "journal").iterdir()}
    line = [sys.executable, "-c", _AS_NOBODY, *verb, "--data-dir", str(archive)]
    done = subprocess.run(line, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd="/")
    assert (done.returncode, done.stderr) == (0, "")
    assert "B1" in done.stdout or "chain unbroken" in done.stdout
    assert {path.name for path in (archive / "journal").iterdir()} == before
