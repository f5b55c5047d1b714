"""``final_check``: every field the walk was to bring about, read once more from the cloud. Rules N6 D8 K7."""

from __future__ import annotations

from ..engine.step import StepContext, StepResult, already
from .shared.cloudrecord import check_all
from .shared.cloudwork import CloudWork, standing
from .spec import ALL_OTHERS, CloudStep, in_both


def final_check(work: CloudWork, ctx: StepContext) -> StepResult:
    """Nothing is written. One wrong field and the unit does not pass (N6)."""
    user = work.client.user(deadline=ctx.deadline, cancel=ctx.cancel).username if work.job.claims else ""
    count = standing(ctx, lambda: _look(work, ctx, user))
    return already(f"{count} of {count} cloud fields read back")


def _look(work: CloudWork, ctx: StepContext, user: str) -> int:
    return check_all(work.job, work.known_device(ctx), user)


SPEC = CloudStep(
    name="final_check", title="Final check", limit_s=180, after=in_both(ALL_OTHERS), act=final_check,
)  # fmt: skip
