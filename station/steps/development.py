"""``development``: the unit's development mark is as the profile wants it. Rules D8 E7.

A marked unit takes no released or locked firmware; without the mark the cloud may send it some at once, so the mark
comes before the unit goes online.
"""

from __future__ import annotations

from ..settings.profile import Kind
from .shared.cloud_sections import Cloud
from .shared.fields import DEVELOPMENT
from .shared.listing import list_members
from .spec import CloudStep

SPEC = CloudStep(
    name="development", title="Development mark", limit_s=120, act=DEVELOPMENT.act,
    scopes=("devices:get", "devices:list", "devices:update"),
    listing=list_members, ahead=DEVELOPMENT.ahead,
    applies=lambda profile, _: profile.section(Cloud).development,
    after={Kind.PRODUCT: ("product_add",)},
)  # fmt: skip
