"""What rework does to the cloud's record of a member, each observed, sent and read back: rules I4 I8 J2 D8.

At the desk a person has confirmed it; in a walk a supervisor's list allows it (`allowed`). A unit that only waits in
quarantine needs no list: the walk adds every unit to its product, and that approves it (J2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...cloud import api, rework_api
from ...cloud.answers import CloudDevice, Membership
from ...cloud.errors import OutcomeUnknown
from ...engine.step import StepContext
from ...errors import StepFault, UnitRejected
from ...words.say import Say
from .allowed import Cure
from .cloudchecks import has_leftover_lock, may_be_claimed
from .cloudjob import CloudJob
from .cloudwork import CloudRecord, Goal, is_same_account, mask
from .fields import DEVELOPMENT, LOCK


def unclaim(cloud: CloudRecord, ctx: StepContext) -> str:
    """Take the owner off a member, whoever it is, and return what was read back."""
    product = _product(cloud)
    was = mask(cloud.known_device(ctx).owner)
    goal = Goal(
        f"unclaim {cloud.job.device_id} in product {product}",
        look=lambda: None if cloud.known_device(ctx).owner else True,
        send=lambda: cloud.run(ctx, rework_api.unclaim_member(product, cloud.job.device)),
        missing=_not_shown(f"the cloud said yes to unclaiming {cloud.job.device_id} and still shows an owner"),
    )
    cloud.reach(ctx, goal)
    return f"unclaimed: the cloud shows no owner{f', it was {was}' * bool(was)}"


def approve(cloud: CloudRecord, ctx: StepContext) -> str:
    """Take a unit out of quarantine, by adding it to its product, and return what was read back."""
    product = _product(cloud)
    goal = Goal(
        f"approve {cloud.job.device_id} in product {product}",
        look=lambda: None if cloud.known_device(ctx).quarantined else True,
        send=lambda: _add(cloud, ctx),
        missing=_not_shown(f"the cloud took {cloud.job.device_id} and still shows it in quarantine"),
        refusals=2,
    )
    cloud.reach(ctx, goal)
    return f"approved: the cloud shows it in product {product}, not in quarantine"


def _add(cloud: CloudRecord, ctx: StepContext) -> None:
    said = cloud.run(ctx, api.add_to_product(_product(cloud), cloud.job.device))
    answer = said.of(cloud.job.device)
    if answer is Membership.UNCONFIRMED:
        raise OutcomeUnknown(f"the cloud did not say what became of {cloud.job.device_id}{said.instead}")
    if not answer.is_member:
        raise UnitRejected(
            f"the cloud does not approve {cloud.job.device_id}: it counts as {answer.value}; {_REFUSED[answer]}",
            say=Say("cloud_refused"),
        )


_REFUSED: Mapping[Membership, str] = {
    Membership.NONMEMBER: "an account outside the team owns it, unclaim it first",
    Membership.INVALID: "check its platform and other products",
    Membership.PROTECTED: "its device protection has to go first",
}


def unmark(cloud: CloudRecord, ctx: StepContext) -> str:
    """Take the development mark off, and return what was read back."""
    cloud.reach(ctx, DEVELOPMENT.goal(cloud, ctx))
    return "unmarked: the cloud shows no development mark"


def unlock(cloud: CloudRecord, ctx: StepContext) -> str:
    """Take the lock to one version of the firmware away, and return what was read back."""
    cloud.reach(ctx, LOCK.goal(cloud, ctx))
    return "unlocked: the cloud shows no lock to a version"


_ACTS: Mapping[Cure, Callable[[CloudRecord, StepContext], str]] = {
    Cure.UNCLAIM: unclaim, Cure.APPROVE: approve, Cure.UNMARK: unmark, Cure.UNLOCK: unlock,
}  # fmt: skip


CURE_SCOPES: Mapping[Cure, str] = {
    Cure.UNCLAIM: "devices:release", Cure.APPROVE: "devices:import", Cure.UNMARK: "devices:update",
    Cure.UNLOCK: "devices:update",
}  # fmt: skip
"""What an API user's token needs for each (reference cloud-api 2.6)."""


def cures_for(job: CloudJob, record: CloudDevice, user: str) -> tuple[Cure, ...]:
    """Return what has to be done to a member, and may be. ``user``: the account that is to own it, if any is."""
    needs = {
        Cure.UNCLAIM: not is_same_account(record.owner, user if job.claims else "")
        and not (job.claims and may_be_claimed(job, record.owner)),
        Cure.APPROVE: record.quarantined, Cure.UNMARK: record.development and not job.development,
        Cure.UNLOCK: has_leftover_lock(job, record),
    }  # fmt: skip
    free = set() if record.denied else {Cure.APPROVE}  # that one was denied is a person's word
    return tuple(cure for cure in Cure if needs[cure] and (cure in job.cures or cure in free))


def cure(cloud: CloudRecord, ctx: StepContext) -> str:
    """Mend what stands in the way of a member and may be mended; returns what was read back, "" if nothing was.

    Raises what `CloudRecord.until_seen` does.
    """
    job = cloud.job
    if job.product_id is None:
        return ""
    record = cloud.standing(ctx, lambda: cloud.observe(ctx))
    if record is None or record.product_id != job.product_id:
        return ""
    cures = cures_for(job, record, cloud.owner(ctx) if job.claims and record.owner else "")
    by = f" (as {job.allowed_by} allows)" * bool(set(cures) & set(job.cures))
    return "; ".join(_ACTS[one](cloud, ctx) for one in cures) + by


def _product(cloud: CloudRecord) -> int:
    assert cloud.job.product_id is not None
    return cloud.job.product_id


def _not_shown(what: str) -> StepFault:
    return StepFault(f"{what}; try again later", say=Say("cloud_failed"))
