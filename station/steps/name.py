"""``name``: the unit carries its name in the cloud. Rules F1 F2 F3."""

from __future__ import annotations

from ..engine.step import StepContext, StepResult, already, done
from ..errors import StepFault, UnitRejected
from ..settings.profile import Kind
from ..words.say import Say
from .shared.cloud_sections import NameTemplate
from .shared.cloudwork import CloudRecord, keep_facts, standing, until_seen
from .spec import CloudStep


def name(cloud: CloudRecord, ctx: StepContext) -> StepResult:
    """Read the name, set it, read it back. Product units are never looked up by name (F2)."""
    wanted = cloud.job.name
    if standing(ctx, lambda: _name_now(cloud, ctx)) == wanted:
        return already(f"cloud shows name {wanted}")
    if cloud.job.product_id is None:
        standing(ctx, lambda: _check_unique(cloud, ctx))
    until_seen(
        ctx, f"name {cloud.job.device_id} {wanted}",
        lambda: cloud.client.rename(
            cloud.job.device, wanted, cloud.job.product_id, deadline=ctx.deadline, cancel=ctx.cancel
        ),
        lambda: True if _name_now(cloud, ctx) == wanted else None,
        refusals=2,
        missing=StepFault(
            f"the cloud took the name {wanted!r} and shows another; retry later", say=Say("cloud_failed")
        ),
    )  # fmt: skip
    return done(f"cloud shows name {wanted}")


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


SPEC = CloudStep(
    name="name", title="Name", limit_s=120, act=name, may_be_off=True, needs_identity=True,
    section=("name", NameTemplate),
    # a developer unit is named only by its owner
    after={Kind.PRODUCT: ("product_add",), Kind.DEVELOPER: ("claim",)},
)  # fmt: skip
