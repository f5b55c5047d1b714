"""The figures of a batch: one definition for the screen, ``batch list``, the export and its report."""

from __future__ import annotations

import dataclasses
import datetime
import operator
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .model import VERDICT_WORD, Verdict


@dataclass(frozen=True, slots=True)
class Figures:
    """What a batch came to so far, in units (different Device IDs): the one definition of every face and export.

    A unit stands where its last attempt with a verdict put it, so ``units`` may be more than all the others together:
    the rest is being walked for the first time. PENDING, ABORTED and ERROR judge nobody; a PENDING attempt counts as
    the PASS or FAIL it becomes.
    """

    units: int = 0
    passed: int = 0
    pending: int = 0
    failed: int = 0
    aborted: int = 0
    error: int = 0
    judged: int = 0  # units with at least one attempt that ended PASS or FAIL
    first_passed: int = 0  # those of them whose first such attempt was a PASS
    retests: int = 0  # judged attempts beyond each unit's first

    @property
    def finished(self) -> int:
        """Count the units whose last attempt is PASS or FAIL."""
        return self.passed + self.failed

    @property
    def first_pass_yield(self) -> float | None:
        """Return 0.0-1.0; None while no unit has been judged."""
        return self.first_passed / self.judged if self.judged else None

    @property
    def final_yield(self) -> float | None:
        """Return 0.0-1.0; None while no unit is finished."""
        return self.passed / self.finished if self.finished else None

    @property
    def others(self) -> tuple[tuple[Verdict, int], ...]:
        """Return how many units stand at each verdict but PASS, in the order they are told in."""
        return (
            (Verdict.FAIL, self.failed), (Verdict.PENDING, self.pending), (Verdict.ABORTED, self.aborted),
            (Verdict.ERROR, self.error),
        )  # fmt: skip

    def __add__(self, other: Figures) -> Figures:
        """Add the figures of two batches."""
        return Figures(*map(operator.add, dataclasses.astuple(self), dataclasses.astuple(other)))


def takt(ends: Iterable[tuple[int, datetime.datetime]]) -> float | None:
    """Return the median of the seconds between verdicts; None while no slot has two.

    ``ends``: slot and time of each PASS and FAIL, in order. Slots that start together end together, so of several the
    median is that of the seconds between two verdicts of one slot, divided by the slots at work. Pauses do not count
    as long as they are few.
    """
    last: dict[int, datetime.datetime] = {}
    gaps: list[float] = []
    for slot, at in ends:
        if slot in last:
            gaps.append((at - last[slot]).total_seconds())
        last[slot] = at
    return statistics.median(gaps) / len(last) if gaps else None


def remaining(figures: Figures, target: int | None, takt_s: float | None) -> float | None:
    """Return the seconds until ``target`` units passed, if units pass as often as so far; None where nobody can say."""
    share = figures.final_yield
    return None if target is None or takt_s is None or not share else max(0, target - figures.passed) * takt_s / share


def percent(share: float | None, nothing: str = "–") -> str:
    """Format ``share`` (0.0-1.0) for people; ``nothing`` where no unit was judged."""
    return nothing if share is None else f"{share * 100:.1f} %"


def counts(
    figures: Figures, target: int | None = None, word: Callable[[Verdict], str] = VERDICT_WORD.__getitem__
) -> str:
    """Format the counts, ``126/500 PASS, 3 FAIL, 2 SET ASIDE``; zeros are left out except for PASS."""
    parts = [f"{figures.passed}{f'/{target}' if target else ''} {word(Verdict.PASS)}"]
    return ", ".join([*parts, *(f"{count} {word(verdict)}" for verdict, count in figures.others if count)])


def yields(figures: Figures, nothing: str = "–") -> str:
    """Format the yields: ``FPY 97.7 %, final yield 98.4 %, 4 retests``."""
    retests = f"{figures.retests} retest{'' if figures.retests == 1 else 's'}"
    first, final = percent(figures.first_pass_yield, nothing), percent(figures.final_yield, nothing)
    return f"FPY {first}, final yield {final}, {retests}"
