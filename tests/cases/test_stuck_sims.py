"""Sixty SIMs that do not activate: the bench is not slowed, and the polls back off."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import BORON, LineBench, Walk, line_bench

from station.engine.events import OwedWorkStuck
from station.model import Verdict

COUNT = 60


def walk(bench: LineBench, number: int, polls: int) -> Walk:
    unit = bench.finished_unit(BORON, number)
    assert unit.spec.iccid is not None
    bench.cloud.order_sim(unit.spec.iccid, polls=polls)
    return bench.walk(unit, within=3000)


def rate(bench: LineBench, seconds: float) -> float:
    before = len(bench.cloud.requests())
    bench.sleep(seconds)
    return (len(bench.cloud.requests()) - before) / seconds


@pytest.mark.slow
def test_sixty_stuck_sims_neither_slow_the_bench_nor_flood_the_cloud(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, requests_per_s=2.0) as bench:
        alone = walk(bench, 900, 0)
        for number in range(1, COUNT + 1):
            assert walk(bench, number, 10**6).verdict is Verdict.PENDING
        assert rate(bench, 600) <= 0.5
        crowd = walk(bench, 901, 0)
        assert crowd.verdict is alone.verdict is Verdict.PASS
        assert crowd.seconds <= 1.5 * alone.seconds


def test_sixty_sims_that_get_stuck_at_once_are_asked_about_no_more_than_once_a_second(tmp_path: Path) -> None:
    """Set aside while the cloud was away: all of them become due together."""
    with line_bench(tmp_path, BORON, requests_per_s=20.0) as bench:
        walk(bench, 900, 0)
        bench.restart()
        bench.cloud.down_for(3000)
        for number in range(1, COUNT // 3 + 1):
            assert walk(bench, number, 10**6).verdict is Verdict.PENDING
        bench.sleep(3000)  # owed work begins: members, names
        assert rate(bench, 600) <= COUNT / 3 / 100
        assert not [event for _, event in bench.events if isinstance(event, OwedWorkStuck)]
        bench.sleep(25 * 3600.0)
        told = [event for _, event in bench.events if isinstance(event, OwedWorkStuck)]
        assert {event.sentence for event in told} == {"owed_stuck"}
        assert len(told) == len({event.device_id for event in told}) == COUNT // 3
