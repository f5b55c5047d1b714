"""``release``: the unit runs the version of the product's firmware that the cloud wants of it. Rules D2 D3 D4 D5 D8.

Where that is not what was flashed, the cloud sends it over the air, at its own time, and what the unit needs for it.
Both ends have to show it: the unit by the hash of its application, the cloud by its record.
"""

from __future__ import annotations

from collections.abc import Iterator

from drivers.clock import Deadline
from drivers.errors import DeadlineExceeded, Disconnected, RequestUnknown
from drivers.wire import requests
from drivers.wire.messages.tables import ConnectionStatus, Store

from ..cloud.answers import CloudDevice
from ..engine.records import UnitFacts
from ..engine.step import StepContext, StepResult, already, done
from ..errors import StepFault
from ..firmware.modules import compare, held_modules, image_key
from ..firmware.sections import DeviceOs
from ..model import IdentityFact
from ..settings.profile import Kind
from ..words.say import Say
from .shared import reading
from .shared.cloud_sections import Release
from .shared.cloudchecks import check_marks
from .shared.cloudwork import HOLDS, CloudRecord, ask
from .shared.released import due_now
from .shared.session import UnitSession
from .spec import UnitStep

LOOK_S = 60.0
"""Between looks at the cloud's record while the unit shows nothing new: its own restart is seen before, and is free."""
SOON_S = (2.0, 5.0, 10.0, 30.0)
"""The same after it has restarted and is connected again: the record shows that at once, or a little late."""
CONNECTED_S, POLL_S = 120.0, 0.5
"""How long a unit that restarted may take to be connected before the cloud is asked all the same."""


def release(session: UnitSession, ctx: StepContext) -> StepResult:
    """Wait, with the unit powered, until unit and cloud show the wanted version. Nothing is written here."""
    cloud = CloudRecord(session.cloud_job(ctx), session.client, session.last, lambda until: _says(session, until))
    session.air.expect()
    has_waited = False
    pauses: Iterator[float] = iter(())
    while True:
        record = ask(ctx, lambda: cloud.standing(ctx, lambda: cloud.known_device(ctx)), holds=HOLDS)
        check_marks(cloud.job, record)
        version = due_now(record, session.wanted_release(ctx, record))
        if record.firmware_version == version and _runs(session, ctx, version):
            break
        if ctx.deadline.expired:
            raise _too_late(session, ctx, record, version)
        session.air.is_due = has_waited = True
        session.air.expect()
        ctx.progress(0.0, writing=True, note=f"version {version} over the air")
        if _has_restarted(session, ctx, next(pauses, LOOK_S)):
            pauses = iter(SOON_S)
        cloud.last.forget()
    session.air.over()
    _keep(session, ctx, version)
    proof = f"cloud and unit show version {version}, the unit by the hash of its application"
    return done(proof) if has_waited else already(proof)


def _runs(session: UnitSession, ctx: StepContext, version: int) -> bool:
    """Whether the unit itself runs that version, with all that it needs; False while it restarts."""
    image = ask(
        ctx, lambda: session.releases.image(session.product_ref(ctx), version, ctx.deadline, ctx.cancel), holds=HOLDS
    )
    if session.air.is_away():
        return False
    unit = session.unit
    reading.read_modules(unit, ctx)
    reading.read_application_hash(unit, ctx)
    is_whole = all(module.is_valid for module in unit.known.modules if module.store == Store.MAIN)
    return is_whole and compare(image, held_modules(unit.known.modules).get(image_key(image))).is_same is True


def _has_restarted(session: UnitSession, ctx: StepContext, seconds: float) -> bool:
    """Wait until the unit has restarted and is connected again; False when it does not leave within ``seconds``.

    While it is away, or not connected, nothing is asked of the cloud.
    """
    port, soon = session.unit.device.port, ctx.deadline.sooner(seconds)
    generation = port.generation
    try:
        port.wait_gone(session.unit.device.present().address, soon, ctx.cancel)
    except DeadlineExceeded:
        return False
    except Disconnected:  # it is away already
        pass
    session.air.await_return(ctx)
    until = ctx.deadline.sooner(CONNECTED_S)
    while not (until.expired or session.air.unless_away(lambda: _says(session, until))):
        ctx.clock.sleep(POLL_S, ctx.cancel)
        session.air.await_return(ctx)
    return port.generation != generation


def _says(session: UnitSession, until: Deadline) -> bool:
    """Whether the unit says that it is connected; one that cannot tell is left some time."""
    try:
        return session.unit.device.ask(requests.get_connection_status(), until) is ConnectionStatus.CONNECTED
    except RequestUnknown:
        return False


def _too_late(session: UnitSession, ctx: StepContext, record: CloudDevice, version: int) -> StepFault:
    shown = record.firmware_version if record.firmware_version is not None else "no version"
    return StepFault(
        f"{session.unit.known.device_id} was not brought to version {version} in {ctx.limit_s:.0f} s: the cloud shows "
        f"{shown}; look at its updates in the console, then walk it again with the unit left plugged in",
        say=Say("update_missing"),
    )


def _keep(session: UnitSession, ctx: StepContext, version: int) -> None:
    """The version the unit leaves with, and a Device OS newer than planned: reported, never mended by itself (D5)."""
    facts = [IdentityFact("firmware_version", str(version), "cloud and unit")]
    planned, runs = session.profile.section(DeviceOs), session.unit.known.os_version
    if planned is not None and runs is not None and runs > planned.version:
        facts.append(IdentityFact("device_os_planned", str(planned.version), "profile"))
        ctx.measure("Device OS", str(runs), wanted=str(planned.version))
    ctx.record(UnitFacts(facts=tuple(facts), **ctx.head()))
    session.firmware.tell_held(ctx)


SPEC = UnitStep(
    name="release", title="Release", limit_s=1800, act=release, section=("release", Release), draws_power=True,
    needs_online=True,
    scopes=("devices:get", "firmware:list", "firmware.binary:get"),
    after={Kind.PRODUCT: ("online",)},
    applies=lambda profile, _: profile.section(Release) is not None,
)  # fmt: skip
