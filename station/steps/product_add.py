"""``product_add``: the unit is a member of its product. Rules C1 C2 C3 C8 C11, N2."""

from __future__ import annotations

from ..cloud.answers import CloudDevice, Membership
from ..engine.step import StepContext, StepResult, already, done
from ..errors import UnitRejected
from .cloudwork import CloudWork, cloud_write, keep_facts

_REFUSALS = {
    # how the cloud's lists read to a person (reference cloud-api 4.1)
    Membership.NONMEMBER: ("owner_other", "is claimed by an account outside the team; have it unclaimed first"),
    Membership.INVALID: ("cloud_refused", "was not accepted: check its label, platform and other products"),
    Membership.PROTECTED: ("cloud_refused", "is a protected device and cannot join this product"),
}


def product_add(work: CloudWork, ctx: StepContext) -> StepResult:
    """Observe membership, import, then read it back: a 200 alone is no proof."""
    job = work.job
    assert job.product_id is not None
    member = work.device(ctx)
    if member is not None:
        return already(_agreed(work, ctx, member))
    _check_elsewhere(work, ctx)
    with cloud_write(ctx, f"add {job.device_id} to product {job.product_id}"):
        _import(work, ctx)
    member = work.device(ctx)
    if member is None:
        raise UnitRejected(
            f"the cloud took {job.device_id} but does not show it in product {job.product_id}; ask the supervisor",
            sentence="cloud_refused",
        )
    return done(_agreed(work, ctx, member))


def _check_elsewhere(work: CloudWork, ctx: StepContext) -> None:
    """A member of another product is never moved by itself (C3's neighbour: `already in product`)."""
    device = work.client.my_device(work.job.device, deadline=ctx.deadline, cancel=ctx.cancel)
    if device is not None and device.is_product_device and device.product_id != work.job.product_id:
        raise UnitRejected(
            f"{work.job.device_id} is already in product {device.product_id}, this batch wants {work.job.product_id};"
            " remove it there first",
            sentence="already_elsewhere",
            values=(str(device.product_id),),
        )


def _import(work: CloudWork, ctx: StepContext) -> None:
    assert work.job.product_id is not None
    answer = work.client.add_to_product(work.job.product_id, work.job.device, deadline=ctx.deadline, cancel=ctx.cancel)
    refusal = _REFUSALS.get(answer.of(work.job.device))
    if refusal is not None:
        sentence, words = refusal
        raise UnitRejected(f"{work.job.device_id} {words}", sentence=sentence)


def _agreed(work: CloudWork, ctx: StepContext, member: CloudDevice) -> str:
    """The cloud's record must be of this very unit; returns the proof."""
    job = work.job
    for name, ours, theirs in (
        ("platform", str(job.platform_id), str(member.platform_id or job.platform_id)),
        ("serial number", job.serial, member.serial_number or job.serial),
        ("IMEI", job.imei, member.imei or job.imei),
    ):
        if ours and theirs and ours != theirs:
            raise UnitRejected(
                f"the cloud knows {job.device_id} with {name} {theirs}, the unit says {ours}; technician",
                sentence="wrong_label",
            )
    if member.product_id != job.product_id:
        raise UnitRejected(
            f"the cloud shows {job.device_id} in product {member.product_id}, expected {job.product_id}",
            sentence="already_elsewhere", values=(str(member.product_id),),
        )  # fmt: skip
    keep_facts(ctx, product_id=member.product_id, groups=",".join(member.groups))
    return f"cloud shows product {member.product_id}"
