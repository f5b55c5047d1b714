"""Units that do not belong here: told before the first write, with one sentence that says why.

Of another platform than any open batch makes: to be taken out. Of another SKU, product or label: FAIL.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from line_bench import ARGON, BORON, DEVELOPER, OTHER_PRODUCT, PRODUCTS, LineBench, Recipe, Walk, line_bench, replace

from drivers.identity import DeviceId, SerialNumber
from drivers.platforms import ModuleFunction
from drivers.virtual.boot import BootRequest
from drivers.virtual.factory import make_spec
from drivers.virtual.header import Dependency
from drivers.virtual.synthetic import SyntheticFile, make_module
from drivers.virtual.unit import VirtualUnit
from station.cloud.virtual import Fault, FaultKind
from station.engine.commands import Scan
from station.engine.events import HandsNeeded, ScanRead, WireTraced
from station.model import Verdict

LABELLED = replace(BORON, label=True)


def check_failed(walk: Walk, sentence: str, *words: str) -> None:
    assert walk.verdict is Verdict.FAIL, walk.finished
    assert walk.finished.sentence == sentence
    for word in words:
        assert word in walk.finished.reason
    assert "\n" not in walk.finished.reason
    assert (walk.flash_writes, walk.cloud_writes) == (0, 0)


def walk_scanning(bench: LineBench, unit: VirtualUnit, *labels: str) -> Walk:
    mark = bench.mark()

    def scan() -> None:
        bench.wait_for(HandsNeeded, since=mark, sentence="scan_label")
        for label in labels:
            bench.command(Scan(label))
            bench.sleep(5.0)

    return bench.walk(unit, during=scan)


@pytest.mark.rule("C3")
@pytest.mark.rule("C5")
def test_an_argon_in_a_boron_batch_is_taken_out_before_any_transfer(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        asked = bench.unwanted(bench.unit("argon"))
        assert (asked.sentence, asked.values) == ("wrong_platform", ("Argon", "Boron"))
        bench.unplug()
        bench.sleep(1.0)
        assert bench.walk(bench.finished_unit(BORON, 2)).verdict is Verdict.PASS


def test_a_platform_of_no_open_batch_is_named(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, Recipe("bsom")) as bench:
        asked = bench.unwanted(bench.unit("argon"))
        assert (asked.sentence, asked.values) == ("no_profile", ("Argon",))


@pytest.mark.rule("C3")
def test_a_product_of_another_platform_fails_before_any_write(tmp_path: Path) -> None:
    """The profile says Argon, the cloud says, since the batch was opened, that its product is for Borons: no POST."""
    with line_bench(tmp_path, ARGON) as bench:
        number = PRODUCTS["argon"]
        told = {"product": {"id": number, "platform_id": 13, "name": "x", "slug": "argon-product"}}
        bench.cloud.order(Fault(FaultKind.LIE, "GET /v1/products/:p", times=None, body=told))
        check_failed(bench.walk(bench.unit("argon")), "wrong_product", str(number), "Argon")


@pytest.mark.parametrize("arrives", [BootRequest.NORMAL, BootRequest.DFU])
def test_a_member_of_another_product_is_not_moved_nor_written_to(arrives: BootRequest, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.unit(arrives=arrives)
        bench.cloud.edit_device(unit.spec.device_id, product_id=OTHER_PRODUCT)
        walk = bench.walk(unit)
        check_failed(walk, "already_elsewhere", str(OTHER_PRODUCT), str(PRODUCTS["boron"]))
        assert walk.finished.failed_step == "identify"


@pytest.mark.rule("A5")
def test_the_label_of_another_unit_fails_before_any_write(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        unit = bench.unit(faults=("do=wrong-label",))
        walk = walk_scanning(bench, unit, unit.label, unit.label)
        check_failed(walk, "wrong_label", str(unit.spec.serial), "label", "twice")
        assert unit.label.split()[0] in walk.finished.reason


@pytest.mark.rule("A5")
def test_a_serial_number_the_cloud_knows_otherwise_fails_before_any_write(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.unit()
        bench.cloud.edit_device(unit.spec.device_id, serial_number="P044AB0000000", product_id=PRODUCTS["boron"])
        check_failed(bench.walk(unit), "record_differs", "P044AB0000000", str(unit.spec.serial))


@pytest.mark.rule("A5")
def test_a_record_the_cloud_shows_only_after_the_claim_is_compared_too(tmp_path: Path) -> None:
    with line_bench(tmp_path, DEVELOPER) as bench:
        unit = bench.finished_unit(DEVELOPER)
        bench.cloud.edit_device(unit.spec.device_id, serial_number="P044AB0000000")
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.sentence, walk.finished.failed_step) == (
            Verdict.FAIL,
            "record_differs",
            "claim",
        )


@pytest.mark.rule("A5")
def test_a_label_with_nothing_to_compare_it_with_on_the_unit_is_no_agreement(tmp_path: Path) -> None:
    """A SIM card's number scanned for a unit that has no SIM: no word about the unit either."""
    recipe = replace(ARGON, label=True)
    with line_bench(tmp_path, recipe) as bench:
        unit, card = bench.unit("argon"), str(bench.stranger().iccid)
        walk = walk_scanning(bench, unit, card, card, card)
        assert (walk.verdict, walk.finished.sentence) == (Verdict.ERROR, "label_not_scanned")
        assert f"{card}: SIM number" in walk.finished.reason
        assert (walk.flash_writes, walk.cloud_writes) == (0, 0)


def test_a_unit_of_another_sku_fails(tmp_path: Path) -> None:
    recipe = replace(BORON, skus=("BRN402",))
    with line_bench(tmp_path, recipe) as bench:
        walk = bench.walk(bench.unit())
        check_failed(walk, "wrong_sku", "BRN404X", "BRN402")
        assert walk.finished.values == ("BRN404X", "BRN402")


@pytest.mark.parametrize("text", ["hello", "P04", "https://example.com/x", "8" * 40])
def test_a_label_of_unknown_form_is_told_and_asked_for_again(text: str, tmp_path: Path) -> None:
    """It never reaches the unit's step: the operator scans again, and the right label passes."""
    with line_bench(tmp_path, LABELLED) as bench:
        unit = bench.finished_unit(LABELLED)
        walk = walk_scanning(bench, unit, text, unit.label)
        assert walk.verdict is Verdict.PASS, walk.finished
        refused = [event for _, event in bench.events if isinstance(event, ScanRead) and not event.accepted]
        assert len(refused) == 1
        assert refused[0].reason


def test_no_label_at_all_is_no_verdict_on_the_unit(tmp_path: Path) -> None:
    with line_bench(tmp_path, LABELLED) as bench:
        walk = bench.walk(bench.unit())
        assert walk.verdict is Verdict.ERROR
        assert walk.finished.sentence == "label_not_scanned"
        assert (walk.flash_writes, walk.cloud_writes) == (0, 0)


@pytest.mark.parametrize("serial", ["p044ab\u00e9\u0000x", "=cmd|' /C calc'!A0", "X" * 60, "1"])
def test_a_unit_whose_serial_number_has_no_known_form_fails_before_any_write(serial: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        fresh = make_spec("boron", 7, 1, "3.3.1")
        strange = object.__new__(SerialNumber)  # what a unit says of itself obeys nobody's grammar
        object.__setattr__(strange, "value", serial)
        unit = bench.unit(spec=dataclasses.replace(fresh, serial=strange), is_known=False)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.FAIL, walk.finished
        assert walk.finished.sentence == "strange_identity"
        assert "\x00" not in walk.finished.reason
        assert (walk.flash_writes, walk.cloud_writes) == (0, 0)


def test_a_mobile_secret_told_in_place_of_a_serial_number_is_not_repeated(tmp_path: Path) -> None:
    """The bench itself looks through events and journal for it when the story ends."""
    with line_bench(tmp_path, BORON) as bench:
        fresh = make_spec("boron", 7, 1, "3.3.1")
        strange = object.__new__(SerialNumber)
        object.__setattr__(strange, "value", f"{fresh.serial} {fresh.mobile_secret.reveal()}")
        walk = bench.walk(bench.unit(spec=dataclasses.replace(fresh, serial=strange), is_known=False))
        check_failed(walk, "strange_identity", "31 characters")


def test_a_unit_the_cloud_never_heard_of_fails_without_flash_being_judged(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON)
        unknown = dataclasses.replace(unit.spec, device_id=DeviceId.parse("e00fce68000000000000dead"))
        walk = bench.walk(bench.unit(spec=unknown, is_known=False))
        assert walk.verdict is Verdict.FAIL
        assert walk.finished.failed_step == "product_add"
        assert walk.flash_writes == 0


@pytest.mark.parametrize("arrives", [BootRequest.NORMAL, BootRequest.DFU])
@pytest.mark.parametrize("device_os", ["6.3.4", "6.1.1"])
def test_a_protected_unit_is_told_from_a_bad_one_before_anything_else(
    device_os: str, arrives: BootRequest, tmp_path: Path
) -> None:
    recipe = replace(BORON, device_os=device_os)
    with line_bench(tmp_path, recipe) as bench:
        walk = bench.walk(bench.finished_unit(recipe, is_protected=True, arrives=arrives))
        check_failed(walk, "protected", "protected device", "owner")


@pytest.mark.parametrize("arrives", [BootRequest.NORMAL, BootRequest.DFU])
def test_an_application_whose_assets_the_unit_does_not_hold_is_refused_before_any_write(
    arrives: BootRequest, tmp_path: Path
) -> None:
    """Written without them it would leave the unit in safe mode."""
    wants = (Dependency(ModuleFunction.SYSTEM_PART, 1, 6305), None)
    data = make_module(13, (5, 2), 6, 0xB4000, b"an application".ljust(4000), wants, assets={"hello\x1b.txt": b"hello"})
    recipe = replace(BORON, application=SyntheticFile("synthetic-boron-bundled.bin", data))
    with line_bench(tmp_path, recipe) as bench:
        check_failed(
            bench.walk(bench.unit(arrives=arrives)), "firmware_refused", "hello?.txt", "name the bundle (.zip)"
        )


@pytest.mark.rule("A13")
def test_an_argon_without_a_mac_address_fails(tmp_path: Path) -> None:
    recipe = replace(ARGON, wifi=True)
    with line_bench(tmp_path, recipe) as bench:
        spec = dataclasses.replace(make_spec("argon", 7, 1, "6.3.4"), mac=None)
        check_failed(bench.walk(bench.unit(spec=spec)), "identity_missing", "MAC")


def test_a_failed_unit_shouts_with_its_light(tmp_path: Path) -> None:
    """Design 5.8: on FAIL the unit's own LED shouts; a rainbow is no write."""
    recipe = Recipe("boron", product=OTHER_PRODUCT)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(BORON)
        bench.cloud.edit_device(unit.spec.device_id, product_id=PRODUCTS["boron"])
        mark = bench.mark()
        bench.plug(unit)
        assert bench.wait_finished(since=mark).verdict is Verdict.FAIL
        bench.wait(lambda event: isinstance(event, WireTraced) and "request 230" in event.line, since=mark)
