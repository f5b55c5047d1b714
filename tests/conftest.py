"""Options of the whole test tree."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Generator

import pytest
from conformance import table
from hypothesis import HealthCheck, settings

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")  # how fast the machine is today says nothing about a property


MEMORY, ROOM_BYTES = "/dev/shm", 4 << 30
"""Where the files of tests are kept if there is that much room: a journal waits for the disk at every entry, which took
half the time of a walk and says nothing, as no test cuts the power of the machine it runs on."""
if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES:
    os.environ["TMPDIR"], tempfile.tempdir = MEMORY, None  # asked again, also by the programs that tests start
# Tests start hundreds of interpreters, each of which would compile the station anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

REQUIRED = "STATION_CONFORMANCE"
"""Environment variable; with the value ``required`` no test may be skipped, for whatever it lacks."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get(REQUIRED) == "required":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"{REQUIRED}=required forbids this: {reason}"
    return report


@pytest.hookimpl(optionalhook=True)  # benchmarks run without xdist
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return one worker more than there are cores: many tests wait for a terminal, a program or a deadline."""
    return (os.cpu_count() or 1) + 1


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rule", action="append", default=[], metavar="ID", help="only tests that show this provisioning rule"
    )
    parser.addoption("--cases", type=int, default=0, metavar="N", help="of a test no more than N of its cases (all)")
    parser.addoption("--slow-cases", type=int, default=0, metavar="N", help="the same for tests marked slow (all)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted, seen = set(config.getoption("--rule")), Counter[str]()
    cases = Counter(_test(item) for item in items)

    def is_wanted(item: pytest.Item) -> bool:
        if wanted and not wanted & {rule for mark in item.iter_markers("rule") for rule in mark.args}:
            return False
        test, slow = _test(item), item.get_closest_marker("slow") is not None
        most = (slow and config.getoption("--slow-cases")) or config.getoption("--cases") or cases[test]
        seen[test] += 1
        # The first, and the others evenly spread to the last.
        return seen[test] == 1 or (seen[test] - 1) * most // cases[test] > (seen[test] - 2) * most // cases[test]

    for item in items:
        item.user_properties += [(table.PROPERTY, cell) for cell in table.cells(item)]
    chosen = sorted((item for item in items if is_wanted(item)), key=_turns(config, items))
    if len(chosen) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
    items[:] = chosen


def _test(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]


gc.disable()  # until all is imported and collected: none of that becomes garbage


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over what lives to the end: a look at 400,000 such objects takes 0.4 s."""
    gc.enable()
    gc.collect()
    gc.freeze()


def _turns(config: pytest.Config, items: list[pytest.Item]) -> Callable[[pytest.Item], tuple[bool, int]]:
    """Return the key that brings files of slow tests forward, then those of many: what is left at the end is short.

    Only where several workers share the files (`--no-loadscope-reorder` leaves it to us).
    """
    if not hasattr(config, "workerinput"):
        return lambda item: (False, 0)
    slow = {item.path for item in items if any(map(item.get_closest_marker, ("slow", "conformance")))}
    sizes = Counter(item.path for item in items)
    return lambda item: (item.path not in slow, -sizes[item.path])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what foreign clients did with the virtual units."""
    reports = [one for kind in ("passed", "failed", "skipped") for one in terminalreporter.stats.get(kind, ())]
    if lines := list(table.rows(one for one in reports if isinstance(one, pytest.TestReport))):
        terminalreporter.section("foreign clients")
        terminalreporter.write("\n".join(lines) + "\n")
