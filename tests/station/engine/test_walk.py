"""The pure walk: what may start next, when it stops, and what it makes of the attempt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.known_steps import STEPS, step_plans

from station.engine import walk
from station.engine.walk import Lane, StepPlan
from station.model import Outcome, StepRecord, Verdict
from station.settings.profile import Kind

GOOD = (Outcome.ALREADY, Outcome.DONE, Outcome.SKIPPED, Outcome.DEFERRED)
BAD = (Outcome.FAILED, Outcome.ABORTED, Outcome.ERROR)
PRODUCT = step_plans(Kind.PRODUCT, off=("group", "development", "firmware_lock", "notes"))
DEVELOPER = step_plans(Kind.DEVELOPER)


def finished(*names: str, outcome: Outcome = Outcome.DONE) -> dict[str, Outcome]:
    return dict.fromkeys(names, outcome)


def names(plans: tuple[StepPlan, ...]) -> list[str]:
    return [plan.name for plan in plans]


@pytest.mark.parametrize(
    ("done", "running", "expected"),
    [
        ((), (), ["identify"]),
        ((), ("identify",), []),
        (("identify",), (), ["dfu", "product_add"]),
        (("identify",), ("dfu",), ["product_add"]),
        (("identify",), ("dfu", "product_add"), []),
        (("identify", "dfu"), ("product_add",), ["device_os"]),
        (("identify", "dfu", "device_os", "firmware"), ("product_add",), []),  # wifi waits for the claim too
        (("identify", "product_add", "name", "claim"), ("dfu",), []),
        (("identify", "dfu", "device_os", "firmware", "product_add", "name", "claim"), (), ["claim_code"]),
        (
            ("identify", "dfu", "device_os", "firmware", "product_add", "name", "claim", "claim_code"),
            (),
            ["wifi"],
        ),
    ],
)
def test_what_may_start_next_on_a_product_unit(
    done: tuple[str, ...], running: tuple[str, ...], expected: list[str]
) -> None:
    assert names(walk.ready(PRODUCT, finished(*done), frozenset(running))) == expected


@pytest.mark.parametrize("outcome", GOOD)
def test_a_step_that_went_well_lets_its_followers_start(outcome: Outcome) -> None:
    assert names(walk.ready(PRODUCT, finished("identify", outcome=outcome))) == ["dfu", "product_add"]


@pytest.mark.parametrize("outcome", BAD)
def test_a_step_that_ended_badly_lets_nothing_start(outcome: Outcome) -> None:
    state = finished("identify") | {"product_add": outcome}
    assert walk.ready(PRODUCT, state) == ()
    assert walk.is_stopped(state)


def test_steps_held_back_wait_for_what_holds_them() -> None:
    """A unit that arrived in DFU: its cloud steps wait until the firmware step has brought it back."""
    held = {"product_add": frozenset({"firmware"})}
    assert names(walk.ready(PRODUCT, finished("identify"), held_back=held)) == ["dfu"]
    flashed = finished("identify", "dfu", "device_os", "firmware")
    assert names(walk.ready(PRODUCT, flashed, held_back=held)) == ["product_add"]


def test_being_held_back_by_a_step_the_profile_does_not_have_holds_nobody() -> None:
    plans = step_plans(Kind.PRODUCT, {"dfu", "device_os", "firmware"})
    held = {"product_add": frozenset({"firmware"})}
    assert "product_add" in names(walk.ready(plans, finished("identify"), held_back=held))


@given(
    st.sampled_from([PRODUCT, DEVELOPER]),
    st.sets(st.sampled_from(["dfu", "name", "wifi", "sim", "online", "claim", "final_check"])),
    st.randoms(use_true_random=False),
)
def test_every_walk_ends_with_every_step_run_once_after_its_predecessors(
    plans: tuple[StepPlan, ...], off: set[str], dice: object
) -> None:
    kind = Kind.PRODUCT if plans is PRODUCT else Kind.DEVELOPER
    plans = step_plans(kind, off)
    running: list[str] = []
    ended: list[str] = []
    while len(ended) < len(plans):
        for plan in walk.ready(plans, finished(*ended), frozenset(running)):
            assert set(plan.after) <= set(ended)
            running.append(plan.name)
        lanes = [plan.lane for plan in plans if plan.name in running]
        assert len(lanes) == len(set(lanes)) <= len(Lane)
        assert running, "nothing runs and nothing may start"
        ended.append(running.pop(dice.randrange(len(running))))  # type: ignore[attr-defined]
    assert sorted(ended) == sorted(plan.name for plan in plans)


@given(
    st.sampled_from(Kind),
    st.sets(st.sampled_from(sorted({*STEPS.names} - {"online"}))),
    st.sets(st.sampled_from(sorted(STEPS.names))),
)
def test_online_waits_for_the_whole_unit_lane(kind: Kind, off: set[str], only: set[str]) -> None:
    """It asks the unit from the cloud lane, and a device serves one thread at a time."""
    reach: dict[str, set[str]] = {}
    plans = walk.limited(step_plans(kind, off), frozenset({*only, "online"}))
    for plan in plans:
        reach[plan.name] = set(plan.after).union(*(reach[name] for name in plan.after))
    beside = {plan.name for plan in plans if plan.lane is Lane.UNIT and plan.name not in reach["online"]}
    assert {name for name in beside if "online" not in reach[name]} == set(), (
        "what waits for online cannot run beside it"
    )


@pytest.mark.parametrize(
    ("outcomes", "verdict", "failed"),
    [
        ((), Verdict.PASS, None),
        ((Outcome.ALREADY, Outcome.DONE, Outcome.SKIPPED), Verdict.PASS, None),
        ((Outcome.DONE, Outcome.DEFERRED), Verdict.PENDING, None),
        ((Outcome.DEFERRED, Outcome.FAILED), Verdict.FAIL, 1),
        ((Outcome.FAILED, Outcome.ABORTED), Verdict.ABORTED, 1),
        ((Outcome.ABORTED, Outcome.ERROR, Outcome.FAILED), Verdict.ERROR, 1),
        ((Outcome.FAILED, Outcome.FAILED), Verdict.FAIL, 0),  # the first of the worst decided it
    ],
)
def test_the_worst_step_is_the_verdict(outcomes: tuple[Outcome, ...], verdict: Verdict, failed: int | None) -> None:
    records = [StepRecord(f"step-{number}", outcome) for number, outcome in enumerate(outcomes)]
    assert walk.verdict(records) is verdict
    decided = walk.failed_step(records)
    assert (decided.step if decided else None) == (None if failed is None else f"step-{failed}")


@pytest.mark.parametrize(
    ("names", "after"),
    [
        ({"identify", "name"}, {"identify": (), "name": ("identify",)}),
        ({"identify", "wifi"}, {"identify": (), "wifi": ("identify",)}),
        ({"identify", "firmware", "setup_done"}, {"firmware": ("identify",), "setup_done": ("firmware", "identify")}),
        ({"wifi"}, {"wifi": ()}),
    ],
)
def test_steps_left_out_hand_their_place_on(names: set[str], after: dict[str, tuple[str, ...]]) -> None:
    limited = walk.limited(PRODUCT, frozenset(names))
    assert {plan.name for plan in limited} == names
    for plan in limited:
        assert plan.after == after.get(plan.name, ())
