"""Lets a demo's station import the list of a tray before the first unit is plugged in, as a supervisor would."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from drivers.virtual.factory import UnitSpec

from ..bulk.devices import DeviceImport
from ..bulk.plan import plan_devices
from ..cloud import api
from ..compose import Station
from ..engine.records import ListImported
from ..scan.lists import read_list
from ..settings.profile import Profile
from ..steps.product_add import Product
from ..steps.shared.cloud_sections import Cloud

TRAY_FILE = "tray-17.csv"


def list_of(specs: Sequence[UnitSpec]) -> bytes:
    """Return the list that comes with a tray, as a spreadsheet writes it: semicolons, and UTF-16."""
    heads = ["No", "Serial", "Device ID", "ICCID", "Order"]
    rows = (
        [str(number), str(spec.serial), str(spec.device_id).upper(), f"'{spec.iccid}", "4711"]
        for number, spec in enumerate(specs, 1)
    )
    return "\r\n".join(map(";".join, [heads, *rows])).encode("utf-16")


def import_list(station: Station, profile: Profile, data: bytes) -> ListImported:
    """Import a list into the product of ``profile``; return what became of it, as it is journalled."""
    lines, section = read_list(data), profile.section(Product)
    assert section is not None, "the units of the profile join no product"
    product = station.client.run(api.product(section.ref))
    plan = plan_devices(lines, profile.platforms[0])
    owner = profile.section(Cloud).claim_user or ""
    work = DeviceImport(station.client, station.clock, station.journal.record, product, plan.items, owner)
    work.look()
    work.send(lambda *_: None)
    counts = Counter(result.state.value for result in plan.results(lines, work.results()))
    imported = ListImported(
        at=station.clock.utc(), file=TRAY_FILE, sha256=hashlib.sha256(data).hexdigest(), product=product.id,
        what="units", lines=dict(counts),
    )  # fmt: skip
    station.journal.record(imported)
    station.bus.publish(imported)
    return imported
