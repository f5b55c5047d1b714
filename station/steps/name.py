"""``name``: the unit carries its name in the cloud. Rules F1 F2 F3."""

from __future__ import annotations

from ..engine.step import StepContext, StepResult, already, done
from ..errors import StepFault, UnitRejected
from .cloudwork import CloudWork, cloud_write, keep_facts


def name(work: CloudWork, ctx: StepContext) -> StepResult:
    """Read the name, set it, read it back. Product units are never looked up by name (F2)."""
    wanted = work.job.name
    if _name_now(work, ctx) == wanted:
        return already(f"cloud shows name {wanted}")
    if work.job.product_id is None:
        _check_unique(work, ctx)
    with cloud_write(ctx, f"name {work.job.device_id} {wanted}"):
        work.client.rename(work.job.device, wanted, work.job.product_id, deadline=ctx.deadline, cancel=ctx.cancel)
    found = _name_now(work, ctx)
    if found != wanted:
        raise StepFault(
            f"the cloud was asked to name the unit {wanted!r} and shows {found!r}; retry later", sentence="cloud_failed"
        )
    return done(f"cloud shows name {wanted}")


def _name_now(work: CloudWork, ctx: StepContext) -> str | None:
    device = work.device(ctx)
    if device is None:
        return None
    keep_facts(ctx, name=device.name)
    return device.name


def _check_unique(work: CloudWork, ctx: StepContext) -> None:
    """A name is unique within a developer account: look before writing (F1)."""
    for device in work.client.my_devices(deadline=ctx.deadline, cancel=ctx.cancel):
        if device.name == work.job.name and device.id != work.job.device:
            raise UnitRejected(
                f"the account already has a device named {work.job.name} ({device.id}); choose another name template",
                sentence="name_taken",
                values=(work.job.name,),
            )
