"""``product_add``: the unit is a member of its product. Rules C1 C2 C3 C8 C11, N2."""

from __future__ import annotations

from ..cloud.answers import CloudDevice, Membership
from ..cloud.errors import OutcomeUnknown
from ..engine.step import StepContext, StepResult, already, done
from ..errors import StepFault, UnitRejected
from ..settings.profile import Kind
from ..words.say import Say
from .shared.cloudwork import CloudRecord, keep_facts, standing, until_seen
from .spec import CloudStep

_REFUSALS = {
    # how the cloud's lists read to a person (reference cloud-api 4.1)
    Membership.NONMEMBER: (Say("owner_other"), "is claimed by an account outside the team; have it unclaimed first"),
    Membership.INVALID: (Say("cloud_refused"), "was not accepted: check its label, platform and other products"),
    Membership.PROTECTED: (Say("cloud_refused"), "is a protected device and cannot join this product"),
}


def product_add(cloud: CloudRecord, ctx: StepContext) -> StepResult:
    """Observe membership, import, then read it back: a 200 alone is no proof."""
    job = cloud.job
    assert job.product_id is not None
    member = standing(ctx, lambda: _agreed(cloud, cloud.observe(ctx)))  # one in another product is refused, never moved
    if member is not None:
        cloud.found_member()
        return already(_proof(ctx, member))
    member = until_seen(
        ctx, f"add {job.device_id} to product {job.product_id}", lambda: _import(cloud, ctx),
        lambda: _agreed(cloud, cloud.device(ctx)), refusals=2,
        missing=StepFault(
            f"the cloud took {job.device_id} but does not show it in product {job.product_id}; ask the supervisor",
            say=Say("cloud_refused"),
        ),
    )  # fmt: skip
    return done(_proof(ctx, member))


def _import(cloud: CloudRecord, ctx: StepContext) -> None:
    """Raises `OutcomeUnknown` for an answer that names the unit nowhere: only a look shows what it came to."""
    assert cloud.job.product_id is not None
    answer = cloud.client.add_to_product(
        cloud.job.product_id, cloud.job.device, deadline=ctx.deadline, cancel=ctx.cancel
    )
    result = answer.of(cloud.job.device)
    if result is Membership.UNCONFIRMED:
        raise OutcomeUnknown(f"the cloud did not say what became of {cloud.job.device_id}")
    refusal = _REFUSALS.get(result)
    if refusal is not None:
        say, words = refusal
        raise UnitRejected(f"{cloud.job.device_id} {words}", say=say)


def _agreed(cloud: CloudRecord, member: CloudDevice | None) -> CloudDevice | None:
    """The cloud's record, if there is one, must be of a unit in this very product."""
    job = cloud.job
    if member is not None and member.product_id != job.product_id:
        raise UnitRejected(
            f"the cloud shows {job.device_id} in product {member.product_id}, expected {job.product_id}",
            say=Say("already_elsewhere", (str(member.product_id),)),
        )  # fmt: skip
    return member


def _proof(ctx: StepContext, member: CloudDevice) -> str:
    keep_facts(ctx, product_id=member.product_id, groups=",".join(member.groups))
    return f"cloud shows product {member.product_id}"


SPEC = CloudStep(
    name="product_add", title="Add to product", limit_s=120, act=product_add, needs_identity=True,
    after={Kind.PRODUCT: ("identify",)},
)  # fmt: skip
