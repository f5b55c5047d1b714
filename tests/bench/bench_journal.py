"""The journal beside bare sqlite3, in one run. Reported, not asserted: ``pytest tests/bench/bench_journal.py``.

``UNITS=100000 pytest ...`` for a journal of several years; building it takes a minute and 1 GB. Reports CPU time
wherever the disk has no part, which holds on a busy machine too.
"""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support import many_rows
from support.plain_log import plain_rows

from drivers.clock import SystemClock
from station.export import CSV, JSONL, export
from station.journal import JOURNAL_FILE, Journal, JournalReader

Report = Callable[[str, str], None]
UNITS = int(os.environ.get("UNITS", "2000"))
FEW = 200
"""Units of the journal that questions are asked beside."""
TRIES = 3


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal of `UNITS` units that a station closed in order."""
    return closed_journal(tmp_path_factory.mktemp("large") / "journal", UNITS)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of `FEW` units."""
    return closed_journal(tmp_path_factory.mktemp("small") / "journal", FEW)


def closed_journal(directory: Path, units: int) -> Path:
    many_rows.build(directory, units)
    return directory


def best(what: Callable[[], object], clock: Callable[[], float] = time.process_time, tries: int = TRIES) -> float:
    """Seconds of the fastest of some tries."""
    seconds = []
    for _ in range(tries):
        begin = clock()
        what()
        seconds.append(clock() - begin)
    return min(seconds)


def beside(seconds: float, bare: float) -> str:
    return f"{seconds * 1000:,.1f} ms, {seconds / bare:.1f} x bare ({bare * 1000:,.1f} ms)"


def test_size_and_start(large: Path, report: Report) -> None:
    size = (large / JOURNAL_FILE).stat().st_size
    report(f"size of {UNITS:,} units", f"{size / UNITS / 1000:.1f} kB a unit")
    begin = time.perf_counter()
    journal = Journal.open(large, many_rows.STATION, SystemClock())
    seconds = time.perf_counter() - begin
    journal.close()
    report("opening after an orderly end", f"{seconds * 1000:,.1f} ms")


def questions(number: int) -> dict[str, Callable[[Journal], object]]:
    """Return what a walk and a person ask of unit ``number``, and what a walk writes: a unit that comes back."""
    unit, serial, attempt = many_rows.unit_id(number), many_rows.serial(number), f"a-{number:012x}"
    again = itertools.count()
    return {
        "find by serial number": lambda j: j.find(serial),
        "find by the last six digits": lambda j: j.find_by_end(serial[-6:]),
        "find by attempt": lambda j: j.find(attempt),
        "whose is this scan": lambda j: j.whose(serial),
        "seen before": lambda j: j.seen_before(unit),
        "known facts": lambda j: j.known_facts(unit),
        "steps of an attempt": lambda j: j.steps(attempt),
        "unconfirmed writes": lambda j: j.unconfirmed_writes(unit),
        "progress of a batch": lambda j: j.progress(many_rows.batch_of(0), SystemClock().utc()),
        "owed work": lambda j: j.due(SystemClock().utc()),
        "a whole walk recorded": lambda j: j.record(*many_rows.walk(number, f"a-again-{next(again)}")),
    }


@pytest.mark.parametrize("name", questions(0))
def test_questions(name: str, large: Path, small: Path, report: Report) -> None:
    """Nothing may grow with the journal; the last one leaves it a little longer."""
    taken = []
    for directory, units in ((large, UNITS), (small, FEW)):
        with Journal.open(directory, many_rows.STATION, SystemClock()) as journal:
            ask = questions(units // 2 + 1)[name]
            ask(journal)  # the first one reads pages from the disk
            taken.append(best(lambda ask=ask, journal=journal: ask(journal), tries=50))  # type: ignore[misc]
    of_large, of_small = taken
    report(name, f"{of_large * 1000:.2f} ms, {of_large / of_small:.2f} x that of {FEW} units")


def test_verifying(large: Path, report: Report) -> None:
    def scan() -> None:
        db = sqlite3.connect(large / JOURNAL_FILE)
        for *hashed, told in db.execute("SELECT station_id, seq, at, kind, body, prev_hash, hash FROM entries"):
            text = json.dumps(hashed, ensure_ascii=False, separators=(",", ":"))
            assert hashlib.sha256(text.encode()).hexdigest() == told
        db.close()

    with JournalReader(large) as journal:
        report("verify all, beside a scan with SHA-256", beside(best(journal.verify, tries=1), best(scan, tries=1)))


def test_exporting(large: Path, report: Report) -> None:
    batch = many_rows.batch_of(0)
    bare = best(lambda: csv.writer(io.StringIO()).writerows(plain_rows(large / JOURNAL_FILE, batch)))
    with JournalReader(large) as journal:
        for exporter in (CSV, JSONL):
            seconds = best(lambda exporter=exporter: export(journal, batch, io.StringIO(), exporter))  # type: ignore[misc]
            report(f"{exporter.name} of a batch, beside a plain script", beside(seconds, bare))
