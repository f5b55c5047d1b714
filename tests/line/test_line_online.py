"""The wait for the cloud: the unit's own word says when to ask, a handshake since it came is the proof."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import pytest
from line_bench import ARGON, BORON, PASSWORD, SSID, LineBench, Recipe, Walk, line_bench

from drivers.clock import SimulatedClock
from drivers.identity import Secret
from drivers.platforms import platform_by_slug
from drivers.virtual import synthetic
from drivers.virtual.faults import parse_fault
from drivers.virtual.world import StoredNetwork, UnitEnd, UnitFacts
from drivers.wire.control.tables import RequestType
from station.cloud.virtual import Fault, FaultKind
from station.engine.events import StepFinished
from station.model import Outcome, Verdict
from station.steps.online import QUIET_S, SHOWN_BY_CLAIM, UNIT_POLL_S, WIFI_POLL_S


def asked(bench: LineBench, walk: Walk) -> list[str]:
    """What the step asked the cloud."""
    finished = walk.steps["online"]
    ended = finished.at
    begun = ended - datetime.timedelta(seconds=finished.seconds)
    seen = ((datetime.datetime.fromisoformat(request.at), request.route) for request in bench.cloud.requests())
    return [route.rpartition("/")[2] for at, route in seen if begun <= at <= ended]


def sessions(bench: LineBench) -> list[float]:
    """Return the moments at which units reach the cloud, from here on."""
    moments: list[float] = []
    begin = bench.cloud.online

    def online(facts: UnitFacts, unit: UnitEnd | None = None) -> None:
        moments.append(bench.clock.now())
        begin(facts, unit)

    bench.cloud.online = online  # type: ignore[method-assign]
    return moments


def test_the_cloud_is_asked_once_when_the_unit_says_that_it_has_connected(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        moments = sessions(bench)
        walk = bench.walk(bench.finished_unit(ARGON))
        assert walk.verdict is Verdict.PASS, walk.finished
        assert 0 < bench.when(walk.steps["online"]) - moments[-1] <= UNIT_POLL_S + 0.1
        assert asked(bench, walk) == [":id", ":id"], "its record, which shows the handshake, and the final check's look"
        assert walk.steps["online"].proof.startswith("handshake with the cloud at ")


@pytest.mark.parametrize("trouble", ["reject,code=-120,times=1000", "reject,code=-100,times=1000"])
def test_a_unit_that_does_not_tell_is_found_by_its_record(trouble: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        fault = f"at=request:{int(RequestType.GET_CONNECTION_STATUS)},do={trouble}"
        walk = bench.walk(bench.finished_unit(ARGON, faults=(fault,)))
        assert walk.verdict is Verdict.PASS, walk.finished
        assert set(asked(bench, walk)) == {":id"}
        assert len(asked(bench, walk)) <= 1 + walk.steps["online"].seconds / WIFI_POLL_S + 1


def test_the_cloud_is_not_asked_faster_where_the_unit_is_wrong_about_its_session(tmp_path: Path) -> None:
    recipe = replace(ARGON, limits={"online": 30})
    with line_bench(tmp_path, recipe) as bench:
        bench.world.cloud = None  # the cloud of the units, not that of the station
        walk = bench.walk(bench.finished_unit(recipe))
        assert (walk.verdict, walk.finished.sentence) == (Verdict.ERROR, "not_online")
        assert len(asked(bench, walk)) <= 2 + 30 / WIFI_POLL_S
        assert "ping" not in asked(bench, walk), "a unit that the cloud does not show is not pinged"


def test_a_unit_that_finds_no_network_costs_the_cloud_next_to_nothing(tmp_path: Path) -> None:
    recipe = replace(BORON, online=True, limits={"online": 600})
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        bench.world.barred.add(str(unit.spec.imei))
        walk = bench.walk(unit, within=1200)
        assert walk.verdict is Verdict.ERROR, walk.finished
        assert len(asked(bench, walk)) <= 600 / QUIET_S + 2, "it says itself that it is not connected"


@pytest.mark.parametrize("lies", [False, True])
def test_neither_flag_nor_ping_passes_a_unit_without_a_session_since_it_came(lies: bool, tmp_path: Path) -> None:
    recipe = replace(ARGON, limits={"online": 40}, wifi=False)
    with line_bench(tmp_path, recipe) as bench:
        if lies:
            body = {"online": True, "ok": True}
            bench.cloud.order(Fault(FaultKind.STATUS, "/ping", times=None, status=200, body=body))
        network = StoredNetwork(SSID, Secret(PASSWORD))
        unit = bench.finished_unit(recipe, networks=(network,))
        assert bench.walk(unit).verdict is Verdict.PASS
        bench.world.access_points.clear()
        unit.order(parse_fault(f"at=request:{int(RequestType.GET_CONNECTION_STATUS)},do=reject,code=-120,times=1000"))
        record = bench.cloud.device(unit.spec.device_id)
        assert record is not None
        assert record["online"] is True, "the flag is wrong for a while"
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.ERROR, "online")


def test_a_session_that_outlived_its_arrival_is_proved_by_a_ping_and_what_is_heard_of_it(tmp_path: Path) -> None:
    with line_bench(tmp_path, replace(ARGON, wifi=False)) as bench:
        network = StoredNetwork(SSID, Secret(PASSWORD))
        unit = bench.finished_unit(ARGON, networks=(network,))

        def began_long_ago() -> None:
            bench.wait_for(StepFinished, step="product_add")
            bench.sleep(20.0)
            bench.cloud.edit_device(unit.spec.device_id, last_handshake_at="2026-01-05T05:00:00+00:00")

        bench.cloud.order(Fault(FaultKind.STATUS, "GET /v1/products/:p/devices/:id", after=3, times=4, status=503))
        walk = bench.walk(unit, during=began_long_ago)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert walk.steps["online"].proof.startswith("answers a ping"), walk.steps["online"].proof


class Ahead:
    """A clock whose wall time is an hour ahead of another's."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock

    def __getattr__(self, name: str) -> object:
        return getattr(self._clock, name)

    def utc(self) -> datetime.datetime:
        return self._clock.utc() + self.by

    by = datetime.timedelta(hours=1)


@pytest.mark.parametrize("hours", [-1, 1])
def test_times_of_the_cloud_are_compared_with_times_of_the_cloud(hours: int, tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        ahead = Ahead(bench.clock)
        ahead.by = datetime.timedelta(hours=hours)
        bench.cloud._clock = bench.cloud._sessions._clock = ahead  # type: ignore[assignment]
        walk = bench.walk(bench.finished_unit(ARGON))
        assert walk.verdict is Verdict.PASS, walk.finished
        assert walk.steps["online"].proof.startswith("handshake with the cloud at ")


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
        assert again.steps["online"].proof.startswith("handshake with"), "the cloud shows a unit of ours"


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


@pytest.mark.rule("L4")
def test_units_of_a_profile_that_asks_for_no_network_pass_without_ever_having_been_online(tmp_path: Path) -> None:
    with line_bench(tmp_path, Recipe("argon", wifi=False)) as bench:
        reached = sessions(bench)
        unit = bench.unit("argon")
        walk = bench.walk(unit)
        record = bench.cloud.device(unit.spec.device_id)
    assert walk.verdict is Verdict.PASS
    assert walk.steps["product_add"].outcome is Outcome.DONE
    assert record is not None
    assert "last_handshake_at" not in record
    assert reached == []
