"""How a unit gets its owner, whoever that is, and how the cloud is read to show it. Rules E2 E11 E12 B5."""

from __future__ import annotations

from ...cloud.answers import ClaimAnswer
from ...cloud.call import Call
from ...engine.step import StepContext
from ...errors import StepFault, UnitRejected
from ...words.say import Say
from .cloudwork import CloudRecord, is_same_account, keep_facts, mask
from .cures import unclaim
from .offline import offline_fault

POLL_S = 5.0
"""A unit that is not online yet cannot be claimed; ask again this often (cloud-api 5.1)."""


def is_owned_by(cloud: CloudRecord, ctx: StepContext, account: str) -> bool | None:
    """True if ``account`` owns the unit, None if nobody does; raises `UnitRejected` if somebody else does."""
    device = cloud.device(ctx)
    if device is None or not device.owner:
        return None
    keep_facts(ctx, owner=device.owner)
    if not is_same_account(device.owner, account):
        raise belongs_elsewhere(cloud)
    return True


def claim_until_online(cloud: CloudRecord, ctx: StepContext, call: Call[ClaimAnswer]) -> None:
    """Send a claim until the unit is online for it. Raises `UnitRejected`, `StepFault`, `CloudError`."""
    while True:
        answer = cloud.run(ctx, call)
        if answer is ClaimAnswer.FOREIGN:
            raise belongs_elsewhere(cloud)
        if answer is ClaimAnswer.ACCEPTED:
            return
        if answer is ClaimAnswer.UNKNOWN:
            raise UnitRejected(
                f"the cloud knows no unit {cloud.job.device_id}, or does not want to say; ask the supervisor",
                say=Say("bad_device_id"),
            )
        if ctx.deadline.remaining <= POLL_S:
            raise offline_fault(
                cloud,
                ctx,
                f"the cloud does not let {cloud.job.device_id} be claimed ({answer.value}), as it is not online",
            )
        cloud.pause(ctx, POLL_S)


def await_owner(cloud: CloudRecord, ctx: StepContext, account: str) -> None:
    """Wait until the claim code that the unit hands in has made ``account`` its owner."""
    cloud.last.forget()  # what the unit did meanwhile is not ours
    while cloud.standing(ctx, lambda: is_owned_by(cloud, ctx, account)) is None:
        if ctx.deadline.remaining <= POLL_S:
            raise StepFault(
                f"nobody owns {cloud.job.device_id}: its claim code was not handed in, or came too late; walk it again,"
                " which gives it another one",
                say=Say("not_claimed"),
            )
        cloud.pause(ctx, POLL_S)


def give_up(cloud: CloudRecord, ctx: StepContext) -> None:
    """Take a member from an account that the profile names, before it becomes the customer's (E11 I4)."""
    owner = cloud.standing(ctx, lambda: cloud.known_device(ctx)).owner
    if any(is_same_account(owner, other) for other in cloud.job.unclaim_from):
        unclaim(cloud, ctx)


def proof_of(account: str) -> str:
    """Return what the record says of a unit whose owner was read back."""
    return f"cloud shows owner {mask(account)}"


def belongs_elsewhere(cloud: CloudRecord) -> UnitRejected:
    """Return the error for a unit of an account that is not named to lose it."""
    return UnitRejected(
        f"{cloud.job.device_id} belongs to another account; its owner has to unclaim it first, or is asked for it: "
        f"station rework transfer {cloud.job.device_id}",
        say=Say("owner_other"),
    )
