"""``online``: the unit reached the cloud in this walk. Rules B2 C2 E2 H0."""

from __future__ import annotations

from ..engine.step import StepContext, StepResult, already, done
from ..errors import StepFault
from .cloudwork import CloudWork, pause

POLL_S = 5.0


def online(work: CloudWork, ctx: StepContext) -> StepResult:
    """Wait for the cloud to see the unit; membership was read back before (C2).

    The flag alone may lie for minutes after power is cut (cloud-api 7.1), so a positive ping is the proof.
    """
    started = ctx.clock.now()
    while True:
        if work.client.ping(work.job.device, work.job.product_id, deadline=ctx.deadline, cancel=ctx.cancel):
            waited = ctx.clock.now() - started
            return already("answers a ping") if waited < 1.0 else done(f"answers a ping after {waited:.0f} s")
        if ctx.deadline.remaining <= POLL_S:
            raise StepFault(
                f"{work.job.device_id} was not seen by the cloud in {ctx.clock.now() - started:.0f} s;"
                " check antenna, SIM or Wi-Fi, then retry",
                sentence="not_online",
            )
        pause(ctx, POLL_S)
