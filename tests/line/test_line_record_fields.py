"""Groups, notes, firmware lock and development mark: set before a unit goes online, each read back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from line_bench import BORON, PRODUCTS, LineBench, Recipe, line_bench

from drivers.identity import DeviceId
from station.cloud.virtual.faults import Fault, FaultKind
from station.engine.events import VerdictRevised
from station.errors import BadInput
from station.model import Verdict

DEVICE = "PUT /v1/products/:p/devices/:id"
FIELDS = replace(
    BORON,
    more='[notes]\ntext = "order 4711"\n[groups]\nnames = ["20261129_500", "rev-b"]\n[firmware_lock]\nversion = 7',
)

WITHOUT: dict[str, dict[str, object]] = {
    "group": {"notes": "order 4711", "desired_firmware_version": 7},
    "notes": {"groups": '["20261129_500", "rev-b"]', "desired_firmware_version": 7},
    "firmware_lock": {"groups": '["20261129_500", "rev-b"]', "notes": "order 4711"},
}
"""What a unit's record shows that lacks one field."""


def _upload(bench: LineBench, recipe: Recipe) -> None:
    app = recipe.app()
    assert app is not None
    bench.cloud.create_firmware(PRODUCTS[recipe.platform], 7, app.data)


@pytest.mark.rule("F4")
def test_a_unit_joins_the_groups_of_its_profile_and_stays_in_those_it_was_in(tmp_path: Path) -> None:
    with line_bench(tmp_path, FIELDS) as bench:
        _upload(bench, FIELDS)
        unit = bench.finished_unit(FIELDS)
        device = DeviceId.parse(unit.device_id)
        bench.cloud.edit_device(device, product_id=PRODUCTS["boron"], groups='["asia"]')
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        shown = bench.cloud.device(device)
        assert shown is not None
        assert set(shown["groups"]) == {"asia", "20261129_500", "rev-b"}
        assert (shown["notes"], shown["desired_firmware_version"]) == ("order 4711", 7)
        assert {walk.outcomes[step] for step in ("group", "notes", "firmware_lock")} == {"done"}
        again = bench.walk(unit)
        assert (again.verdict, again.cloud_writes) == (Verdict.PASS, 0)
        assert {again.outcomes[step] for step in ("group", "notes", "firmware_lock")} == {"already"}


@pytest.mark.rule("F5")
def test_what_may_start_an_update_is_done_before_the_unit_can_go_online(tmp_path: Path) -> None:
    recipe = replace(FIELDS, platform="argon", online=True)
    with line_bench(tmp_path, recipe) as bench:
        _upload(bench, recipe)
        walk = bench.walk(bench.unit("argon"))
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        order = list(walk.steps)
        assert max(order.index("group"), order.index("firmware_lock")) < order.index("wifi")


@pytest.mark.parametrize("field", ["group", "notes", "firmware_lock"])
def test_a_field_that_the_cloud_took_and_does_not_show_never_passes_and_judges_no_unit(
    field: str, tmp_path: Path
) -> None:
    route = {"group": "PUT /v1/products/:p/devices"}.get(field, DEVICE)
    with line_bench(tmp_path, FIELDS) as bench:
        _upload(bench, FIELDS)
        unit = bench.finished_unit(FIELDS)
        device, name = DeviceId.parse(unit.device_id), str(unit.spec.serial)
        bench.cloud.edit_device(device, product_id=PRODUCTS["boron"], name=name, **WITHOUT[field])
        bench.cloud.order(Fault(FaultKind.LIE, route, times=None))
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.ERROR, field)


@pytest.mark.rule("D2")
def test_a_lock_to_a_version_the_product_has_not_judges_no_unit(tmp_path: Path) -> None:
    with line_bench(tmp_path, FIELDS) as bench:
        walk = bench.walk(bench.finished_unit(FIELDS))
        assert walk.verdict is Verdict.PENDING  # the process engineer has to mend the profile, or upload it
        _upload(bench, FIELDS)
        revised = bench.wait_for(VerdictRevised, attempt=walk.finished.attempt)
        assert isinstance(revised, VerdictRevised)
        assert revised.verdict is Verdict.PASS


@pytest.mark.rule("F4")
@pytest.mark.parametrize("name", ["Asia", "rev b", "x" * 65, ""])
def test_a_group_the_cloud_would_not_take_is_refused_with_the_profile(name: str) -> None:
    with pytest.raises(BadInput, match="groups"):
        replace(BORON, more=f'[groups]\nnames = ["{name}"]').profile()


@pytest.mark.parametrize("section", ['[groups]\nnames = ["a"]', "[firmware_lock]\nversion = 7"])
def test_a_developer_profile_has_no_groups_and_no_lock(section: str) -> None:
    with pytest.raises(BadInput, match="only in a product profile"):
        Recipe("argon", kind="developer", claim=True, online=True, more=section).profile()
