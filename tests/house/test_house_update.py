"""A station installed like a product: service, update to a newer wheel and back, the journal intact all the while."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from support.house_tools import ROOT, run_python

pytestmark = pytest.mark.slow

NEWER = (
    ("pyproject.toml", 'version = "', 'version = "99.'),
    ("station/journal/schema.py", "\n)\nNEWEST", '\n    Version(9, "of the future", "of_the_future"),\n)\nNEWEST'),
    ("station/journal/tables.py", "PROJECTION_TABLES = (",
     'PROJECTION_TABLES = (\n    "CREATE TABLE of_the_future (number INTEGER)",'),
)  # fmt: skip
"""What the wheel of a later year has that this one has not: file, text there, text in its place."""


def built(source: Path, folder: Path) -> Path:
    made = run_python("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source))
    assert made.returncode == 0, made.stdout + made.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """This one, and a newer one."""
    place = tmp_path_factory.mktemp("wheels")
    source = place / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".*", "tests", "build", "*.egg-info"))
    for name, old, new in NEWER:
        text = (source / name).read_text(encoding="utf-8")
        assert old in text, name
        (source / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    return built(ROOT, place / "now"), built(source, place / "later")


class Installed:
    """An environment with one wheel; what it depends on is lent by this one, so that no index is asked."""

    def __init__(self, home: Path) -> None:
        self.home = home
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
        (site,) = home.glob("lib/python*/site-packages")
        (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")

    def install(self, wheel: Path) -> None:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(self.home / "bin/python")]
        words = [*pip, "install", "--quiet", "--no-index", "--no-deps", "--force-reinstall", str(wheel)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def run(self, *words: str, expect: int = 0) -> str:
        """Run the installed ``station`` from a folder of its own; return all it said."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        command = [str(self.home / "bin/station"), *words]
        done = subprocess.run(
            command,
            cwd=self.home.parent,
            env=clean,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == expect, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout + done.stderr


def test_an_update_and_the_way_back_leave_the_journal_intact(wheels: tuple[Path, Path], tmp_path: Path) -> None:
    now, later = wheels
    station, data = Installed(tmp_path / "env"), tmp_path / "data"
    place, backup = ("--data-dir", str(data)), tmp_path / "before.db"
    station.install(now)
    assert "70-station.rules" in station.run("udev", "install", "--dry-run")
    unit = station.run("service", "print", "--profile", "boron-product", "--batch", "B1", "--user", "bench", *place)
    assert f"ExecStart={station.home}/bin/python -m station run --headless" in unit
    station.run("demo", "--headless", "--once", "--units", "1", *place)
    entries = re.search(r"(\d+) entries, chain unbroken", station.run("log", "verify", *place))
    assert entries is not None
    station.run("log", "backup", str(backup), *place)

    station.install(later)
    refused = station.run("log", "verify", *place, expect=3)
    assert "has schema 8, as an older station wrote it, this program reads 9; copy the data directory" in refused
    station.run("demo", "--headless", "--once", "--units", "1", *place)
    after = re.search(r"(\d+) entries, chain unbroken", station.run("log", "verify", *place))
    assert after is not None
    assert int(after[1]) > int(entries[1])

    station.install(now)
    held = (data / "journal" / "journal.db").read_bytes()
    for words in (("log", "verify"), ("log", "find", "PASS"), ("demo", "--headless", "--once")):
        told = station.run(*words, *place, expect=3)
        assert re.search("has schema 9, this (program|station) knows 8; .*from before the update", told)
    assert (data / "journal" / "journal.db").read_bytes() == held, "refused, and not one byte of it changed"
    assert "entries that are not in the backup" in station.run("log", "restore", str(backup), *place, expect=2)
    station.run("log", "restore", str(backup), "--over-newer", *place)
    station.run("log", "verify", *place)
    (aside,) = (data / "journal").glob("journal.replaced-*.db")
    assert aside.read_bytes() == held
    station.run("demo", "--headless", "--once", "--units", "1", *place)
