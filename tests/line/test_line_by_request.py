"""A unit that cannot be had in DFU gets everything by control request, where its Device OS takes that."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import BORON, LineBench, Recipe, Walk, line_bench

from drivers.platforms import platform_by_slug
from drivers.virtual.unit import VirtualUnit
from drivers.wire.image.host import parse_image
from station.engine.events import HandsNeeded
from station.engine.records import WriteConfirmed
from station.model import Verdict

UPDATES = [
    ("photon", "1.4.4", "2.3.1"), ("photon", "2.3.1", "3.3.1"), ("p1", "1.5.2", "2.3.1"),
    ("electron", "1.4.4", "3.3.1"), ("xenon", "1.4.4", "1.5.2"), ("argon", "3.1.0", "6.3.4"),
    ("boron", "3.3.1", "6.3.4"), ("esomx", "4.2.0", "6.3.4"), ("asom", "3.3.1", "6.3.4"), ("bsom", "5.4.1", "6.3.4"),
    ("b5som", "5.9.0", "6.3.4"), ("tracker", "3.3.1", "6.3.4"), ("trackerm", "5.9.0", "6.3.4"),
    ("p2", "5.0.1", "6.3.4"), ("msom", "5.5.0", "6.3.4"), ("electron2", "6.3.4", "6.4.1"),
]  # fmt: skip
TELLS_HASHES = "6.3.4"
NEVER, DENIED = "do=no-dfu", "do=denied"


def press_reset(bench: LineBench, unit: VirtualUnit) -> None:
    """Do what a technician is asked for whose computer may not open a unit in DFU mode."""
    bench.wait_for(HandsNeeded, sentence="reset_by_hand")
    bench.sleep(3.0)
    with unit.condition:
        unit.restart()


def sent(walk: Walk) -> list[str]:
    """What was written to the unit, in order."""
    return [one.what for one in walk.events if isinstance(one, WriteConfirmed) and one.target == "unit"]


def asked(walk: Walk) -> list[str]:
    return [one.sentence for one in walk.of(HandsNeeded) if isinstance(one, HandsNeeded)]


@pytest.mark.rule("H3")
@pytest.mark.parametrize(("slug", "old", "new"), UPDATES)
def test_a_unit_that_never_comes_into_dfu_is_updated_by_request(slug: str, old: str, new: str, tmp_path: Path) -> None:
    recipe = Recipe(slug, device_os=new)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit(slug, 1, old, faults=(NEVER,))
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert asked(walk) == ["dfu_by_hand"], "its buttons were tried before"
        assert not [one for one in sent(walk) if one.endswith("over DFU")]
        assert "everything goes by control request: it does not come into DFU" in (
            walk.steps["dfu"].proof + walk.steps["dfu"].reason
        )
        for file in recipe.files():
            image = parse_image(file.data, file.name)
            held = unit.memory.internal.read(image.flash_address, len(image.flash_bytes))
            assert held == image.flash_bytes, file.name
        if new >= TELLS_HASHES and platform_by_slug(slug).family != "stm32":
            again = bench.walk(unit)
            assert (again.verdict, again.flash_writes, asked(again)) == (Verdict.PASS, 0, [])


NOT_BY_REQUEST = [
    ("photon", "0.5.5", "2.3.1", "takes no updates by control request"),  # firmware-and-dfu 5.2
    ("argon", "1.4.4", "6.3.4", "counts before"),  # an application in the place of 128 KiB stays in effect (2.3)
    ("electron", "1.0.1", "3.3.1", "to 1.2.1 first"),  # 4.4
]


@pytest.mark.rule("H3")
@pytest.mark.parametrize(("slug", "old", "new", "why"), NOT_BY_REQUEST)
def test_what_goes_into_dfu_only_waits_for_hands_and_is_no_verdict_about_the_unit(
    slug: str, old: str, new: str, why: str, tmp_path: Path
) -> None:
    with line_bench(tmp_path, Recipe(slug, device_os=new)) as bench:
        unit = bench.unit(slug, 1, old, faults=(NEVER,))
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.ERROR, walk.finished.reason
        assert asked(walk) == ["dfu_by_hand"]
        assert why in walk.finished.reason
        assert {one.partition("-")[2].rpartition("@")[0] for one in sent(walk)} <= {f"{slug}-bootloader"}


@pytest.mark.parametrize("slug", ["boron", "p2", "photon"])
def test_a_computer_that_may_not_open_dfu_asks_for_one_reset_and_for_none_with_the_next_unit(
    slug: str, tmp_path: Path
) -> None:
    old, new = ("1.5.2", "2.3.1") if slug == "photon" else ("5.8.0", "6.3.4")
    with line_bench(tmp_path, Recipe(slug, device_os=new)) as bench:
        first, second = (bench.unit(slug, number, old, faults=(DENIED,)) for number in (1, 2))
        walk = bench.walk(first, during=lambda: press_reset(bench, first))
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert asked(walk) == ["reset_by_hand"]
        told = walk.steps["dfu"].proof + walk.steps["dfu"].reason
        assert "may not open it in DFU mode" in told
        assert "station udev install" in told
        assert "restart into DFU" not in sent(walk), "it was asked for and never proved"
        next_one = bench.walk(second)
        assert (next_one.verdict, asked(next_one)) == (Verdict.PASS, []), next_one.finished.reason


def test_a_computer_that_may_open_dfu_again_uses_it_with_the_next_start(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        first, second = bench.unit(number=1, faults=(DENIED,)), bench.unit(number=2)
        assert bench.walk(first, during=lambda: press_reset(bench, first)).verdict is Verdict.PASS
        bench.restart()
        walk = bench.walk(second)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert [one for one in sent(walk) if one.endswith("over DFU")]


def test_without_permission_and_without_requests_the_station_says_what_mends_it(tmp_path: Path) -> None:
    with line_bench(tmp_path, Recipe("photon", device_os=None, keeps="0.7.0", wifi=False)) as bench:
        walk = bench.walk(bench.unit("photon", 1, "0.7.0", faults=(DENIED,)))
        assert (walk.verdict, walk.finished.sentence) == (Verdict.ERROR, "no_permission")
        assert "station udev install" in walk.finished.reason
        assert walk.flash_writes == 0


@pytest.mark.parametrize("fault", ["at=request:253:100,do=powercut,for=3", "at=flash:700,do=torn,for=3"])
@pytest.mark.parametrize("slug", ["boron", "p2"])
def test_power_lost_while_everything_goes_by_request_is_made_good_by_the_next_walk(
    slug: str, fault: str, tmp_path: Path
) -> None:
    with line_bench(tmp_path, Recipe(slug, device_os="6.3.4")) as bench:
        unit = bench.unit(slug, 1, "5.8.0", faults=(NEVER, fault))
        verdicts = [bench.walk(unit).verdict for _ in range(2)]
        assert verdicts[-1] is Verdict.PASS
        assert Verdict.FAIL not in verdicts
