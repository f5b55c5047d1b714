"""Traps that people fell into with the vendor's own tools, each a test named after it: owners and cases."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import BORON, DEVELOPER, ME, PRODUCTS, Recipe, line_bench, replace

from drivers.identity import DeviceId
from station.cloud import api
from station.cloud.virtual import Fault, FaultKind
from station.errors import CloudError
from station.line.rework.case import Wishes
from station.line.rework.desk import ReworkDesk
from station.line.rework.kinds import REWORKS
from station.model import Outcome, Verdict
from station.steps.shared.allowed import parse_allowed

PRODUCT = PRODUCTS["boron"]
CLAIM, OWNER = "POST /v1/devices", "DELETE /v1/products/:p/devices/:id/owner"
CLAIMED = replace(BORON, claim=True)
SOMEBODY = "somebody@example.com"


@pytest.mark.rule("B5")
@pytest.mark.parametrize("recipe", [CLAIMED, DEVELOPER], ids=["member", "developer"])
def test_success_without_owner(recipe: Recipe, tmp_path: Path) -> None:
    """The claim is answered with 200 and ``ok``, and the unit belongs to nobody all the same."""
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        bench.cloud.order(Fault(FaultKind.LIE, CLAIM, body={"ok": True, "id": unit.device_id}, times=None))
        walk = bench.walk(unit, within=4000)
        assert walk.verdict is Verdict.ERROR
        assert walk.finished.failed_step == "claim"
        assert "owner" not in (bench.cloud.device(unit.spec.device_id) or {})


@pytest.mark.rule("A2")
def test_upper_case_device_id(tmp_path: Path) -> None:
    """Typed at the desk and in a supervisor's list: the cloud sees lower case only, on every route."""
    with line_bench(tmp_path, CLAIMED) as bench:
        unit, other = bench.finished_unit(CLAIMED, 1), bench.finished_unit(CLAIMED, 2)
        bench.cloud.create_user(SOMEBODY)
        for one in (unit, other):
            bench.cloud.edit_device(one.spec.device_id, product_id=PRODUCT, owner=SOMEBODY)
        text = f"by 0042\nbatch {CLAIMED.batch}\n{unit.device_id.upper()} unclaim"
        bench.lists = {CLAIMED.batch: parse_allowed(text.encode(), "list.txt")}
        bench.restart()
        assert bench.walk(unit).verdict is Verdict.PASS
        desk = ReworkDesk(bench.station.client, bench.clock, bench.station.journal.record, product=PRODUCT)
        typed = DeviceId.parse(other.device_id.upper())
        case = desk.look(typed, REWORKS["transfer"], Wishes(claims=True), bench.clock.token())
        assert desk.act(case, REWORKS["transfer"].foresee(case).parts).outcome is Outcome.DONE
        told = " ".join(f"{one.path} {dict(one.body)}" for one in bench.cloud.requests())
        assert unit.device_id in told
        assert not any(one.device_id.upper() in told for one in (unit, other))
        assert [(bench.cloud.device(one.spec.device_id) or {})["owner"] for one in (unit, other)] == [ME, ME]


@pytest.mark.rule("I2")
def test_invited_but_unclaimed_team_unit(tmp_path: Path) -> None:
    """Nobody's unit of a product is in no account's list, so whoever was invited to the team looks there in vain.

    By the product it is found and claimed, unplugged; before the invitation is accepted the team is what is named.
    """
    with line_bench(tmp_path, CLAIMED) as bench:
        unit = bench.finished_unit(CLAIMED)
        bench.cloud.edit_device(unit.spec.device_id, product_id=PRODUCT)
        client, clock = bench.station.client, bench.clock
        assert unit.spec.device_id not in {one.id for one in client.run(api.my_devices())}
        bench.token = bench.cloud.create_token("invited@example.com")
        desk = ReworkDesk(client, clock, bench.station.journal.record, product=PRODUCT)
        with pytest.raises(CloudError, match="team"):
            desk.look(unit.spec.device_id, REWORKS["transfer"], Wishes(claims=True), clock.token())
        assert bench.cloud.writes == {}
        bench.token = bench.cloud.create_token(ME)
        case = desk.look(unit.spec.device_id, REWORKS["transfer"], Wishes(claims=True), clock.token())
        assert case.shown.startswith(f"product {PRODUCT}, no owner")
        assert desk.act(case, REWORKS["transfer"].foresee(case).parts).outcome is Outcome.DONE
        assert (bench.cloud.device(unit.spec.device_id) or {})["owner"] == ME
        assert bench.cloud.effects == {CLAIM: 1}
        assert bench.walk(unit).verdict is Verdict.PASS


@pytest.mark.rule("E11")
@pytest.mark.rule("I8")
def test_electron_already_claimed_by_the_developer(tmp_path: Path) -> None:
    """A unit its developer tried out has that owner in the product, too: the bench says so, or may take it off."""
    recipe = Recipe("electron", device_os=None, claim=True, keeps="3.3.1", has_application=False)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        bench.cloud.create_user(SOMEBODY)
        bench.cloud.edit_device(unit.spec.device_id, product_id=PRODUCTS["electron"], owner=SOMEBODY)
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.sentence, walk.cloud_writes) == (Verdict.FAIL, "owner_other", 0)
        text = f"by 0042\nbatch {recipe.batch}\n{unit.device_id} unclaim"
        bench.lists = {recipe.batch: parse_allowed(text.encode(), "list.txt")}
        bench.restart()
        walk = bench.walk(unit)
        assert walk.steps["claim"].outcome is Outcome.DONE, walk.finished.reason
        assert (bench.cloud.device(unit.spec.device_id) or {})["owner"] == ME
        assert [one for one in bench.cloud.effects if one in (OWNER, CLAIM)] == [OWNER, CLAIM]


@pytest.mark.rule("E11")
@pytest.mark.parametrize("recipe", [CLAIMED, DEVELOPER], ids=["member", "developer"])
def test_a_unit_that_nobody_is_seen_to_own_is_not_judged_by_one_refusal_of_its_claim(
    recipe: Recipe, tmp_path: Path
) -> None:
    with line_bench(tmp_path, recipe) as bench:
        foreign = {"ok": False, "errors": ["That belongs to someone else."]}
        bench.cloud.order(Fault(FaultKind.STATUS, CLAIM, status=403, body=foreign))
        unit = bench.finished_unit(recipe)
        assert bench.walk(unit, within=4000).verdict is Verdict.PASS
        assert (bench.cloud.device(unit.spec.device_id) or {})["owner"] == ME
