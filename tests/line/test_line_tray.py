"""A tray imported beforehand: its units are members before they are plugged in, and cost one look and no write."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import BORON, ME, PRODUCTS, LineBench, Recipe, line_bench, replace

from drivers.platforms import platform_by_slug
from drivers.virtual.unit import VirtualUnit
from station.bulk.devices import DeviceImport
from station.bulk.plan import plan_devices
from station.bulk.results import State
from station.cloud import api
from station.engine.events import AttemptStarted, Event, StepFinished
from station.model import Verdict
from station.scan.lists import read_list

IMPORT, LOOK, LIST = (
    "POST /v1/products/:p/devices", "GET /v1/products/:p/devices/:id", "GET /v1/products/:p/devices",
)  # fmt: skip
TRAY = replace(BORON, more="[steps.name]\nenabled = false\n")
UNITS = 5


def import_tray(bench: LineBench, recipe: Recipe, units: list[VirtualUnit]) -> None:
    lines = read_list("".join(f"{unit.spec.serial};{unit.device_id}\n" for unit in units).encode())
    client, journal = bench.station.client, bench.station.journal
    plan = plan_devices(lines, platform_by_slug(recipe.platform))
    product = client.run(api.product(PRODUCTS[recipe.platform]))
    work = DeviceImport(client, bench.clock, journal.record, product, plan.items, recipe.claim_user)
    work.look()
    work.send(lambda *_: None)
    assert {result.state for result in work.results()} == {State.ADDED}


@pytest.mark.rule("C1")
@pytest.mark.rule("C9")
@pytest.mark.parametrize("owner", ["", "factory@example.com"], ids=["unclaimed", "claimed by the import"])
def test_units_of_an_imported_tray_cost_one_look_each_and_no_write(owner: str, tmp_path: Path) -> None:
    recipe = replace(TRAY, claim=bool(owner), claim_user=owner)
    with line_bench(tmp_path) as bench:
        bench.cloud.create_product(PRODUCTS["boron"], 13, slug="boron-product", name="boron", team=[ME, owner or ME])
        bench.restart(recipe)
        units = [bench.finished_unit(recipe, number) for number in range(1, UNITS + 1)]
        import_tray(bench, recipe, units)
        assert [call.route for call in bench.cloud.requests() if call.is_write] == [IMPORT]
        asked: list[list[str]] = []

        def count(event: Event) -> None:
            if isinstance(event, AttemptStarted):
                asked.append([f"before {len(bench.cloud.requests())}"])
            elif isinstance(event, StepFinished) and event.step == "product_add":
                before = int(asked[-1][0].removeprefix("before "))
                asked[-1] = [call.route for call in bench.cloud.requests()[before:]]

        bench.station.bus.subscribe(count)
        for unit in units:
            walk = bench.walk(unit)
            assert walk.verdict is Verdict.PASS, walk.finished
            assert walk.outcomes["product_add"] == "already"
            assert walk.outcomes.get("claim", "already") == "already"
            assert walk.cloud_writes == 0
        assert [[route for route in routes if route in (IMPORT, LOOK, LIST)] for routes in asked] == [[LOOK]] * UNITS
