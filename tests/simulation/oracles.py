"""Checks what must be true of a shift from outside the station: flash, cloud, and planted flaws.

Nothing here relies on the station. A PASS is compared with the bytes in the unit's flash and with the
rows of the cloud; a FAIL with the flaw planted in the unit.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping

from line_bench import LineBench, Recipe
from support.proof_of_pass import untruths

from drivers.virtual.unit import VirtualUnit
from station.model import Verdict

from .story import Part

ENDINGS: Mapping[str, frozenset[Verdict]] = {
    "wrong-platform": frozenset({Verdict.ABORTED}),  # no verdict at all: the slot says to take it out
    "foreign-owner": frozenset({Verdict.FAIL}),
    "other-product": frozenset({Verdict.FAIL}),
    "wrong-record": frozenset({Verdict.FAIL}),
    "bad-label": frozenset({Verdict.FAIL}),
    "worn-flash": frozenset({Verdict.FAIL}),
    "protected": frozenset({Verdict.FAIL}),
    "dead-sim": frozenset({Verdict.FAIL, Verdict.PENDING}),  # a named person has to fix the SIM
    "quarantined": frozenset({Verdict.FAIL, Verdict.PENDING}),
    "deaf": frozenset({Verdict.FAIL, Verdict.ERROR}),  # FAIL needs units that join between its tries
    "weak-battery": frozenset({Verdict.FAIL}),
    "hungry": frozenset({Verdict.FAIL}),
}
"""Verdicts allowed for a unit with that flaw once everything around it works again. None includes PASS."""

MENDED = frozenset({"quarantined"})
"""Flaws the station may cure, which makes the unit a good one."""


class Violation(AssertionError):
    """An oracle was violated. ``kind`` names the oracle: a shrunk story has to violate the same one."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind


class Bugs(logging.Handler):
    """Collects what station and drivers log at ERROR, which is always an unforeseen fault."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(("station", "drivers")):
            self.seen.append(self.format(record))


def check_pass(bench: LineBench, part: Part, unit: VirtualUnit, recipe: Recipe, *, is_here: bool) -> None:
    """Raise `Violation` if flash, settings or the cloud's rows are not as the profile requires.

    ``is_here``: the unit still has power, so its running state can be checked too.
    """
    if part.flaw and part.flaw not in MENDED:
        raise Violation("false PASS", f"unit {part.number} is {part.flaw} and passed")
    wrong = untruths(bench, unit, recipe, is_here=is_here)
    if wrong:
        raise Violation("false PASS", f"unit {part.number} passed but {wrong[0]}")


def check_effects(bench: LineBench) -> None:
    """Raise `Violation` if a membership, claim or activation happened more than once for one unit."""
    counts: Counter[tuple[str, str]] = Counter()
    for request in bench.cloud.requests(since_start=False):
        if request.had_effect and request.method == "POST":
            counts[request.route, str(sorted(request.body.items()))] += 1
    for unit in bench.units:
        if unit.spec.iccid is not None:
            row = bench.cloud._store.row(
                "SELECT activations FROM sims WHERE iccid = ? AND NOT will_fail", str(unit.spec.iccid)
            )  # what the carrier fails to do is asked for once more
            counts["activation", str(unit.spec.iccid)] = row["activations"] if row is not None else 0
    for (what, who), count in counts.items():
        if count > 1:
            raise Violation("doubled", f"{what} of {who} happened {count} times")
