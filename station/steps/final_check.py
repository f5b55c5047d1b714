"""``final_check``: every field the walk was to bring about, read once more from the cloud. Rules N6 D8 K7."""

from __future__ import annotations

from ..engine.step import StepContext, StepResult, already
from .shared.cloudchecks import check_all, check_sim
from .shared.cloudwork import CloudRecord
from .shared.listing import list_members
from .spec import ALL_OTHERS, CloudStep, in_both


def final_check(cloud: CloudRecord, ctx: StepContext) -> StepResult:
    """Nothing is written. One wrong field and the unit does not pass (N6)."""
    user = cloud.owner(ctx) if cloud.job.claims else ""
    if cloud.has_unit:  # much may have happened since an earlier step looked; of the SIM that was just now
        cloud.last.member.forget()
        cloud.last.elsewhere.forget()
    count = cloud.standing(ctx, lambda: _look(cloud, ctx, user))
    return already(f"{count} of {count} cloud fields read back")


def _look(cloud: CloudRecord, ctx: StepContext, user: str) -> int:
    """Return how many fields are as wanted. Owed work reads no SIM again: its own step just did, or is owed too."""
    job, record = cloud.job, cloud.known_device(ctx)
    count = check_all(job, record, user)
    if not (job.checks_sim and cloud.has_unit and job.iccid and job.product_id is not None):
        return count
    check_sim(job, cloud.sim(ctx))
    return count + 1


SPEC = CloudStep(
    name="final_check", title="Final check", limit_s=180, after=in_both(ALL_OTHERS), act=final_check,
    scopes=("devices:get", "devices:list"),
    listing=list_members,
)  # fmt: skip
