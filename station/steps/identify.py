"""``identify``: who is on the port, and can it become what the profile wants. Rules C3 H2.

Ends the walk before the first write, to the unit or to the cloud, when it is the wrong one or when no
update of it ends well: the cloud's steps begin as soon as this one has ended.
"""

from __future__ import annotations

from drivers.errors import DidNotReturn
from drivers.wire.usb import Mode

from ..cloud.answers import CloudDevice, Product
from ..cloud.errors import is_waiting
from ..engine.records import UnitFacts
from ..engine.step import StepContext, StepResult, already, done
from ..errors import CloudError, StepFault, UnitRejected
from ..firmware.checks import can_be_protected
from ..firmware.modules import compare, held_modules, image_key
from ..firmware.sections import DeviceOs
from ..model import IdentityFact
from ..words.say import Say
from .shared import reading
from .shared.cloud_sections import Cloud
from .shared.cloudchecks import check_now, check_sim
from .shared.cloudwork import HOLDS, QUEUES, CloudRecord, ask
from .shared.cures import cure
from .shared.foreseen import check_forgetting, check_setup_done
from .shared.hidden import Hidden
from .shared.label import read_label
from .shared.session import UnitSession
from .shared.simcard import check_choice
from .shared.sources import described
from .shared.unit import Label, Unit
from .spec import UnitStep, in_both


def identify(session: UnitSession, ctx: StepContext) -> StepResult:
    """Read, compare, and tell the screen; in DFU only the Device ID can be had."""
    unit, cured = session.unit, ""
    reading.identify_usb(unit, ctx)  # first of all: whatever happens, the record says to whom
    is_locked = _check_protection(session, ctx)
    _check_product(session, ctx)
    _check_later_steps(session)
    if is_locked:
        return _identify_locked(session, ctx)
    if unit.device.mode is Mode.DFU and not session.firmware.has_release:
        # what an application needs is on the unit, which only a running one tells; and nothing else would (H9)
        _start(unit, ctx)
    if unit.device.mode is Mode.DFU:
        reading.recall(unit)
        reading.tell(unit, ctx)
        cured = _check_cloud(session, ctx)
        if unit.known.fact("serial"):
            reading.check_sku(unit)
        if hidden := session.firmware.hidden_in_dfu():
            _let_it_run(unit, ctx, hidden)
    if unit.device.mode is Mode.DFU:
        return _ended(f"Device ID {unit.known.device_id} in DFU; the rest when it runs", cured)
    reading.complete(unit, ctx)
    session.firmware.tell_held(ctx)
    if session.walks("sim"):
        check_choice(unit, ctx)
    cured = "; ".join(filter(None, (cured, _check_cloud(session, ctx))))
    _check_later_steps(session)
    if session.firmware.has_files:
        session.firmware.plan(ctx)
    return _ended(unit.known.proof, cured)


def _ended(proof: str, cured: str) -> StepResult:
    return done(f"{proof}; {cured}") if cured else already(proof)


def _let_it_run(unit: Unit, ctx: StepContext, hidden: Hidden) -> None:
    """Let a unit in DFU start, because whether the files fit it depends on what only a running unit says."""
    try:
        _start(unit, ctx)
    except DidNotReturn as error:
        if unit.device.mode is not Mode.DFU:
            raise
        if hidden.is_checked_later:  # repaired first, as nothing else makes it run
            return
        raise StepFault(
            f"{unit.known.device_id} does not say its {hidden.what} in DFU and does not start, and whether the "
            f"profile's files fit depends on it; name it among {hidden.named_in}",
            say=hidden.say,
        ) from error


def _start(unit: Unit, ctx: StepContext) -> None:
    """Let a unit in DFU run. It says who it is before that is confirmed: another one may have come to its port."""
    with ctx.write("unit", "restart out of DFU"):
        unit.device.leave_dfu(ctx.deadline)
        reading.identify_usb(unit, ctx)


def _identify_locked(session: UnitSession, ctx: StepContext) -> StepResult:
    """A unit this station put under protection itself: what it told before holds, as nothing could be written since."""
    unit = session.unit
    unit.device.leave_dfu(ctx.deadline)
    reading.recall_locked(unit)
    reading.tell(unit, ctx)
    read_label(unit, ctx)
    unit.known.is_complete = True
    return _ended("under device protection since this station read it", _check_cloud(session, ctx))


def _check_protection(session: UnitSession, ctx: StepContext) -> bool:
    """A unit under device protection answers next to nothing and takes no firmware (firmware-and-dfu 9.2).

    True for one that has it from this station, as the profile orders; raises `UnitRejected` for any other.
    """
    unit = session.unit
    state = unit.device.protection(ctx.deadline)
    if can_be_protected(unit.known.platform):
        is_ordered = (wanted := session.profile.section(DeviceOs)) is not None and wanted.protection
        facts = (
            IdentityFact("protection_intended", "protected" if is_ordered else "open", "profile"),
            IdentityFact("protection", described(state), "DFU" if unit.device.mode is Mode.DFU else "request 76"),
        )
        ctx.record(UnitFacts(facts=facts, **ctx.head()))
    if state.is_protected and not state.is_service_mode and session.firmware.was_locked():
        return True
    if state.is_protected:
        now = "in service mode for a while, but still protected" if state.is_service_mode else "a protected device"
        raise UnitRejected(
            f"{unit.known.device_id} is {now}; its owner has to take device protection off it first",
            say=Say("protected"),
        )
    return False


def _check_product(session: UnitSession, ctx: StepContext) -> None:
    """One product, one platform: compared before anything is written (C3)."""
    product = _product(session, ctx)
    if product is not None and product.platform_id != session.unit.known.platform.id:
        raise UnitRejected(
            f"product {product.id} is for platform {product.platform_id}, this is {session.unit.known.platform.name}"
            f" (platform {session.unit.known.platform.id}); correct the profile or use the right batch",
            say=Say("wrong_product", product=str(product.id)),
        )


def _check_later_steps(session: UnitSession) -> None:
    """Check what the Device OS that the unit will run then lacks: the profile's, else its own once it has told that."""
    wanted, known = session.profile.section(DeviceOs), session.unit.known
    device_os = wanted.version if wanted is not None else known.os_version
    if device_os is None:
        return
    if session.walks("setup_done"):
        check_setup_done(known.platform, device_os)
    if session.walks("wifi"):
        check_forgetting(known.platform, device_os, session.wifi)


def _check_cloud(session: UnitSession, ctx: StepContext) -> str:
    """What the cloud knows of the unit agrees with it, and nothing stands in the way that no step mends (A5 C3 K7).

    What may be mended is, before the first write to the unit; returns what was read back of it, "" for nothing.
    A profile that queues leaves it to the owed work while the cloud is away, or refuses something that is not about
    the unit; one that holds asks until it is answered.
    """
    session.may_start(ctx)
    queues = session.profile.section(Cloud).queues(session.profile.context)
    if not session.has_cloud_steps or (session.client.reachable is False and queues):
        return ""
    cloud = CloudRecord(session.cloud_job(ctx), session.client, session.last)
    cured, holds = "", QUEUES if queues else HOLDS
    try:
        cured = ask(ctx, lambda: cure(cloud, ctx), holds=holds)
        record = ask(ctx, lambda: cloud.standing(ctx, lambda: _foresee(session, cloud, ctx)), holds=holds)
    except CloudError as error:
        if not is_waiting(error):
            raise
        return cured
    if record is not None and record.serial_number:
        session.unit.known.note("cloud", serial=record.serial_number)
    return cured


def _foresee(session: UnitSession, cloud: CloudRecord, ctx: StepContext) -> CloudDevice | None:
    """The cloud's record of the unit, if it has one; raises `UnitRejected` for what it shows of the walk's end."""
    record, job = cloud.observe(ctx), cloud.job
    if record is None:
        if job.customer is not None and (outside := cloud.anywhere(ctx)) is not None:
            check_now(job, outside, job.customer)  # its owner stays its owner when it joins the product
        _foresee_release(session, ctx, None)
        return None
    check_now(job, record, cloud.owner(ctx) if job.claims and record.owner else "")
    _foresee_release(session, ctx, record)
    if job.iccid and job.product_id is not None and session.walks("sim"):
        check_sim(job, cloud.sim(ctx))
    return record


def _foresee_release(session: UnitSession, ctx: StepContext, record: CloudDevice | None) -> None:
    """What the cloud will bring the unit to, where it is awaited (D2); one that runs it already keeps it.

    Raises `NotReleased` before anything is flashed for nothing.
    """
    if not session.walks("release"):
        return
    found = session.wanted_release(ctx, record)
    session.air.is_due = found.is_sent
    fact = IdentityFact("firmware_version_wanted", str(found.version), "cloud")
    ctx.record(UnitFacts(facts=(fact,), **ctx.head()))
    if found.is_sent and session.unit.known.modules:
        image = session.releases.image(session.product_ref(ctx), found.version, ctx.deadline, ctx.cancel)
        if compare(image, held_modules(session.unit.known.modules).get(image_key(image))).is_same:
            session.firmware.keep(image)
            session.air.is_due = False


def _product(session: UnitSession, ctx: StepContext) -> Product | None:
    """What the cloud (or the journal, for the days without it) says of the profile's product.

    While neither knows it, nothing may be written: the unit waits, also under a profile that queues.
    """
    return ask(ctx, lambda: session.find_product(ctx), holds=HOLDS)


SPEC = UnitStep(
    name="identify",
    title="Identify",
    limit_s=90,
    scopes=("products:get", "devices:get"),
    after=in_both(),
    act=identify,
    section=("label", Label),
)
