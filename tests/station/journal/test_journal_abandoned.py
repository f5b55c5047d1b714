"""An attempt the station stopped in names the step that was at work, as far as the records tell."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.journal_story import at, opened, started, step, unit_id
from support.known_steps import STEPS

from drivers.clock import SimulatedClock
from station.engine.events import Event
from station.engine.records import WriteConfirmed, WriteIntended
from station.journal import Journal
from station.model import Outcome


def intended(name: str, target: str = "unit", *, attempt: str = "a") -> WriteIntended:
    return WriteIntended(
        at=at(), slot=3, device_id=unit_id(1), attempt=attempt, step=name, target=target, what=f"{name} of {target}"
    )


def confirmed(name: str, target: str = "unit") -> WriteConfirmed:
    return WriteConfirmed(
        at=at(), slot=3, device_id=unit_id(1), attempt="a", step=name, target=target, what=f"{name} of {target}"
    )


IDENTIFIED = step("a", "identify", Outcome.ALREADY)


@pytest.mark.parametrize(
    ("told", "at_work"),
    [
        ((), "identify"),
        ((IDENTIFIED,), "device_os"),
        ((IDENTIFIED, intended("device_os")), "device_os"),
        ((IDENTIFIED, intended("product_add", "cloud")), "product_add"),
        ((IDENTIFIED, intended("device_os"), intended("product_add", "cloud")), "device_os"),
        ((IDENTIFIED, intended("product_add", "cloud"), confirmed("product_add", "cloud")), "device_os"),
        ((IDENTIFIED, intended("device_os"), step("a", "device_os", Outcome.ERROR)), "wifi"),
        ((IDENTIFIED, step("a", "device_os"), step("a", "wifi")), "product_add"),
        (tuple(step("a", name) for name in ("identify", "device_os", "product_add", "wifi")), ""),
        ((intended("wifi", attempt="other"),), "identify"),
    ],
)  # fmt: skip
def test_the_step_at_work_is_named(tmp_path: Path, told: tuple[Event, ...], at_work: str) -> None:
    with Journal.open(tmp_path, "bench-1", SimulatedClock(), unit_steps=STEPS.on_unit) as journal:
        journal.record(opened(), started("a"), *told)
    with Journal.open(tmp_path, "bench-1", SimulatedClock(), unit_steps=STEPS.on_unit) as journal:
        (torn,) = journal.abandoned
        assert torn.failed_step == at_work
        journal.rebuild()
        assert (journal.attempt("a") or torn).failed_step == at_work
