"""A unit of any platform in a batch of another one is told by name, refused, and not touched. Rules C3 C5 C7."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import BORON, PRODUCTS, Recipe, line_bench
from support.showing import showing

from drivers.platforms import Platform, platforms
from drivers.virtual.boot import BootRequest
from station.errors import BadInput
from station.model import Verdict

ROWS = [row for row in platforms() if row.slug != "boron"]


@pytest.mark.rule("C3")
@pytest.mark.parametrize("arrives", [BootRequest.NORMAL, BootRequest.DFU])
@pytest.mark.parametrize("row", showing("bronze", ROWS))
def test_in_a_batch_of_borons(row: Platform, arrives: BootRequest, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.unit(row.slug, 1, None, arrives=arrives)
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.sentence) == (Verdict.FAIL, "wrong_platform")
        assert walk.finished.values == (row.name, "Boron")
        assert (walk.transfers, unit.score.flash_writes) == (0, 0)


@pytest.mark.shows("bronze", "boron")
def test_a_boron_in_a_batch_of_argons(tmp_path: Path) -> None:
    with line_bench(tmp_path, Recipe("argon")) as bench:
        walk = bench.walk(bench.unit("boron", 1, "6.3.4"))
        assert (walk.verdict, walk.finished.values) == (Verdict.FAIL, ("Boron", "Argon"))


PAIRS = [
    ("boron", "bsom"), ("bsom", "b5som"), ("photon", "p1"), ("argon", "boron"),  # C5 names these
    ("boron", "b5som"), ("esomx", "bsom"), ("tracker", "b5som"), ("xenon", "argon"), ("argon", "asom"),
]  # fmt: skip


@pytest.mark.rule("C5")
@pytest.mark.parametrize(("one", "other"), [*PAIRS, *((b, a) for a, b in PAIRS)])
def test_two_platforms_never_share_a_product(one: str, other: str, tmp_path: Path) -> None:
    """The desk refuses the profile of one with the product of the other, before there is any unit."""
    with line_bench(tmp_path, Recipe(one, device_os=None, wifi=False)) as bench:
        bench.stop()
        wrong = Recipe(one, device_os=None, wifi=False, product=PRODUCTS[other], revision=2)
        with pytest.raises(BadInput, match=f"product {PRODUCTS[other]} is for .* \\(C3\\)"):
            bench.restart(wrong)


@pytest.mark.rule("C7")
def test_an_e404x_is_no_e_series_unit_and_an_electron_product_refuses_it(tmp_path: Path) -> None:
    """Its SKU says E Series; its platform id, and with it everything else, does not."""
    wrong = Recipe("e404x", device_os=None, product=PRODUCTS["electron"])
    with line_bench(tmp_path, BORON) as bench:
        bench.stop()
        with pytest.raises(BadInput, match="is for Electron, the profile for E-SoM-X"):
            bench.restart(wrong)


@pytest.mark.rule("C7")
def test_an_e404x_in_a_batch_of_electrons_fails_by_its_own_name(tmp_path: Path) -> None:
    with line_bench(tmp_path, Recipe("electron", device_os=None)) as bench:
        walk = bench.walk(bench.unit("e404x", 1, "4.0.0"))
        assert (walk.verdict, walk.finished.values) == (Verdict.FAIL, ("E-SoM-X", "Electron"))
        assert walk.cloud_writes == 0
