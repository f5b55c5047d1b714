"""The wheel holds what it must and nothing else, and runs the demo far from the checkout."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from support.house_tools import ROOT, run_python

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = run_python("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT))
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; what it depends on is lent by this one, so that no index is asked."""
    home = tmp_path_factory.mktemp("elsewhere") / "env"
    for command in (
        [sys.executable, "-m", "venv", "--without-pip", str(home)],
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(home / "bin/python"), "install",
         "--quiet", "--no-index", "--no-deps", str(wheel)],
    ):  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    (site,) = home.glob("lib/python*/site-packages")
    # a line with a path lends packages, but follows no .pth files there, so the checkout stays out
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return home


def run(environment: Path, *arguments: str, expect: int = 0) -> str:
    """Run the installed ``station`` from a folder of its own; returns what it printed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [str(environment / "bin/station"), *arguments]
    done = subprocess.run(command, cwd=environment.parent, env=clean, capture_output=True, text=True)
    assert done.returncode == expect, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_the_wheel_holds_two_packages_and_their_data(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"drivers", "station", f"{wheel.name.split('-py3')[0]}.dist-info"}
    assert {
        "drivers/platforms/nrf.toml", "drivers/py.typed", "drivers/wire/proto/system.proto",
        "drivers/wire/proto/network.proto", "drivers/wire/proto/system_pb2.py", "station/py.typed",
        "station/tui/station.tcss", "station/words/de.ftl", "station/words/en.ftl", "station/words/zh.ftl",
        "station/_data/udev/70-station.rules",
    } <= set(names)  # fmt: skip
    profiles = {f"station/_data/profiles/{path.name}" for path in (ROOT / "profiles").glob("*.toml")}
    assert len(profiles) >= 3
    assert profiles <= set(names)
    assert not [name for name in names if re.search(r"(^|/)(tests?/|test_|conftest)", name.lower())]


def test_the_installed_packages_are_those_of_the_wheel(environment: Path) -> None:
    code = "import station, drivers; print(station.__file__, drivers.__file__, sep='\\n')"
    python = environment / "bin/python"
    said = subprocess.run([python, "-c", code], cwd=environment, capture_output=True, text=True, check=True).stdout
    assert all(Path(line).is_relative_to(environment) for line in said.splitlines())


def test_the_installed_demo_walks_two_units_to_pass(environment: Path) -> None:
    lines = run(environment, "demo", "--headless", "--once", "--units", "2", "--json").splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["verdict"] for event in events if event["kind"] == "AttemptFinished"] == ["PASS", "PASS"]
    assert events[-1]["kind"] == "BatchSummary"


def test_what_ships_is_found_there(environment: Path) -> None:
    assert run(environment, "udev", "print") == (ROOT / "udev/70-station.rules").read_text(encoding="utf-8")
    assert "widget-boron" in run(environment, "profile", "check", "boron-product")
