"""``firmware_lock``: the cloud is told to keep the unit at one version of the product's firmware. Rule D2."""

from __future__ import annotations

from ..settings.profile import Kind
from .shared.cloud_sections import FirmwareLock
from .shared.fields import LOCK
from .shared.listing import list_members
from .spec import CloudStep

SPEC = CloudStep(
    name="firmware_lock", title="Firmware lock", limit_s=120, act=LOCK.act,
    scopes=("devices:get", "devices:list", "devices:update"),
    section=("firmware_lock", FirmwareLock), listing=list_members, ahead=LOCK.ahead,
    applies=lambda profile, _: profile.section(FirmwareLock) is not None,
    after={Kind.PRODUCT: ("product_add",)},
)  # fmt: skip
