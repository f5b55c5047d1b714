"""``name``: the unit carries its name in the cloud. Rules F1 F2 F3."""

from __future__ import annotations

from ..cloud import api
from ..engine.step import StepContext, StepResult
from ..errors import UnitRejected
from ..settings.profile import Kind
from ..words.say import Say
from .shared.cloud_sections import NameTemplate
from .shared.cloudwork import CloudRecord
from .shared.fields import DeviceField
from .shared.listing import list_members
from .spec import CloudStep

NAME = DeviceField("name", "name", wanted=lambda job: job.name, shown=lambda device: device.name)


def name(cloud: CloudRecord, ctx: StepContext) -> StepResult:
    """Read the name, set it, read it back. Product units are never looked up by name (F2)."""
    goal = NAME.goal(cloud, ctx)
    if cloud.standing(ctx, goal.look) is None:
        if cloud.job.product_id is None:
            cloud.standing(ctx, lambda: _check_unique(cloud, ctx))
        cloud.until_seen(ctx, goal)
    return NAME.ended(cloud, ctx)


def _check_unique(cloud: CloudRecord, ctx: StepContext) -> None:
    """A name is unique within a developer account: look before writing (F1)."""
    for device in cloud.run(ctx, api.my_devices()):
        if device.name == cloud.job.name and device.id != cloud.job.device:
            raise UnitRejected(
                f"the account already has a device named {cloud.job.name} ({device.id}); choose another name template",
                say=Say("name_taken", name=cloud.job.name),
            )


SPEC = CloudStep(
    name="name", title="Name", limit_s=120, act=name, may_be_off=True, needs_identity=True,
    scopes=("devices:get", "devices:list", "devices:update"),
    section=("name", NameTemplate), listing=list_members, ahead=NAME.ahead,
    # what may start an update comes before all that lets the unit go online (F5); its owner names a developer unit
    after={Kind.PRODUCT: ("group", "development", "firmware_lock"), Kind.DEVELOPER: ("claim",)},
)  # fmt: skip
