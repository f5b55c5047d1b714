"""``sim``: the unit's SIM is active. Rules G1 G5 G6 G7 E9."""

from __future__ import annotations

from dataclasses import replace

from drivers.identity import Iccid

from ..cloud import sim_api
from ..cloud.sim_answers import Sim, SimAnswer
from ..engine.step import StepContext, StepResult, already, deferred, done
from ..errors import StepFault, UnitRejected
from ..settings.sku import SimSpeed, sku_row
from ..words.say import NOTHING, Say
from .shared.cloudchecks import check_sim
from .shared.cloudwork import CloudRecord
from .shared.listing import list_sims
from .spec import CloudStep, in_both

UNKNOWN_SKU = SimSpeed.GENERALLY_FAST


def sim(cloud: CloudRecord, ctx: StepContext) -> StepResult:
    """Poll, and ask for an activation only where nothing else brings one.

    Adding to a product activates a built-in SIM by itself (G1). A developer's SIM is activated by us, and one that
    the product has no more, or never had as it was swapped (A10), is imported: once, and a developer's once more when
    the carrier failed (reference cloud-api 8.3).
    """
    job = cloud.job
    if not job.iccid:
        raise StepFault(
            "no ICCID was read from the unit, so its SIM cannot be looked up; reseat the SIM", say=Say("sim_missing")
        )
    iccid = Iccid.told(job.iccid)
    started, pace = ctx.clock.now(), _speed(job.serial).value
    budget_s = pace.budget_s if cloud.has_unit else 0.0  # nobody waits at a slot for owed work
    is_developer = job.product_id is None
    asked = asked_again = False
    while True:
        found, other = cloud.standing(ctx, lambda: _look(cloud, ctx))
        waited = ctx.clock.now() - started
        if found is not None and found.is_active:
            ctx.measure("SIM active after", round(waited, 1), "s", high=pace.budget_s)
            proof = f"cloud shows SIM active after {waited:.0f} s" + (f"; its number {iccid} is odd" * iccid.is_odd)
            return done(proof) if asked else already(proof)
        is_over = waited >= budget_s
        is_missing = found is None and not is_developer and (job.was_member or bool(other))
        may_ask = is_developer or (is_missing and cloud.has_unit)
        has_failed = found is not None and found.last_action_failed
        if found is None and iccid.is_odd and cloud.has_unit and (is_developer or is_over):
            raise _odd(iccid)
        if has_failed and (asked_again or not may_ask):
            raise UnitRejected(f"the activation of SIM {iccid} failed at the carrier", say=Say("sim_failed"))
        if is_over and not has_failed:
            if asked and found is not None and found.is_off:
                raise UnitRejected(
                    f"SIM {iccid} stays deactivated; reactivate it in the console", say=Say("sim_off")
                )  # fmt: skip
            return _missing(cloud, other) if is_missing else _pending(cloud, waited)
        if may_ask and (has_failed or not asked):
            with cloud.write(ctx, f"activate SIM {iccid}") as sent:
                _activate(cloud, ctx, iccid)
            asked, asked_again = sent.is_answered, sent.is_answered and has_failed
        cloud.pause(ctx, pace.poll_s)


def _odd(iccid: Iccid) -> StepFault:
    return StepFault(
        f"the cloud does not know a SIM {iccid}, which is no usual number ({iccid.wanted});"
        " reseat the SIM or try another one",
        say=Say("sim_odd", iccid=str(iccid)),
    )  # fmt: skip


def _pending(cloud: CloudRecord, waited: float) -> StepResult:
    owed = deferred(f"SIM {cloud.job.iccid} is not active after {waited:.0f} s", cloud.job.to_json())
    return replace(owed, say=Say("sim_pending") if cloud.has_unit else NOTHING)


def _missing(cloud: CloudRecord, other: str) -> StepResult:
    """Owed, and by whom: nothing but a person brings a SIM into the product that an import did not bring."""
    known = f", the cloud knows the unit with SIM {other}" if other else ""
    reason = (
        f"the product has no SIM {cloud.job.iccid}{known}; the supervisor has to import it, or put the right one in"
    )
    return replace(deferred(reason, cloud.job.to_json()), say=Say("sim_off"))


def _look(cloud: CloudRecord, ctx: StepContext) -> tuple[Sim | None, str]:
    """The SIM now; where the product has none, also the number of another one the cloud knows in the unit, or "".

    Raises `UnitRejected` for a product's SIM in a state that no waiting changes.
    """
    job = cloud.job
    found = cloud.sim(ctx)
    if job.product_id is None:
        return found, ""
    check_sim(job, found)
    record = cloud.device(ctx) if found is None else None
    return found, record.iccid if record is not None and record.iccid != job.iccid else ""


def _speed(serial: str) -> SimSpeed:
    row = sku_row(serial)
    return row.sim_speed if row else UNKNOWN_SKU


def _activate(cloud: CloudRecord, ctx: StepContext, iccid: Iccid) -> None:
    if cloud.job.product_id is not None:
        cloud.run(ctx, sim_api.import_sims([iccid], cloud.job.product_id))
    elif cloud.run(ctx, sim_api.activate(iccid)) is SimAnswer.FOREIGN:
        raise UnitRejected(f"SIM {iccid} belongs to a product or another account", say=Say("sim_failed"))


SPEC = CloudStep(
    name="sim", title="SIM", limit_s=720, after=in_both("setup_done"), act=sim, may_be_off=True, needs_identity=True,
    listing=list_sims,
    applies=lambda _, row: row.has_cellular,
)  # fmt: skip
