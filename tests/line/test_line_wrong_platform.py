"""A unit of any platform among another one's is told by name, to be taken out, and not touched. Rules C3 C5 C7."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import BORON, PRODUCTS, Recipe, line_bench, replace
from support.showing import showing

from drivers.identity import SerialNumber
from drivers.platforms import Platform, platforms
from drivers.virtual.boot import BootRequest
from drivers.virtual.factory import make_spec
from station.cli.main import main
from station.errors import BadInput
from station.model import Verdict
from station.settings.sku import note_on

ROWS = [row for row in platforms() if row.slug != "boron"]


@pytest.mark.rule("C3")
@pytest.mark.parametrize("arrives", [BootRequest.NORMAL, BootRequest.DFU])
@pytest.mark.parametrize("row", showing("bronze", ROWS))
def test_in_a_batch_of_borons(row: Platform, arrives: BootRequest, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        asked = bench.unwanted(bench.unit(row.slug, 1, None, arrives=arrives))
        assert (asked.sentence, asked.values) == ("wrong_platform", (row.name, "Boron"))


@pytest.mark.shows("bronze", "boron")
def test_a_boron_in_a_batch_of_argons(tmp_path: Path) -> None:
    with line_bench(tmp_path, Recipe("argon")) as bench:
        assert bench.unwanted(bench.unit("boron", 1, "6.3.4")).values == ("Boron", "Argon")


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
def test_an_e404x_among_electrons_is_told_by_its_own_name(tmp_path: Path) -> None:
    with line_bench(tmp_path, Recipe("electron", device_os=None)) as bench:
        assert bench.unwanted(bench.unit("e404x", 1, "4.0.0")).values == ("E-SoM-X", "Electron")


# --- what may share a product ---------------------------------------------------------------------

SHARED = [
    ("tracker", "6.3.4", ("P031", "P025", "P024", "P032")),  # Tracker SoM and Tracker One, T4xx and T5xx
    ("electron", "3.3.1", ("E31K", "P005", "P029")),  # Electron and E Series
]


@pytest.mark.rule("C4")
@pytest.mark.parametrize(("slug", "device_os", "prefixes"), SHARED)
def test_skus_of_one_platform_share_a_product(
    slug: str, device_os: str, prefixes: tuple[str, ...], tmp_path: Path
) -> None:
    recipe = Recipe(slug, device_os=None, has_application=False)
    with line_bench(tmp_path, recipe) as bench:
        for number, prefix in enumerate(prefixes, 1):
            made = make_spec(slug, 7, number, device_os)
            serial = SerialNumber.parse(prefix + str(made.serial)[4:])
            unit = bench.unit(spec=replace(made, serial=serial))
            walk = bench.walk(unit)
            assert walk.verdict is Verdict.PASS, walk.finished
            assert (bench.cloud.device(unit.spec.device_id) or {})["product_id"] == PRODUCTS[slug]


@pytest.mark.rule("C6")
@pytest.mark.parametrize(
    ("skus", "is_said"),
    [
        (("MON404E01C01KIT", "ONE404MEA"), True), (("T524MEA", "MON524E01C01KIT"), True),
        (("ONE404MEA", "T404MEA"), False), (("MON404E01C01KIT",), False), ((), False), (("BRN404X", "B404XMEA"), False),
    ],
)  # fmt: skip
def test_monitor_one_and_tracker_one_together_are_allowed_with_a_word(skus: tuple[str, ...], is_said: bool) -> None:
    assert ("usually not practical (C6)" in note_on(skus)) is is_said


@pytest.mark.rule("C6")
def test_a_batch_of_both_says_so_once_and_walks_its_units(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    recipe = Recipe("tracker", device_os=None, has_application=False, skus=("MON404E01C01KIT", "ONE404MEA"))
    path = tmp_path / "both.toml"
    path.write_text(recipe.text(), encoding="utf-8")
    assert main(["batch", "open", "--profile", str(path), "--data-dir", str(tmp_path / "data"), "b-1"]) == 0
    assert capsys.readouterr().out.count("(C6)") == 1
    with line_bench(tmp_path, recipe) as bench:
        assert bench.walk(bench.unit("tracker", 1, "6.3.4")).verdict is Verdict.PASS
