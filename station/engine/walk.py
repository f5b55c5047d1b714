"""Decides which step runs next and what verdict the outcomes make. Pure.

The order is a graph: a step is ready when all its predecessors ended well. Each lane (`Lane`) runs one step at a
time, beside the others. The first step that fails stops the walk: no other starts, and those running in other
lanes than the unit's are cancelled.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ..model import OUTCOME_VERDICT, Outcome, StepRecord, Verdict


class Lane(enum.StrEnum):
    """Where a step works; one step of each lane may run at a time."""

    UNIT = "unit"  # talks to the unit over USB
    CLOUD = "cloud"  # talks to the cloud only
    STATION = "station"  # works with what stands beside the unit: power meters, scales, cameras


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step of a profile: its predecessors by name, and the limit of one run in seconds."""

    name: str
    title: str
    lane: Lane
    after: tuple[str, ...]
    limit_s: float


_GOES_ON = frozenset({Outcome.ALREADY, Outcome.DONE, Outcome.SKIPPED, Outcome.DEFERRED})


def ready(
    plans: Iterable[StepPlan],
    finished: Mapping[str, Outcome],
    running: frozenset[str] = frozenset(),
    held_back: Mapping[str, frozenset[str]] | None = None,
) -> tuple[StepPlan, ...]:
    """Return the steps that may start now, at most one per lane, in the profile's order.

    ``held_back`` adds predecessors found during the walk: a unit that arrived in DFU mode reports no serial
    number, so its cloud steps wait until its application runs.
    """
    plans = tuple(plans)
    if is_stopped(finished):
        return ()
    extra = held_back or {}
    known = {plan.name for plan in plans}
    busy = {plan.lane for plan in plans if plan.name in running}
    found: list[StepPlan] = []
    for plan in plans:
        before = (set(plan.after) | extra.get(plan.name, frozenset())) & known
        if plan.name in finished or plan.name in running or plan.lane in busy:
            continue
        if all(name in finished for name in before):
            busy.add(plan.lane)
            found.append(plan)
    return tuple(found)


def limited(plans: Iterable[StepPlan], names: frozenset[str]) -> tuple[StepPlan, ...]:
    """Return only the steps in ``names``, in the order of ``plans``, with their order among each other kept."""
    before: dict[str, tuple[str, ...]] = {}  # omitted steps replaced by their own predecessors
    kept: list[StepPlan] = []
    for plan in plans:
        reached = [found for step in plan.after for found in ((step,) if step in names else before.get(step, ()))]
        before[plan.name] = tuple(dict.fromkeys(reached))
        if plan.name in names:
            kept.append(replace(plan, after=before[plan.name]))
    return tuple(kept)


def is_stopped(finished: Mapping[str, Outcome]) -> bool:
    """Tell whether some step ended in a way that lets no other start."""
    return any(outcome not in _GOES_ON for outcome in finished.values())


def verdict(records: Iterable[StepRecord]) -> Verdict:
    """Return the worst of the steps' verdicts; PASS when there are none."""
    return max((OUTCOME_VERDICT[record.outcome] for record in records), default=Verdict.PASS)


def failed_step(records: Iterable[StepRecord]) -> StepRecord | None:
    """Return the record that decided the verdict: the first of the worst, None when all went well."""
    worst: StepRecord | None = None
    for record in records:
        if record.outcome not in _GOES_ON and (worst is None or record.verdict > worst.verdict):
            worst = record
    return worst
