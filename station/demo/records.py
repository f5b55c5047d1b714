"""Compares what the virtual cloud holds of a unit in the end with what its profile wants (reference cloud-api 10).

Read from the cloud's own tables, not by way of the station.
"""

from __future__ import annotations

from collections.abc import Mapping

from drivers.virtual.factory import UnitSpec

from ..cloud.virtual import VirtualCloud
from ..settings.profile import Kind, Profile
from ..steps.product_add import Product
from ..steps.shared.claim_by import ClaimBy
from ..steps.shared.cloud_sections import Cloud, FirmwareLock, Groups, NameTemplate, Notes
from ..steps.shared.customer_section import Customer

Wanted = Mapping[str, object]
"""Field of a device object of the cloud = its value; None: missing or empty. ``groups`` names some of a unit's groups,
``sim`` is the state of its SIM, ``claim_codes`` how many the unit has handed in."""


def wanted_record(profile: Profile, spec: UnitSpec, account: str) -> Wanted:
    """Return what the cloud has to show of a unit once its walk is finished. ``account``: who claims it."""
    row, cloud, product = spec.platform, profile.section(Cloud), profile.section(Product)
    notes, groups, lock = profile.section(Notes), profile.section(Groups), profile.section(FirmwareLock)
    serial, customer = str(spec.serial) if spec.serial else None, profile.section(Customer)
    name = profile.section(NameTemplate).render(row.slug, str(spec.device_id), serial)
    owner = account if cloud.claim else None
    if customer is not None:
        owner = customer.address(row.slug, str(spec.device_id), serial)
    wanted: dict[str, object] = {
        "product_id": row.id if profile.kind is Kind.DEVELOPER or product is None else product.id,
        "owner": owner, "name": name, "development": cloud.development, "quarantined": False,
    }  # fmt: skip
    if notes is not None:
        wanted["notes"] = notes.text
    if groups is not None:
        wanted["groups"] = groups.names
    if lock is not None:
        wanted["desired_firmware_version"] = lock.version
    if (customer or cloud).claim_by is ClaimBy.CODE:
        wanted["claim_codes"] = 1
    if row.has_cellular and spec.iccid is not None:
        wanted["sim"] = "active"
    return wanted


def compared(cloud: VirtualCloud, spec: UnitSpec, wanted: Wanted) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the fields that are as wanted, and a sentence for each that is not."""
    record = dict(cloud.device(spec.device_id) or {})
    if "claim_codes" in wanted:
        record["claim_codes"] = cloud.codes_used_by(spec.device_id)
    if "sim" in wanted and spec.iccid is not None:
        record["sim"] = cloud.sim_status(spec.iccid)
    equal, problems = [], []
    for field, value in wanted.items():
        shown = record.get(field)
        if set(value) <= set(shown or ()) if isinstance(value, tuple) else (shown or None) == (value or None):
            equal.append(field)
        else:
            problems.append(f"the cloud shows {field} {shown!r}, wanted {value!r}")
    return tuple(equal), tuple(problems)
