"""Shows what a rework will do, asks, has it done, and tells how each unit ended: for all of ``station rework``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from drivers.errors import DriverError

from ..engine.step import StepResult
from ..errors import BadInput, CloudError, StepFault, UnitRejected, classify_error
from ..line.rework.case import Case, Foreseen
from ..line.rework.desk import ReworkDesk
from ..model import Outcome
from .asking import Declined, can_ask, says_yes
from .telling import standard_output, tell

Look = Callable[[], tuple[Case, Foreseen]]
"""Looks at one unit and foresees what happens to it."""


@dataclass(slots=True)
class ReworkedUnit:
    """One unit on its way through a rework."""

    name: str  # as it was named
    case: Case | None = None
    foreseen: Foreseen | None = None
    result: StepResult | None = None

    @property
    def will_change(self) -> bool:
        return self.result is None and self.foreseen is not None and bool(self.foreseen.parts)


class Session:
    """One run of the verb, for ``kind`` of units."""

    def __init__(self, desk: ReworkDesk, kind: str, *, as_json: bool, is_agreed: bool) -> None:
        self._desk, self._kind = desk, kind
        self._as_json, self._is_agreed = as_json, is_agreed
        self._stopped = ""  # what keeps the cloud from answering for any unit
        self._named: dict[str, str] = {}  # by Device ID or ICCID: how it was named first

    def run(self, looks: Mapping[str, Look]) -> int:
        """Look at each unit, show, ask, do; returns the exit status.

        0: all are as wanted, 1: some are not, or somebody declined, 2: nobody could be asked, 3: the cloud does not
        answer.
        """
        units = [self._looked(name, look) for name, look in looks.items()]
        changing = [one for one in units if one.will_change]
        if changing and not self._as_json:
            tell(*(line for one in changing for line in _plan(one)))
        agreed = self._agreed(changing) if changing else []
        for one in agreed:
            self._do(one)
        if self._as_json:
            with standard_output() as file:
                file.writelines(json.dumps(_as_object(self._kind, one)) + "\n" for one in units)
        if self._stopped:
            sys.stderr.write(f"station: {self._stopped}; say it again, the rest is done then\n")
            return 3
        if changing and not agreed and not self._is_agreed:
            if self._asks:
                raise Declined
            raise BadInput(_SAY_YES)
        good = (Outcome.ALREADY, Outcome.DONE, Outcome.DEFERRED)
        return 0 if all(one.result is not None and one.result.outcome in good for one in units) else 1

    @property
    def _asks(self) -> bool:
        return not (self._is_agreed or self._as_json) and can_ask()

    def _looked(self, name: str, look: Look) -> ReworkedUnit:
        unit = ReworkedUnit(name)
        if self._stopped:
            return unit
        try:
            unit.case, unit.foreseen = look()
        except CloudError as error:
            self._give_up(unit, error)
        except (UnitRejected, StepFault, DriverError) as error:
            self._ended(unit, StepResult(classify_error(error).outcome, reason=str(error)))
        if unit.case is not None and (first := self._first(unit.case, name)) != name:
            unit.foreseen = Foreseen(already=f"the same unit as {first}")
        if unit.foreseen is not None and not unit.foreseen.parts:
            self._ended(unit, StepResult(Outcome.ALREADY, proof=unit.foreseen.already))
        return unit

    def _first(self, case: Case, name: str) -> str:
        """Return how the unit was named first: by Device ID and by serial number it is one."""
        job = case.cloud.job
        return self._named.setdefault(job.device_id or job.iccid, name)

    def _ended(self, unit: ReworkedUnit, result: StepResult) -> None:
        unit.result = result
        if not self._as_json:
            tell(_line(unit))

    def _give_up(self, unit: ReworkedUnit, error: CloudError) -> None:
        """What is not about a unit keeps all others waiting, too."""
        self._ended(unit, StepResult(Outcome.ERROR, reason=error.told))
        self._stopped = error.told

    def _agreed(self, units: Sequence[ReworkedUnit]) -> list[ReworkedUnit]:
        """Return the units somebody said yes to; those with a warning need a yes of their own."""
        plain, warned = (
            [one for one in units if one.foreseen and bool(one.foreseen.warns) is w] for w in (False, True)
        )
        agreed = [*plain] if self._yes(f"{self._kind} {_count(plain)}?", plain) else []
        for one in warned:
            assert one.foreseen is not None
            if self._asks and self._yes(f"{one.name}: {one.foreseen.warns}. {self._kind} it all the same?", [one]):
                agreed.append(one)
            elif self._is_agreed:
                why = f"not done: {one.foreseen.warns}; say {one.foreseen.option} if it is meant"
                self._ended(one, StepResult(Outcome.FAILED, reason=why))
        return agreed

    def _yes(self, question: str, units: Sequence[ReworkedUnit]) -> bool:
        if not units or self._is_agreed or not self._asks:
            return bool(units) and self._is_agreed
        return says_yes(question)

    def _do(self, unit: ReworkedUnit) -> None:
        assert unit.case is not None
        assert unit.foreseen is not None
        if self._stopped:
            return
        try:
            self._ended(unit, self._desk.act(unit.case, unit.foreseen.parts))
        except CloudError as error:
            self._give_up(unit, error)


_SAY_YES = "nothing was done; this is what would happen, say --yes to have it done"


def _count(units: Sequence[object]) -> str:
    return "this unit" if len(units) == 1 else f"these {len(units)} units"


def _plan(unit: ReworkedUnit) -> Iterator[str]:
    assert unit.case is not None
    assert unit.foreseen is not None
    yield unit.case.number
    yield f"  now: {unit.case.shown}"
    yield from (f"  {number}. {part.says}" for number, part in enumerate(unit.foreseen.parts, 1))
    yield from (f"  note: {note}" for note in unit.foreseen.notes)
    if unit.foreseen.warns:
        yield f"  WARNING: {unit.foreseen.warns}"


def _line(unit: ReworkedUnit) -> str:
    number = unit.case.number if unit.case is not None else unit.name
    assert unit.result is not None
    return f"{_WORDS[unit.result.outcome]:9} {number}  {unit.result.proof or unit.result.reason}"


_WORDS = {
    Outcome.ALREADY: "already", Outcome.DONE: "done", Outcome.DEFERRED: "under way", Outcome.FAILED: "NOT DONE",
    Outcome.ERROR: "NOT KNOWN", Outcome.SKIPPED: "NOT DONE", Outcome.ABORTED: "NOT DONE",
}  # fmt: skip


def _as_object(kind: str, unit: ReworkedUnit) -> dict[str, object]:
    job, foreseen, result = unit.case and unit.case.cloud.job, unit.foreseen, unit.result
    return {
        "rework": kind, "unit": unit.name,
        "device_id": job.device_id if job else "", "serial": job.serial if job else "",
        "now": unit.case.shown if unit.case else "", "parts": [one.says for one in foreseen.parts] if foreseen else [],
        "notes": list(foreseen.notes) if foreseen else [], "warning": foreseen.warns if foreseen else "",
        "outcome": result.outcome.value if result else "not tried",
        "text": (result.proof or result.reason) if result else "",
    }  # fmt: skip
