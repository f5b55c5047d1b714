"""``notes``: the text of the profile stands in the notes of the unit's record in the cloud."""

from __future__ import annotations

from ..settings.profile import Kind
from .shared.cloud_sections import Notes
from .shared.fields import DeviceField
from .shared.listing import list_members
from .spec import CloudStep

NOTES = DeviceField("notes", "notes", wanted=lambda job: job.notes, shown=lambda device: device.notes)

SPEC = CloudStep(
    name="notes", title="Notes", limit_s=120, act=NOTES.act,
    scopes=("devices:get", "devices:list", "devices:update"),
    section=("notes", Notes), listing=list_members, ahead=NOTES.ahead,
    applies=lambda profile, _: profile.section(Notes) is not None,
    after={Kind.PRODUCT: ("name",), Kind.DEVELOPER: ("name",)},
)  # fmt: skip
