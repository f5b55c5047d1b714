"""Questions to a journal of very many units, each beside the same asked of bare sqlite3. Reported, not asserted.

``UNITS=1000000 pytest tests/bench/bench_million.py``; a million units take ten minutes of an idle machine, and 10 GB.
``JOURNAL=DIRECTORY``: one that `many_rows` wrote before. Every question is asked by a process of its own that reports
its memory too; the first answer counts, with whatever the system has of the file in memory.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import many_rows

from station.journal import JournalReader

TESTS = Path(__file__).parents[1]
Report = Callable[[str, str], None]
UNITS = int(os.environ.get("UNITS", "20000"))
AIMS = {
    "find by serial number": "10 ms", "find by the last six digits, first page": "10 ms", "find by ICCID": "10 ms",
    "find failures, first page": "10 ms", "find a span of an hour": "10 ms", "find a lot, first page": "10 ms",
    "find a part of a label": "", "find words of a reason": "",
    "stats of all batches": "200 ms", "stats by slot, hour and lot": "200 ms", "stats by step": "200 ms",
    "Pareto of failures": "200 ms", "units with module hash, counted": "1 s", "units with module hash, listed": "1 s",
    "units with a firmware file, first page and count": "1 s",
    "CSV of a batch": "3 s", "XLSX of a batch": "20 s", "open the station's journal": "2 s",
}  # fmt: skip


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if given := os.environ.get("JOURNAL"):
        return Path(given)
    directory = tmp_path_factory.mktemp("million") / "journal"
    many_rows.build(directory, UNITS)
    return directory


def test_what_is_written_is_what_a_station_would_have_written(tmp_path: Path, report: Report) -> None:
    many_rows.build(tmp_path / "journal", 200)
    with JournalReader(tmp_path / "journal") as small:
        report("entries of 200 units, verified", f"{small.verify().entries:,}")


@pytest.mark.parametrize("question", AIMS)
def test_questions(question: str, journal: Path, report: Report) -> None:
    asked = subprocess.run(
        [sys.executable, Path(__file__).with_name("asked_once.py"), journal, question],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": os.fspath(TESTS)},
    )  # fmt: skip
    ours, bare, memory, answer = asked.stdout.rstrip("\n").split("\t")
    aim = f"aim {AIMS[question]}" if AIMS[question] else ""
    report(f"{question} ({answer})", f"{ours}; bare {bare}; {memory}  {aim}")
