"""``dfu``: make the unit ready to be flashed - what must go by control request first, then one DFU visit. Rule H3.

Entered only when the plan has something to write; the plan exists before DFU is entered, because
DFU shows no versions.
"""

from __future__ import annotations

from drivers.wire.usb import Mode

from ..engine.step import StepContext, StepResult, already, done, skipped
from ..firmware.plan import Case
from . import flashing
from .unitwork import UnitWork


def dfu(work: UnitWork, ctx: StepContext) -> StepResult:
    """Plan; send the bootloader if it goes first; enter DFU if anything is left for it."""
    plan = flashing.plan(work, ctx)
    if work.device.mode is Mode.DFU:
        return already("the unit arrived in DFU")
    if not plan.has_work:
        return skipped("nothing to write")
    goes_first = plan.case is Case.A or not plan.dfu_writes
    proofs = flashing.write_over_control(work, ctx, plan.control_writes) if goes_first else []
    if plan.dfu_writes:
        with ctx.write("unit", "restart into DFU"):
            work.device.enter_dfu(ctx.deadline)
        proofs.append("the unit shows DFU")
    return done("; ".join(proofs))
