"""``sim``: the unit's SIM is active. Rules G1 G5 G6 G7 E9."""

from __future__ import annotations

from drivers.identity import Iccid

from ..cloud.answers import SimAnswer
from ..engine.step import StepContext, StepResult, already, deferred, done
from ..errors import StepFault, UnitRejected
from .cloudwork import CloudWork, cloud_write, pause

POLL_S = 5.0
BUDGET_S = 120.0
"""Speed class "fast" of the SIM table (reference skus); slower classes come with their SKUs."""


def sim(work: CloudWork, ctx: StepContext) -> StepResult:
    """Poll; only a developer SIM is activated by us (adding to a product activates a built-in SIM by itself)."""
    if not work.job.iccid:
        raise StepFault(
            "no ICCID was read from the unit, so its SIM cannot be looked up; reseat the SIM", sentence="sim_missing"
        )
    iccid = Iccid.parse(work.job.iccid)
    started = ctx.clock.now()
    budget_s = BUDGET_S if work.is_connected is not None else 0.0  # nobody waits at a slot for owed work
    asked = False
    while True:
        found = work.client.sim(iccid, work.job.product_id, deadline=ctx.deadline, cancel=ctx.cancel)
        waited = ctx.clock.now() - started
        if found is not None and found.is_active:
            proof = f"cloud shows SIM active after {waited:.0f} s"
            return done(proof) if asked else already(proof)
        if found is not None and found.last_action_failed:
            raise UnitRejected(f"the activation of SIM {work.job.iccid} failed at the carrier", sentence="sim_failed")
        if waited >= budget_s:
            return deferred(f"SIM {work.job.iccid} is not active after {waited:.0f} s", work.job.to_json())
        if not asked and work.job.product_id is None:
            with cloud_write(ctx, f"activate SIM {work.job.iccid}"):
                _activate(work, ctx, iccid)
            asked = True
        pause(ctx, POLL_S)


def _activate(work: CloudWork, ctx: StepContext, iccid: Iccid) -> None:
    if work.client.activate_sim(iccid, deadline=ctx.deadline, cancel=ctx.cancel) is SimAnswer.FOREIGN:
        raise UnitRejected(f"SIM {iccid} belongs to a product or another account", sentence="sim_failed")
