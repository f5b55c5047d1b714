"""``name``: the unit carries its name in the cloud. Rules F1 F2 F3."""

from __future__ import annotations

from ..engine.step import StepContext, StepResult, already, done
from ..errors import StepFault, UnitRejected
from ..settings.profile import Kind
from ..words.say import Say
from .shared.cloudwork import CloudWork, keep_facts, standing, until_seen
from .spec import CloudStep


def name(work: CloudWork, ctx: StepContext) -> StepResult:
    """Read the name, set it, read it back. Product units are never looked up by name (F2)."""
    wanted = work.job.name
    if standing(ctx, lambda: _name_now(work, ctx)) == wanted:
        return already(f"cloud shows name {wanted}")
    if work.job.product_id is None:
        standing(ctx, lambda: _check_unique(work, ctx))
    until_seen(
        ctx, f"name {work.job.device_id} {wanted}",
        lambda: work.client.rename(
            work.job.device, wanted, work.job.product_id, deadline=ctx.deadline, cancel=ctx.cancel
        ),
        lambda: True if _name_now(work, ctx) == wanted else None,
        refusals=2,
        missing=StepFault(
            f"the cloud took the name {wanted!r} and shows another; retry later", say=Say("cloud_failed")
        ),
    )  # fmt: skip
    return done(f"cloud shows name {wanted}")


def _name_now(work: CloudWork, ctx: StepContext) -> str:
    device = work.known_device(ctx)
    keep_facts(ctx, name=device.name)
    return device.name


def _check_unique(work: CloudWork, ctx: StepContext) -> None:
    """A name is unique within a developer account: look before writing (F1)."""
    for device in work.client.my_devices(deadline=ctx.deadline, cancel=ctx.cancel):
        if device.name == work.job.name and device.id != work.job.device:
            raise UnitRejected(
                f"the account already has a device named {work.job.name} ({device.id}); choose another name template",
                say=Say("name_taken", (work.job.name,)),
            )


SPEC = CloudStep(
    name="name", title="Name", limit_s=120, act=name, may_be_off=True, needs_identity=True,
    # a developer unit is named only by its owner
    after={Kind.PRODUCT: ("product_add",), Kind.DEVELOPER: ("claim",)},
)  # fmt: skip
