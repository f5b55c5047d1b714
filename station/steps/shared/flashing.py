"""The firmware work of one attempt, from the plan to the final look at the modules. Rules H4 D5 D9.

Order and refusals are the planner's (`station.firmware.plan`); what may be written at all is the
write guard's (`drivers.guard`). Here a plan becomes writes, each journalled before and after. The steps
`dfu`, `device_os` and `firmware` are views of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from drivers.errors import BootloaderStuck, ReadBackDiffers, Stalled, TransferFailed, TransferTimeout
from drivers.platforms import Via
from drivers.wire.image.host import Image
from drivers.wire.messages.tables import Store
from drivers.wire.usb import Mode

from ...engine.events import ModulesRead
from ...engine.records import UnitFacts
from ...engine.step import StepContext, StepResult, already, done
from ...errors import UnitRejected
from ...firmware.by_request import NotByRequest
from ...firmware.checks import downgrade_refused, takes_updates
from ...firmware.modules import (
    READ_DIFFERENT,
    READ_EQUAL,
    SYSTEM_PART,
    TAKEN,
    Comparison,
    Key,
    compare,
    held_modules,
    image_key,
    module_name,
)
from ...firmware.plan import Case, PlannedWrite, UpdatePlan
from ...firmware.release import ReleaseFiles, plan_update
from ...firmware.sections import DeviceOs
from ...model import IdentityFact
from ...settings.profile import Profile
from ...words.say import Say
from . import reading
from .assets import held_assets, send_assets
from .cloudwork import FindProduct
from .held import refuse_unproved, sent, tell_modules
from .hidden import Hidden, hidden_in_dfu
from .progress import Span, cut_window
from .radio import remember, remembered
from .sources import described
from .unit import Unit
from .visiting import visit_dfu

LOCK_FACT = "locked_with"
"""SHA-256 of the files a unit held when this station put it under device protection."""
LOCKED = "under device protection since all modules were read back"


_BROKEN_HANDLE = (BootloaderStuck, Stalled, TransferFailed, TransferTimeout)
"""What opening the unit again may cure."""
REOPEN_PAUSES_S = (1.0, 5.0)
"""Before a module is begun again: a bad contact lasts a moment."""


class FirmwareSession:
    """Owns the plan of one unit: nobody writes firmware but by it. One thread, one attempt.

    A plan is made when it is asked for and holds until the unit has shown its modules again.
    """

    def __init__(self, unit: Unit, profile: Profile, files: ReleaseFiles, find_product: FindProduct) -> None:
        self._unit, self._profile, self._files = unit, profile, files
        self._find_product = find_product
        self._plan: UpdatePlan | None = None
        self._told: tuple[tuple[str, str, str], ...] = ()  # of modules, as they were last recorded
        self._read_back: dict[Key, Comparison] = {}  # in this attempt, since the module was last written
        self.without_dfu = ""
        """Why the unit cannot be had in DFU, and everything goes by control request; "" where it can."""

    @property
    def has_files(self) -> bool:
        """Whether the profile wants any firmware at all."""
        return bool(self._files.release or self._files.application)

    @property
    def has_release(self) -> bool:
        """Return whether the profile names a Device OS."""
        return bool(self._files.release)

    def hidden_in_dfu(self) -> Hidden | None:
        """Name what decides whether the files fit and only a running unit says; None where nothing does."""
        return hidden_in_dfu(self._unit.known, self._files.release, self._profile.skus)

    @property
    def application(self) -> Image | None:
        return self._files.application

    def keep(self, application: Image) -> None:
        """Let the unit keep an application it runs already in place of the profile's."""
        self._files, self._plan = replace(self._files, application=application, firmware=None), None

    # --- the plan ---

    def plan(self, ctx: StepContext) -> UpdatePlan:
        """What differs between the unit and the profile; raises `PlanRefused` naming what is missing.

        A unit in DFU shows no versions: then every module is planned, and written only if flash differs.
        """
        if self._plan is None:
            self._plan = self._planned(ctx, self.without_dfu)
            if self._plan.rows != self._told:
                self._told = self._plan.rows
                ctx.record(ModulesRead(rows=self._told, **ctx.head()))
        return self._plan

    def _planned(self, ctx: StepContext, without_dfu: str) -> UpdatePlan:
        product, known = self._find_product(ctx), self._unit.known
        plan = plan_update(
            self._profile, known.platform, self._files, None if self._is_in_dfu else known.modules,
            product=product.id if product else None, serial=known.fact("serial"),
            assets=() if self._is_in_dfu else held_assets(self._unit, self._files, ctx),
            read_back=remembered(self._unit, self._files.release) | self._read_back, without_dfu=without_dfu,
        )  # fmt: skip
        if not self._is_in_dfu:
            return plan
        self._check_newer(ctx)
        takes_none = not takes_updates(known.platform, plan.system_version)  # what differs of these is refused now
        unread = [w.image for w in plan.dfu_visit if takes_none and w.way is Via.OTA and w.compare_first]
        holds = self._unit.device.dfu(ctx.deadline).held
        self._read_back |= {image_key(one): READ_EQUAL if holds(one) else READ_DIFFERENT for one in unread}
        return self._planned(ctx, without_dfu) if unread else plan

    def needs_dfu(self, ctx: StepContext) -> str:
        """Return why the unit does not take everything that differs by control request; "" if it does."""
        try:
            self._planned(ctx, "asked for")
        except NotByRequest as error:
            return str(error)
        return ""

    def give_up_dfu(self, why: str) -> None:
        """Plan without DFU from now on, in this attempt; `needs_dfu` has said that this can be done."""
        self.without_dfu, self._plan = why, None

    def _check_newer(self, ctx: StepContext) -> None:
        """A unit in DFU does not say what Device OS it holds, but its flash does (H4)."""
        wanted = self._profile.section(DeviceOs)
        if wanted is None or wanted.allow_downgrade:
            return
        for image in (one for one in self._files.release if image_key(one) == SYSTEM_PART):
            held = self._unit.device.dfu(ctx.deadline).newer_than(image)
            if held is not None:
                raise downgrade_refused(image, held)

    def tell_held(self, ctx: StepContext) -> None:
        """Journal what the unit was seen to hold last."""
        tell_modules(self._unit, ctx, self._images, self._read_back)

    def _look_again(self, ctx: StepContext) -> None:
        """Read what the unit holds now: a plan made from what it held before is void."""
        reading.read_modules(self._unit, ctx)
        self._plan = None

    @property
    def _is_in_dfu(self) -> bool:
        return self._unit.device.mode is Mode.DFU

    # --- writing ---

    def write_first(self, ctx: StepContext) -> list[str]:
        """Send what has to be there before DFU is entered, if anything has to. Returns proofs."""
        plan = self.plan(ctx)
        goes_first = plan.case is Case.A or not plan.dfu_writes
        return self._send(ctx, plan.control_writes) if goes_first else []

    def write_release(self, ctx: StepContext) -> StepResult:
        """Radio stack and system part; closes the visit only if no application is to follow."""
        return self._write(ctx, self._files.release, closes=self.application is None)

    def write_application(self, ctx: StepContext, application: Image) -> StepResult:
        """The application; closes the visit. What it is bundled with follows."""
        written = self._write(ctx, (application,), closes=True)
        sent = [] if self._unit.known.is_locked else send_assets(self._unit, self._files, ctx)
        if not sent:
            return written
        self._look_again(ctx)
        return done("; ".join(filter(None, (written.proof, f"the unit shows the assets {', '.join(sent)}"))))

    def _write(self, ctx: StepContext, images: Sequence[Image], *, closes: bool) -> StepResult:
        """Write what differs of ``images``; ``already`` only when nothing at all was written, by whichever way."""
        if self._unit.known.is_locked:
            return already(LOCKED)
        if self.without_dfu:
            return self._write_by_request(ctx, images, closes=closes)
        written = self._write_over_dfu(ctx, images)
        has_written, proofs = bool(written), [_proof_of(written)]
        if closes and (self._is_in_dfu or self.plan(ctx).slot_writes):
            followed = self._leave(ctx)
            has_written, proofs = has_written or bool(followed), [*proofs, *followed, self._check(ctx)]
        if not written and not self._unit.known.is_locked:
            proofs.append(self._held(ctx, images))
        proof = "; ".join(filter(None, proofs))
        return done(proof) if has_written else already(proof)

    def _write_by_request(self, ctx: StepContext, images: Sequence[Image], *, closes: bool) -> StepResult:
        """Send what differs of ``images``, at the end whatever is left; what locks the unit waits for that."""
        writes = [one for one in self.plan(ctx).writes if closes or (one.image in images and not one.image.is_locking)]
        proofs = self._send(ctx, writes)
        if closes:
            proofs.append(self._check(ctx))
        if not writes and not self._unit.known.is_locked:
            proofs.append(self._held(ctx, images))
        proof = "; ".join(filter(None, proofs))
        return done(proof) if writes else already(proof)

    def _held(self, ctx: StepContext, images: Sequence[Image]) -> str:
        """Why each of ``images`` counts as there."""
        told = {row.image: row.proof for row in self.plan(ctx).already}
        proved = {image: self._read_back.get(image_key(image)) for image in images}
        told |= {image: one.why for image, one in proved.items() if one in (READ_EQUAL, TAKEN) and one is not None}
        return ", ".join(f"{module_name(*image_key(image))}: {told[image]}" for image in images if image in told)

    def _send(self, ctx: StepContext, writes: Sequence[PlannedWrite]) -> list[str]:
        """Send modules that never go over DFU (the bootloader), and look what the unit holds then. Returns proofs.

        Where it reports no hash the proof is to be read back in DFU.
        """
        for write in writes:
            image = write.image
            if image.is_locking:  # nothing can be read or cured afterwards
                refuse_unproved([one for one in self.plan(ctx).writes if one.image is not image])
                self.tell_held(ctx)
                self._update(ctx, write)
                self._lock(ctx, image)
            elif not (self._is_taken(ctx, write) or self._is_taken(ctx, write)):
                raise UnitRejected(
                    f"the unit took {image.name} twice but does not report it afterwards; walk it again, then red bin",
                    say=Say("update_not_applied"),
                )
        told = "the unit is under device protection with" if self._unit.known.is_locked else "module info shows"
        return [f"{told} {write.name} {write.wanted}" for write in writes]

    def _is_taken(self, ctx: StepContext, write: PlannedWrite) -> bool:
        """Send a module; whether the unit holds it then, or cannot say. Power lost while it applies it undoes it."""
        self._update(ctx, write)
        self._look_again(ctx)
        if self.without_dfu:
            reading.read_application_hash(self._unit, ctx)
        held = held_modules(self._unit.known.modules).get(image_key(write.image))
        is_same = compare(write.image, held).is_same
        if is_same is None and self.without_dfu:
            self._saw(ctx, write.image, TAKEN)
        return is_same is not False

    def _update(self, ctx: StepContext, write: PlannedWrite) -> None:
        image = write.image
        self._saw(ctx, image, READ_DIFFERENT)  # until it shows
        self._read_back.pop(image_key(image), None)
        window, runs = cut_window(ctx, self.plan(ctx), image), self._unit.known.os_version
        if write.way is Via.SLOT and runs is not None:
            visit_dfu(self._unit.device, ctx)
            with ctx.write("unit", f"{image.name} into its update slot"), window as cut:
                bootloader = self._unit.device.dfu(ctx.deadline)
                bootloader.stage_update(image, runs, Span(ctx, write.name, window=cut), ctx.cancel)
                self._unit.device.leave_dfu(ctx.deadline)  # the next boot installs it
            return
        with ctx.write("unit", f"{image.name} by control request"), window as cut:
            self._unit.device.update_over_control(image, ctx.deadline, Span(ctx, write.name, window=cut))

    def _lock(self, ctx: StepContext, image: Image) -> None:
        """Ask for the protection that was just written, and remember with what the unit was locked."""
        state = self._unit.device.protection(ctx.deadline)
        if not state.is_protected:
            raise UnitRejected(
                "the unit took a bootloader with device protection but is not protected; walk it again, then red bin",
                say=Say("update_not_applied"),
            )
        self._unit.known.is_locked, self._plan = True, None
        locked = IdentityFact(LOCK_FACT, self._digest, "device protection")
        seen = IdentityFact("protection", described(state), "request 76")
        ctx.record(UnitFacts(facts=(locked, seen, *sent(image)), **ctx.head()))

    def was_locked(self) -> bool:
        """Whether this station locked the unit with these very files; then there is nothing to do or to read."""
        known = self._unit.memory.known_facts(str(self._unit.known.device_id)).get(LOCK_FACT)
        self._unit.known.is_locked = any(one.is_locking for one in self._files.release) and known == self._digest
        return self._unit.known.is_locked

    @property
    def _digest(self) -> str:
        """What all the files of the profile have in common with nothing else."""
        return hashlib.sha256(b"".join(hashlib.sha256(image.data).digest() for image in self._images)).hexdigest()

    @property
    def _images(self) -> tuple[Image, ...]:
        return (*self._files.release, *((self.application,) if self.application else ()))

    def _write_over_dfu(self, ctx: StepContext, images: Sequence[Image]) -> list[PlannedWrite]:
        """Write modules in order, each followed by a full read-back; returns those that really had to be written.

        One that goes by control request is only read back.
        """
        plan = self.plan(ctx)
        writes = [write for write in plan.dfu_visit if write.image in images]
        total = sum(len(write.image.data) for write in writes)
        written: list[PlannedWrite] = []
        begun = 0
        for write in writes:
            device, size = self._unit.device.dfu(ctx.deadline), len(write.image.data)
            part = (begun / total, size / total)
            begun += size
            if write.compare_first and device.held(write.image):
                self._saw(ctx, write.image, READ_EQUAL)
                continue
            self._saw(ctx, write.image, READ_DIFFERENT)
            if write.way is not Via.DFU:
                continue
            self._write_for_certain(ctx, write, part)
            self._saw(ctx, write.image, READ_EQUAL)
            written.append(write)
        return written

    def _write_for_certain(self, ctx: StepContext, write: PlannedWrite, part: tuple[float, float]) -> None:
        """Write one module and read it back; begin it again where that may help.

        Flash that reads back wrong is judged by what it holds after a second write. A unit that is there and does
        not recover is opened again (reference firmware-and-dfu 1.7, retries at device level).
        """
        differs = 0
        for pause_s in (*REOPEN_PAUSES_S, None):
            try:
                self._write_module(ctx, write, part)
                return
            except ReadBackDiffers:
                differs += 1
                if differs > 1 or pause_s is None:
                    raise
            except _BROKEN_HANDLE:
                self._unit.device.close()
                if pause_s is None or self._unit.device.mode is not Mode.DFU:
                    raise
                ctx.clock.sleep(min(pause_s, ctx.deadline.remaining), ctx.cancel)

    def _write_module(self, ctx: StepContext, write: PlannedWrite, part: tuple[float, float]) -> None:
        """Write one module and read it back; raises `ReadBackDiffers`. ``part``: see `Span`."""
        window = cut_window(ctx, self.plan(ctx), write.image)
        with ctx.write("unit", f"{write.image.name} over DFU"), window as cut:
            span = Span(ctx, write.name, *part, cut)
            device = self._unit.device.dfu(ctx.deadline)  # to announce the write may have waited, which moves it
            span(0.0)  # from the first erase on it must not be unplugged
            for early in self.plan(ctx).erase_first:
                if early.before is write.image:
                    device.invalidate(early.image, early.page)
            device.write_module(write.image, span, ctx.cancel)
        self._unit.device.dfu(ctx.deadline).verify(write.image)

    def _saw(self, ctx: StepContext, image: Image, what: Comparison) -> None:
        """Keep what proves its content, and in the journal what no unit tells; voided there before it is written."""
        self._read_back[image_key(image)] = what
        remember(image, what, "control request" if self.without_dfu else "DFU read-back", ctx)

    # --- the end ---

    def _leave(self, ctx: StepContext) -> list[str]:
        """Restart, read everything back, and send what DFU could not write. Returns proofs of that."""
        self._unit.device.leave_dfu(ctx.deadline)
        self._look_again(ctx)
        if not self._unit.known.is_complete:
            reading.complete(self._unit, ctx)
        proofs = self._send(ctx, [*self.plan(ctx).control_writes, *self.plan(ctx).slot_writes])
        if self._unit.known.is_locked:
            return proofs
        unproved = [write.image for write in self.plan(ctx).dfu_visit if write.way is not Via.DFU]
        if unproved:  # just sent, to a Device OS that reports no hash
            visit_dfu(self._unit.device, ctx)
            self._write_over_dfu(ctx, unproved)
            self._unit.device.leave_dfu(ctx.deadline)
            self._look_again(ctx)
        return proofs

    def _check(self, ctx: StepContext) -> str:
        """Every wanted module present and healthy by module info, Device OS version as planned."""
        if self._unit.known.is_locked:
            return LOCKED
        self.tell_held(ctx)
        left, modules = self.plan(ctx), self._unit.known.modules
        refuse_unproved(left.writes)
        # a leftover in the update slot or the factory store is nothing the unit runs
        sick = [module for module in modules if module.store == Store.MAIN and not module.is_valid]
        if sick:
            name = module_name(sick[0].function, sick[0].index)
            raise UnitRejected(
                f"{name} fails its own checks; walk the unit again, then red bin", say=Say("update_not_applied")
            )
        return f"module info: {len(modules)} modules valid, Device OS {self._unit.known.os_version}"


def _proof_of(written: Sequence[PlannedWrite]) -> str:
    return "DFU read-back equal: " + ", ".join(f"{write.name} {write.wanted}" for write in written) if written else ""
