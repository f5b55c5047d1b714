"""Brings a unit into DFU for what only that shows or writes, besides the one visit that flashes it."""

from __future__ import annotations

from drivers.devices import Goal, ParticleDevice

from ...engine.step import StepContext
from .holding import hold


def visit_dfu(device: ParticleDevice, ctx: StepContext) -> None:
    """Bring a unit into DFU that was there in this attempt, or is too old for anything else; raises as `hold`."""
    with ctx.write("unit", "restart into DFU"):
        hold(device, ctx, Goal.DFU)
        device.identify(ctx.deadline)  # nothing is confirmed of a unit that may be another
