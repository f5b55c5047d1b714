"""``dfu``: make the unit ready to be flashed - what must go by control request first, then one DFU visit. Rule H3.

Entered only when the plan has something to write; the plan exists before DFU is entered, because
DFU shows no versions.
"""

from __future__ import annotations

from drivers.errors import DeadlineExceeded, OutOfRequests, RequestRejected, Stalled
from drivers.wire.usb import Mode

from ..engine.step import StepContext, StepResult, already, done, skipped
from ..firmware.plan import Case
from . import flashing
from .unitwork import UnitWork

OBEY_S = 60.0
"""How long a unit may take to show DFU after the request (reference usb-and-serial 7.2)."""


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
            _enter(work, ctx)
        proofs.append("the unit shows DFU")
    return done("; ".join(proofs))


def _enter(work: UnitWork, ctx: StepContext) -> None:
    """By request; a unit that refuses it, or is too busy to hear it, is brought there by the operator's hands (H3)."""
    try:
        work.device.enter_dfu(ctx.deadline.sooner(OBEY_S))
    except (RequestRejected, OutOfRequests, Stalled, DeadlineExceeded):
        with ctx.hands("dfu_by_hand", led="blinking yellow"):
            work.device.await_dfu(ctx.deadline)
