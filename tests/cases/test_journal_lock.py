"""Another program locked the journal for some seconds: slots wait and go on by themselves."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from line_bench import BORON, line_bench

from station.model import Verdict


def test_after_a_lock_the_next_unit_passes_without_a_restart(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        viewer = sqlite3.connect(bench.journal_dir / "journal.db", isolation_level=None)
        viewer.execute("BEGIN IMMEDIATE")
        bench.plug(bench.finished_unit(BORON, 1))
        bench.wait_finished(1, within=900)
        viewer.execute("ROLLBACK")
        viewer.close()
        bench.unplug()
        bench.sleep(2)
        mark = bench.mark()
        bench.plug(bench.finished_unit(BORON, 2))
        finished = bench.wait_finished(1, since=mark)
        assert finished.verdict is Verdict.PASS, finished.reason
