"""Whole walks and start-up in wall time, as a person feels them. Reported, not asserted (`make bench`)."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import pytest
from support.house_tools import run_python

Report = Callable[[str, str], None]
TRIES = 3


def fastest(*arguments: str) -> tuple[float, str]:
    """Seconds of the fastest of some runs of the interpreter, and what it printed."""
    best, printed = float("inf"), ""
    for _ in range(TRIES):
        begin = time.perf_counter()
        done = run_python(*arguments)
        seconds = time.perf_counter() - begin
        assert done.returncode == 0, done.stderr
        best, printed = min(best, seconds), done.stdout
    return best, printed


@pytest.mark.parametrize(
    "arguments",
    [
        ("-c", "pass"),
        ("-m", "station", "--help"),
        ("-m", "station", "demo", "--help"),
        ("-m", "station", "udev", "print"),
    ],
    ids=" ".join,
)
def test_start_up(arguments: tuple[str, ...], report: Report) -> None:
    seconds, _ = fastest(*arguments)
    report(f"start-up: python {' '.join(arguments)}", f"{seconds * 1000:,.0f} ms")


@pytest.mark.parametrize("units", [1, 4, 8])
def test_walks(units: int, report: Report) -> None:
    command = ("-m", "station", "demo", "--headless", "--json", "--once", "--units", str(units))
    profile = ("--profile", "boron-product") if units == 1 else ()
    seconds, printed = fastest(*command, *profile)
    summary = json.loads(printed.splitlines()[-1])
    assert summary["units"] == {"PASS": units}
    report(
        f"walks of {units} from 3.3.1 to PASS, start-up included" if units > 1 else "one Boron walk, start-up included",
        f"{seconds:.2f} s ({summary['seconds']:.0f} s simulated)",
    )
    report("  transfers in it", f"{summary['transfers']:,} ({summary['transfers'] / seconds:,.0f} /s)")


def test_versions(report: Report) -> None:
    report("Python", sys.version.split()[0])
