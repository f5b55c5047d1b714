"""Says why a unit may not be seen online: a cellular one has its SIM looked at first. Rules A12 E9 G12."""

from __future__ import annotations

from drivers.clock import Deadline
from drivers.identity import Iccid

from ...cloud import sim_api
from ...cloud.errors import CloudRefused
from ...cloud.evidence import About
from ...engine.step import StepContext
from ...errors import StepFault
from ...words.say import Say
from .cloudwork import CloudRecord

LOOK_S = 20.0
"""How long that look may take."""


def offline_fault(cloud: CloudRecord, ctx: StepContext, seen: str) -> StepFault:
    """Return what to say of a unit that blinks green, after ``seen``, which says how it was looked for.

    Nobody shall swap a SIM that is active, as a network may bar the modem instead (A12). Raises `CloudError`.
    """
    job = cloud.job
    if not job.iccid:
        return StepFault(f"{seen}; check antenna or Wi-Fi, then retry", say=Say("not_online"))
    state = _state(cloud, ctx)
    if state == "active":
        return StepFault(
            f"{seen} although its SIM {job.iccid} is active; another SIM does not help: check antenna and coverage, "
            f"then ask the vendor whether networks bar IMEI {job.imei}",
            say=Say("not_online_sim_active"),
        )
    return StepFault(
        f"{seen}; its SIM {job.iccid} is {state} (E9): have it activated, then retry",
        say=Say("not_online_sim", iccid=job.iccid),
    )


def _state(cloud: CloudRecord, ctx: StepContext) -> str:
    """The state of the unit's SIM as the cloud has it now."""
    deadline = Deadline.after(ctx.clock, LOOK_S)
    call = sim_api.sim(Iccid.told(cloud.job.iccid), cloud.job.product_id)
    try:
        sim = cloud.client.run(call, deadline=deadline, cancel=ctx.cancel)
    except CloudRefused as error:
        if error.about is not About.UNIT:
            raise
        return "another account's"
    if sim is None:
        return "not in the product" if cloud.job.product_id is not None else "not activated"
    return "active" if sim.is_active else f"{sim.status or 'not active'}{' still' * sim.state_change_in_progress}"
