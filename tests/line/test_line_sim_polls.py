"""Sixty plastic SIM cards that no import brings: what they cost, and that each is asked for and told of once."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from support.cloud_bench import ME
from support.owing import Owing, device, iccid, job, owing, pending

from drivers.identity import SerialNumber
from station.cloud.virtual.faults import Fault, FaultKind
from station.engine.events import OwedWorkStuck
from station.settings.config import REQUESTS_PER_S
from station.steps.shared.cloudjob import CloudJob

COUNT, PRODUCT = 60, 20010
HOUR_S = 3600.0
SIMS = "POST /v1/products/:p/sims"


def electron(number: int) -> CloudJob:
    serial = f"E26KAB{number:09d}"
    return dataclasses.replace(job(number), platform_id=10, product_id=PRODUCT, name=serial, serial=serial)


def all_unknown(_shift: Owing) -> None:
    """Nobody registered the cards."""


def all_foreign(shift: Owing) -> None:
    for number in range(COUNT):
        shift.cloud.register_sim(iccid(number))
        shift.cloud.edit_sim(iccid(number), username="stranger@example.com", status="active")


def all_in_vain(shift: Owing) -> None:
    for number in range(COUNT):
        shift.cloud.register_sim(iccid(number))
    shift.cloud.order(Fault(FaultKind.LIE, SIMS, times=None))


@pytest.mark.rule("G7")
@pytest.mark.parametrize(
    ("harm", "sentence"), [(all_unknown, "sim_odd"), (all_foreign, "sim_foreign"), (all_in_vain, "sim_odd")]
)
def test_sixty_cards_that_no_import_brings_cost_less_than_a_hundredth_of_the_budget(
    harm: Callable[[Owing], None], sentence: str, tmp_path: Path
) -> None:
    with owing(tmp_path, 0) as shift:
        shift.cloud.create_product(PRODUCT, 10, slug="widget-electron", name="Electrons", team=[ME])
        for number in range(COUNT):
            unit = electron(number)
            shift.cloud.register_unit(device(number), 10, serial=SerialNumber.parse(unit.serial))
            shift.journal.record(*pending(number, ("product_add", "sim", "final_check"), electron))
        harm(shift)
        shift.worker.start()
        hours = [len(shift.requests_within(HOUR_S)) for _ in range(3)]
        assert all(hour < 0.01 * REQUESTS_PER_S * HOUR_S for hour in hours), hours
        bodies = [one.body["sims"] for one in shift.cloud.requests() if one.route == SIMS]
        asked = Counter(number for body in bodies if isinstance(body, list) for number in body)
        assert asked == {str(iccid(number)): 1 for number in range(COUNT)}
        assert len(bodies) == 1, "all in one request"
        told = [event for event in shift.events if isinstance(event, OwedWorkStuck)]
        assert Counter((event.device_id, event.sentence) for event in told) == {
            (str(device(number)), sentence): 1 for number in range(COUNT)
        }
        assert shift.journal.waiting() == 2 * COUNT
