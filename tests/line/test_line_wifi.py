"""Networks that do not take a unit: who is blamed, who waits, and what a unit that passed has proved."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import ARGON, SSID, LineBench, Recipe, line_bench, replace

from drivers.identity import Secret
from drivers.platforms import platforms
from drivers.virtual import synthetic
from drivers.virtual.radio import WifiStore
from drivers.virtual.unit import VirtualUnit
from drivers.virtual.world import AccessPoint
from station.engine.events import StepHeld
from station.model import Outcome, Verdict

OFFLINE_ARGON = replace(ARGON, online=False)
CHANGED = AccessPoint(SSID, Secret("somebody changed it"))
ELSEWHERE = AccessPoint("the neighbour's", Secret("none of ours"))


def as_it_comes(slug: str) -> Recipe:
    """A profile for units that keep the Device OS they have."""
    device_os = "6.3.4" if "6.3.4" in synthetic.versions(12) else None
    number = next(row.id for row in platforms() if row.slug == slug)
    return Recipe(slug, device_os=None, application=synthetic.application(number, device_os or "", seed="story"))


RECIPES = {
    "argon": OFFLINE_ARGON, "asom": Recipe("asom"), "p2": as_it_comes("p2"), "msom": as_it_comes("msom"),
}  # fmt: skip
each_wifi_platform = pytest.mark.parametrize("slug", RECIPES)


def unit_of(bench: LineBench, slug: str, number: int, *faults: str) -> VirtualUnit:
    """A unit that needs nothing but Wi-Fi."""
    return (
        bench.finished_unit(RECIPES[slug], number, networks=(), faults=faults)
        if RECIPES[slug].device_os
        else (bench.unit(slug, number, "6.3.4", faults=faults))
    )


@each_wifi_platform
def test_a_wrong_password_in_the_profile_blames_no_unit(slug: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, RECIPES[slug]) as bench:
        bench.world.access_points[SSID] = CHANGED
        for number in (1, 2, 3):
            walk = bench.walk(unit_of(bench, slug, number))
            assert (walk.verdict, walk.finished.sentence) == (Verdict.ERROR, "wifi_refused")
            assert "nobody has joined" in walk.finished.reason
            assert SSID in walk.finished.reason


@each_wifi_platform
def test_an_access_point_that_is_down_for_a_while_is_waited_for(slug: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, RECIPES[slug]) as bench:
        point = bench.world.access_points.pop(SSID)

        def switch_on_again() -> None:
            held = bench.wait_for(StepHeld, step="wifi")
            assert held.say.key == "bench_wifi_down"  # type: ignore[attr-defined]
            bench.sleep(120.0)
            bench.world.access_points[SSID] = point

        walk = bench.walk(unit_of(bench, slug, 1), during=switch_on_again)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert walk.steps["wifi"].outcome is Outcome.DONE


@each_wifi_platform
def test_an_access_point_that_stays_down_is_called_down(slug: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, RECIPES[slug]) as bench:
        assert bench.walk(unit_of(bench, slug, 1)).verdict is Verdict.PASS
        bench.world.access_points[ELSEWHERE.ssid] = ELSEWHERE
        bench.world.access_points.pop(SSID)
        for number in (2, 3, 4, 2):
            walk = bench.walk(unit_of(bench, slug, number))
            assert (walk.verdict, walk.finished.sentence) == (Verdict.ERROR, "bench_wifi_down")
            assert "hears 1 other networks" in walk.finished.reason


@each_wifi_platform
def test_a_deaf_unit_is_bad_once_others_joined_around_it_twice(slug: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, RECIPES[slug]) as bench:
        deaf = unit_of(bench, slug, 1, "do=deaf")
        assert bench.walk(deaf).verdict is Verdict.ERROR, "nobody has joined"
        assert bench.walk(unit_of(bench, slug, 2)).verdict is Verdict.PASS
        doubt = bench.walk(deaf)
        assert (doubt.verdict, doubt.finished.sentence) == (Verdict.ERROR, "bench_wifi_down"), "it may be down just now"
        assert bench.walk(unit_of(bench, slug, 3)).verdict is Verdict.PASS
        bad = bench.walk(deaf)
        assert (bad.verdict, bad.finished.sentence) == (Verdict.FAIL, "wifi_deaf")
        assert WifiStore(deaf).networks() == []


def test_on_a_bench_of_several_slots_a_deaf_unit_is_found_in_one_walk(tmp_path: Path) -> None:
    with line_bench(tmp_path, OFFLINE_ARGON, slots=2) as bench:
        mark = bench.mark()
        bench.plug(unit_of(bench, "argon", 1, "do=deaf"), 1)
        for number in (2, 3, 4, 5):
            assert bench.walk(unit_of(bench, "argon", number), 2).verdict is Verdict.PASS
        finished = bench.wait_finished(1, since=mark)
        assert (finished.verdict, finished.sentence) == (Verdict.FAIL, "wifi_deaf")


def test_a_unit_that_failed_while_the_access_point_was_down_is_never_blamed_for_it(tmp_path: Path) -> None:
    with line_bench(tmp_path, OFFLINE_ARGON) as bench:
        good, point = unit_of(bench, "argon", 1), bench.world.access_points[SSID]
        assert bench.walk(unit_of(bench, "argon", 2)).verdict is Verdict.PASS
        bench.world.access_points.clear()
        assert bench.walk(good).verdict is Verdict.ERROR
        bench.world.access_points[SSID] = point
        assert bench.walk(unit_of(bench, "argon", 3)).verdict is Verdict.PASS
        assert bench.walk(good).verdict is Verdict.PASS
