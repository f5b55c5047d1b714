"""A portal, a firewall, a lost right, a full plan, a product that is gone: units wait, and pass when it is over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from line_bench import ARGON, BORON, DEVELOPER, ME, OTHER_PRODUCT, PRODUCTS, LineBench, line_bench, replace

from station.cloud.virtual.faults import Fault, FaultKind
from station.engine.events import (
    AttemptFinished,
    CloudStateChanged,
    OutboxSettled,
    OwedWorkStuck,
    StepHeld,
    VerdictRevised,
)
from station.model import Outcome, Verdict

IMPORT, MEMBER, RENAME = (
    "POST /v1/products/:p/devices", "GET /v1/products/:p/devices/:id", "PUT /v1/products/:p/devices/:id",
)  # fmt: skip
Act = Callable[[LineBench], object]


def page(status: int) -> Fault:
    return Fault(FaultKind.HTML, status=status, times=None)


def json_of(status: int, route: str = "/v1/products", **body: object) -> Fault:
    return Fault(FaultKind.STATUS, route, status=status, body={"ok": False} | body, times=None)


def order(fault: Fault) -> Act:
    return lambda bench: bench.cloud.order(fault)


def leave_team(bench: LineBench) -> None:
    bench.cloud._store.run("DELETE FROM team WHERE product_id = ?", PRODUCTS["boron"])


def join_team(bench: LineBench) -> None:
    bench.cloud._store.run("INSERT INTO team VALUES (?, ?)", PRODUCTS["boron"], ME)


def new_token(bench: LineBench) -> None:
    bench.token = bench.cloud.create_token(ME)


def cancel(bench: LineBench) -> None:
    bench.cloud.cancel_faults()


TROUBLES: list[tuple[str, Act, Act, str]] = [
    # what happens, how it ends, and what the operator is told of it while work is owed
    *((f"portal {status}", order(page(status)), cancel, "cloud_blocked") for status in (200, 302)),
    *((f"firewall {status}", order(page(status)), cancel, "cloud_blocked") for status in (403, 404, 407, 451, 511)),
    ("empty JSON", order(Fault(FaultKind.STATUS, status=404, times=None)), cancel, "cloud_blocked"),
    ("lost team", leave_team, join_team, "cloud_mend"),
    ("token", lambda bench: bench.cloud.revoke_tokens(ME), new_token, "token_rejected"),
    ("full account", order(json_of(403, IMPORT, error="Limit of 100 devices")), cancel, "cloud_mend"),
    ("full account, 402", order(json_of(402, IMPORT, error="Upgrade your plan")), cancel, "cloud_mend"),
    ("paused product", order(json_of(403, error="The product is paused")), cancel, "cloud_mend"),
    ("no product", order(json_of(404, error="Product not found.")), cancel, "cloud_mend"),
    ("scope", order(json_of(400, RENAME, error="unauthorized")), cancel, "cloud_mend"),
    ("refused name", order(json_of(422, RENAME, message="name")), cancel, "cloud_mend"),
]  # fmt: skip


def some(*names: str) -> list[tuple[str, Act, Act, str]]:
    return [row for row in TROUBLES if row[0] in names]


ADD = "POST /v1/products/:p/devices"
ON_THE_BENCH = some(
    "portal 200", "firewall 404", "empty JSON", "lost team", "full account", "no product", "refused name"
)
HELD = some("portal 302", "lost team", "token", "full account, 402", "refused name")


def ids(rows: list[tuple[str, Act, Act, str]]) -> list[str]:
    return [row[0] for row in rows]


@pytest.mark.parametrize(("begin", "end", "sentence"), [row[1:] for row in TROUBLES], ids=ids(TROUBLES))
def test_eight_units_set_aside_pass_when_the_trouble_is_over(
    begin: Act, end: Act, sentence: str, tmp_path: Path
) -> None:
    with line_bench(tmp_path, BORON, slots=8) as bench:
        assert bench.walk(bench.finished_unit(BORON, 99)).verdict is Verdict.PASS
        before = dict(bench.cloud.effects)
        bench.restart()
        bench.cloud.down_for(150)
        mark = bench.mark()
        for number in range(1, 9):
            bench.plug(bench.finished_unit(BORON, number), number)
        ends = [bench.wait_finished(number, since=mark) for number in range(1, 9)]
        assert [event.verdict for event in ends] == [Verdict.PENDING] * 8
        begin(bench)
        bench.sleep(2000.0)
        told = [event.sentence for _, event in bench.events if isinstance(event, OwedWorkStuck)]
        assert told == [sentence]  # once, and not for every unit
        assert not [event for _, event in bench.events if isinstance(event, VerdictRevised)]
        end(bench)
        bench.sleep(900.0)
        revised = {e.attempt: (e.verdict, e.reason) for _, e in bench.events if isinstance(e, VerdictRevised)}
        assert revised == {event.attempt: (Verdict.PASS, "") for event in ends}
        each = {route: 9 * count for route, count in before.items()}
        joined = bench.cloud.effects[ADD]
        assert bench.cloud.effects == each | {ADD: joined}
        assert 2 <= joined <= 9  # one request, if the eight are due together, or one each


@pytest.mark.parametrize(("begin", "end", "sentence"), [row[1:] for row in ON_THE_BENCH], ids=ids(ON_THE_BENCH))
def test_a_unit_that_meets_the_trouble_on_the_bench_is_set_aside_and_passes_later(
    begin: Act, end: Act, sentence: str, tmp_path: Path
) -> None:
    with line_bench(tmp_path, BORON) as bench:
        assert bench.walk(bench.finished_unit(BORON, 99)).verdict is Verdict.PASS
        begin(bench)
        walk = bench.walk(bench.unit(number=1))
        assert walk.verdict is Verdict.PENDING, walk.finished
        assert walk.finished.sentence == sentence
        assert walk.outcomes["firmware"] == "done"
        end(bench)
        revised = bench.wait_for(VerdictRevised, attempt=walk.finished.attempt, within=1200)
        assert revised.verdict is Verdict.PASS, revised  # type: ignore[attr-defined]


@pytest.mark.parametrize(("begin", "end", "sentence"), [row[1:] for row in HELD], ids=ids(HELD))
def test_a_unit_that_is_held_says_for_what_and_goes_on_by_itself(
    begin: Act, end: Act, sentence: str, tmp_path: Path
) -> None:
    recipe = replace(BORON, claim=True, offline="hold")
    with line_bench(tmp_path, recipe) as bench:
        assert bench.walk(bench.finished_unit(recipe, 99)).verdict is Verdict.PASS
        begin(bench)
        mark = bench.mark()
        bench.plug(bench.finished_unit(recipe, 1))
        bench.wait_for(StepHeld, sentence=sentence, since=mark)
        bench.sleep(1200.0)
        assert not [event for _, event in bench.events[mark:] if isinstance(event, AttemptFinished)]
        end(bench)
        finished = bench.wait_finished(since=mark)
        assert finished.verdict is Verdict.PASS, finished.reason


@pytest.mark.parametrize("fault", [page(302), page(200), page(403), page(511)], ids=lambda fault: str(fault.status))
def test_a_portal_puts_the_clouds_light_out_and_its_end_puts_it_on_again(fault: Fault, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        assert bench.walk(bench.finished_unit(BORON, 99)).verdict is Verdict.PASS
        bench.cloud.order(fault)
        mark = bench.mark()
        walk = bench.walk(bench.finished_unit(BORON, 1))
        assert walk.verdict is Verdict.PENDING
        bench.cloud.cancel_faults()
        bench.wait_for(VerdictRevised, attempt=walk.finished.attempt)
        changes = [event for _, event in bench.events[mark:] if isinstance(event, CloudStateChanged)]
        assert [event.reachable for event in changes] == [False, True]
        assert "not the cloud's" in changes[0].reason


def test_a_portal_before_a_developers_unit_holds_it_and_judges_nobody(tmp_path: Path) -> None:
    """Its route takes a 403 for "not ours": only the cloud's own."""
    with line_bench(tmp_path, DEVELOPER) as bench:
        bench.plug(bench.finished_unit(DEVELOPER))
        bench.cloud.order(page(403))
        bench.wait_for(StepHeld, sentence="cloud_blocked")
        bench.sleep(600.0)
        bench.cloud.cancel_faults()
        assert bench.wait_finished().verdict is Verdict.PASS


def test_a_held_unit_says_when_what_it_waits_for_changes(tmp_path: Path) -> None:
    with line_bench(tmp_path, ARGON) as bench:
        bench.cloud.order(page(302))
        bench.plug(bench.finished_unit(ARGON))
        bench.wait_for(StepHeld, sentence="cloud_blocked")
        bench.cloud.cancel_faults()
        bench.cloud.revoke_tokens(ME)
        bench.wait_for(StepHeld, sentence="token_rejected")
        new_token(bench)
        assert bench.wait_finished().verdict is Verdict.PASS


def test_owed_work_of_one_product_does_not_wait_for_the_account_of_another(tmp_path: Path) -> None:
    argon = replace(ARGON, wifi=False, online=False, offline="queue")
    with line_bench(tmp_path, BORON, argon, slots=2) as bench:
        for recipe in (BORON, argon):
            assert bench.walk(bench.finished_unit(recipe, 99)).verdict is Verdict.PASS
        bench.restart()
        bench.cloud.down_for(100)
        first = bench.walk(bench.finished_unit(BORON, 1))
        second = bench.walk(bench.finished_unit(argon, 2))
        leave_team(bench)
        revised = bench.wait_for(VerdictRevised, within=300)
        assert revised.attempt == second.finished.attempt
        join_team(bench)
        assert bench.wait_for(VerdictRevised, attempt=first.finished.attempt).verdict is Verdict.PASS  # type: ignore[attr-defined]


def test_a_read_that_lags_behind_every_write_judges_nobody(tmp_path: Path) -> None:
    """Membership, name and owner show up one, two and three looks later."""
    recipe = replace(BORON, claim=True)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        stale = {"id": unit.device_id, "product_id": PRODUCTS["boron"], "platform_id": 13}
        none = {"ok": False, "error": "Device not found for this product"}
        bench.cloud.order(Fault(FaultKind.STATUS, MEMBER, status=404, body=none, times=2, after=2))
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        bench.cloud.edit_device(unit.spec.device_id, name=None, owner=None)
        bench.cloud.order(Fault(FaultKind.STATUS, MEMBER, status=200, body=stale, times=3, after=3))
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert walk.with_outcome(Outcome.DONE) == {"name", "claim"}


def test_owed_work_whose_unit_is_not_shown_for_a_moment_is_looked_at_again(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        assert bench.walk(bench.finished_unit(BORON, 99)).verdict is Verdict.PASS
        bench.restart()
        bench.cloud.down_for(100)
        walk = bench.walk(bench.finished_unit(BORON, 1))
        none = {"ok": False, "error": "Device not found for this product"}
        bench.cloud.order(Fault(FaultKind.STATUS, MEMBER, status=404, body=none, times=3, after=2))
        bench.cloud.order(Fault(FaultKind.STATUS, RENAME, status=404, body=none))
        revised = bench.wait_for(VerdictRevised, attempt=walk.finished.attempt)
        assert revised.verdict is Verdict.PASS, revised  # type: ignore[attr-defined]


def test_a_member_that_was_really_taken_out_ends_its_owed_work(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        assert bench.walk(bench.finished_unit(BORON, 99)).verdict is Verdict.PASS
        unit = bench.finished_unit(BORON, 1)
        bench.cloud.order(Fault(FaultKind.DROP_BEFORE, RENAME, times=None))
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PENDING
        bench.cloud.edit_device(unit.spec.device_id, product_id=OTHER_PRODUCT)
        bench.cloud.cancel_faults()
        revised = bench.wait_for(VerdictRevised, attempt=walk.finished.attempt, within=1200)
        assert revised.verdict is Verdict.FAIL, revised  # type: ignore[attr-defined]
        assert str(unit.spec.serial) in revised.reason  # type: ignore[attr-defined]
        settled = [e.action for _, e in bench.events if isinstance(e, OutboxSettled) and e.outcome is Outcome.FAILED]
        assert settled == ["name"]
