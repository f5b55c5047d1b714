"""Vendor rules as stories on the whole bench: membership, owner, name, set-up mark, final check."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import (
    ARGON,
    BORON,
    DEVELOPER,
    ME,
    OTHER_PRODUCT,
    PRODUCTS,
    Recipe,
    line_bench,
    old_radio,
    replace,
)
from support.hostile_unit import HostileUnit, Lies, answering, is_serial_string, on
from support.known_steps import parse_profile
from support.traffic import CloudCall, Line, UnitWrite
from support.walk_looks import is_before, online_after, passed, when

from drivers.virtual.boot import BootRequest
from drivers.virtual.control_service import Outcome as Answered
from drivers.virtual.factory import make_spec
from drivers.virtual.flash import Who
from drivers.virtual.messages import text as text_field
from station.cloud.virtual.faults import Fault, FaultKind
from station.engine.events import StepFinished
from station.errors import BadInput
from station.model import Outcome, Verdict
from station.steps.shared.cloud_sections import Cloud

CLAIM = "POST /v1/devices"
IMPORT = "POST /v1/products/:p/devices"


# --- B: three associations ----------------------------------------------------------------------------


@pytest.mark.rule("B1")
@pytest.mark.parametrize(
    ("taken", "step", "route"),
    [
        ("owner", "claim", CLAIM),
        ("product_id", "product_add", IMPORT),
        ("name", "name", "PUT /v1/products/:p/devices/:id"),
    ],
)
def test_a_unit_that_lost_one_of_owner_product_and_name_gets_that_one_back_and_nothing_else_is_sent(
    taken: str, step: str, route: str, tmp_path: Path
) -> None:
    recipe = replace(BORON, claim=True)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        passed(bench.walk(unit))
        bench.cloud.edit_device(unit.spec.device_id, **{taken: None})
        before = len(bench.cloud.requests())
        walk = passed(bench.walk(unit))
        assert walk.with_outcome(Outcome.DONE) == {step}
        assert {"product_add", "name", "claim", "sim"} - {step} <= walk.with_outcome(Outcome.ALREADY)
        assert [call.route for call in bench.cloud.requests()[before:] if call.is_write] == [route]


@pytest.mark.rule("B1")
def test_an_inactive_sim_of_a_claimed_member_is_waited_for_and_nothing_is_sent(tmp_path: Path) -> None:
    recipe = replace(BORON, claim=True)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        passed(bench.walk(unit))
        assert unit.spec.iccid is not None
        bench.cloud.edit_sim(unit.spec.iccid, status="inactive")
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.sentence) == (Verdict.PENDING, "sim_pending")
        assert {"product_add", "name", "claim"} <= walk.with_outcome(Outcome.ALREADY)
        assert walk.cloud_writes == 0


@pytest.mark.rule("B2")
def test_online_says_nothing_about_the_owner(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        unit = bench.finished_unit(ARGON)
        walk = passed(bench.walk(unit))
        assert walk.outcomes["online"] == "already"
        assert "claim" not in walk.steps
        assert bench.cloud.device(unit.spec.device_id).get("owner") is None  # type: ignore[union-attr]


@pytest.mark.rule("B3")
@pytest.mark.rule("E4")
def test_without_claiming_membership_and_sim_are_still_seen_to(tmp_path: Path) -> None:
    """And not claiming is what a profile gets that says nothing."""
    text = "\n".join(line for line in BORON.text().splitlines() if not line.startswith("claim"))
    with line_bench(tmp_path, BORON) as bench:
        assert not parse_profile(text.encode(), "silent.toml").section(Cloud).claim
        walk = passed(bench.walk(bench.finished_unit(BORON)))
        assert {"product_add", "sim"} <= set(walk.steps)
        assert IMPORT in bench.cloud.writes
        assert CLAIM not in bench.cloud.writes


@pytest.mark.rule("B5")
def test_a_claim_that_is_answered_well_but_not_done_never_passes_and_judges_no_unit(tmp_path: Path) -> None:
    with line_bench(tmp_path, DEVELOPER) as bench:
        bench.cloud.order(Fault(FaultKind.LIE, CLAIM))
        walk = bench.walk(bench.finished_unit(DEVELOPER))
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.ERROR, "claim")
        assert "shows no owner" in walk.finished.reason


# --- C: membership ------------------------------------------------------------------------------------


@pytest.mark.rule("C1")
@pytest.mark.rule("F5")
def test_a_unit_is_a_named_member_before_it_can_come_online(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        unit = bench.unit("argon")
        seen_online = online_after(bench, unit, "name")
        walk = passed(bench.walk(unit))
        assert seen_online == [False]
        assert is_before(walk, "product_add", "wifi")
        assert is_before(walk, "name", "wifi")


@pytest.mark.rule("F5")
def test_the_network_waits_for_a_name_that_takes_longer_than_all_firmware(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        bench.cloud.order(Fault(FaultKind.SLOW, "PUT /v1/products/:p/devices/:id", seconds=20.0))
        assert is_before(passed(bench.walk(bench.finished_unit(ARGON))), "name", "wifi")


@pytest.mark.rule("C2")
def test_a_unit_whose_import_is_answered_invalid_never_gets_to_the_network(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        unit = bench.unit("argon", is_known=False)
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.FAIL, "product_add")
        assert "was not accepted" in walk.finished.reason
        assert not {"wifi", "online"} & set(walk.steps)
        assert unit.memory.read_network() == b""


@pytest.mark.rule("C2")
def test_an_import_that_is_answered_well_but_not_done_stops_before_the_network(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        unit = bench.unit("argon")
        bench.cloud.order(Fault(FaultKind.LIE, IMPORT, body={"updated": 1, "updatedDeviceIds": [unit.device_id]}))
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.ERROR, "product_add")
        assert not {"wifi", "online"} & set(walk.steps)


@pytest.mark.rule("G1")
def test_the_built_in_sim_of_a_product_unit_is_only_looked_at(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON)
        assert unit.spec.iccid is not None
        bench.cloud.order_sim(unit.spec.iccid, polls=3)
        walk = passed(bench.walk(unit))
        assert walk.outcomes["sim"] == "already"
        assert walk.steps["sim"].seconds >= 10
        assert not any("sims" in route for route in bench.cloud.writes)


# --- E: claiming --------------------------------------------------------------------------------------


@pytest.mark.rule("E1")
def test_a_developer_profile_without_claim_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="E1"):
        replace(DEVELOPER, claim=False).profile()


@pytest.mark.rule("E2")
@pytest.mark.rule("E10")
@pytest.mark.rule("E12")
def test_a_developer_unit_is_claimed_once_while_it_is_online_between_two_looks(tmp_path: Path) -> None:
    with line_bench(tmp_path, DEVELOPER) as bench:
        unit = bench.unit("argon")
        walk = passed(bench.walk(unit))
        assert is_before(walk, "online", "claim")
        calls = [call for call in bench.cloud.requests() if unit.device_id in call.path or call.route == CLAIM]
        (claim,) = [n for n, call in enumerate(calls) if call.route == CLAIM]
        assert calls[claim].body == {"id": unit.device_id}
        assert calls[claim].username == ME
        assert calls[claim - 1].method == "GET"
        assert calls[claim + 1].method == "GET"
        assert bench.cloud.device(unit.spec.device_id)["owner"] == ME  # type: ignore[index]


@pytest.mark.rule("E3")
def test_a_product_unit_is_claimed_offline_right_after_its_import(tmp_path: Path) -> None:
    recipe = replace(ARGON, claim=True)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit("argon")
        online_at_claim = online_after(bench, unit, "claim")
        walk = passed(bench.walk(unit))
        assert walk.outcomes["claim"] == "done"
        assert online_at_claim == [False]
        assert is_before(walk, "product_add", "claim")
        assert is_before(walk, "claim", "wifi")


@pytest.mark.rule("E11")
@pytest.mark.parametrize("recipe", [DEVELOPER, replace(BORON, claim=True)], ids=["developer", "member"])
def test_a_unit_of_another_account_is_never_claimed(recipe: Recipe, tmp_path: Path) -> None:
    """The owner of a member is shown to its team, so no claim is even sent; of others the cloud says nothing."""
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        bench.cloud.create_user("somebody@example.com")
        is_member = recipe.kind == "product"
        product = {"product_id": PRODUCTS[recipe.platform]} if is_member else {}
        bench.cloud.edit_device(unit.spec.device_id, owner="somebody@example.com", **product)
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.sentence) == (Verdict.FAIL, "owner_other")
        assert "somebody" not in walk.finished.reason
        assert bench.cloud.device(unit.spec.device_id)["owner"] == "somebody@example.com"  # type: ignore[index]
        assert not (is_member and CLAIM in bench.cloud.writes)


# --- F: names -----------------------------------------------------------------------------------------


@pytest.mark.rule("F1")
def test_a_name_the_account_has_already_is_not_written_blindly(tmp_path: Path) -> None:
    with line_bench(tmp_path, DEVELOPER) as bench:
        unit, other = bench.finished_unit(DEVELOPER, 1), bench.finished_unit(DEVELOPER, 2)
        bench.cloud.edit_device(other.spec.device_id, owner=ME, name=str(unit.spec.serial))
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.FAIL, "name")
        assert not any(call.method == "PUT" and "name" in call.body for call in bench.cloud.requests())


@pytest.mark.rule("F2")
def test_two_product_units_of_one_name_are_told_apart(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit, other = bench.finished_unit(BORON, 1), bench.finished_unit(BORON, 2)
        bench.cloud.edit_device(other.spec.device_id, product_id=PRODUCTS["boron"], name=str(unit.spec.serial))
        passed(bench.walk(unit))
        assert [bench.cloud.device(one.spec.device_id)["name"] for one in (unit, other)] == [str(unit.spec.serial)] * 2  # type: ignore[index]
        (renamed,) = [call for call in bench.cloud.requests() if "name" in call.body]
        assert renamed.path.endswith(unit.device_id)


@pytest.mark.rule("F3")
@pytest.mark.parametrize(
    ("template", "expected"), [("{serial}", "{serial}"), ("{platform}-{id6}", "boron-{id6}"), ("W {id}", "W {id}")]
)
def test_a_unit_is_named_after_its_template(template: str, expected: str, tmp_path: Path) -> None:
    recipe = replace(BORON, name=template)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        passed(bench.walk(unit))
        facts = {"serial": str(unit.spec.serial), "id": unit.device_id, "id6": unit.device_id[-6:]}
        assert bench.cloud.device(unit.spec.device_id)["name"] == expected.format(**facts)  # type: ignore[index]


@pytest.mark.rule("A2")
@pytest.mark.parametrize("arrives", [BootRequest.NORMAL, BootRequest.DFU])
def test_a_unit_that_tells_its_device_id_in_capitals_is_one_unit_and_leaves_the_station_in_lower_case(
    arrives: BootRequest, tmp_path: Path
) -> None:
    recipe = replace(BORON, claim=True)
    with line_bench(tmp_path, recipe) as bench:
        spec = make_spec("boron", 7, 1, arrives=arrives)
        loud = str(spec.device_id).upper()
        descriptor = bytes([2 + 2 * len(loud), 3]) + loud.encode("utf-16-le")
        lies = Lies(
            on(is_serial_string, lambda: descriptor), requests={20: answering(Answered(data=text_field(1, loud)))}
        )
        unit = HostileUnit(spec, bench.clock, lies, bench.world)
        bench.register(spec)
        bench.adopt(unit)
        passed(bench.walk(unit))
        told = [f"{call.path} {call.body}" for call in bench.cloud.requests()]
        assert sum(unit.device_id in one for one in told) > 5
        assert not [one for one in told if loud in one]
        with bench.reader() as journal:
            found = journal.unit(loud)
            assert found is not None
            assert found.device_id == unit.device_id
            assert not [row.body for row in journal.entries() if row.kind != "UnitIdentified" and loud in row.body]


# --- N: records ---------------------------------------------------------------------------------------


@pytest.mark.rule("N6")
@pytest.mark.rule("D8")
@pytest.mark.parametrize(
    ("column", "value", "word"),
    [
        ("name", "changed", "name"), ("development", 1, "development mark"), ("quarantined", 1, "quarantine"),
        ("owner", "somebody@example.org", "owner is s***@example.org"),
        ("product_id", OTHER_PRODUCT, "already in product"),
    ],
)  # fmt: skip
def test_one_wrong_field_at_the_final_look_fails_the_unit(
    column: str, value: object, word: str, tmp_path: Path
) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.finished_unit(BORON)
        when(
            bench,
            lambda event: isinstance(event, StepFinished) and event.step == "sim",
            lambda: bench.cloud.edit_device(unit.spec.device_id, **{column: value}),
        )
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.FAIL, "final_check")
        assert word in walk.finished.reason
        assert "somebody" not in walk.finished.reason  # an account is told without the person


@pytest.mark.rule("N1")
@pytest.mark.rule("N2")
def test_every_write_that_arrives_is_announced_in_the_journal_before_and_confirmed_after(tmp_path: Path) -> None:
    """What arrived is what unit and cloud saw, each beside the line that stood on the disk by then."""
    recipe = replace(ARGON, claim=True)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit("argon", modules=old_radio("argon"))
        passed(bench.walk(unit))
        assert bench.traffic.faults() == []
        arrived = [one for one in bench.traffic.story if not isinstance(one, Line)]
        writes = [one for one in arrived if isinstance(one, UnitWrite)]
        assert len(writes) == unit.score.flash_writes > 200
        assert {one.touch.who for one in writes} == {Who.DFU, Who.CONTROL}
        assert [one.request.route for one in arrived if isinstance(one, CloudCall) and one.request.is_write] == [
            IMPORT, "PUT /v1/products/:p/devices/:id", CLAIM,
        ]  # fmt: skip
        with bench.reader() as journal:
            assert journal.unconfirmed_writes() == ()


@pytest.mark.rule("N3")
def test_a_429_slows_the_whole_station(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, slots=2) as bench:
        units = [bench.finished_unit(BORON, number) for number in (1, 2)]
        bench.cloud.order(Fault(FaultKind.STATUS, IMPORT, status=429, retry_after="30"))
        for slot, unit in enumerate(units, start=1):
            bench.plug(unit, slot)
        ends = [bench.wait_finished(slot) for slot in (1, 2)]
        assert [end.verdict for end in ends] == [Verdict.PASS] * 2
        assert all(end.seconds > 29 for end in ends)
