"""Networks that do not take a unit: who is blamed, who waits, and what a unit that passed has proved."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from line_bench import ARGON, SSID, LineBench, Recipe, line_bench, replace
from support.known_steps import STEPS, parse_profile

from drivers.identity import Secret
from drivers.platforms import Platform, platform_by_slug, platforms
from drivers.virtual import synthetic
from drivers.virtual.faults import is_init
from drivers.virtual.radio import WifiStore
from drivers.virtual.unit import VirtualUnit
from drivers.virtual.world import AccessPoint
from drivers.wire.control.tables import RequestType
from station.engine.events import StepHeld
from station.errors import BadInput
from station.model import Outcome, Verdict

OFFLINE_ARGON = replace(ARGON, online=False)
CHANGED = AccessPoint(SSID, Secret("somebody changed it"))
ELSEWHERE = AccessPoint("the neighbour's", Secret("none of ours"))


def as_it_comes(slug: str, device_os: str = "6.3.4") -> Recipe:
    """A profile for units that keep the Device OS they have."""
    number = platform_by_slug(slug).id
    return Recipe(slug, device_os=None, application=synthetic.application(number, device_os, seed="story"))


RECIPES = {
    "argon": OFFLINE_ARGON, "asom": Recipe("asom"), "p2": as_it_comes("p2"), "msom": as_it_comes("msom"),
    "p1": as_it_comes("p1", "1.5.2"), "photon": as_it_comes("photon", "3.3.1"),
}  # fmt: skip
AGES = {"p1": "1.5.2", "photon": "3.3.1"}  # of others, 6.3.4
each_platform_that_hears = pytest.mark.parametrize("slug", [slug for slug in RECIPES if slug != "photon"])
"""A Photon from 2.0 on has no request to look for networks, nor to forget them (`requests.toml`)."""
each_wifi_platform = pytest.mark.parametrize("slug", RECIPES)


def unit_of(bench: LineBench, slug: str, number: int, *faults: str) -> VirtualUnit:
    """A unit that needs nothing but Wi-Fi."""
    return (
        bench.finished_unit(RECIPES[slug], number, networks=(), faults=faults)
        if RECIPES[slug].device_os
        else bench.unit(slug, number, AGES.get(slug, "6.3.4"), faults=faults)
    )


@each_platform_that_hears
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


@each_platform_that_hears
def test_an_access_point_that_stays_down_is_called_down(slug: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, RECIPES[slug]) as bench:
        assert bench.walk(unit_of(bench, slug, 1)).verdict is Verdict.PASS
        bench.world.access_points[ELSEWHERE.ssid] = ELSEWHERE
        bench.world.access_points.pop(SSID)
        for number in (2, 3, 4, 2):
            walk = bench.walk(unit_of(bench, slug, number))
            assert (walk.verdict, walk.finished.sentence) == (Verdict.ERROR, "bench_wifi_down")
            assert "hears 1 other networks" in walk.finished.reason


@each_platform_that_hears
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
        assert names(deaf) == ({SSID} if slug == "p1" else set()), "what tries before it stores has stored nothing"


def test_a_unit_that_cannot_tell_what_it_hears_is_judged_by_the_joins_of_others(tmp_path: Path) -> None:
    with line_bench(tmp_path, RECIPES["photon"]) as bench:
        deaf = unit_of(bench, "photon", 1, "do=deaf")
        for number in (2, 3):
            doubt = bench.walk(deaf)
            assert (doubt.verdict, doubt.finished.sentence) == (Verdict.ERROR, "bench_wifi_down")
            assert "it cannot tell what it hears" in doubt.finished.reason
            assert bench.walk(unit_of(bench, "photon", number)).verdict is Verdict.PASS
        bad = bench.walk(deaf)
        assert (bad.verdict, bad.finished.sentence) == (Verdict.FAIL, "wifi_join_failed")


def test_a_unit_that_cannot_forget_a_network_is_told_from_a_bad_one(tmp_path: Path) -> None:
    with line_bench(tmp_path, with_networks("photon", BENCH_NETWORK + "\nkeep = false")) as bench:
        walk = bench.walk(unit_of(bench, "photon", 1))
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.ERROR, "identify"), "before the first write"
        assert "write keep = true in [wifi]" in walk.finished.reason
        assert walk.flash_writes == 0


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


# --- what a profile may say ---


def with_networks(slug: str, *networks: str) -> Recipe:
    """The profile of ``slug`` with these networks."""
    return replace(RECIPES[slug], networks="\n".join(f"[[wifi]]\n{one}" for one in networks))


HOME = AccessPoint("工場　\U0001f3ed", Secret("0123456789abcdef" * 4), bssid=b"\xa4\xb1\xc1\x02\x04\x01")
BENCH_NETWORK = f'ssid = "{SSID}"\npassword = "env:STORY_WIFI"'
HOME_NETWORK = f'ssid = "{HOME.ssid}"\npassword = "env:HOME_WIFI"'


def names(unit: VirtualUnit) -> set[str]:
    return {one.ssid for one in WifiStore(unit).networks()}


@contextlib.contextmanager
def networks_bench(tmp_path: Path, recipe: Recipe) -> Iterator[LineBench]:
    """A bench whose profile names a second password."""
    with line_bench(tmp_path, replace(OFFLINE_ARGON, revision=9)) as bench:
        assert HOME.password is not None
        bench.environ["HOME_WIFI"] = HOME.password.reveal()
        bench.restart(recipe)
        yield bench


@each_wifi_platform
def test_several_networks_of_any_name_are_joined(slug: str, tmp_path: Path) -> None:
    with networks_bench(tmp_path, with_networks(slug, BENCH_NETWORK, HOME_NETWORK)) as bench:
        bench.world.access_points[HOME.ssid] = HOME
        unit = unit_of(bench, slug, 1)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert names(unit) == {SSID, HOME.ssid}
        again = bench.walk(unit)
        assert (again.verdict, again.steps["wifi"].outcome) == (Verdict.PASS, Outcome.ALREADY)


@each_wifi_platform
def test_a_network_that_is_elsewhere_is_stored_untried(slug: str, tmp_path: Path) -> None:
    recipe = with_networks(slug, BENCH_NETWORK, HOME_NETWORK + "\njoin = false\nhidden = true")
    with networks_bench(tmp_path, recipe) as bench:
        unit = unit_of(bench, slug, 1)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert names(unit) == {SSID, HOME.ssid}
        assert "untried" in walk.steps["wifi"].proof


@each_platform_that_hears
def test_a_network_that_is_not_kept_is_forgotten_behind_all_that_needs_it(slug: str, tmp_path: Path) -> None:
    recipe = replace(with_networks(slug, BENCH_NETWORK + "\nkeep = false"), online=True)
    with line_bench(tmp_path, recipe) as bench:
        unit = unit_of(bench, slug, 1)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert list(walk.steps).index("online") < list(walk.steps).index("wifi_clear")
        assert walk.steps["wifi_clear"].outcome is Outcome.DONE
        assert names(unit) == set()
        assert bench.walk(unit).verdict is Verdict.PASS, "it joins, and forgets, once more"


@each_wifi_platform
def test_a_hidden_network_is_joined_by_a_profile_that_says_so(slug: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, with_networks(slug, BENCH_NETWORK + "\nhidden = true")) as bench:
        bench.world.access_points[SSID] = replace(bench.access_point, is_hidden=True)
        walk = bench.walk(unit_of(bench, slug, 1))
        assert walk.verdict is Verdict.PASS, walk.finished


@each_wifi_platform
def test_a_signal_is_measured_against_its_limit(slug: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, with_networks(slug, BENCH_NETWORK + "\nmin_signal = -60")) as bench:
        walk = bench.walk(unit_of(bench, slug, 1))
        assert walk.verdict is Verdict.PASS, walk.finished
        (signal,) = walk.steps["wifi"].measurements
        assert (signal.name, signal.value, signal.unit, signal.low) == ("Wi-Fi signal", -52, "dBm", -60)
        bad = bench.walk(unit_of(bench, slug, 2, "do=weak"))
        assert (bad.verdict, bad.finished.sentence) == (Verdict.FAIL, "wifi_weak")
        (signal,) = bad.steps["wifi"].measurements
        assert (signal.value, signal.is_out) == (-82, True)


@pytest.mark.rule("H5")
@pytest.mark.parametrize("row", platforms(), ids=lambda row: row.slug)
def test_only_units_that_join_networks_have_a_wifi_step(row: Platform) -> None:
    takes = row.slug in {"photon", "p1", "argon", "asom", "p2", "msom"}
    text = Recipe(row.slug, device_os=None, has_application=False, wifi=True).text()
    if takes:
        assert "wifi" in {plan.name for plan in STEPS.plans(parse_profile(text.encode()))}
        without = Recipe(row.slug, device_os=None, has_application=False, wifi=False).profile()
        assert "wifi" not in {plan.name for plan in STEPS.plans(without)}, "where a profile asks for it"
    else:
        with pytest.raises(BadInput, match="H5"):
            parse_profile(text.encode())


@pytest.mark.rule("H6")
@pytest.mark.parametrize("slug", RECIPES)
def test_no_unit_is_set_up_by_an_access_point_of_its_own(slug: str, tmp_path: Path) -> None:
    """There is no such option, and nobody asks for the name of that network (request 240)."""
    with pytest.raises(BadInput, match="softap"):
        parse_profile((RECIPES[slug].text() + "[softap]\n").encode())
    asked: set[int] = set()
    with line_bench(tmp_path, RECIPES[slug]) as bench:
        unit = unit_of(bench, slug, 1)
        before = unit.faults.control
        unit.faults.control = lambda setup: (asked.add(setup.index) if is_init(setup) else None) or before(setup)  # type: ignore[func-returns-value, method-assign]
        assert bench.walk(unit).verdict is Verdict.PASS
    assert asked
    assert (RequestType.JOIN_NEW_NETWORK in asked) == (slug not in AGES), "Gen 2 has no such request"
    assert RequestType.SET_SOFTAP_SSID not in asked
