"""``sim``: the unit's SIM is active. Rules G1 G5 G6 G7 E9."""

from __future__ import annotations

from dataclasses import replace

from drivers.identity import Iccid

from ..cloud.answers import SimAnswer
from ..engine.step import StepContext, StepResult, already, deferred, done
from ..errors import StepFault, UnitRejected
from ..sku import SimSpeed, sku_row
from .cloudwork import CloudWork, cloud_write, pause

UNKNOWN_SKU = SimSpeed.GENERALLY_FAST


def sim(work: CloudWork, ctx: StepContext) -> StepResult:
    """Poll; only a developer SIM is activated by us (adding to a product activates a built-in SIM by itself).

    An activation that failed at the carrier is asked for once more (reference cloud-api 8.3).
    """
    if not work.job.iccid:
        raise StepFault(
            "no ICCID was read from the unit, so its SIM cannot be looked up; reseat the SIM", sentence="sim_missing"
        )
    iccid = Iccid.told(work.job.iccid)
    started, pace = ctx.clock.now(), _speed(work.job.serial).value
    budget_s = pace.budget_s if work.has_unit else 0.0  # nobody waits at a slot for owed work
    may_ask = work.job.product_id is None
    asked = asked_again = False
    while True:
        found = work.client.sim(iccid, work.job.product_id, deadline=ctx.deadline, cancel=ctx.cancel)
        waited = ctx.clock.now() - started
        if found is not None and found.is_active:
            ctx.measure("SIM active after", round(waited, 1), "s", high=pace.budget_s)
            proof = f"cloud shows SIM active after {waited:.0f} s" + (f"; its number {iccid} is odd" * iccid.is_odd)
            return done(proof) if asked else already(proof)
        if found is None and iccid.is_odd and work.has_unit and (may_ask or waited >= budget_s):
            raise StepFault(
                f"the cloud does not know a SIM {iccid}, which is no usual number ({iccid.wanted});"
                " reseat the SIM or try another one",
                sentence="sim_odd",
                values=(str(iccid),),
            )
        has_failed = found is not None and found.last_action_failed
        if has_failed and (asked_again or not may_ask):
            raise UnitRejected(f"the activation of SIM {work.job.iccid} failed at the carrier", sentence="sim_failed")
        if waited >= budget_s and not has_failed:
            reason = f"SIM {work.job.iccid} is not active after {waited:.0f} s"
            return replace(deferred(reason, work.job.to_json()), sentence="sim_pending")
        if may_ask and (has_failed or not asked):
            with cloud_write(ctx, f"activate SIM {work.job.iccid}") as sent:
                _activate(work, ctx, iccid)
            asked, asked_again = sent.is_answered, sent.is_answered and has_failed
        pause(ctx, pace.poll_s)


def _speed(serial: str) -> SimSpeed:
    row = sku_row(serial)
    return row.sim_speed if row else UNKNOWN_SKU


def _activate(work: CloudWork, ctx: StepContext, iccid: Iccid) -> None:
    if work.client.activate_sim(iccid, deadline=ctx.deadline, cancel=ctx.cancel) is SimAnswer.FOREIGN:
        raise UnitRejected(f"SIM {iccid} belongs to a product or another account", sentence="sim_failed")
