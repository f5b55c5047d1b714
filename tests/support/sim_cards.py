"""Units with plastic SIM cards, and SIMs in every state the cloud knows, for stories on a bench."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from line_bench import PRODUCTS, LineBench, Recipe

from drivers.identity import Iccid, SerialNumber
from drivers.virtual.factory import make_spec
from drivers.virtual.unit import VirtualUnit
from station.cloud.virtual.sims import SimClass, start

STRANGER = "stranger@example.com"
SIMS, SIM = "POST /v1/products/:p/sims", "PUT /v1/sims/:iccid"
ELECTRON = Recipe("electron", device_os=None, has_application=False)
"""A profile that writes no firmware: its units are read, added to their product, and get their SIM."""
SCANNED = dataclasses.replace(ELECTRON, more="[sim]\nscan = true")


def electron(
    bench: LineBench, number: int = 1, *, model: str = "E26K", iccid: Iccid | None = None, is_card_known: bool = True,
    sim_class: SimClass = SimClass.FAST,
) -> VirtualUnit:  # fmt: skip
    """An Electron out of its box with a plastic SIM in it; the cloud knows both, and neither that of the other (G3).

    ``model``: the first characters of its serial number, "" for one without.
    """
    made = make_spec("electron", 7, number, "3.3.1", setup_done=True)
    serial = SerialNumber.parse(f"{model}{made.serial}"[:4] + str(made.serial)[4:]) if model else None
    spec = dataclasses.replace(made, serial=serial, iccid=iccid or made.iccid)
    assert spec.iccid is not None
    bench.cloud.register_unit(spec.device_id, spec.platform_id, serial=spec.serial, imei=spec.imei)
    if is_card_known:
        bench.cloud.register_sim(spec.iccid, sim_class=sim_class)
    return bench.unit(spec=spec, is_known=False)


def sim_of(unit: VirtualUnit) -> Iccid:
    assert unit.spec.iccid is not None
    return unit.spec.iccid


def make_member(bench: LineBench, unit: VirtualUnit, **sim: object) -> None:
    """Let ``unit`` be in its product; with ``sim`` so is its SIM, with these columns."""
    product = PRODUCTS[unit.spec.platform.slug]
    bench.cloud.edit_device(unit.spec.device_id, product_id=product)
    if sim:
        bench.cloud.edit_sim(sim_of(unit), product_id=product, **sim)


Harm = Callable[[LineBench, VirtualUnit], None]
"""Brings a unit's SIM into a state before the unit is walked."""


def forget(bench: LineBench, unit: VirtualUnit) -> None:
    """The cloud does not know the SIM."""
    bench.cloud._store.run("DELETE FROM sims WHERE iccid = ?", str(sim_of(unit)))


def give_away(bench: LineBench, unit: VirtualUnit) -> None:
    """The SIM is in the account of somebody outside the team."""
    bench.cloud.create_user(STRANGER)
    bench.cloud.edit_sim(sim_of(unit), username=STRANGER, status="active")


def switch_off(bench: LineBench, unit: VirtualUnit) -> None:
    """The SIM was deactivated in the product."""
    make_member(bench, unit, status="deactivated", activations=1, deactivations=1, last_action="deactivate")


def switch_on(bench: LineBench, unit: VirtualUnit) -> None:
    """Somebody switches a deactivated SIM on again, in the console."""
    assert start(bench.cloud._store, str(sim_of(unit)), "reactivate", bench.clock.utc(), 0.0)


def asked_to_take_back(bench: LineBench) -> list[str]:
    """The requests that took a SIM away from a unit: none of them is the line's (G8)."""
    return [
        f"{one.method} {one.path} {dict(one.body)}"
        for one in bench.cloud.requests()
        if "/sims" in one.path and (one.method == "DELETE" or one.body.get("action") == "deactivate")
    ]
