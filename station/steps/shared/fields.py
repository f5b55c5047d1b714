"""A field of a unit's record in the cloud that one request sets and one look shows (reference cloud-api 4.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...cloud import api
from ...cloud.answers import CloudDevice
from ...cloud.errors import CloudRefused, is_waiting
from ...engine.step import StepContext, StepResult
from ...errors import StepFault
from ...words.say import Say
from .cloudjob import CloudJob
from .cloudwork import CloudRecord, Goal, keep_facts

Value = str | bool | int | None
REFUSED = 2
"""Refusals in a row, about no unit, after which the same is not asked for the others."""


@dataclass(frozen=True, slots=True)
class DeviceField:
    """``key`` of the API; ``title`` for people; what the job wants there, and what a record shows there."""

    key: str
    title: str
    wanted: Callable[[CloudJob], Value]
    shown: Callable[[CloudDevice], Value]

    def goal(self, cloud: CloudRecord, ctx: StepContext) -> Goal[bool]:
        """Return what the record shall show, and the request that brings it about."""
        job, wanted = cloud.job, self.wanted(cloud.job)

        def look() -> bool | None:
            found = self.shown(cloud.known_device(ctx))
            keep_facts(ctx, **{self.key: found})
            return True if found == wanted else None

        return Goal(
            f"{self.title} {job.device_id} {wanted}",
            look=look,
            send=lambda: cloud.run(ctx, api.change(job.device, {self.key: wanted}, job.product_id)),
            missing=StepFault(
                f"the cloud took the {self.title} {wanted!r} and shows another; retry later", say=Say("cloud_failed")
            ),
            refusals=2,
        )

    def act(self, cloud: CloudRecord, ctx: StepContext) -> StepResult:
        """Read the field, set it, read it back."""
        cloud.reach(ctx, self.goal(cloud, ctx))
        return self.ended(cloud, ctx)

    def ended(self, cloud: CloudRecord, ctx: StepContext) -> StepResult:
        """Return the result of a step whose field was read back."""
        return cloud.ended(ctx, f"cloud shows {self.title} {self.wanted(cloud.job)}")

    def ahead(self, units: Sequence[tuple[CloudRecord, StepContext]]) -> None:
        """Send the field of all units whose record, listed just now, shows another value.

        Two refusals in a row that are about no unit end this: the others would meet the same.
        """
        refused = 0
        for cloud, ctx in units:
            member, goal = cloud.last.member.get(lambda: None), self.goal(cloud, ctx)
            if refused < REFUSED and member is not None and self.shown(member) != self.wanted(cloud.job):
                try:
                    with cloud.write(ctx, goal.what):
                        goal.send()
                    refused = 0
                except CloudRefused as error:  # the unit's own step says what follows
                    refused += is_waiting(error)


DEVELOPMENT = DeviceField(
    "development", "development mark", wanted=lambda job: job.development, shown=lambda device: device.development
)
LOCK = DeviceField(
    "desired_firmware_version", "firmware lock", wanted=lambda job: job.firmware_lock,
    shown=lambda device: device.desired_firmware_version,
)  # fmt: skip
