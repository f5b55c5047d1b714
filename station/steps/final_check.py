"""``final_check``: every field the walk was to bring about, read once more from the cloud. Rules N6 D8 K7."""

from __future__ import annotations

from ..engine.step import StepContext, StepResult, already
from .shared.cloudchecks import check_all
from .shared.cloudwork import CloudRecord
from .shared.listing import list_members
from .spec import ALL_OTHERS, CloudStep, in_both


def final_check(cloud: CloudRecord, ctx: StepContext) -> StepResult:
    """Nothing is written. One wrong field and the unit does not pass (N6)."""
    user = cloud.owner(ctx) if cloud.job.claims else ""
    if cloud.has_unit:
        cloud.last.forget()  # much may have happened since an earlier step looked
    count = cloud.standing(ctx, lambda: _look(cloud, ctx, user))
    return already(f"{count} of {count} cloud fields read back")


def _look(cloud: CloudRecord, ctx: StepContext, user: str) -> int:
    return check_all(cloud.job, cloud.known_device(ctx), user)


SPEC = CloudStep(
    name="final_check", title="Final check", limit_s=180, after=in_both(ALL_OTHERS), act=final_check,
    scopes=("devices:get", "devices:list"),
    listing=list_members,
)  # fmt: skip
