"""What rework does to a SIM card: switch it on, switch it off, release it. Each is observed, sent and waited for.

How long that takes depends on the card's class (rules G6 to G9); what is not there in time is under way, no failure.
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.identity import Iccid

from ...cloud import sim_api
from ...cloud.call import Call
from ...cloud.sim_answers import Sim, SimAnswer
from ...engine.step import StepContext, StepResult, deferred
from ...errors import StepFault, UnitRejected
from ...settings.sku import SimSpeed, sku_row
from ...steps.shared.cloudwork import CloudRecord, Goal
from ...words.say import Say

RELEASE_S, RELEASE_POLL_S = 120.0, 5.0
"""How long a release is watched, and how often: it deactivates the card first."""


def speed_of(serial: str) -> SimSpeed:
    """Return how fast the SIM of a unit becomes active; of one nobody knows the worst is expected."""
    row = sku_row(serial)
    return row.sim_speed if row is not None else SimSpeed.SOMETIMES_SLOW


def switch_on(cloud: CloudRecord, ctx: StepContext) -> StepResult:
    """Activate or reactivate the card with one request (G4), and wait for it as long as its class usually takes.

    Into a product it is imported, which also moves a card out of the sandbox of somebody in the team (G10).
    """
    pace, what = speed_of(cloud.job.serial).value, f"SIM {cloud.job.iccid}"
    goal = Goal(
        f"activate SIM {cloud.job.iccid}",
        look=lambda: _is_going(cloud, ctx, lambda sim: sim.is_active or sim.last_action in ("activate", "reactivate")),
        send=lambda: _send_on(cloud, ctx),
        missing=StepFault(f"{_not_shown(cloud)} as one that becomes active", say=Say("cloud_failed")),
        refusals=2,
    )  # fmt: skip
    try:
        cloud.reach(ctx, goal)
    except StepFault as error:
        if error is not goal.missing or cloud.job.product_id is None:
            raise
        # an import is queued: whether it worked is told by e-mail only (reference cloud-api 8.2)
        return deferred(f"{error}; look again later, and if it stays so, its owner has to release it first", "{}")
    if _await(cloud, ctx, lambda sim: sim is not None and sim.is_active, pace.budget_s, pace.poll_s):
        return cloud.ended(ctx, f"the cloud shows {what} active")
    return deferred(f"{what} is being activated, which may take an hour, rarely a day; look again later", "{}")


def switch_off(cloud: CloudRecord, ctx: StepContext) -> StepResult:
    """Deactivate the card; it stays where it is."""
    goal = Goal(
        f"deactivate SIM {cloud.job.iccid}",
        look=lambda: _is_going(cloud, ctx, lambda sim: sim.is_off),
        send=lambda: _ask(cloud, ctx, sim_api.deactivate(_iccid(cloud), cloud.job.product_id)),
        missing=StepFault(f"{_not_shown(cloud)} as one that is switched off", say=Say("cloud_failed")),
    )  # fmt: skip
    cloud.reach(ctx, goal)
    what = f"SIM {cloud.job.iccid}"
    if _await(cloud, ctx, lambda sim: sim is None or sim.status == "deactivated", RELEASE_S, RELEASE_POLL_S):
        return cloud.ended(ctx, f"the cloud shows {what} deactivated")
    return deferred(f"{what} is being deactivated; look again later", "{}")


def release(cloud: CloudRecord, ctx: StepContext) -> StepResult:
    """Deactivate the card and take it out of its product or account; the proof is that nobody has it there any more."""
    goal = Goal(
        f"release SIM {cloud.job.iccid}",
        look=lambda: _is_leaving(cloud, ctx),
        send=lambda: _send_release(cloud, ctx),
        missing=StepFault(f"{_not_shown(cloud)} as one that is released", say=Say("cloud_failed")),
    )  # fmt: skip
    cloud.reach(ctx, goal)
    where = f"product {cloud.job.product_id}" if cloud.job.product_id is not None else "the account"
    if _await(cloud, ctx, lambda sim: sim is None, RELEASE_S, RELEASE_POLL_S):
        return cloud.ended(ctx, f"SIM {cloud.job.iccid} is released: {where} has it no more")
    again = f"station rework release {cloud.job.iccid}"
    again += f" --product {cloud.job.product_id}" if cloud.job.product_id is not None else ""
    return deferred(f"SIM {cloud.job.iccid} is being released; look again later: {again}", "{}")


def _is_leaving(cloud: CloudRecord, ctx: StepContext) -> bool | None:
    sim = cloud.sim(ctx)
    return True if sim is None or (sim.state_change_in_progress and sim.last_action == "release") else None


def _is_going(cloud: CloudRecord, ctx: StepContext, is_there: Callable[[Sim], bool]) -> bool | None:
    """True where the card is as wanted, or on its way there."""
    sim = cloud.sim(ctx)
    return True if sim is not None and not sim.last_action_failed and _settled(sim, is_there) else None


def _settled(sim: Sim, is_there: Callable[[Sim], bool]) -> bool:
    return is_there(sim) and (sim.state_change_in_progress or sim.is_active or sim.is_off)


def _send_on(cloud: CloudRecord, ctx: StepContext) -> None:
    iccid, product, sim = _iccid(cloud), cloud.job.product_id, cloud.sim(ctx)
    if sim is not None and sim.status == "deactivated":
        _ask(cloud, ctx, sim_api.reactivate(iccid, product))
    elif product is not None:
        cloud.run(ctx, sim_api.import_sims([iccid], product))
    else:
        _ask(cloud, ctx, sim_api.activate(iccid))


def _send_release(cloud: CloudRecord, ctx: StepContext) -> None:
    cloud.run(ctx, sim_api.release(_iccid(cloud), cloud.job.product_id))


def _ask(cloud: CloudRecord, ctx: StepContext, call: Call[SimAnswer]) -> None:
    answer = cloud.run(ctx, call)
    if answer is SimAnswer.FOREIGN:
        raise UnitRejected(
            f"SIM {cloud.job.iccid} belongs to a product or another account; name its product with --product, or have "
            "it released there",
            say=Say("sim_failed"),
        )
    if answer is SimAnswer.UNKNOWN:
        raise UnitRejected(f"the cloud knows no SIM {cloud.job.iccid} here; check its number", say=Say("sim_failed"))


def _await(
    cloud: CloudRecord, ctx: StepContext, is_there: Callable[[Sim | None], bool], budget_s: float, poll_s: float
) -> bool:  # fmt: skip
    """Poll until the card is as wanted; False after ``budget_s``. Raises `UnitRejected` where the carrier failed."""
    until = ctx.clock.now() + budget_s
    while True:
        sim = cloud.standing(ctx, lambda: cloud.sim(ctx))
        if is_there(sim):
            return True
        if sim is not None and sim.last_action_failed and not sim.state_change_in_progress:
            raise UnitRejected(
                f"the carrier failed to {sim.last_action} SIM {sim.iccid}; try again", say=Say("sim_failed")
            )
        if ctx.clock.now() + poll_s > until or ctx.deadline.remaining <= poll_s:
            return False
        cloud.pause(ctx, poll_s)


def _iccid(cloud: CloudRecord) -> Iccid:
    return Iccid.told(cloud.job.iccid)


def _not_shown(cloud: CloudRecord) -> str:
    where = f"product {cloud.job.product_id}" if cloud.job.product_id is not None else "this account"
    return f"the cloud said yes, and does not show SIM {cloud.job.iccid} in {where}"
