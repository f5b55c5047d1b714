"""A badge scanned in the middle of a batch hands over; units at work stay whose they were."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

from line_bench import ARGON, line_bench

from station.engine.commands import Scan
from station.engine.events import AttemptStarted, OperatorChanged
from station.model import Verdict


def test_a_badge_in_the_middle_of_a_batch_touches_no_running_unit_and_counts_from_the_next_one(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON, slots=2) as bench:
        first, second = bench.finished_unit(ARGON, 1), bench.finished_unit(ARGON, 2)
        since = bench.mark()
        bench.plug(first, 1)
        bench.wait_for(AttemptStarted, slot=1, since=since)
        bench.command(Scan("OP:0418"))
        handed_over = bench.wait_for(OperatorChanged, since=since)
        bench.plug(second, 2)
        walks = {slot: bench.told(bench.wait_finished(slot, since=since)) for slot in (1, 2)}
        assert [walk.verdict for walk in walks.values()] == [Verdict.PASS, Verdict.PASS]
        assert sum(isinstance(event, AttemptStarted) for _, event in bench.events[since:]) == 2, "none began again"
        assert walks[1].started.at <= handed_over.at < walks[1].finished.at
        with bench.reader() as journal:
            attempts = {row.slot: row for row in journal.attempts(ARGON.batch)}
            told = [entry for entry in journal.entries() if entry.kind == "OperatorChanged"]
        assert (attempts[1].operator, attempts[2].operator) == ("0417", "0418")
        assert [json.loads(entry.body)["operator"] for entry in told] == ["0418"]
        assert datetime.datetime.fromisoformat(told[0].at) == handed_over.at, "the journal says from when"
