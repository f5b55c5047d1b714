"""The wait for the cloud: the unit's own word says when to ping, the ping alone is the proof."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from line_bench import ARGON, LineBench, Recipe, line_bench

from drivers.platforms import platform_by_slug
from drivers.virtual import synthetic
from drivers.virtual.world import UnitEnd, UnitFacts
from drivers.wire.control.tables import RequestType
from station.model import Outcome, Verdict
from station.steps.online import SHOWN_BY_CLAIM, UNIT_POLL_S, WIFI_POLL_S


def pings(bench: LineBench) -> int:
    return sum("ping" in request.route for request in bench.cloud.requests())


def sessions(bench: LineBench) -> list[float]:
    """Return the moments at which units reach the cloud, from here on."""
    moments: list[float] = []
    begin = bench.cloud.online

    def online(facts: UnitFacts, unit: UnitEnd | None = None) -> None:
        moments.append(bench.clock.now())
        begin(facts, unit)

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


def nobodys(slug: str, device_os: str) -> Recipe:
    """A profile for units nobody owns yet, which keep the Device OS they have."""
    none = synthetic.NO_PRODUCT
    application = synthetic.application(
        platform_by_slug(slug).id, device_os, seed="story", size=20_000, product_id=none, product_version=none
    )
    return Recipe(slug, kind="developer", device_os=None, application=application, claim=True, online=True)


NO_REQUEST_TELLS = [("photon", "0.4.9"), ("p1", "0.5.5"), ("electron", "0.7.0"), ("photon", "1.0.1")]
ITS_OWN_WORD = [("photon", "1.4.4"), ("electron", "1.4.4")]


@pytest.mark.rule("E2")
@pytest.mark.parametrize(("slug", "device_os"), NO_REQUEST_TELLS)
def test_an_unclaimed_unit_that_cannot_be_asked_is_seen_online_by_its_claim(
    slug: str, device_os: str, tmp_path: Path
) -> None:
    with line_bench(tmp_path, nobodys(slug, device_os)) as bench:
        moments = sessions(bench)
        walk = bench.walk(bench.unit(slug, 1, device_os))
        assert walk.verdict is Verdict.PASS, walk.finished
        assert (walk.steps["online"].outcome, walk.steps["online"].reason) == (Outcome.SKIPPED, SHOWN_BY_CLAIM)
        assert bench.when(walk.steps["claim"]) >= moments[0]
        again = bench.walk(bench.unit(slug, 1, device_os))
        assert again.steps["online"].proof.startswith("answers a ping"), "the cloud shows a unit of ours"


@pytest.mark.rule("E2")
def test_one_that_cannot_be_asked_and_does_not_connect_never_passes(tmp_path: Path) -> None:
    recipe = replace(nobodys("photon", "0.4.9"), limits={"claim": 30})
    with line_bench(tmp_path, recipe) as bench:
        bench.world.cloud = None  # the cloud of the units, not that of the station
        walk = bench.walk(bench.unit("photon", 1, "0.4.9"))
        assert (walk.verdict, walk.finished.sentence) == (Verdict.ERROR, "not_online")
        assert walk.with_outcome(Outcome.ERROR) == {"claim"}


@pytest.mark.parametrize(("slug", "device_os"), ITS_OWN_WORD)
def test_an_unclaimed_unit_that_can_be_asked_is_believed(slug: str, device_os: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, nobodys(slug, device_os)) as bench:
        walk = bench.walk(bench.unit(slug, 1, device_os))
        assert walk.verdict is Verdict.PASS, walk.finished
        assert walk.steps["online"].proof.startswith("the unit says it is connected")
