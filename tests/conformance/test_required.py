"""Tests that lack a program or a file say so, and fail where they are required."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.vendor_files import VARIABLE

ROOT = Path(__file__).parents[2]
LACKING = {
    "tests/conformance/test_lsusb.py": "this machine lacks",
    "tests/drivers/wire/test_module_files.py": "no vendor",
}


@pytest.mark.parametrize(("setting", "status", "words"), [("", 0, "SKIPPED"), ("required", 1, "forbids this")])
@pytest.mark.parametrize("suite", LACKING)
def test_what_is_missing_is_a_reason_to_skip_unless_it_is_required(
    tmp_path: Path, suite: str, setting: str, status: int, words: str
) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", suite, "-p", "no:xdist", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env=inherited | {"PATH": str(tmp_path), VARIABLE: str(tmp_path / "nothing"), "STATION_CONFORMANCE": setting},
        capture_output=True,
        text=True,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert words in done.stdout
    assert LACKING[suite] in done.stdout
