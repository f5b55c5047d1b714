"""Tests that lack a program say so, and fail where they are required."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conformance.equipment import REQUIRED

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("setting", "status", "words"), [("", 0, "SKIPPED"), ("required", 1, "forbids this")])
def test_a_missing_program_is_a_reason_to_skip_unless_it_is_required(
    tmp_path: Path, setting: str, status: int, words: str
) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/conformance/test_lsusb.py", "-p", "no:xdist", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env=inherited | {"PATH": str(tmp_path), REQUIRED: setting},
        capture_output=True,
        text=True,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert words in done.stdout
    assert "this machine lacks" in done.stdout
