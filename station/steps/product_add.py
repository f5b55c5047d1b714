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
    member = work.observe(ctx)  # one in another product is refused, never moved
    if member is not None:
        return already(_agreed(work, ctx, member))
    with cloud_write(ctx, f"add {job.device_id} to product {job.product_id}"):
        _import(work, ctx)
    member = work.device(ctx)
    if member is None:
        raise UnitRejected(
            f"the cloud took {job.device_id} but does not show it in product {job.product_id}; ask the supervisor",
            sentence="cloud_refused",
        )
    return done(_agreed(work, ctx, member))


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
    job.compare(member)
    if member.product_id != job.product_id:
        raise UnitRejected(
            f"the cloud shows {job.device_id} in product {member.product_id}, expected {job.product_id}",
            sentence="already_elsewhere", values=(str(member.product_id),),
        )  # fmt: skip
    keep_facts(ctx, product_id=member.product_id, groups=",".join(member.groups))
    return f"cloud shows product {member.product_id}"
