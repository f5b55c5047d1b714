"""``group``: the unit is in the groups of the profile, beside those it is in already. Rules F4 F5.

Groups are only added: the cloud's way to set them replaces all others (reference cloud-api 4.5). One that the product
has not is made first.
"""

from __future__ import annotations

from ..cloud import api
from ..cloud.errors import CloudRefused
from ..engine.step import StepContext, StepResult
from ..errors import StepFault
from ..settings.profile import Kind
from ..words.say import Say
from .shared.cloud_sections import Groups
from .shared.cloudwork import CloudRecord, Goal
from .shared.listing import list_members
from .spec import CloudStep


def group(cloud: CloudRecord, ctx: StepContext) -> StepResult:
    """Look which groups the unit is in, add those that lack, read them back."""
    job = cloud.job
    assert job.product_id is not None
    product, wanted, names = job.product_id, job.groups, ", ".join(job.groups)

    def look() -> bool | None:
        return True if set(wanted) <= set(cloud.known_device(ctx).groups) else None

    missing = StepFault(f"the cloud took the groups {names} and shows others; retry later", say=Say("cloud_failed"))
    goal = Goal(
        f"add {job.device_id} to groups {names}", look,
        lambda: cloud.run(ctx, api.add_to_groups(product, job.device, wanted)), missing, refusals=2,
    )  # fmt: skip
    if cloud.standing(ctx, look) is None:
        for name in wanted:
            _make(cloud, ctx, product, name)
        cloud.until_seen(ctx, goal)
    return cloud.ended(ctx, f"cloud shows groups {names}")


def _make(cloud: CloudRecord, ctx: StepContext, product: int, name: str) -> None:
    """Make a group the product has not; another station may do so at the same time, which is as good."""
    if cloud.run(ctx, api.group(product, name)):
        return
    try:
        with cloud.write(ctx, f"make group {name}"):
            cloud.run(ctx, api.create_group(product, name))
    except CloudRefused:
        if not cloud.run(ctx, api.group(product, name)):
            raise


SPEC = CloudStep(
    name="group", title="Groups", limit_s=120, act=group, section=("groups", Groups), listing=list_members,
    scopes=("devices:get", "devices:list", "devices:update", "groups:get", "groups:create"),
    applies=lambda profile, _: profile.section(Groups) is not None,
    after={Kind.PRODUCT: ("product_add",)},
)  # fmt: skip
