"""``claim``: the unit belongs to the account of the token. Rules E1 E2 E3 E10 E11 E12 B4 B5."""

from __future__ import annotations

from ..cloud.answers import ClaimAnswer
from ..engine.step import StepContext, StepResult, already, done
from ..errors import UnitRejected
from .cloudwork import CloudWork, cloud_write, keep_facts, pause

POLL_S = 5.0
"""A developer device that is not online yet answers 404; ask again this often (cloud-api 5.1)."""


def claim(work: CloudWork, ctx: StepContext) -> StepResult:
    """GET - POST - GET: only claim what is not ours, and believe only the owner read back."""
    user = work.client.user(deadline=ctx.deadline, cancel=ctx.cancel).username
    owner = _owner(work, ctx)
    if owner == user:
        return already(f"cloud shows owner {mask(user)}")
    if owner:
        raise _belongs_elsewhere(work)
    with cloud_write(ctx, f"claim {work.job.device_id}"):
        _claim_until_online(work, ctx)
    owner = _owner(work, ctx)
    if owner != user:
        raise UnitRejected(
            f"the cloud accepted the claim of {work.job.device_id} but shows owner {mask(owner) or 'nobody'}",
            sentence="not_claimed",
        )
    return done(f"cloud shows owner {mask(user)}")


def _owner(work: CloudWork, ctx: StepContext) -> str:
    device = work.device(ctx)
    if device is None:
        return ""
    keep_facts(ctx, owner=device.owner)
    return device.owner


def _claim_until_online(work: CloudWork, ctx: StepContext) -> None:
    while True:
        answer = work.client.claim(work.job.device, deadline=ctx.deadline, cancel=ctx.cancel)
        if answer is ClaimAnswer.FOREIGN:
            raise _belongs_elsewhere(work)
        if answer is ClaimAnswer.ACCEPTED:
            return
        if ctx.deadline.remaining <= POLL_S:
            raise UnitRejected(
                f"the cloud does not let {work.job.device_id} be claimed ({answer.value}); is it breathing cyan?",
                sentence="not_online",
            )
        pause(ctx, POLL_S)


def _belongs_elsewhere(work: CloudWork) -> UnitRejected:
    return UnitRejected(
        f"{work.job.device_id} belongs to another account; its owner has to unclaim it first", sentence="owner_other"
    )


def mask(account: str | None) -> str:
    """An account without the person: the part before the @ shortened to one letter."""
    if not account:
        return ""
    user, _, host = account.partition("@")
    return f"{user[:1]}***@{host}" if host else f"{user[:1]}***"
