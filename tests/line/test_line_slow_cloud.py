"""A cloud that answers a byte every two seconds: the slot says so, and the walk goes on as when the cloud is away."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import BORON, LineBench, line_bench, replace

from station.cloud.slowness import PATIENCE_S
from station.cloud.virtual import Fault, FaultKind
from station.engine.events import AttemptStarted, StepHeld, StepResumed, VerdictRevised
from station.model import Verdict

DRIPPING = Fault(FaultKind.SLOW, times=None, seconds=400.0)
"""What a drip comes to: the answer is never whole within the time of one try."""


def held_after_s(bench: LineBench, mark: int) -> list[tuple[str, float]]:
    """Which steps said that they wait for the cloud, and how long after the attempt began."""
    told = bench.events[mark:]
    began = next(at for at, event in told if isinstance(event, AttemptStarted))
    return [
        (event.step, at - began) for at, event in told
        if isinstance(event, StepHeld) and event.sentence == "cloud_hold"
    ]  # fmt: skip


def test_a_dripping_cloud_is_told_after_its_patience_and_the_walk_goes_on_without_it(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        assert bench.walk(bench.finished_unit(BORON, 99)).verdict is Verdict.PASS
        mark = bench.mark()
        bench.cloud.order(DRIPPING)
        walk = bench.walk(bench.unit(number=1))
        assert walk.verdict is Verdict.PENDING, walk.finished.reason
        assert walk.outcomes["firmware"] == "done"
        step, after_s = held_after_s(bench, mark)[0]
        assert step == "identify"
        assert PATIENCE_S <= after_s < PATIENCE_S + 10  # what the unit says of itself takes some of it
        assert walk.steps["identify"].seconds < 60
        bench.cloud.cancel_faults()
        revised = bench.wait_for(VerdictRevised, attempt=walk.finished.attempt, within=3600)
        assert revised.verdict is Verdict.PASS  # type: ignore[attr-defined]


def test_a_slot_that_said_so_says_when_the_answer_is_there(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        assert bench.walk(bench.finished_unit(BORON, 99)).verdict is Verdict.PASS
        mark = bench.mark()
        bench.cloud.order(Fault(FaultKind.SLOW, "GET /v1/products/:p/devices/:id", seconds=PATIENCE_S + 5))
        walk = bench.walk(bench.finished_unit(BORON, 1))
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        ((_, held),) = [one for one in enumerate(bench.events[mark:]) if isinstance(one[1][1], StepHeld)]
        resumed = bench.wait_for(StepResumed, step="identify", since=mark)
        assert bench.when(resumed) - held[0] == pytest.approx(5.0, abs=0.5)


def test_a_cloud_that_asks_for_a_pause_is_told_at_once_when_the_pause_is_long(tmp_path: Path) -> None:
    with line_bench(tmp_path, replace(BORON, offline="hold", claim=True)) as bench:
        assert bench.walk(bench.finished_unit(bench.recipes[0], 99)).verdict is Verdict.PASS
        mark = bench.mark()
        bench.cloud.order(
            Fault(FaultKind.STATUS, "GET /v1/products/:p/devices/:id", status=429, retry_after="40")
        )  # fmt: skip
        walk = bench.walk(bench.finished_unit(bench.recipes[0], 1))
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        ((at, _),) = [one for one in bench.events[mark:] if isinstance(one[1], StepHeld)]
        (began, _) = next(one for one in bench.events[mark:] if isinstance(one[1], AttemptStarted))
        assert at - began < PATIENCE_S
