"""``online``: the unit reached the cloud in this walk. Rules A12 B2 C2 E2 H0."""

from __future__ import annotations

from dataclasses import replace

from drivers.clock import Deadline
from drivers.errors import Cancelled, Disconnected, DriverError, RequestUnknown, Swapped

from ..cloud import api
from ..engine.step import StepContext, StepResult, already, deferred, skipped
from ..words.say import Say
from .shared.cloud_sections import Cloud, Release
from .shared.cloudwork import CloudRecord
from .shared.offline import offline_fault
from .spec import UNIT_LANE, CloudStep, in_both

WIFI_POLL_S, CELLULAR_POLL_S = 5.0, 10.0
"""How often the cloud is asked (reference cloud-api 7.1); the unit's own word that it has connected comes before."""
UNIT_POLL_S = 0.5
"""How often the unit is asked: over USB, which costs the cloud nothing, so no less than a person would notice."""
SHOWN_BY_CLAIM = (
    "E2: this Device OS cannot say whether it is connected; the claim waits for it, as only a unit that is online is "
    "claimed"
)


def online(cloud: CloudRecord, ctx: StepContext) -> StepResult:
    """Wait for the cloud to see the unit; membership was read back before (C2). Nothing is written.

    The flag alone may lie for minutes after power is cut (cloud-api 7.1), so a positive ping is the proof. A unit that
    neither the cloud nor its own Device OS can speak of is left to the claim, which only a unit that is online gets.
    """
    started, poll_s = ctx.clock.now(), CELLULAR_POLL_S if cloud.job.iccid else WIFI_POLL_S
    is_told = False
    while True:
        try:
            proof = _seen(cloud, ctx)
        except RequestUnknown:
            return skipped(SHOWN_BY_CLAIM)
        if proof:
            took = ctx.clock.now() - started
            ctx.measure("online after", round(took, 1), "s", high=ctx.limit_s)
            return already(f"{proof} after {took:.0f} s")
        if not cloud.has_unit:  # its SIM became active after it left the bench, which frees it to come online
            reason = f"{cloud.job.device_id} has to come online at the bench, and its SIM is active now; walk it again"
            return replace(deferred(reason, cloud.job.to_json()), say=Say("walk_again", unit=cloud.job.label))
        if ctx.deadline.remaining <= poll_s:
            seconds = ctx.clock.now() - started
            raise offline_fault(cloud, ctx, f"{cloud.job.device_id} was not seen by the cloud in {seconds:.0f} s")
        is_told = _await_connection(cloud, ctx, poll_s, is_told)


def _await_connection(cloud: CloudRecord, ctx: StepContext, seconds: float, is_told: bool) -> bool:
    """Wait ``seconds``, or until the unit says that it has connected, unless it ``is_told``; return whether it is.

    That only says when to ping again: a unit that cannot tell, or does not answer, is none the worse for it.
    """
    until = Deadline.after(ctx.clock, seconds)
    while not until.expired:
        asks_unit = not is_told and cloud.is_connected is not None
        cloud.pause(ctx, min(UNIT_POLL_S, until.remaining) if asks_unit else until.remaining)
        if not is_told and cloud.is_connected is not None:
            try:
                if cloud.is_connected(until):
                    return True
            except (Cancelled, Disconnected, Swapped):
                raise
            except DriverError:
                pass
    return is_told


def _seen(cloud: CloudRecord, ctx: StepContext) -> str:
    """How the unit was seen online, empty if it was not.

    The cloud hides a developer unit nobody owns yet (it answers 403 for it), so until the claim only the
    unit itself can say that it is connected. That says nothing about its owner (B2). Raises `RequestUnknown` where its
    Device OS has no request for it: Gen 2 before 1.1.
    """
    job = cloud.job
    if job.product_id is not None or cloud.device(ctx) is not None:
        is_online = cloud.run(ctx, api.ping(job.device, job.product_id))
        return "answers a ping" if is_online else ""
    if cloud.is_connected is None:
        return ""  # an unclaimed unit that has left the bench can be seen by nobody
    return "the unit says it is connected" if cloud.is_connected(ctx.deadline) else ""


SPEC = CloudStep(
    # alone of the cloud lane it may ask the unit, which serves one thread at a time: nobody else speaks to it then
    name="online", title="Online", limit_s=420, after=in_both("sim", UNIT_LANE), act=online,
    scopes=("devices:get", "devices:ping"),
    draws_power=True,
    applies=lambda profile, _: profile.section(Cloud).is_awaited(profile.context) or bool(profile.section(Release)),
)  # fmt: skip
