"""How soon a unit that is plugged in is seen, by udev's events and by polls, in real time. Reported, not asserted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conformance.clients import compile_shim
from conformance.equipment import lacking
from conformance.kernel import PRELOAD

HERE = Path(__file__).parent


def test_until_a_unit_is_seen(tmp_path: Path, report: Callable[[str, str], None]) -> None:
    if missing := lacking("umockdev", "cc"):
        pytest.skip(f"this machine lacks {missing}")
    environment = {"LD_PRELOAD": f"{compile_shim(tmp_path)}:{PRELOAD}", "PYTHONPATH": str(HERE.parent)}
    done = subprocess.run(
        [sys.executable, str(HERE / "seen_once.py")], env=os.environ | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for name, took in json.loads(done.stdout).items():
        report(f"plugged in until seen, by {name}", f"{took['median']:.0f} ms, worst {took['worst']:.0f} ms")
