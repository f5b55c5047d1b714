"""What must be true of a unit that passed, seen from outside the station: its flash, its cloud rows, its numbers."""

from __future__ import annotations

from line_bench import ME, PASSWORD, PRODUCTS, SSID, LineBench, Recipe

from drivers.platforms import OsVersion
from drivers.virtual.boot import BootMode
from drivers.virtual.radio import WifiStore
from drivers.virtual.unit import VirtualUnit
from station.engine.events import UnitIdentified


def untruths(bench: LineBench, unit: VirtualUnit, recipe: Recipe, *, is_here: bool) -> list[str]:
    """Say where flash, settings, the cloud's rows or the record are not what profile and unit want.

    ``is_here``: the unit still has power, so how it runs can be seen.
    """
    device = bench.cloud.device(unit.spec.device_id) or {}
    truths = {
        "its flash differs from the profile's files": _holds(unit, recipe),
        "its name is not the one the profile gives it": device.get("name") == _name(unit, recipe),
        "it is quarantined": not device.get("quarantined"),
        "its owner is not the one the profile wants": device.get("owner") == (ME if recipe.claim else None),
    }
    if is_here:
        truths["it does not run its application"] = unit.report is not None and unit.report.mode is BootMode.NORMAL
    if recipe.kind == "product":
        truths["it is not in the product"] = device.get("product_id") == PRODUCTS[recipe.platform]
    if unit.spec.iccid is not None:
        truths["its SIM is not active"] = bench.cloud.sim_status(unit.spec.iccid) == "active"
    if recipe.has_wifi:
        known = {(one.ssid, one.password and one.password.reveal()) for one in WifiStore(unit).networks()}
        is_kept = "keep = false" not in recipe.networks
        truths["it knows the network, or not, unlike the profile"] = ((SSID, PASSWORD) in known) is is_kept
    before, version = unit.spec.platform.setup_done_before, _version(unit)
    if before is not None and version is not None and version < before:
        truths["setup-done is not set"] = unit.memory.dct.is_setup_done
    truths["its record tells numbers of no such unit"] = _strange_facts(bench, unit) == []
    return [what for what, is_good in truths.items() if not is_good]


def _version(unit: VirtualUnit) -> OsVersion | None:
    """The Device OS it came up with last."""
    text = unit.report.system_version if unit.report is not None else None
    return OsVersion.parse(text) if text else None


def _name(unit: VirtualUnit, recipe: Recipe) -> str:
    """The name a profile with the usual template wants: old stock tells no serial number."""
    version, spec = _version(unit), unit.spec
    tells = spec.serial is not None and (version is None or spec.platform.reports("21.serial", version))
    assert (recipe.name, recipe.fallback) == ("{serial}", "{platform}-{id6}")
    return str(spec.serial) if tells else f"{spec.platform.slug}-{unit.device_id[-6:]}"


def _strange_facts(bench: LineBench, unit: VirtualUnit) -> list[str]:
    """What the last look at the unit noted otherwise than the unit is."""
    spec = unit.spec
    true = {"device_id": spec.device_id, "serial": spec.serial, "iccid": spec.iccid, "imei": spec.imei}
    looks = [e for _, e in bench.events if isinstance(e, UnitIdentified) and e.device_id == unit.device_id]
    facts = looks[-1].facts if looks else ()
    return [f"{fact.name} {fact.value}" for fact in facts if fact.name in true and fact.value != str(true[fact.name])]


def _holds(unit: VirtualUnit, recipe: Recipe) -> bool:
    """Whether each file of the recipe stands byte for byte where a factory programmer would have put it."""
    return all(unit.memory.holds(file.data) for file in recipe.held())
