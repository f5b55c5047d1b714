"""Makes the units of a story, and plants their flaws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from line_bench import OTHER_PRODUCT, PRODUCTS, LineBench, Recipe

from drivers.platforms import platform_by_slug
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.faults import parse_fault
from drivers.virtual.flash import FlashFailed, FlashStep, Operation
from drivers.virtual.header import USER, USER_LEGACY
from drivers.virtual.layout import Chip, layout_of
from drivers.virtual.unit import VirtualUnit

from .story import Part


def make_unit(bench: LineBench, part: Part, recipes: Mapping[str, Recipe]) -> VirtualUnit:
    """Make the unit of ``part`` as it arrives at the station, with its faults injected and its flaw planted."""
    recipe = recipes.get(part.platform) or next(iter(recipes.values()))
    settings: dict[str, Any] = {}
    if part.flaw == "protected":
        settings["is_protected"] = True
    if part.stage == "in-dfu":
        settings["arrives"] = BootRequest.DFU
    if part.flaw == "wrong-platform" or part.stage == "fresh":
        device_os = synthetic.usual_version(platform_by_slug(part.platform).id, part.factory_os)
        unit = bench.unit(part.platform, part.number, device_os, **settings)
    elif part.stage == "old-app":
        other, own = recipe.program("other"), recipe.app() if recipe.released is None else recipe.held()[-1]
        modules = tuple((other if file == own else file).data for file in recipe.held())
        unit = bench.finished_unit(recipe, part.number, modules=modules, networks=(), **settings)
    else:
        unit = bench.finished_unit(recipe, part.number, **settings)
    unit.order(*(parse_fault(fault) for fault in part.faults))
    if part.flaw in _FLAWS:
        _FLAWS[part.flaw](bench, unit)
    return unit


def _worn(_: LineBench, unit: VirtualUnit) -> None:
    """Make every attempt to program the application's pages fail."""

    places = layout_of(unit.spec.platform_id).places
    place = places.get(USER) or places[USER_LEGACY]
    pages = range(place.starts[0], place.end)

    def fault(step: FlashStep) -> None:
        if step.chip is Chip.INTERNAL and step.operation is Operation.PROGRAM and step.address in pages:
            raise FlashFailed("worn out")
        unit._flash_step(step)

    unit.memory.set_fault(fault)


def _numbers_of_another(unit: VirtualUnit) -> dict[str, str]:
    """What a record says that is of another unit: a number that this one tells, which alone can be compared (A4)."""
    return {"imei": "351824377953099"} if unit.spec.serial is None else {"serial_number": "P044ABWRONG0001"}


_FLAWS: Mapping[str, Callable[[LineBench, VirtualUnit], object]] = {
    "foreign-owner": lambda b, u: b.cloud.edit_device(u.spec.device_id, owner="stranger@example.net"),
    "other-product": lambda b, u: b.cloud.edit_device(u.spec.device_id, product_id=OTHER_PRODUCT),
    "wrong-record": lambda b, u: b.cloud.edit_device(
        u.spec.device_id, product_id=PRODUCTS.get(u.spec.platform.slug), **_numbers_of_another(u)
    ),
    "bad-label": lambda _, u: u.order(parse_fault("do=wrong-label")),
    "worn-flash": _worn,
    "deaf": lambda _, u: u.order(parse_fault("do=deaf")),
    "weak-battery": lambda _, u: u.sensors.update(vbat=3.31),
    "hungry": lambda _, u: u.sensors.update(idle_ma=31.0),
    "dead-sim": lambda b, u: b.cloud.edit_sim(u.spec.iccid, will_fail=10**6) if u.spec.iccid else None,
    "quarantined": lambda b, u: b.cloud.edit_device(
        u.spec.device_id, product_id=PRODUCTS[u.spec.platform.slug], quarantined=1
    ),
}  # fmt: skip
"""How each flaw is planted; the others are settings of the unit."""
