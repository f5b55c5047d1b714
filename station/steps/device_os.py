"""``device_os``: the release's SoftDevice and system part are in flash, byte for byte. Rules H4 D5 D9."""

from __future__ import annotations

from ..engine.step import StepContext, StepResult
from ..firmware.sections import DeviceOs
from .shared.session import UnitSession
from .spec import UnitStep, in_both


def device_os(session: UnitSession, ctx: StepContext) -> StepResult:
    """Write what differs over DFU; leave DFU here only if no application is to follow."""
    return session.firmware.write_release(ctx)


SPEC = UnitStep(
    name="device_os", title="Device OS", limit_s=480, after=in_both("dfu"), act=device_os, visit="dfu",
    draws_power=True,
    section=("device_os", DeviceOs), applies=lambda profile, _: profile.section(DeviceOs) is not None,
)  # fmt: skip
