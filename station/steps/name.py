"""``name``: the unit carries its name in the cloud. Rules F1 F2 F3."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from ..cloud.errors import CloudRefused
from ..engine.step import StepContext, StepResult
from ..errors import StepFault, UnitRejected
from ..settings.profile import Kind
from ..words.say import Say
from .shared.cloud_sections import NameTemplate
from .shared.cloudwork import CloudRecord, Goal, keep_facts
from .shared.listing import list_members
from .spec import CloudStep


def name(cloud: CloudRecord, ctx: StepContext) -> StepResult:
    """Read the name, set it, read it back. Product units are never looked up by name (F2)."""
    goal = _named(cloud, ctx)
    if cloud.standing(ctx, goal.look) is None:
        if cloud.job.product_id is None:
            cloud.standing(ctx, lambda: _check_unique(cloud, ctx))
        cloud.until_seen(ctx, goal)
    return cloud.ended(ctx, f"cloud shows name {cloud.job.name}")


def _named(cloud: CloudRecord, ctx: StepContext) -> Goal[bool]:
    job = cloud.job
    return Goal(
        f"name {job.device_id} {job.name}",
        look=lambda: True if _name_now(cloud, ctx) == job.name else None,
        send=lambda: cloud.client.rename(
            job.device, job.name, job.product_id, deadline=ctx.deadline, cancel=ctx.cancel
        ),
        missing=StepFault(
            f"the cloud took the name {job.name!r} and shows another; retry later", say=Say("cloud_failed")
        ),
        refusals=2,
    )  # fmt: skip


def _name_now(cloud: CloudRecord, ctx: StepContext) -> str:
    device = cloud.known_device(ctx)
    keep_facts(ctx, name=device.name)
    return device.name


def _check_unique(cloud: CloudRecord, ctx: StepContext) -> None:
    """A name is unique within a developer account: look before writing (F1)."""
    for device in cloud.client.my_devices(deadline=ctx.deadline, cancel=ctx.cancel):
        if device.name == cloud.job.name and device.id != cloud.job.device:
            raise UnitRejected(
                f"the account already has a device named {cloud.job.name} ({device.id}); choose another name template",
                say=Say("name_taken", name=cloud.job.name),
            )


def _name_all(units: Sequence[tuple[CloudRecord, StepContext]]) -> None:
    """Send the names of all members that are called otherwise."""
    for cloud, ctx in units:
        member, goal = cloud.last.member.get(lambda: None), _named(cloud, ctx)
        if member is not None and member.name != cloud.job.name:
            with contextlib.suppress(CloudRefused), cloud.write(ctx, goal.what):
                goal.send()


SPEC = CloudStep(
    name="name", title="Name", limit_s=120, act=name, may_be_off=True, needs_identity=True,
    section=("name", NameTemplate), listing=list_members, ahead=_name_all,
    # a developer unit is named only by its owner
    after={Kind.PRODUCT: ("product_add",), Kind.DEVELOPER: ("claim",)},
)  # fmt: skip
