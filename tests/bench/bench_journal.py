"""How fast the journal commits on this disk. Reported, not asserted; run ``pytest tests/bench/bench_journal.py``."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from journal_story import opened, walked

from drivers.clock import SystemClock
from station.journal import Journal

WALKS = 400
UNITS = 2_000


@pytest.mark.parametrize("threads", [1, 4, 16])
def test_appends_per_second(tmp_path: Path, threads: int, capsys: pytest.CaptureFixture[str]) -> None:
    with Journal.open(tmp_path / "data", "bench-1", SystemClock()) as journal:
        journal.record(opened())

        def work(lane: int) -> None:
            for number in range(WALKS // threads):
                for event in walked(f"a-{lane}-{number}", unit=lane * 10_000 + number):
                    journal.record(event)

        workers = [threading.Thread(target=work, args=(lane,)) for lane in range(threads)]
        begin, commits = time.perf_counter(), journal.commits
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        seconds = time.perf_counter() - begin
        appends, commits = WALKS // threads * threads * 3, journal.commits - commits
        with capsys.disabled():
            print(f"\n{threads:2d} threads: {appends / seconds:6.0f} appends/s, {appends / commits:4.1f} a commit")  # noqa: T201


def test_questions_about_many_units(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Journal.open(tmp_path / "data", "bench-1", SystemClock()) as journal:
        journal.record(opened(), *(event for n in range(UNITS) for event in walked(f"a-{n}", unit=n)))
        for name, question in (
            ("progress", lambda: journal.progress("B1", SystemClock().utc())),
            ("verify", journal.verify),
            ("rebuild", journal.rebuild),
        ):
            begin = time.perf_counter()
            question()
            with capsys.disabled():
                print(f"\n{name:8s} of {UNITS} units: {(time.perf_counter() - begin) * 1000:6.1f} ms")  # noqa: T201
