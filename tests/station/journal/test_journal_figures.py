"""What one unit counts for in the figures of its batch, by how its attempts ended."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.journal_story import finished, opened, pending, started

from drivers.clock import SimulatedClock
from station.figures import Figures, remaining
from station.journal import Journal, JournalReader
from station.model import Verdict

P, W, F, S, E = Verdict.PASS, Verdict.PENDING, Verdict.FAIL, Verdict.ABORTED, Verdict.ERROR


@pytest.mark.parametrize(
    ("ends", "counts"),
    [
        ((None,), Figures(units=1)),
        ((P,), Figures(units=1, passed=1, judged=1, first_passed=1)),
        ((W,), Figures(units=1, pending=1)),
        ((F,), Figures(units=1, failed=1, judged=1)),
        ((S,), Figures(units=1, aborted=1)),
        ((E,), Figures(units=1, error=1)),
        ((S, E, P), Figures(units=1, passed=1, judged=1, first_passed=1)),  # neither judged it
        ((F, P), Figures(units=1, passed=1, judged=1, retests=1)),
        ((P, F, E), Figures(units=1, error=1, judged=1, first_passed=1, retests=1)),
        ((P, S), Figures(units=1, aborted=1, judged=1, first_passed=1)),
        ((F, None), Figures(units=1, failed=1, judged=1)),  # under way again: it stands where it was left
    ],
    ids=str,
)
def test_a_unit_counts_by_how_its_attempts_ended(data: Path, ends: tuple[Verdict | None, ...], counts: Figures) -> None:
    with Journal.open(data, "bench-1", SimulatedClock()) as journal:
        journal.record(opened())
        for number, verdict in enumerate(ends):
            attempt = f"a-{number}"
            if verdict is W:
                journal.record(*pending(attempt, "product_add"))
            else:
                journal.record(started(attempt), *([finished(attempt, verdict)] if verdict is not None else []))
    with JournalReader(data) as journal:
        assert journal.figures("B1") == counts


def test_units_that_nobody_judged_are_in_no_yield() -> None:
    counts = Figures(units=9, passed=3, pending=2, failed=1, aborted=2, error=1, judged=4, first_passed=2)
    assert (counts.final_yield, counts.first_pass_yield) == (0.75, 0.5)
    assert (Figures(units=9, pending=9).final_yield, Figures(units=9, aborted=9).first_pass_yield) == (None, None)


def test_what_is_left_is_never_less_than_nothing() -> None:
    counts = Figures(units=4, passed=3, failed=1, judged=4, first_passed=3)
    assert remaining(counts, 6, 10.0) == pytest.approx(3 * 10.0 / 0.75)
    assert remaining(counts, 2, 10.0) == 0
