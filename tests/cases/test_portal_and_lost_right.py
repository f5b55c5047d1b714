"""Somebody else answered for the cloud, or the account was out of the team for a while, when owed work was due."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from line_bench import BORON, ME, LineBench, line_bench

from station.cloud.virtual.faults import Fault, FaultKind
from station.engine.events import VerdictRevised
from station.model import Verdict

Act = Callable[[LineBench], object]


def owed_under(tmp_path: Path, during: Act, after: Act) -> list[Verdict]:
    """A good unit is set aside; its owed work meets trouble for 300 s; when that is over, what is its verdict?"""
    with line_bench(tmp_path, BORON) as bench:
        assert bench.walk(bench.finished_unit(BORON, 99)).verdict is Verdict.PASS
        bench.restart()
        bench.cloud.down_for(90)
        assert bench.walk(bench.finished_unit(BORON, 1)).verdict is Verdict.PENDING
        during(bench)
        bench.sleep(300)
        after(bench)
        bench.sleep(900)
        return [event.verdict for _, event in bench.events if isinstance(event, VerdictRevised)]


@pytest.mark.parametrize("status", [302, 403, 407])
def test_owed_work_survives_a_page_that_is_not_from_the_cloud(status: int, tmp_path: Path) -> None:
    page = Fault(FaultKind.HTML, status=status, times=None)
    verdicts = owed_under(tmp_path, lambda b: b.cloud.order(page), lambda b: b.cloud.cancel_faults())
    assert verdicts == [Verdict.PASS]


def test_owed_work_survives_an_account_that_was_out_of_the_team_for_a_while(tmp_path: Path) -> None:
    verdicts = owed_under(
        tmp_path,
        lambda b: b.cloud._store.run("DELETE FROM team"),
        lambda b: b.cloud._store.run("INSERT INTO team VALUES (20001, ?)", ME),
    )
    assert verdicts == [Verdict.PASS]
