"""Units that belong to a named account: the import claims them, a read-back shows whether it did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from line_bench import BORON, ME, PRODUCTS, LineBench, Recipe, line_bench, replace
from support.known_steps import parse_profile

from drivers.identity import Secret
from station.cloud.virtual import Quirks, SeenRequest
from station.engine.events import OwedWorkStuck, VerdictRevised
from station.errors import BadInput
from station.model import Outcome, Verdict

FACTORY = "factory@example.com"
IMPORT, CLAIM, USER = "POST /v1/products/:p/devices", "POST /v1/devices", "GET /v1/user"
PRODUCT = PRODUCTS["boron"]
FACTORYS = replace(BORON, claim=True, claim_user=FACTORY)
SCOPES = (
    "devices:import", "devices:get", "devices:list", "devices:update", "products:get", "sims:get", "sims:import",
)  # fmt: skip
API_USER = "line-3+ab12@api.example.com"


def give_api_token(bench: LineBench) -> None:
    """A station of a factory as the vendor recommends it: its token is a machine's, which may claim nothing."""
    bench.token = Secret(bench.cloud.create_token(API_USER, scopes=SCOPES, is_api=True).reveal())
    team(bench, ME, FACTORY, API_USER)


@contextmanager
def opened(tmp_path: Path, recipe: Recipe) -> Iterator[LineBench]:
    """A bench whose batch was opened while its owner was in the team, or it would have been refused."""
    with line_bench(tmp_path) as bench:
        team(bench, FACTORY)
        bench.restart(recipe)
        yield bench


def team(bench: LineBench, *names: str) -> None:
    bench.cloud.create_product(PRODUCT, 13, slug="boron-product", name="boron", team=names)


def sent(bench: LineBench, *routes: str) -> list[SeenRequest]:
    return [request for request in bench.cloud.requests() if request.route in routes]


def owner(bench: LineBench) -> object:
    device = bench.cloud.device(bench.units[0].spec.device_id)
    assert device is not None
    return device.get("owner")


@pytest.mark.rule("E3")
@pytest.mark.rule("E8")
def test_an_api_users_station_gives_units_to_the_factorys_account(tmp_path: Path) -> None:
    with opened(tmp_path, FACTORYS) as bench:
        give_api_token(bench)
        walk = bench.walk(bench.finished_unit(FACTORYS))
        assert walk.verdict is Verdict.PASS, walk.finished
        assert (walk.outcomes["product_add"], walk.outcomes["claim"]) == ("done", "already")
        assert owner(bench) == FACTORY
        (added,) = sent(bench, IMPORT)
        assert added.body == {"id": bench.units[0].device_id, "claim_user": FACTORY, "import_sims": True}
        assert not [request for request in sent(bench, CLAIM, USER) if request.username == API_USER]


class Development(Recipe):
    """A profile of units for the desk of a developer."""

    def text(self) -> str:
        return super().text().replace("[cloud]", "[cloud]\ndevelopment = true")


@pytest.mark.rule("E7")
def test_a_unit_for_development_is_marked_and_claimed_to_be_flashed_from_a_desk(tmp_path: Path) -> None:
    recipe = Development(claim=True, claim_user=FACTORY)
    with opened(tmp_path, recipe) as bench:
        give_api_token(bench)
        unit = bench.finished_unit(recipe)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        device = bench.cloud.device(unit.spec.device_id)
        assert device is not None
        assert (device["development"], device["owner"]) == (True, FACTORY)


@pytest.mark.rule("E4")
def test_without_a_named_owner_the_import_claims_nothing(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        walk = bench.walk(bench.finished_unit(BORON))
        assert walk.verdict is Verdict.PASS, walk.finished
        (added,) = sent(bench, IMPORT)
        assert "claim_user" not in added.body
        assert owner(bench) is None


def test_a_member_without_an_owner_is_claimed_by_one_more_import(tmp_path: Path) -> None:
    with opened(tmp_path, FACTORYS) as bench:
        give_api_token(bench)
        unit = bench.finished_unit(FACTORYS)
        bench.cloud.edit_device(unit.spec.device_id, product_id=PRODUCT)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert (len(sent(bench, IMPORT)), owner(bench)) == (1, FACTORY)
        assert walk.outcomes["product_add"] == "done"


def test_where_the_import_does_not_claim_the_owners_own_token_does(tmp_path: Path) -> None:
    with line_bench(tmp_path, replace(FACTORYS, claim_user=ME)) as bench:
        bench.cloud.quirks = Quirks(claims_members=False)
        unit = bench.finished_unit(FACTORYS)
        bench.cloud.edit_device(unit.spec.device_id, product_id=PRODUCT)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished
        assert (walk.outcomes["claim"], owner(bench)) == ("done", ME)
        (claim,) = sent(bench, CLAIM)
        assert claim.body == {"id": unit.device_id}


@pytest.mark.rule("E8")
def test_an_owner_who_left_the_team_is_waited_for_and_fails_no_unit(tmp_path: Path) -> None:
    with opened(tmp_path, FACTORYS) as bench:
        bench.cloud._store.run("DELETE FROM team WHERE username = ?", FACTORY)
        walk = bench.walk(bench.finished_unit(FACTORYS))
        assert walk.verdict is Verdict.PENDING, walk.finished
        assert walk.with_outcome(Outcome.DEFERRED) >= {"claim"}
        assert walk.outcomes["product_add"] == "done"
        bench.wait_for(OwedWorkStuck, action="claim", sentence="cloud_mend")
        team(bench, FACTORY)
        bench.wait_for(VerdictRevised, verdict=Verdict.PASS, within=7200.0)
        assert owner(bench) == FACTORY


@pytest.mark.rule("E11")
def test_a_unit_of_another_account_in_the_team_is_not_taken_from_it(tmp_path: Path) -> None:
    with opened(tmp_path, FACTORYS) as bench:
        team(bench, FACTORY)
        unit = bench.finished_unit(FACTORYS)
        bench.cloud.edit_device(unit.spec.device_id, product_id=PRODUCT, owner=ME)
        walk = bench.walk(unit)
        assert (walk.verdict, owner(bench)) == (Verdict.FAIL, ME)
        assert not sent(bench, IMPORT)


def test_an_owner_whose_reads_lag_behind_is_waited_for_and_not_claimed_again(tmp_path: Path) -> None:
    with opened(tmp_path, FACTORYS) as bench:
        give_api_token(bench)
        bench.cloud.quirks = Quirks(lag_s=4.0)
        walk = bench.walk(bench.finished_unit(FACTORYS))
        assert walk.verdict is Verdict.PASS, walk.finished
        assert (len(sent(bench, IMPORT)), owner(bench)) == (1, FACTORY)


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (replace(FACTORYS, claim=False), "claim = true beside it"),
        (replace(FACTORYS, claim_user="factory"), "the e-mail address of an account in the product's team"),
        (
            replace(FACTORYS, platform="argon", kind="developer", online=True),
            "no claim_user: a developer unit belongs to the token's account",
        ),
    ],
    ids=["not claimed", "no address", "developer"],
)
def test_a_profile_that_names_an_owner_in_vain_is_refused(recipe: object, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_profile(recipe.text().encode(), "p.toml")  # type: ignore[attr-defined]
    assert said in str(refused.value)


def test_units_set_aside_are_claimed_by_the_imports_that_add_many_of_them(tmp_path: Path) -> None:
    with opened(tmp_path, FACTORYS) as bench:
        give_api_token(bench)
        assert bench.walk(bench.finished_unit(FACTORYS, 1)).verdict is Verdict.PASS  # the cloud tells of the product
        bench.cloud.down_for(1800.0)
        for number in range(2, 12):
            walk = bench.walk(bench.finished_unit(FACTORYS, number))
            assert walk.verdict is Verdict.PENDING, walk.finished
        mark = bench.mark()
        for _ in range(10):
            revised = bench.wait_for(VerdictRevised, since=mark, within=3 * 3600.0)
            assert isinstance(revised, VerdictRevised)
            assert revised.verdict is Verdict.PASS, revised
            mark = bench.place_of(revised) + 1
        imports = sent(bench, IMPORT)
        assert {call.body["claim_user"] for call in imports} == {FACTORY}
        added = [one for call in imports for one in call.body.get("ids", [call.body.get("id")])]  # type: ignore[attr-defined]
        assert sorted(added) == sorted(unit.device_id for unit in bench.units)  # each once
        assert len(imports) < len(bench.units) / 2
        assert not sent(bench, CLAIM)
        owners = [bench.cloud.device(unit.spec.device_id) for unit in bench.units]
        assert {device and device["owner"] for device in owners} == {FACTORY}
