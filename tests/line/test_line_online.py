"""The wait for the cloud: the unit's own word says when to ping, the ping alone is the proof."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from line_bench import ARGON, LineBench, Walk, line_bench

from drivers.wire.control.tables import RequestType
from station.model import Verdict
from station.steps.online import UNIT_POLL_S, WIFI_POLL_S

WIFI_ONLINE_S = 4.0
"""What the virtual unit takes from its start to its cloud session."""


def pings(bench: LineBench) -> int:
    return sum("ping" in request.route for request in bench.cloud.requests())


def waited(walk: Walk) -> float:
    return walk.steps["online"].seconds


def test_a_unit_is_pinged_when_it_says_that_it_has_connected(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        walk = bench.walk(bench.finished_unit(ARGON))
        assert walk.verdict is Verdict.PASS, walk.finished
        assert waited(walk) <= WIFI_ONLINE_S + UNIT_POLL_S < WIFI_POLL_S
        assert pings(bench) == 2, "one at once, one when the unit had connected"


@pytest.mark.parametrize("trouble", ["reject,code=-120,times=1000", "reject,code=-100,times=1000"])
def test_a_unit_that_does_not_tell_is_found_by_the_ping(trouble: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        fault = f"at=request:{int(RequestType.GET_CONNECTION_STATUS)},do={trouble}"
        walk = bench.walk(bench.finished_unit(ARGON, faults=(fault,)))
        assert walk.verdict is Verdict.PASS, walk.finished
        assert waited(walk) == pytest.approx(WIFI_POLL_S, abs=0.1)


def test_the_cloud_is_not_asked_faster_where_the_unit_is_wrong_about_its_session(tmp_path: Path) -> None:
    recipe = replace(ARGON, limits={"online": 30})
    with line_bench(tmp_path, recipe) as bench:
        bench.world.cloud = None  # the cloud of the units, not that of the station
        walk = bench.walk(bench.finished_unit(recipe))
        assert (walk.verdict, walk.finished.sentence) == (Verdict.ERROR, "not_online")
        assert pings(bench) <= 2 + 30 / WIFI_POLL_S
