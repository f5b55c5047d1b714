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
"""How often the cloud is asked (reference cloud-api 7.1) of a unit that cannot tell, or says that it is connected."""
UNIT_POLL_S = 0.5
"""How often the unit is asked: over USB, which costs the cloud nothing, so no less than a person would notice."""
QUIET_S = 60.0
"""How often the cloud is asked about a unit that says that it is not connected."""
SHOWN_BY_CLAIM = (
    "E2: this Device OS cannot say whether it is connected; the claim waits for it, as only a unit that is online is "
    "claimed"
)


def online(cloud: CloudRecord, ctx: StepContext) -> StepResult:
    """Wait for the cloud to see the unit; membership was read back before (C2). Nothing is written.

    The unit itself says over USB when it is worth while to ask. A unit that neither the cloud nor its own Device OS can
    speak of is left to the claim, which only a unit that is online gets.
    """
    started, poll_s = ctx.clock.now(), CELLULAR_POLL_S if cloud.job.iccid else WIFI_POLL_S
    is_connected = _says(cloud, ctx.deadline)
    while True:
        try:
            proof = _seen(cloud, ctx) if is_connected is not False else ""
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
        is_connected = _await_news(cloud, ctx, poll_s, is_connected)


def _await_news(cloud: CloudRecord, ctx: StepContext, poll_s: float, is_connected: bool | None) -> bool | None:
    """Wait until the cloud is to be asked; returns what the unit says then, None where only the cloud can tell."""
    if is_connected is not False:  # the cloud was asked just now, and did not show it
        cloud.pause(ctx, poll_s)
        return _says(cloud, ctx.deadline)
    until = ctx.deadline.sooner(min(QUIET_S, max(0.0, ctx.deadline.remaining - poll_s)))
    while is_connected is False and not until.expired:
        cloud.pause(ctx, min(UNIT_POLL_S, until.remaining))
        is_connected = _says(cloud, until)
    return is_connected or None


def _says(cloud: CloudRecord, until: Deadline) -> bool | None:
    """Whether the unit says that it is connected; None for one that cannot tell, or does not answer."""
    if cloud.is_connected is None:
        return None
    try:
        return cloud.is_connected(until)
    except (Cancelled, Disconnected, Swapped):
        raise
    except DriverError:
        return None


def _seen(cloud: CloudRecord, ctx: StepContext) -> str:
    """How the unit was seen online since it came to its port, empty if it was not.

    A handshake since then is the proof. The flag alone is wrong for up to 46 minutes after power was cut (cloud-api
    7.1), so for a session that began before, as on a unit with a battery, the unit has to answer a ping, and the cloud
    to have heard of it since. The cloud hides a developer unit nobody owns yet (it answers 403 for it), so until the
    claim only the unit itself can say that it is connected. That says nothing about its owner (B2). Raises
    `RequestUnknown` where its Device OS has no request for it: Gen 2 before 1.1.
    """
    job = cloud.job
    cloud.last.forget()  # what was looked at before the unit said that it is connected
    record = cloud.device(ctx) if job.product_id is None else cloud.known_device(ctx)
    if record is None:
        is_connected = cloud.is_connected is not None and cloud.is_connected(ctx.deadline)
        return "the unit says it is connected" if is_connected else ""
    since = cloud.came()
    if since is not None and record.last_handshake_at is not None and record.last_handshake_at >= since:
        return f"handshake with the cloud at {record.last_handshake_at:%H:%M:%S} UTC, since it came to its port,"
    if not (record.online and cloud.run(ctx, api.ping(job.device, job.product_id))):
        return ""
    cloud.last.forget()
    heard = cloud.known_device(ctx).last_heard
    is_fresh = since is None or (heard is not None and heard >= since)
    return "answers a ping, and was heard of since it came to its port," if is_fresh else ""


SPEC = CloudStep(
    # alone of the cloud lane it may ask the unit, which serves one thread at a time: nobody else speaks to it then
    name="online", title="Online", limit_s=420, after=in_both("sim", UNIT_LANE), act=online,
    scopes=("devices:get", "devices:ping"),
    draws_power=True,
    applies=lambda profile, _: profile.section(Cloud).is_awaited(profile.context) or bool(profile.section(Release)),
)  # fmt: skip
