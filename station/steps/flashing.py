"""The firmware work the three flashing steps share: plan, write and compare, leave DFU and verify.

Order and refusals are the planner's (`station.firmware.plan`); what may be written at all is the
write guard's (`drivers.guard`). Here a plan becomes writes, each journalled before and after.
"""

from __future__ import annotations

from drivers.platforms import ModuleFunction, OsVersion
from drivers.wire import requests
from drivers.wire.replies import Store
from drivers.wire.usb import Mode

from ..engine.events import ModulesRead
from ..engine.records import UnitFacts
from ..engine.step import StepContext, StepResult, already, done
from ..errors import UnitRejected
from ..firmware.modules import compare, held_modules, image_key, module_name
from ..firmware.plan import PlannedWrite, UpdatePlan, make_plan
from ..model import IdentityFact
from . import reading
from .unitwork import UnitWork


def plan(work: UnitWork, ctx: StepContext) -> UpdatePlan:
    """Compare what the unit holds with what the profile wants; raises `PlanRefused` naming what is missing.

    A unit in DFU shows no versions: then every module is planned, and written only if flash differs.
    """
    in_dfu = work.device.mode is Mode.DFU
    product = work.find_product(ctx.cancel)
    found = make_plan(
        work.platform, None if in_dfu else work.modules, work.files.release, work.files.application,
        mode=Mode.DFU if in_dfu else Mode.APPLICATION, allow_downgrade=_may_go_back(work),
        product=work.files.product(work.profile, product.id if product else None),
        skus=work.profile.skus, serial=str(work.identity.serial) if work.identity.serial else None,
    )  # fmt: skip
    work.plan = found
    ctx.announce(ModulesRead(rows=found.rows, **ctx.head()))
    return found


def _may_go_back(work: UnitWork) -> bool:
    """Only a profile that says so takes a unit to an older Device OS (H4)."""
    return work.profile.device_os is not None and work.profile.device_os.allow_downgrade


def is_application(write: PlannedWrite) -> bool:
    return write.image.function == ModuleFunction.USER_PART


def write_over_control(work: UnitWork, ctx: StepContext, writes: tuple[PlannedWrite, ...]) -> list[str]:
    """Send modules that never go over DFU (the bootloader), and read each back. Returns proofs."""
    proofs: list[str] = []
    for write in writes:
        image = write.image
        with ctx.write("unit", f"{image.name} by control request"):
            work.device.update_over_control(image, ctx.deadline, _Span(ctx, write.name))
        read_modules(work, ctx)
        if compare(image, held_modules(work.modules).get(image_key(image))).is_same is not True:
            raise UnitRejected(
                f"the unit took {image.name} but does not report it afterwards; walk it again, then red bin",
                sentence="update_not_applied",
            )
        proofs.append(f"module info shows {write.name} {write.wanted}")
    return proofs


def write_over_dfu(work: UnitWork, ctx: StepContext, writes: tuple[PlannedWrite, ...]) -> list[PlannedWrite]:
    """Write modules in order, each followed by a full read-back; returns those that really had to be written."""
    device = work.device.dfu(ctx.deadline)
    written: list[PlannedWrite] = []
    total = sum(len(write.image.data) for write in writes)
    done = 0
    for write in writes:
        span = _Span(ctx, write.name, done / total, len(write.image.data) / total)
        done += len(write.image.data)
        if write.compare_first and device.held(write.image):
            continue
        with ctx.write("unit", f"{write.image.name} over DFU"):
            span(0.0)  # from the first erase on it must not be unplugged
            for early in work.plan.erase_first if work.plan else ():
                if early.before is write.image:
                    device.invalidate(early.image, early.page)
            device.write_module(write.image, span, ctx.cancel)
        device.verify(write.image)
        written.append(write)
    return written


def proof_of(written: list[PlannedWrite]) -> str:
    return "DFU read-back equal: " + ", ".join(f"{write.name} {write.wanted}" for write in written) if written else ""


def result(proofs: list[str], has_written: bool) -> StepResult:
    """``already`` only when nothing at all was written, by whichever way."""
    proof = "; ".join(filter(None, proofs))
    return done(proof) if has_written else already(proof)


def leave(work: UnitWork, ctx: StepContext) -> tuple[str, bool]:
    """Close the DFU visit: restart, read everything back, finish what DFU could not do.

    Returns the proof, and whether anything was written for it.
    """
    work.device.leave_dfu(ctx.deadline)
    read_modules(work, ctx)
    if not work.identity.is_complete:
        reading.complete(work, ctx)
    proofs = write_over_control(work, ctx, plan(work, ctx).control_writes)
    return "; ".join([*proofs, check_all(work, ctx)]), bool(proofs)


def check_all(work: UnitWork, ctx: StepContext) -> str:
    """Every wanted module present and healthy by module info, Device OS version as planned."""
    left = plan(work, ctx)
    if left.differing:
        names = ", ".join(f"{write.name} ({write.why})" for write in left.differing)
        raise UnitRejected(
            f"after flashing the unit still does not hold {names}; walk it again, then red bin",
            sentence="update_not_applied",
        )
    # a leftover in the update slot or the factory store is nothing the unit runs
    sick = [module for module in work.modules if module.store == Store.MAIN and not module.is_valid]
    if sick:
        name = module_name(sick[0].function, sick[0].index)
        raise UnitRejected(
            f"{name} fails its own checks; walk the unit again, then red bin", sentence="update_not_applied"
        )
    return f"module info: {len(work.modules)} modules valid, Device OS {work.identity.os_version}"


def read_modules(work: UnitWork, ctx: StepContext) -> None:
    """Read module info and the Device OS version again, and journal the version."""
    work.modules = work.device.ask(requests.get_module_info(), ctx.deadline)
    version = OsVersion.parse(work.device.os_version(ctx.deadline))
    if version != work.identity.os_version:
        work.identity.os_version = version
        fact = IdentityFact("device_os", str(version), "raw request 30")
        ctx.record(UnitFacts(facts=(fact,), **ctx.head()))


class _Span:
    """Progress of one module in a run of several: from ``start`` on, ``width`` of the whole (0.0-1.0)."""

    def __init__(self, ctx: StepContext, note: str, start: float = 0.0, width: float = 1.0) -> None:
        self._ctx, self._note = ctx, note
        self._start, self._width = start, width

    def __call__(self, share: float) -> None:
        self._ctx.progress(self._start + share * self._width, writing=True, note=self._note)
