"""Units that go to a customer of their product, by the customer's token or by a claim code. Rules K1-K7 E10 E13 E14."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from line_bench import (
    ARGON,
    BORON,
    DEVELOPER,
    ME,
    OTHER_PRODUCT,
    PRODUCTS,
    LineBench,
    Recipe,
    line_bench,
    replace,
)
from support.customers import BY_CODE, CLIENT, SECRET, SHOPS, for_customers, open_shop

from drivers.virtual.unit import VirtualUnit
from station.cloud import api
from station.cloud.virtual.faults import Fault, FaultKind
from station.engine.events import AttemptFinished, Event, HandsNeeded, StepFinished, StepHeld
from station.errors import BadInput
from station.model import Verdict

ONE = f"all@{SHOPS}"
TOKEN, CODE = for_customers(BORON, ONE), for_customers(BORON, ONE, BY_CODE)
EACH_CODE = for_customers(BORON, f"unit-{{serial}}@{SHOPS}", BY_CODE)
ARGON_TOKEN, ARGON_CODE = for_customers(ARGON), for_customers(ARGON, f"unit-{{id}}@{SHOPS}", BY_CODE)
DEVELOPER_CODE = replace(DEVELOPER, claim_by="code")
CUSTOMERS, CODES, TOKENS = "POST /v1/products/:p/customers", "POST /v1/products/:p/device_claims", "POST /oauth/token"
CLAIM, UNCLAIM = "POST /v1/devices", "DELETE /v1/products/:p/devices/:id/owner"


def known_as(recipe: Recipe) -> str:
    return f"{recipe.platform} {'code' if BY_CODE in recipe.more or recipe.claim_by else 'token'}"


def owner(bench: LineBench, unit: VirtualUnit) -> object:
    return (bench.cloud.device(unit.spec.device_id) or {}).get("owner")


def codes(bench: LineBench) -> list[str | None]:
    """Of each claim code, oldest first, the unit that handed it in; None: nobody did."""
    return [row["used_by"] for row in bench.cloud._store.rows("SELECT used_by FROM claim_codes ORDER BY rowid")]


def count(bench: LineBench, route: str) -> int:
    return bench.cloud.writes.get(route, 0)


def at_step(bench: LineBench, step: str, act: Callable[[], object]) -> None:
    """Do ``act`` at the moment in which ``step`` has ended for the first time."""
    todo = [act]

    def saw(event: Event) -> None:
        if isinstance(event, StepFinished) and event.step == step and todo:
            todo.pop()()

    bench.station.bus.subscribe(saw)


@pytest.mark.rule("K5", "K6", "E10")
@pytest.mark.parametrize("recipe", [TOKEN, EACH_CODE, ARGON_TOKEN, ARGON_CODE], ids=known_as)
def test_a_new_unit_becomes_its_customers(tmp_path: Path, recipe: Recipe) -> None:
    with line_bench(tmp_path) as bench:
        open_shop(bench, recipe)
        unit = bench.unit(recipe.platform)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        email = ONE if recipe is TOKEN else f"unit-{unit.device_id}@{SHOPS}"
        email = f"unit-{unit.spec.serial}@{SHOPS}".lower() if recipe is EACH_CODE else email
        assert owner(bench, unit) == email
        by_code = BY_CODE in recipe.more
        assert codes(bench) == [unit.device_id if by_code else None]
        seen = {one.route: one for one in bench.cloud.requests()}
        assert (CLAIM in seen) is not by_code
        assert seen["POST /v1/products/:p/devices"].seq < seen[CUSTOMERS].seq < seen[CODES].seq
        assert (seen[CODES].username, dict(seen[CODES].body)) == (email, {})
        assert seen[CUSTOMERS].body["client_id"] == CLIENT
        assert by_code or (seen[CLAIM].username, dict(seen[CLAIM].body)) == (email, {"id": unit.device_id})
        again = bench.walk(unit)
        assert (again.verdict, again.cloud_writes, again.outcomes["customer"]) == (Verdict.PASS, 0, "already")


@pytest.mark.rule("K1", "K2")
@pytest.mark.parametrize("recipe", [BORON, replace(BORON, claim=True), DEVELOPER], ids=lambda one: one.kind)
def test_whoever_asks_for_no_customer_gets_none_and_no_claim_code(tmp_path: Path, recipe: Recipe) -> None:
    with line_bench(tmp_path, recipe) as bench:
        walk = bench.walk(bench.unit(recipe.platform))
        assert walk.verdict is Verdict.PASS
        assert not {"customer", "claim_code"} & walk.steps.keys()
        assert not {CUSTOMERS, CODES, TOKENS, "POST /v1/device_claims"} & bench.cloud.writes.keys()


@pytest.mark.rule("K3", "E14")
@pytest.mark.parametrize("recipe", [TOKEN, CODE], ids=known_as)
def test_wrong_kind_of_token_a_customers_is_used_for_claiming_and_nothing_else(tmp_path: Path, recipe: Recipe) -> None:
    with line_bench(tmp_path) as bench:
        open_shop(bench, recipe)
        unit = bench.unit()
        assert bench.walk(unit).verdict is Verdict.PASS
        asked = {(one.username, one.route) for one in bench.cloud.requests()}
        assert {route for who, route in asked if who == ONE} <= {CLAIM, CODES}
        assert {who for who, _ in asked} == {ONE, ME, ""}
        (row,) = bench.cloud._store.rows("SELECT is_lost, is_customers FROM devices WHERE id = ?", unit.device_id)
        assert (row["is_lost"], row["is_customers"]) == (0, 1)


def test_customer_who_cannot_use_the_command_line_needs_no_login_and_no_hands(tmp_path: Path) -> None:
    with line_bench(tmp_path) as bench:
        open_shop(bench, TOKEN)
        unit = bench.unit()
        walk = bench.walk(unit)
        assert owner(bench, unit) == ONE
        assert walk.of(HandsNeeded) == []
        (row,) = bench.cloud._store.rows("SELECT password FROM customers")
        assert row["password"] is None, "nobody logs in as them"


@pytest.mark.rule("E11")
@pytest.mark.parametrize("way", ["", BY_CODE])
def test_electron_already_claimed_by_the_developer_goes_to_the_customer_where_the_profile_says_so(
    tmp_path: Path, way: str
) -> None:
    electron = Recipe("electron", "3.3.1")
    recipe = for_customers(electron, ONE, *([way] if way else []), f'unclaim_from = ["{ME.upper()}"]')
    with line_bench(tmp_path) as bench:
        open_shop(bench, recipe)
        unit = bench.unit("electron")
        bench.cloud.edit_device(unit.spec.device_id, owner=ME)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert owner(bench, unit) == ONE
        written = [one.route for one in bench.cloud.requests() if one.is_write]
        assert written.count(UNCLAIM) == 1
        assert written.index(UNCLAIM) < written.index(CODES)


@pytest.mark.rule("E11")
@pytest.mark.parametrize("recipe", [TOKEN, CODE], ids=known_as)
def test_electron_already_claimed_by_the_developer_is_no_customers_unless_the_profile_says_so(
    tmp_path: Path, recipe: Recipe
) -> None:
    named = replace(recipe, more=f'{recipe.more}\nunclaim_from = ["other@example.com"]')
    with line_bench(tmp_path) as bench:
        open_shop(bench, named)
        unit = bench.unit()
        bench.cloud.edit_device(unit.spec.device_id, owner=ME)
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.say.key) == (Verdict.FAIL, "owner_other")
        assert (walk.flash_writes, walk.cloud_writes, owner(bench, unit)) == (0, 0, ME)


@pytest.mark.rule("K5", "E14")
@pytest.mark.parametrize("email", [ONE, f"unit-{{id}}@{SHOPS}"])
@pytest.mark.parametrize("way", ["", BY_CODE])
def test_claim_code_to_a_product_with_the_wrong_client_waits_and_makes_no_unit_invisible(
    tmp_path: Path, email: str, way: str
) -> None:
    """The client is another product's, which has a customer of that very name."""
    recipe = for_customers(BORON, email, *([way] if way else []))
    with line_bench(tmp_path) as bench:
        open_shop(bench, recipe)
        bench.cloud._store.run("UPDATE clients SET product_id = ?", OTHER_PRODUCT)
        bench.cloud._store.run(
            "INSERT INTO customers (product_id, username) VALUES (?, ?)", OTHER_PRODUCT,
            email.format(id=bench.unit(is_known=False).device_id),
        )  # fmt: skip
        unit = bench.unit()
        bench.plug(unit)
        held = bench.wait_for(StepHeld)
        assert isinstance(held, StepHeld)
        assert held.say.key == "cloud_mend"
        bench.sleep(4 * 3600.0)
        assert owner(bench, unit) is None
        assert not any(one.route == CLAIM for one in bench.cloud.requests())
        refused = [one for one in bench.cloud.requests() if one.route == TOKENS and one.status == 400]
        assert len(refused) <= 5, "ten refusals in a row lock the whole site out"
        bench.cloud._store.run("UPDATE clients SET product_id = ?", PRODUCTS["boron"])
        assert bench.wait_finished(within=2 * 3600.0).verdict is Verdict.PASS
        assert owner(bench, unit) == email.format(id=unit.device_id)


@pytest.mark.rule("K5")
def test_claim_code_to_a_product_with_the_wrong_client_is_told_before_the_first_unit(tmp_path: Path) -> None:
    with line_bench(tmp_path) as bench:
        said = rf"product {PRODUCTS['boron']} has no OAuth client {CLIENT}.*\(K5\); it has none: correct \[customer\]"
        with pytest.raises(BadInput, match=said):
            open_shop(bench, CODE, product=OTHER_PRODUCT)
        denied = Fault(
            FaultKind.STATUS, "GET /v1/products/:p/clients", status=403, body={"error": "denied"}, times=None
        )
        bench.cloud.order(denied)
        bench.restart(CODE)  # a token that may not look is none the worse for it


@pytest.mark.rule("N3")
def test_a_site_that_is_locked_out_of_logging_in_goes_on_with_everything_else(tmp_path: Path) -> None:
    locked = {"error": "too_many_requests", "error_description": "Too many failed logins"}
    with line_bench(tmp_path) as bench:
        open_shop(bench, TOKEN)
        bench.cloud.order(Fault(FaultKind.STATUS, TOKENS, status=429, body=locked, retry_after="1800"))
        bench.plug(bench.unit())
        held = bench.wait_for(StepHeld)
        assert isinstance(held, StepHeld)
        assert (held.step, held.say.key) == ("customer", "cloud_limit")
        started = bench.clock.now()
        bench.station.client.run(api.user())
        assert bench.clock.now() - started < 5.0
        assert bench.wait_finished(within=2 * 3600.0).verdict is Verdict.PASS
        assert [one.status for one in bench.cloud.requests() if one.route == TOKENS] == [429, 400]


@pytest.mark.rule("K7")
@pytest.mark.parametrize("whose", [ME, None, "other@example.com"])
def test_the_last_look_finds_an_owner_who_is_not_the_customer(tmp_path: Path, whose: str | None) -> None:
    with line_bench(tmp_path) as bench:
        open_shop(bench, TOKEN)
        unit = bench.unit()
        at_step(bench, "customer", lambda: bench.cloud.edit_device(unit.spec.device_id, owner=whose))
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.FAIL, "final_check")
        assert "owner is" in walk.finished.reason


@pytest.mark.rule("B5")
def test_a_yes_to_the_customers_claim_is_no_proof(tmp_path: Path) -> None:
    with line_bench(tmp_path) as bench:
        open_shop(bench, TOKEN)
        lie = {"ok": True, "customer_id": "5" * 24, "connected": True}
        bench.cloud.order(Fault(FaultKind.LIE, CLAIM, status=200, body=lie, times=None))
        walk = bench.walk(bench.unit())
        assert (walk.verdict, walk.finished.say.key) == (Verdict.ERROR, "not_claimed")


@pytest.mark.rule("K4")
@pytest.mark.parametrize("recipe", [ARGON_CODE, DEVELOPER_CODE], ids=known_as)
def test_a_claim_code_without_network_credentials_is_refused_before_any_unit_waits_for_it(
    tmp_path: Path, recipe: Recipe
) -> None:
    with line_bench(tmp_path) as bench, pytest.raises(BadInput, match=r"a section \[wifi\].*\(K4\)"):
        open_shop(bench, replace(recipe, wifi=False))


def test_a_client_without_its_secret_opens_no_batch(tmp_path: Path) -> None:
    with line_bench(tmp_path) as bench:
        with pytest.raises(BadInput, match=f"client secret from env:{SECRET}: it holds nothing"):
            bench.restart(TOKEN)
        open_shop(bench, TOKEN)


LOST = [
    (route, recipe)
    for recipe, routes in ((TOKEN, (CUSTOMERS, TOKENS, CODES, CLAIM, UNCLAIM)), (EACH_CODE, (CUSTOMERS, CODES)))
    for route in routes
]


@pytest.mark.rule("N2")
@pytest.mark.parametrize("kind", [FaultKind.DROP_AFTER, FaultKind.DROP_BEFORE])
@pytest.mark.parametrize(("route", "recipe"), LOST)
def test_an_answer_that_gets_lost_on_the_way_to_the_customer_changes_nothing(
    tmp_path: Path, route: str, recipe: Recipe, kind: FaultKind
) -> None:
    recipe = replace(recipe, more=f'{recipe.more}\nunclaim_from = ["{ME}"]')
    with line_bench(tmp_path) as bench:
        open_shop(bench, recipe)
        unit = bench.unit()
        bench.cloud.edit_device(unit.spec.device_id, owner=ME)
        bench.cloud.order(Fault(kind, route))
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert bench.cloud.effects[CUSTOMERS] == bench.cloud.effects[UNCLAIM] == 1
        assert bench.cloud.effects.get(CLAIM, 0) == (recipe.more.count(BY_CODE) == 0)


@pytest.mark.rule("N4")
@pytest.mark.parametrize("recipe", [TOKEN, CODE], ids=known_as)
def test_a_customers_token_that_ends_is_replaced_and_the_next_unit_passes(tmp_path: Path, recipe: Recipe) -> None:
    with line_bench(tmp_path) as bench:
        open_shop(bench, recipe)
        first, second = bench.unit(number=1), bench.unit(number=2)
        assert bench.walk(first).verdict is Verdict.PASS
        bench.cloud.revoke_tokens(ONE)
        walk = bench.walk(second)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert [owner(bench, unit) for unit in (first, second)] == [ONE, ONE]
        assert bench.cloud.effects[CUSTOMERS] == 1


@pytest.mark.parametrize("recipe", [TOKEN, CODE], ids=known_as)
def test_units_that_come_together_make_their_one_customer_once(tmp_path: Path, recipe: Recipe) -> None:
    with line_bench(tmp_path, slots=3) as bench:
        open_shop(bench, recipe)
        units = [bench.unit(number=number) for number in (1, 2, 3)]
        for slot, unit in enumerate(units, 1):
            bench.plug(unit, slot)
        assert [bench.wait_finished(slot).verdict for slot in (1, 2, 3)] == [Verdict.PASS] * 3
        assert [owner(bench, unit) for unit in units] == [ONE] * 3
        assert bench.cloud.effects[CUSTOMERS] == 1


# --- claim codes ---


@pytest.mark.rule("K4")
def test_a_developer_unit_is_claimed_by_the_code_of_the_account(tmp_path: Path) -> None:
    with line_bench(tmp_path, DEVELOPER_CODE) as bench:
        unit = bench.unit("argon")
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert (owner(bench, unit), codes(bench)) == (ME, [unit.device_id])
        assert CLAIM not in bench.cloud.writes
        again = bench.walk(unit)
        assert (again.verdict, again.cloud_writes, again.outcomes["claim_code"]) == (Verdict.PASS, 0, "already")


def test_a_unit_that_is_online_already_restarts_to_hand_its_code_in(tmp_path: Path) -> None:
    with line_bench(tmp_path) as bench:
        bench.stop()
        recipe = replace(CODE, device_os=None, keeps="6.3.4", has_application=False)  # so that nothing else restarts it
        unit = bench.finished_unit(recipe)
        assert unit.spec.iccid is not None
        bench.cloud.edit_sim(unit.spec.iccid, status="active")
        bench.plug(unit)
        bench.sleep(120.0)
        assert (bench.cloud.device(unit.spec.device_id) or {})["online"]
        open_shop(bench, recipe)
        walk = bench.told(bench.wait_finished())
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert "restarted" in walk.steps["claim_code"].proof
        assert owner(bench, unit) == ONE


@pytest.mark.rule("N1")
def test_a_unit_whose_code_came_too_late_gets_another_one_in_the_next_walk(tmp_path: Path) -> None:
    with line_bench(tmp_path) as bench:
        open_shop(bench, CODE)
        unit = bench.unit()
        expire = "UPDATE claim_codes SET made_at = '2000-01-01T00:00:00+00:00'"
        at_step(bench, "claim_code", lambda: bench.cloud._store.run(expire))
        bench.plug(unit)
        finished = bench.wait_finished()
        assert (finished.verdict, finished.failed_step, finished.say.key) == (Verdict.ERROR, "customer", "not_claimed")
        assert "which gives it another one" in finished.reason
        assert bench.retry().verdict is Verdict.PASS
        assert codes(bench) == [None, unit.device_id]


@pytest.mark.rule("N1")
def test_after_a_crash_with_the_code_in_the_unit_another_one_is_taken_and_the_customer_made_once(
    tmp_path: Path,
) -> None:
    with line_bench(tmp_path) as bench:
        open_shop(bench, EACH_CODE)
        unit = bench.unit()
        at_step(bench, "claim_code", bench.die)
        bench.plug(unit)
        bench.wait(lambda event: isinstance(event, AttemptFinished))
        bench.bury()
        bench.unplug()
        bench.start(EACH_CODE)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert bench.cloud.effects[CUSTOMERS] == 1
        assert owner(bench, unit) == f"unit-{unit.spec.serial}@{SHOPS}".lower()
        with bench.reader() as journal:
            untold = [one.what for one in journal.unconfirmed_writes() if one.attempt == walk.finished.attempt]
        assert untold == [], "that the customer is there already is an answer"


@pytest.mark.rule("K6")
def test_a_code_is_not_given_to_a_unit_that_its_product_does_not_show(tmp_path: Path) -> None:
    with line_bench(tmp_path) as bench:
        open_shop(bench, CODE)
        unit = bench.unit()
        take_out = lambda: bench.cloud.edit_device(unit.spec.device_id, product_id=None)  # noqa: E731
        at_step(bench, "name", take_out)
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.ERROR, "claim_code")
        assert count(bench, CODES) == 0


@pytest.mark.rule("E13")
@pytest.mark.parametrize("recipe", [TOKEN, CODE], ids=known_as)
def test_iccid_as_claim_key_is_never_sent_for_a_unit_with_a_sim(tmp_path: Path, recipe: Recipe) -> None:
    with line_bench(tmp_path) as bench:
        open_shop(bench, recipe)
        unit = bench.unit()
        assert bench.walk(unit).verdict is Verdict.PASS
        owning = [one for one in bench.cloud.requests() if one.route in (CLAIM, CODES, CUSTOMERS, TOKENS)]
        assert owning
        assert not [one for one in owning if str(unit.spec.iccid) in f"{one.path} {dict(one.body)}"]
