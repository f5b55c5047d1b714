"""A supervisor's list lets a bench mend what the cloud shows: exactly those units, those cures, before any write."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import ARGON, BORON, ME, PRODUCTS, LineBench, Recipe, line_bench, replace

from drivers.virtual.unit import VirtualUnit
from station.cloud.virtual.faults import Fault, FaultKind
from station.engine.events import VerdictRevised
from station.model import Verdict
from station.steps.shared.allowed import Cure, parse_allowed
from station.steps.shared.cures import CURE_SCOPES

OWNER = "DELETE /v1/products/:p/devices/:id/owner"
ADD = "POST /v1/products/:p/devices"
CLAIM = "POST /v1/devices"
SOMEBODY = "somebody@example.com"
CLAIMED = replace(BORON, claim=True)


def allow(bench: LineBench, recipe: Recipe, *lines: str) -> None:
    """Start the station again with a list of 0042 for the recipe's batch."""
    text = "\n".join(["by 0042", f"batch {recipe.batch}", *lines])
    bench.stop()
    bench.lists = {recipe.batch: parse_allowed(text.encode(), "list.txt")}
    bench.start(recipe)


def member(bench: LineBench, recipe: Recipe, **columns: object) -> VirtualUnit:
    """A unit fresh from its factory, in the product already, with a past in the cloud."""
    unit = bench.unit(recipe.platform)
    for account in {str(columns.get("owner") or ME)}:
        bench.cloud.create_user(account)
    bench.cloud.edit_device(unit.spec.device_id, product_id=PRODUCTS[recipe.platform], **columns)
    return unit


def test_every_cure_names_the_right_it_needs() -> None:
    assert set(CURE_SCOPES) == set(Cure)


def shown(bench: LineBench, unit: VirtualUnit) -> dict[str, object]:
    return bench.cloud.device(unit.spec.device_id) or {}


def is_first_write(bench: LineBench, what: str) -> bool:
    """Whether ``what`` was announced in the journal before any write to the unit."""
    with bench.reader() as journal:
        rows = [row.values() for row in journal.entries() if row.kind == "WriteIntended"]
    cure = next(n for n, row in enumerate(rows) if row["what"].startswith(what))
    return [row for row in rows[:cure] if row["target"] == "unit"] == []


@pytest.mark.rule("E11")
@pytest.mark.rule("I8")
@pytest.mark.parametrize("by_serial", [False, True], ids=["by Device ID", "by serial number"])
@pytest.mark.parametrize("recipe", [BORON, CLAIMED], ids=["left unclaimed", "claimed"])
def test_a_foreign_owner_is_taken_off_a_listed_unit_before_the_first_write(
    recipe: Recipe, by_serial: bool, tmp_path: Path
) -> None:
    with line_bench(tmp_path, recipe) as bench:
        unit = member(bench, recipe, owner=SOMEBODY)
        allow(bench, recipe, f"{unit.spec.serial if by_serial else unit.device_id.upper()} unclaim")
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert shown(bench, unit).get("owner") == (ME if recipe.claim else None)
        assert bench.cloud.effects.get(OWNER) == 1
        assert bench.cloud.effects.get(CLAIM, 0) == int(recipe.claim)
        proof = walk.steps["identify"].proof
        assert "unclaimed: the cloud shows no owner, it was s***@example.com (as 0042 allows)" in proof
        assert is_first_write(bench, "unclaim")


@pytest.mark.rule("I8")
@pytest.mark.parametrize(
    "line", ["e00fce68ffffffffffffffff unclaim", "{unit} approve, unmark", "{unit}"],
    ids=["another unit", "another cure", "no list"],
)  # fmt: skip
def test_what_the_list_does_not_allow_is_not_done(line: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = member(bench, BORON, owner=SOMEBODY)
        if line != "{unit}":
            allow(bench, BORON, line.replace("{unit}", unit.device_id))
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.sentence, walk.flash_writes) == (Verdict.FAIL, "owner_other", 0)
        assert f"station rework unclaim {unit.device_id} --product {PRODUCTS['boron']}" in walk.finished.reason
        assert shown(bench, unit)["owner"] == SOMEBODY
        assert walk.cloud_writes == 0


@pytest.mark.rule("J2")
@pytest.mark.rule("J3")
def test_a_denied_unit_is_approved_only_if_it_is_listed(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = member(bench, BORON, quarantined=1, denied=1)
        refused = bench.walk(unit)
        assert (refused.verdict, refused.finished.sentence, refused.flash_writes) == (Verdict.FAIL, "quarantined", 0)
        allow(bench, BORON, f"{unit.device_id} approve")
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert (shown(bench, unit)["quarantined"], shown(bench, unit)["denied"]) == (False, False)
        assert "approved" in walk.steps["identify"].proof
        assert is_first_write(bench, "approve")


def test_a_foreign_owner_is_taken_off_before_the_approval_that_it_is_in_the_way_of(tmp_path: Path) -> None:
    with line_bench(tmp_path, CLAIMED) as bench:
        unit = member(bench, CLAIMED, quarantined=1, owner=SOMEBODY)
        allow(bench, CLAIMED, f"{unit.device_id} approve unclaim")
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        order = [one.route for one in bench.cloud.requests() if one.had_effect]
        assert order.index(OWNER) < order.index(ADD) < order.index(CLAIM)


@pytest.mark.rule("D8")
@pytest.mark.parametrize("recipe", [BORON, ARGON], ids=["boron", "argon"])
def test_a_leftover_development_mark_is_taken_off_a_listed_unit(recipe: Recipe, tmp_path: Path) -> None:
    with line_bench(tmp_path, recipe) as bench:
        unit = member(bench, recipe, development=1)
        allow(bench, recipe, f"{unit.device_id} unmark")
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert shown(bench, unit)["development"] is False
        assert is_first_write(bench, "development mark")


@pytest.mark.parametrize("harm", [FaultKind.DROP_AFTER, FaultKind.DROP_BEFORE, FaultKind.STATUS])
def test_a_cure_whose_answer_is_lost_is_looked_up_before_it_is_repeated(harm: FaultKind, tmp_path: Path) -> None:
    with line_bench(tmp_path, CLAIMED) as bench:
        unit = member(bench, CLAIMED, owner=SOMEBODY)
        allow(bench, CLAIMED, f"{unit.device_id} unclaim")
        bench.cloud.order(Fault(harm, OWNER, status=503, times=1))
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert bench.cloud.effects[OWNER] == 1
        assert bench.cloud.writes[OWNER] == (1 if harm is FaultKind.DROP_AFTER else 2)


def test_a_cure_the_cloud_only_says_it_did_never_passes_and_judges_no_unit(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = member(bench, BORON, owner=SOMEBODY)
        allow(bench, BORON, f"{unit.device_id} unclaim")
        bench.cloud.order(Fault(FaultKind.LIE, OWNER, times=None))
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.failed_step, walk.flash_writes) == (Verdict.ERROR, "identify", 0)
        assert "still shows an owner" in walk.finished.reason


def test_owed_work_mends_what_the_cloud_could_not_show_at_the_bench(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = member(bench, BORON, owner=SOMEBODY, quarantined=1)
        bench.walk(bench.finished_unit(BORON, 2))  # the station knows its product
        allow(bench, BORON, f"{unit.device_id} unclaim, approve")
        bench.cloud.down_for(400.0)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PENDING
        revised = bench.wait_for(VerdictRevised, attempt=walk.finished.attempt, within=4000)
        assert isinstance(revised, VerdictRevised)
        assert revised.verdict is Verdict.PASS, revised.reason
        assert "owner" not in shown(bench, unit)
        assert shown(bench, unit)["quarantined"] is False


def test_the_journal_keeps_who_allowed_what_and_a_run_without_the_list_does_none_of_it(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = member(bench, BORON, owner=SOMEBODY)
        allow(bench, BORON, f"{unit.device_id}  unclaim # back from the trade fair")
        with bench.reader() as journal:
            (row,) = (row for row in journal.entries() if row.kind == "ReworkAllowed")
        kept = row.values()
        assert (kept["by"], kept["batch"], kept["units"]) == ("0042", BORON.batch, [f"{unit.device_id} unclaim"])
        assert kept["sha256"] == bench.lists[BORON.batch].sha256
        bench.lists = {}
        bench.restart()
        assert bench.walk(unit).finished.sentence == "owner_other"


def test_a_leftover_lock_is_told_before_the_first_write_and_taken_off_a_listed_unit(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = member(bench, BORON, desired_firmware_version=3)
        refused = bench.walk(unit)
        assert (refused.verdict, refused.finished.failed_step, refused.flash_writes) == (Verdict.FAIL, "identify", 0)
        assert f"station rework unlock {unit.device_id}" in refused.finished.reason
        allow(bench, BORON, f"{unit.device_id} unlock")
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert shown(bench, unit)["desired_firmware_version"] is None


@pytest.mark.rule("N6")
def test_a_sim_that_somebody_switches_off_during_the_walk_keeps_the_unit_from_passing(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON)
        iccid = unit.spec.iccid
        assert iccid is not None
        bench.cloud.edit_device(unit.spec.device_id, product_id=PRODUCTS["boron"], name=str(unit.spec.serial))
        bench.cloud.edit_sim(iccid, status="active", product_id=PRODUCTS["boron"])
        off = {"_id": str(iccid), "status": "deactivated"}
        bench.cloud.order(Fault(FaultKind.STATUS, "GET /v1/products/:p/sims/:iccid", status=200, body=off, times=None))
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.sentence) == (Verdict.FAIL, "sim_off")
