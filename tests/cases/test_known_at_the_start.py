"""Owned, marked or quarantined units failed after four minutes of flashing: told before the first write."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import ARGON, BORON, ME, PRODUCTS, Recipe, line_bench, replace

from station.cloud.virtual.faults import Fault, FaultKind
from station.model import Verdict

MEMBER = "GET /v1/products/:p/devices/:id"
CLAIMED = replace(BORON, claim=True)


@pytest.mark.parametrize(
    ("recipe", "columns", "sentence", "word"),
    [
        (BORON, {"quarantined": 1, "denied": 1}, "quarantined", "station rework approve"),
        (BORON, {"owner": "colleague@example.com"}, "owner_other", "owner is c***@example.com"),
        (BORON, {"owner": ME}, "owner_other", "expected empty"),
        (BORON, {"owner": ME}, "owner_other", "station rework unclaim"),
        (BORON, {"development": 1}, "marked", "development mark"),
        (CLAIMED, {"owner": "colleague@example.com"}, "owner_other", "expected l***@example.com"),
        (ARGON, {"development": 1}, "marked", "station rework unmark"),
    ],
    ids=["denied", "owned", "still ours", "told how", "marked", "claimed by another", "marked, holding bench"],
)
def test_what_no_step_mends_is_told_before_the_first_write(
    recipe: Recipe, columns: dict[str, object], sentence: str, word: str, tmp_path: Path
) -> None:
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit(recipe.platform, 1)
        bench.cloud.edit_device(unit.spec.device_id, product_id=PRODUCTS[recipe.platform], **columns)
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.failed_step, walk.finished.sentence) == (Verdict.FAIL, "identify", sentence)
        assert word in walk.finished.reason
        assert "colleague" not in walk.finished.reason
        assert (walk.flash_writes, walk.cloud_writes) == (0, 0)


@pytest.mark.rule("J2")
def test_a_unit_that_waits_in_quarantine_is_approved_before_the_first_write(tmp_path: Path) -> None:
    """It is what happens to a unit nobody added before it went online; the walk adds every unit to its product."""
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.unit("boron", 1)
        bench.cloud.edit_device(unit.spec.device_id, product_id=PRODUCTS["boron"], quarantined=1)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert "approved: the cloud shows it in product" in walk.steps["identify"].proof
        assert not (bench.cloud.device(unit.spec.device_id) or {})["quarantined"]
        assert bench.cloud.effects["POST /v1/products/:p/devices"] == 1


def test_an_unclaimed_member_that_is_to_be_claimed_is_no_trouble(tmp_path: Path) -> None:
    with line_bench(tmp_path, CLAIMED) as bench:
        unit = bench.finished_unit(CLAIMED, 1)
        bench.cloud.edit_device(unit.spec.device_id, product_id=PRODUCTS["boron"])
        assert bench.walk(unit).verdict is Verdict.PASS


def test_a_mark_of_a_moment_ago_judges_nobody(tmp_path: Path) -> None:
    """A person clears the mark just now, and the first looks still show it."""
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON, 1)
        bench.cloud.edit_device(unit.spec.device_id, product_id=PRODUCTS["boron"])
        stale = {"id": unit.device_id, "product_id": PRODUCTS["boron"], "platform_id": 13, "development": True}
        bench.cloud.order(Fault(FaultKind.STATUS, MEMBER, status=200, body=stale, times=4))
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason


@pytest.mark.rule("A5")
@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"imei": "357520000000000"}, "IMEI 357520000000000"),
        ({"platform_id": 12}, "platform 12"),
        ({"serial_number": "P044AB0000000"}, "serial number P044AB0000000"),
    ],
    ids=["IMEI", "platform", "serial number"],
)
def test_a_record_of_another_unit_is_told_before_the_first_write(
    columns: dict[str, object], words: str, tmp_path: Path
) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.unit("boron", 1)
        bench.cloud.edit_device(unit.spec.device_id, product_id=PRODUCTS["boron"], **columns)
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.failed_step, walk.finished.sentence) == (
            Verdict.FAIL, "identify", "record_differs",
        )  # fmt: skip
        assert words in walk.finished.reason
        assert (walk.flash_writes, walk.cloud_writes) == (0, 0)
