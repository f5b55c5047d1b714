"""A unit that arrives in DFU mode shows no versions, serial number or label: what is refused all the same."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from line_bench import BORON, BootRequest, Recipe, line_bench, replace

from drivers.platforms import platform_by_slug
from drivers.virtual import synthetic
from drivers.virtual.unit import UnitMode
from station.engine.events import HandsNeeded, StepStarted
from station.model import Verdict

LEFT_ALONE = replace(BORON, device_os=None, has_application=False, label=True)
BORON_ID = 13


def torn(version: str) -> tuple[bytes, ...]:
    """The modules of a release whose system part lost its last page."""
    bootloader, softdevice, system = (file.data for file in synthetic.release(BORON_ID, version))
    return bootloader, softdevice, system[:-4096] + bytes(4096)


@pytest.mark.rule("H4")
def test_a_newer_device_os_in_the_flash_of_a_unit_in_dfu_is_not_taken_back(tmp_path: Path) -> None:
    recipe = replace(BORON, device_os="5.8.0")
    with line_bench(tmp_path, recipe) as bench:
        walk = bench.walk(bench.unit(device_os="6.3.4", arrives=BootRequest.DFU))
        assert (walk.verdict, walk.finished.sentence) == (Verdict.FAIL, "downgrade_refused")
        assert "6.3.4" in walk.finished.reason
        assert (walk.flash_writes, walk.cloud_writes) == (0, 0)


@pytest.mark.rule("H4")
def test_a_torn_newer_device_os_is_nothing_to_keep(tmp_path: Path) -> None:
    recipe = replace(BORON, device_os="5.8.0")
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit(device_os="5.8.0", modules=torn("6.3.4"), arrives=BootRequest.DFU)
        walk = bench.walk(unit)
        assert "device_os" in walk.steps, walk.finished.reason
        assert walk.steps["device_os"].outcome.value == "done", walk.finished.reason
        assert walk.steps["device_os"].proof.startswith("DFU read-back equal")


@pytest.mark.rule("H4")
def test_with_the_profiles_consent_a_unit_in_dfu_goes_back(tmp_path: Path) -> None:
    recipe = replace(BORON, device_os="5.8.0", allow_downgrade=True)
    with line_bench(tmp_path, recipe) as bench:
        walk = bench.walk(bench.unit(device_os="6.3.4", arrives=BootRequest.DFU))
        assert walk.verdict is Verdict.PASS, walk.finished.reason


@pytest.mark.rule("D9")
def test_the_highest_minimum_of_its_platform_holds_for_a_unit_in_dfu_nobody_knows(tmp_path: Path) -> None:
    recipe = replace(BORON, device_os="3.3.1", allow_downgrade=True)
    with line_bench(tmp_path, recipe) as bench:
        walk = bench.walk(bench.unit(device_os="6.3.4", arrives=BootRequest.DFU))
        assert walk.verdict is Verdict.FAIL
        assert "D9" in walk.finished.reason
        assert walk.flash_writes == 0


@pytest.mark.rule("H9")
def test_a_unit_in_dfu_is_started_and_read_like_any_other_when_there_is_no_firmware_to_write(tmp_path: Path) -> None:
    with line_bench(tmp_path, LEFT_ALONE) as bench:
        unit = bench.unit(device_os="6.3.4", arrives=BootRequest.DFU)

        def scan() -> None:
            asked = bench.wait_for(HandsNeeded, sentence="scan_label")
            assert not [e for _, e in bench.events if isinstance(e, StepStarted) and e.step == "product_add"]
            assert bench.cloud_writes == 0
            bench.scan_when_asked(unit.label, since=bench.place_of(asked))

        walk = bench.walk(unit, during=scan)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert unit.mode is not UnitMode.DFU
        assert walk.flash_writes == 0


@pytest.mark.parametrize("platform", ["boron", "p2"])
def test_a_unit_in_dfu_is_started_first_when_only_its_application_is_to_be_written(
    platform: str, tmp_path: Path
) -> None:
    """The Device OS that application needs is on the unit, and a unit in DFU does not say so."""
    number = platform_by_slug(platform).id
    application = synthetic.application(number, "6.3.4", seed="story")
    with line_bench(tmp_path, Recipe(platform, device_os=None, application=application)) as bench:
        walk = bench.walk(bench.unit(platform, device_os="6.3.4", arrives=BootRequest.DFU))
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert walk.outcomes["firmware"] == "done"


@pytest.mark.rule("A10")
def test_a_sim_that_was_swapped_since_the_last_visit_does_not_fail_a_unit_in_dfu(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        assert bench.walk(bench.finished_unit(BORON)).verdict is Verdict.PASS
        known = bench.finished_unit(BORON, arrives=BootRequest.DFU).spec
        walk = bench.walk(bench.unit(spec=dataclasses.replace(known, iccid=bench.stranger().iccid)))
        assert walk.finished.sentence != "wrong_label", walk.finished.reason
        assert walk.verdict is not Verdict.FAIL
