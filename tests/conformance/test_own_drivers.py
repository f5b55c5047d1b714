"""Our drivers on real libusb and pyserial: two suites in processes of their own, with umockdev preloaded."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conformance import table
from conformance.kernel import OUTSIDE_DEV, PRELOAD

pytestmark = pytest.mark.conformance

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("suite", ["tests/contract", "tests/conformance/own_drivers.py"])
def test_our_drivers_keep_their_promises_on_real_libusb(
    suite: str, netlink_shim: Path, record_property: Callable[[str, object], None]
) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        # -s: the preloaded library says on the real stderr why it ends a process.
        [sys.executable, "-m", "pytest", suite, "-s", "-p", "no:xdist", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env=inherited | {"LD_PRELOAD": f"{netlink_shim}:{PRELOAD}", "TMPDIR": OUTSIDE_DEV},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"=+ \d+ passed in ", done.stdout), f"something was not run:\n{done.stdout}"
    for cell in table.parsed(done.stdout):
        record_property(table.PROPERTY, cell)
