"""The unit leaves with the version of the product's firmware that the cloud wants: flashed, or awaited over the air."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from line_bench import ARGON, BORON, PRODUCTS, BootRequest, LineBench, Recipe, line_bench
from support.known_steps import parse_profile

from drivers.platforms import platform_by_slug
from drivers.virtual import synthetic
from drivers.virtual.synthetic import SyntheticFile
from drivers.virtual.unit import UnitMode, VirtualUnit
from station.engine.events import BatchOpened, StationNote, StepFinished, StepHeld, StepProgress
from station.errors import BadInput
from station.model import Outcome, Verdict


def app(slug: str, version: int, device_os: str = "6.3.4") -> SyntheticFile:
    platform_id = {"argon": 12, "boron": 13}[slug]
    return synthetic.application(platform_id, device_os, product_version=version, seed=f"v{version}", size=12_000)


def awaiting(base: Recipe, flashed: int = 4, more: str = "[release]") -> Recipe:
    """A profile whose file is version ``flashed``, and whose units take what is released."""
    return replace(base, application=app(base.platform, flashed), online=True, more=more)


@contextmanager
def product(tmp_path: Path, slug: str, released: int | None = 5, **more: object) -> Iterator[LineBench]:
    """A bench whose product has the versions 3 to 6; ``released`` is its default."""
    with line_bench(tmp_path, **more) as bench:  # type: ignore[arg-type]
        for version in (3, 4, 5, 6):
            bench.cloud.create_firmware(PRODUCTS[slug], version, app(slug, version).data)
        if released is not None:
            bench.cloud.release_firmware(PRODUCTS[slug], released)
        yield bench


def runs(bench: LineBench, unit: VirtualUnit, slug: str) -> int:
    """The version that the cloud shows and that lies in the unit's own flash."""
    version = bench.cloud.device(unit.spec.device_id)["firmware_version"]  # type: ignore[index]
    assert isinstance(version, int)
    assert unit.memory.holds(app(slug, version).data)
    return version


def reads(bench: LineBench, what: str) -> int:
    return sum(request.route == what for request in bench.cloud.requests())


def announced(bench: LineBench) -> list[str]:
    """What is told of releases as the batch is opened, before any unit comes."""
    bench.wait_for(BatchOpened)
    faults = [event.reason for _, event in bench.events if isinstance(event, StationNote)]
    return [reason for reason in faults if reason.startswith("release: ")]


def asked(bench: LineBench, number: int) -> list[str]:
    """What is asked of the cloud for one more unit."""
    first = len(bench.cloud.requests())
    walk = bench.walk(bench.unit("argon", number, "6.3.4"))
    assert walk.verdict is Verdict.PASS, walk.finished
    return [request.route for request in bench.cloud.requests()[first:]]


LISTED = "GET /v1/products/:p/firmware"
BINARY = "GET /v1/products/:p/firmware/:version/binary"


@pytest.mark.rule("D2")
@pytest.mark.rule("D3")
@pytest.mark.parametrize("slug", ["argon", "boron"])
@pytest.mark.parametrize("released", [3, 5])
def test_a_unit_waits_for_the_version_the_cloud_wants_up_or_down(slug: str, released: int, tmp_path: Path) -> None:
    recipe = awaiting({"argon": ARGON, "boron": BORON}[slug])
    with product(tmp_path, slug, released) as bench:
        bench.restart(recipe)
        assert announced(bench) == [
            f"release: the cloud wants version {released}, the profile flashes version 4: it comes over the air"
        ]
        unit = bench.unit(slug, 1, "3.3.1" if slug == "boron" else "1.4.4")
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert walk.outcomes["release"] == "done"
        assert runs(bench, unit, slug) == released
        written = [e for e in walk.events if isinstance(e, StepProgress) and e.step == "release"]
        assert {e.writing for e in written} == {True}, "the slot says: do not unplug"


EVERYWHERE = (
    ("photon", "2.3.1"), ("p1", "1.5.2"), ("electron", "3.3.1"), ("argon", "3.3.1"), ("boron", "4.2.0"),
    ("esomx", "6.3.4"), ("bsom", "6.3.4"), ("b5som", "6.3.4"), ("tracker", "6.3.4"), ("trackerm", "6.3.4"),
    ("p2", "6.3.4"), ("msom", "6.3.4"),
)  # fmt: skip


@pytest.mark.rule("D3")
@pytest.mark.parametrize(("slug", "device_os"), EVERYWHERE)
def test_units_of_every_family_take_their_release(slug: str, device_os: str, tmp_path: Path) -> None:
    number = platform_by_slug(slug).id

    def made(version: int) -> SyntheticFile:
        return synthetic.application(number, device_os, product_version=version, seed=f"v{version}")

    with line_bench(tmp_path) as bench:
        for version in (4, 5):
            bench.cloud.create_firmware(PRODUCTS[slug], version, made(version).data)
        bench.cloud.release_firmware(PRODUCTS[slug], 5)
        recipe = Recipe(slug, device_os=device_os, application=made(4), online=True, more="[release]")
        bench.restart(recipe)
        unit = bench.finished_unit(recipe)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert walk.outcomes["release"] in ("done", "already"), "one that was connected as it came may take it earlier"
        assert unit.memory.holds(made(5).data)


@pytest.mark.rule("D3")
def test_a_unit_that_arrives_in_dfu_takes_its_release(tmp_path: Path) -> None:
    with product(tmp_path, "argon", 5) as bench:
        bench.restart(awaiting(ARGON))
        unit = bench.unit("argon", 1, "6.3.4", arrives=BootRequest.DFU)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert runs(bench, unit, "argon") == 5


@pytest.mark.rule("D2")
def test_a_unit_that_was_flashed_what_the_cloud_wants_costs_no_request_more(tmp_path: Path) -> None:
    with product(tmp_path, "argon", 4) as bench:
        bench.restart(awaiting(ARGON))
        assert announced(bench) == []
        walk = bench.walk(bench.unit("argon", 1, "6.3.4"))
        assert walk.verdict is Verdict.PASS, walk.finished
        assert walk.outcomes["release"] == "already"
        assert (reads(bench, LISTED), reads(bench, BINARY)) == (1, 1)
        with_release = asked(bench, 2)
        assert (reads(bench, LISTED), reads(bench, BINARY)) == (1, 1), "asked once for all units of the batch"
        bench.restart(replace(awaiting(ARGON, more=""), revision=2))
        asked(bench, 3)
        without = asked(bench, 4)
        assert len(with_release) <= len(without) + 1, "the record, if it is older than the wait for the session"


@pytest.mark.rule("D2")
@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ('[release]\n[firmware_lock]\nversion = 6\n[groups]\nnames = ["beta"]', 6),
        ('[release]\n[groups]\nnames = ["beta"]', 3),
    ],
    ids=["lock before group", "group before default"],
)
def test_a_lock_counts_before_a_group_and_a_group_before_the_default(more: str, wanted: int, tmp_path: Path) -> None:
    with product(tmp_path, "argon", 5) as bench:
        bench.cloud.release_firmware(PRODUCTS["argon"], 3, "beta")
        bench.restart(awaiting(ARGON, more=more))
        (note,) = announced(bench)
        assert f"wants version {wanted}," in note
        unit = bench.unit("argon", 1, "6.3.4")
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert runs(bench, unit, "argon") == wanted


@pytest.mark.rule("D2")
@pytest.mark.parametrize(
    ("released", "more", "words"),
    [
        (None, "[release]", "no released firmware"),
        (5, "[release]\n[firmware_lock]\nversion = 9", "version 9, which was not uploaded"),
        (5, '[release]\nota = "refuse"', "name the file of version 5"),
    ],
)
def test_what_the_cloud_has_not_is_told_before_the_first_unit(
    released: int | None, more: str, words: str, tmp_path: Path
) -> None:
    with product(tmp_path, "argon", released) as bench, pytest.raises(BadInput, match=words):
        bench.restart(awaiting(ARGON, more=more))


@pytest.mark.rule("D2")
def test_a_release_that_goes_away_meanwhile_is_told_before_the_first_write(tmp_path: Path) -> None:
    with product(tmp_path, "argon", 4) as bench:
        bench.restart(awaiting(ARGON))
        bench.cloud._store.run("UPDATE firmware SET product_default = 0")
        bench.sleep(400.0)
        walk = bench.walk(bench.unit("argon", 1, "6.3.4"))
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.ERROR, "identify")
        assert walk.finished.sentence == "not_released"
        assert (walk.flash_writes, walk.cloud_writes) == (0, 0)


@pytest.mark.rule("D2")
def test_a_release_made_after_the_unit_was_looked_at_is_awaited_too(tmp_path: Path) -> None:
    with product(tmp_path, "boron", 4) as bench:
        bench.restart(awaiting(BORON))
        unit = bench.unit("boron", 1, "6.3.4")
        walk = bench.walk(unit, during=lambda: _release_when(bench, "firmware", 6))
        assert walk.verdict is Verdict.PASS, walk.finished
        assert runs(bench, unit, "boron") == 6


def _release_when(bench: LineBench, step: str, version: int) -> None:
    bench.wait_for(StepFinished, step=step)
    bench.cloud.release_firmware(PRODUCTS["boron"], version)


def test_a_unit_that_took_it_before_is_not_flashed_back(tmp_path: Path) -> None:
    with product(tmp_path, "argon", 5) as bench:
        bench.restart(awaiting(ARGON))
        unit = bench.unit("argon", 1, "6.3.4")
        assert bench.walk(unit).verdict is Verdict.PASS
        again = bench.walk(unit)
        assert again.verdict is Verdict.PASS, again.finished
        assert (again.flash_writes, again.outcomes["firmware"], again.outcomes["release"]) == (0, "already", "already")


@pytest.mark.rule("D3")
def test_a_unit_that_is_unplugged_meanwhile_is_asked_for_and_goes_on_when_it_is_back(tmp_path: Path) -> None:
    with product(tmp_path, "boron", 5) as bench:
        bench.restart(awaiting(BORON))
        unit = bench.unit("boron", 1, "6.3.4")

        def pull() -> None:
            bench.wait_for(StepProgress, step="release")
            bench.sleep(1.0)
            bench.unplug()
            bench.wait_for(StepHeld, step="release", sentence="unplugged_too_early", within=60)
            bench.plug(unit)

        walk = bench.walk(unit, during=pull)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert runs(bench, unit, "boron") == 5


@pytest.mark.rule("D3")
def test_a_unit_that_stays_away_never_passes(tmp_path: Path) -> None:
    with product(tmp_path, "boron", 5) as bench:
        bench.restart(awaiting(BORON))
        unit = bench.unit("boron", 1, "6.3.4")
        mark = bench.mark()
        bench.plug(unit)
        bench.wait_for(StepProgress, step="release")
        bench.unplug()
        finished = bench.wait_finished(since=mark, within=200)
        assert (finished.verdict, finished.sentence) == (Verdict.ERROR, "unplugged_too_early")
        bench.sleep(5.0)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished


def test_once_it_is_done_a_unit_that_leaves_is_unplugged_at_once(tmp_path: Path) -> None:
    with product(tmp_path, "argon", 5) as bench:
        bench.restart(awaiting(ARGON))
        mark = bench.mark()
        bench.plug(bench.unit("argon", 1, "6.3.4"))
        bench.wait_for(StepFinished, step="release", outcome=Outcome.DONE)
        bench.cloud.down_for(60.0)
        left = bench.clock.now()
        bench.unplug()
        finished = bench.wait_finished(since=mark)
        assert (finished.verdict, finished.sentence) == (Verdict.ABORTED, "unplugged_too_early")
        assert bench.clock.now() - left <= 2.0


@pytest.mark.rule("D4")
@pytest.mark.rule("D5")
def test_a_release_that_needs_a_newer_device_os_brings_it_along_and_that_is_reported(tmp_path: Path) -> None:
    recipe = replace(awaiting(ARGON), device_os="6.2.0", application=app("argon", 4, "6.2.0"), limits={"release": 3600})
    with line_bench(tmp_path) as bench:
        bench.cloud.create_firmware(PRODUCTS["argon"], 5, app("argon", 5, "6.3.4").data)
        bench.cloud.release_firmware(PRODUCTS["argon"], 5)
        bench.restart(recipe)
        unit = bench.unit("argon", 1, "6.2.0")
        walk = bench.walk(unit, within=4000)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert (unit.mode, runs(bench, unit, "argon")) in {(UnitMode.OFF, 5), (UnitMode.NORMAL, 5)}
        (told,) = [m for m in walk.steps["release"].measurements if m.name == "Device OS"]
        assert (told.value, told.wanted) == ("6.3.4", "6.2.0")


@pytest.mark.rule("D8")
def test_a_profile_that_marks_units_for_development_awaits_no_release() -> None:
    recipe = awaiting(ARGON)
    text = recipe.text().replace("[cloud]", "[cloud]\ndevelopment = true")
    with pytest.raises(BadInput, match="takes no released firmware"):
        parse_profile(text.encode(), "story.toml")


@pytest.mark.rule("D8")
def test_a_mark_set_meanwhile_ends_the_wait(tmp_path: Path) -> None:
    with product(tmp_path, "boron", 5) as bench:
        bench.restart(awaiting(BORON))
        unit = bench.unit("boron", 1, "6.3.4")

        def mark() -> None:
            bench.wait_for(StepProgress, step="release")
            bench.cloud.edit_device(unit.spec.device_id, development=1)

        walk = bench.walk(unit, during=mark)
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.FAIL, "release"), walk.finished


def test_a_cloud_that_is_away_for_a_while_only_costs_time(tmp_path: Path) -> None:
    with product(tmp_path, "argon", 5) as bench:
        bench.restart(awaiting(ARGON))
        unit = bench.unit("argon", 1, "6.3.4")

        def away() -> None:
            bench.wait_for(StepProgress, step="release")
            bench.cloud.down_for(120.0)

        walk = bench.walk(unit, during=away)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert runs(bench, unit, "argon") == 5


def test_a_unit_whose_sim_is_not_active_yet_takes_its_release_when_it_is_walked_again(tmp_path: Path) -> None:
    with product(tmp_path, "boron", 5) as bench:
        bench.restart(awaiting(BORON))
        unit = bench.unit("boron", 1, "6.3.4")
        assert unit.spec.iccid is not None
        bench.cloud.order_sim(unit.spec.iccid, polls=10_000)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PENDING, walk.finished
        assert walk.outcomes["release"] == "skipped"
        bench.cloud.edit_sim(unit.spec.iccid, status="active", changing=0, polls_left=0)
        bench.sleep(1200.0)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert runs(bench, unit, "boron") == 5
