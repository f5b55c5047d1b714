"""The SKU table is the reference's."""

from __future__ import annotations

from support.reference_files import needs_reference, reference

from drivers.platforms import OsVersion
from station.settings.sku import SKU_MINIMUMS, SKU_ROWS

pytestmark = needs_reference


def test_serial_prefixes_platforms_speeds_and_names() -> None:
    told: dict[str, tuple[int, str, str, set[str]]] = {}
    for one in reference("skus.json")["skus"]:
        if one["serial_prefix"] is None or one["sim_speed"] is None:
            continue
        facts = (one["platform_id"], one["sim_speed"].upper(), one["sim"]["form_factor"])
        row = told.setdefault(one["serial_prefix"], (*facts, set()))
        assert row[:3] == facts
        row[3].add(one["sku"])
    ours = {
        row.serial_prefix: (row.platform_id, row.sim_speed.name, row.sim_form.value, set(row.skus)) for row in SKU_ROWS
    }
    assert len(ours) == len(SKU_ROWS)
    assert ours == told


def test_minimums_are_those_of_the_skus_that_have_one() -> None:
    for one in reference("skus.json")["skus"]:
        minimum = next((row for row in SKU_MINIMUMS if one["sku"].startswith(row.sku)), None)
        told = one["min_device_os"]
        assert (told is None) == (minimum is None), one["sku"]
        if minimum is not None:
            assert minimum.device_os == OsVersion.parse(told), one["sku"]
