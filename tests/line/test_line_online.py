"""The wait for the cloud: the unit's own word says when to ping, the ping alone is the proof."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from line_bench import ARGON, LineBench, line_bench

from drivers.virtual.world import UnitFacts
from drivers.wire.control.tables import RequestType
from station.model import Verdict
from station.steps.online import UNIT_POLL_S, WIFI_POLL_S


def pings(bench: LineBench) -> int:
    return sum("ping" in request.route for request in bench.cloud.requests())


def sessions(bench: LineBench) -> list[float]:
    """Return the moments at which units reach the cloud, from here on."""
    moments: list[float] = []
    begin = bench.cloud.online

    def online(facts: UnitFacts) -> None:
        moments.append(bench.clock.now())
        begin(facts)

    bench.cloud.online = online  # type: ignore[method-assign]
    return moments


def test_a_unit_is_pinged_when_it_says_that_it_has_connected(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        moments = sessions(bench)
        walk = bench.walk(bench.finished_unit(ARGON))
        assert walk.verdict is Verdict.PASS, walk.finished
        assert 0 < bench.when(walk.steps["online"]) - moments[-1] <= UNIT_POLL_S + 0.1
        assert pings(bench) == 3, "one at once, one when the unit had connected, one of the final check"


@pytest.mark.parametrize("trouble", ["reject,code=-120,times=1000", "reject,code=-100,times=1000"])
def test_a_unit_that_does_not_tell_is_found_by_the_ping(trouble: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        fault = f"at=request:{int(RequestType.GET_CONNECTION_STATUS)},do={trouble}"
        walk = bench.walk(bench.finished_unit(ARGON, faults=(fault,)))
        assert walk.verdict is Verdict.PASS, walk.finished
        assert walk.steps["online"].seconds % WIFI_POLL_S < 0.1


def test_the_cloud_is_not_asked_faster_where_the_unit_is_wrong_about_its_session(tmp_path: Path) -> None:
    recipe = replace(ARGON, limits={"online": 30})
    with line_bench(tmp_path, recipe) as bench:
        bench.world.cloud = None  # the cloud of the units, not that of the station
        walk = bench.walk(bench.finished_unit(recipe))
        assert (walk.verdict, walk.finished.sentence) == (Verdict.ERROR, "not_online")
        assert pings(bench) <= 2 + 30 / WIFI_POLL_S
