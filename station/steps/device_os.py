"""``device_os``: the release's SoftDevice and system part are in flash, byte for byte. Rules H4 D5 D9."""

from __future__ import annotations

from drivers.wire.usb import Mode

from ..engine.step import StepContext, StepResult
from . import flashing
from .unitwork import UnitWork


def device_os(work: UnitWork, ctx: StepContext) -> StepResult:
    """Write what differs over DFU; leave DFU here only if no application is to follow."""
    planned = work.plan.dfu_writes if work.plan else ()
    writes = tuple(write for write in planned if not flashing.is_application(write))
    written = flashing.write_over_dfu(work, ctx, writes) if writes else []
    proofs, has_written = [flashing.proof_of(written)], bool(written)
    if work.device.mode is Mode.DFU and work.files.application is None:
        proof, followed = flashing.leave(work, ctx)
        proofs.append(proof)
        has_written = has_written or followed
    if not written:
        proofs.append(_held(work))
    return flashing.result(proofs, has_written)


def _held(work: UnitWork) -> str:
    present = work.plan.already if work.plan else ()
    names = [f"{row.name}: {row.proof}" for row in present if row.image is not work.files.application]
    return ", ".join(names) or "flash holds every module of the release"
