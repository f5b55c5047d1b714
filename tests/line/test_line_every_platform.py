"""Every platform of the table goes the whole way, from its box to PASS and past the station a second time."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import PRODUCTS, Recipe, line_bench
from support.showing import showing

from drivers.platforms import OsVersion, Platform, platforms
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.flash import Who
from station.model import Outcome, Verdict

NEWEST = "6.3.4"
ROWS = [row for row in platforms() if NEWEST in synthetic.versions(row.id)]

each_platform = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.slug)
BOXED = [(row.slug, old) for row in ROWS for old in ("3.3.1", "5.8.0", NEWEST) if old in synthetic.versions(row.id)]


@pytest.mark.parametrize(("slug", "device_os"), showing("silver", BOXED, lambda case: case[0]))
def test_a_unit_goes_from_its_box_to_pass_and_has_nothing_left_to_do(slug: str, device_os: str, tmp_path: Path) -> None:
    recipe = Recipe(slug)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit(slug, 1, device_os)
        first = bench.walk(unit)
        assert first.verdict is Verdict.PASS, first.finished
        assert unit.report is not None
        assert unit.report.system_version == NEWEST
        assert unit.score.forbidden == []
        again = bench.walk(unit)
        assert (again.verdict, again.flash_writes) == (Verdict.PASS, 0)
        assert again.with_outcome(Outcome.FAILED) == set()


@each_platform
def test_a_unit_found_in_dfu_is_repaired_and_passes(row: Platform, tmp_path: Path) -> None:
    recipe = Recipe(row.slug)
    with line_bench(tmp_path, recipe) as bench:
        walk = bench.walk(bench.unit(row.slug, 2, synthetic.versions(row.id)[0], arrives=BootRequest.DFU))
        assert walk.verdict is Verdict.PASS, walk.finished


OLD_ONES = [row for row in platforms() if row.family == "nrf" and row not in ROWS]


@pytest.mark.parametrize("row", showing("silver", OLD_ONES))
def test_a_unit_no_newer_device_os_was_made_for_is_walked_to_the_last_one(row: Platform, tmp_path: Path) -> None:
    made = [one for one in synthetic.versions(row.id) if row.knows_request(20, OsVersion.parse(one))]
    number = PRODUCTS[row.slug]  # before 1.5 an application has to name its product (D7)
    application = synthetic.application(row.id, made[-1], seed="story", product_id=number, product_version=1)
    recipe = Recipe(row.slug, device_os=made[-1], application=application)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit(row.slug, 1, made[0])
        first = bench.walk(unit)
        assert first.verdict is Verdict.PASS, first.finished
        assert unit.report is not None
        assert (unit.report.system_version, unit.score.forbidden) == (made[-1], [])
        again = bench.walk(unit)
        assert (again.verdict, again.flash_writes) == (Verdict.PASS, 0)


AS_THEY_COME = [
    (row, device_os)
    for row in platforms()
    for device_os in dict.fromkeys((synthetic.versions(row.id)[0], "5.8.0", "6.2.0", NEWEST))
    if row.family == "rtl" and row.slug != "sulu"  # of that nothing but a name is known
]


@pytest.mark.rule("H5")
@pytest.mark.parametrize(("row", "device_os"), showing("silver", AS_THEY_COME, lambda case: case[0].slug))
def test_a_unit_keeps_its_device_os_and_gets_its_application(row: Platform, device_os: str, tmp_path: Path) -> None:
    """Wi-Fi where the platform has it, its SIM where it has a modem; a second walk finds nothing to do."""
    application = synthetic.application(row.id, device_os, seed="story", size=20_000)
    recipe = Recipe(row.slug, device_os=None, application=application, online=True)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit(row.slug, 1, device_os)
        first = bench.walk(unit)
        assert first.verdict is Verdict.PASS, first.finished
        assert first.outcomes.get("wifi", "skipped") == ("done" if row.sets_wifi_in_listening_mode else "skipped")
        assert (first.outcomes.get("sim") in ("already", "done")) == row.has_cellular
        assert unit.report is not None
        assert (unit.report.system_version, unit.score.forbidden) == (device_os, [])
        assert set(unit.score.writes_by_region()) <= {"user-part", "network-store"}
        again = bench.walk(unit)
        assert (again.verdict, again.flash_writes) == (Verdict.PASS, 0)
        assert again.with_outcome(Outcome.FAILED) == set()


def test_a_unit_in_dfu_is_let_run_where_only_that_says_whether_the_files_fit(tmp_path: Path) -> None:
    """The system part of a Tracker wants NCP firmware that the release leaves out and DFU does not show."""
    with line_bench(tmp_path, Recipe("tracker", device_os="4.2.0")) as bench:
        walk = bench.walk(bench.unit("tracker", 1, "3.3.1", arrives=BootRequest.DFU))
        assert walk.verdict is Verdict.PASS, walk.finished


@pytest.mark.parametrize("ncp", [True, False], ids=["with NCP firmware it needs", "with older NCP firmware"])
def test_a_unit_that_does_not_start_is_repaired_before_what_dfu_hides_is_judged(ncp: bool, tmp_path: Path) -> None:
    with line_bench(tmp_path, Recipe("tracker", device_os="4.2.0")) as bench:
        unit = bench.unit("tracker", 1, "3.3.1", arrives=BootRequest.DFU)
        unit.memory.internal.erase_page(0x30000, Who.FACTORY)
        if not ncp:
            assert unit.memory.ncp is not None
            unit.memory.ncp.place(0, synthetic.ncp_firmware(26, 5).data)
        walk = bench.walk(unit)
        assert walk.verdict is (Verdict.PASS if ncp else Verdict.FAIL), walk.finished
        assert walk.finished.sentence == ("pass" if ncp else "dependency_missing")


def test_what_the_journal_knows_of_a_unit_found_in_dfu_is_read_again_when_it_runs(tmp_path: Path) -> None:
    """Before 5.8.0 only the console tells the IMEI: a number that is remembered proves nothing about this unit."""
    recipe = Recipe("boron", device_os="4.1.0")
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe, 1)
        assert bench.walk(unit).verdict is Verdict.PASS
        unit.memory.internal.erase_page(0x30000, Who.FACTORY)  # it comes up in DFU
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
