"""``dfu``: make the unit ready to be flashed - what must go by control request first, then one DFU visit. Rule H3.

Entered only when the plan has something to write; the plan exists before DFU is entered, because
DFU shows no versions.
"""

from __future__ import annotations

from drivers.wire.usb import Mode

from ..engine.step import StepContext, StepResult, already, done, skipped
from ..firmware.sections import DeviceOs, Firmware
from .shared.entering import enter_dfu
from .shared.flashing import LOCKED
from .shared.session import UnitSession
from .spec import UnitStep, in_both


def dfu(session: UnitSession, ctx: StepContext) -> StepResult:
    """Plan; send the bootloader if it goes first; enter DFU if anything is left for it, and it can be had there."""
    if session.unit.known.is_locked:
        return already(LOCKED)
    plan = session.firmware.plan(ctx)
    if session.unit.device.mode is Mode.DFU:
        return already("the unit arrived in DFU")
    if not plan.writes:
        return skipped("nothing to write")
    proofs = session.firmware.write_first(ctx)
    if not session.unit.known.is_locked and session.firmware.plan(ctx).dfu_visit:  # made before DFU hides the versions
        how = enter_dfu(session.unit, session.firmware, session.dfu_access, ctx)
        if how is None:
            why = f"everything goes by control request: {session.firmware.without_dfu}"
            return done("; ".join([*proofs, why])) if proofs else skipped(why)
        proofs.append(f"the unit shows DFU{', ' * bool(how)}{how}")
    return done("; ".join(proofs)) if proofs else skipped("what is left goes through the update slot at the end")


SPEC = UnitStep(
    name="dfu", title="Enter DFU", after=in_both("identify"), act=dfu, visit="dfu",
    draws_power=True,
    limit_s=480,  # with what goes first: a bootloader, radio firmware (minutes to apply)
    applies=lambda profile, _: profile.section(DeviceOs) is not None or bool(profile.sections(Firmware)),
)  # fmt: skip
