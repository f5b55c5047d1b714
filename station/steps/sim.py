"""``sim``: the unit's SIM is active. Rules A9 A10 G1 G2 G5 G6 G7 G8 G9 G10 E9.

Nothing here deactivates or releases a SIM: to have a slow one back may take days (G8).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from drivers.identity import Iccid

from ..cloud import sim_api
from ..cloud.answers import CloudDevice
from ..cloud.errors import CloudRefused
from ..cloud.evidence import About
from ..cloud.sim_answers import Sim, SimAnswer
from ..engine.step import StepContext, StepResult, already, deferred, done
from ..errors import StepFault, UnitRejected
from ..settings.sku import SimForm, sim_form, sim_speed
from ..words.say import NOTHING, Say
from .shared.cloudchecks import check_sim
from .shared.cloudjob import CloudJob
from .shared.cloudwork import CloudRecord, SimNotActive, keep_facts, written_together
from .shared.listing import list_sims
from .shared.simcard import ASKED_AGAIN, ASKED_FACT, FAILED_FACT, FAILED_ON, NOT_ASKED, SimCard, external_sim
from .spec import CloudStep, in_both

ASKED = "sim asked"
"""What was tried for a unit, as `ASKED_AGAIN` is, and kept as that (`CloudRecord.tried`): each of them once."""
SETTLES_S = 30.0
"""How long after such a try the cloud may still show what was before: imports work in the background."""


@dataclass(frozen=True, slots=True)
class _Absence:
    """Why the product has no such SIM: nothing but a person brings it in. ``reason`` follows its number."""

    reason: str
    say: Callable[[str], Say]


_FOREIGN, _RELEASED, _UNKNOWN = "sim foreign", "sim released", "sim unknown"
_ABSENCES = {
    _FOREIGN: _Absence(
        "belongs to another account or product; the supervisor has to have it released there, or put in another one",
        lambda _: Say("sim_foreign"),
    ),
    _RELEASED: _Absence(
        "is not in the product (released, or never imported); the supervisor has to import it",
        lambda _: Say("sim_released"),
    ),
    _UNKNOWN: _Absence(
        "is not known to the cloud, or its import failed, which the cloud mails to the token's account; the "
        "supervisor has to put the right one in, or to import it",
        lambda iccid: Say("sim_odd", iccid=iccid),
    ),
}


def sim(cloud: CloudRecord, ctx: StepContext) -> StepResult:
    """Poll, and ask for an activation only where nothing else brings one, once.

    Adding to a product activates a built-in SIM by itself (G1); a card is imported by its number (G2), and so is a SIM
    that the product lost or that was swapped (A10). A developer's SIM is activated by a call of its own (G5). What the
    carrier failed to do is asked for once more (reference cloud-api 8.3).
    """
    job = cloud.job
    if not job.iccid:
        raise StepFault(
            "no ICCID was read from the unit, so its SIM cannot be looked up; reseat the SIM", say=Say("sim_missing")
        )
    if job.has_external_sim:
        raise external_sim(job.label)
    iccid, started, has_asked = Iccid.told(job.iccid), ctx.clock.now(), False
    while True:
        found, record = cloud.standing(ctx, lambda: _look(cloud, ctx))
        is_active = found is not None and found.is_active
        pace = sim_speed(job.serial, was_active=found is not None and found.was_active and not is_active).value
        waited = ctx.clock.now() - started
        if is_active:
            _forget_asked(cloud, ctx)
            ctx.measure("SIM active after", round(waited, 1), "s", high=pace.budget_s)
            proof = f"cloud shows SIM active after {waited:.0f} s" + (f"; its number {iccid} is odd" * iccid.is_odd)
            proof += _last_seen_in(job, found)
            return done(proof) if has_asked else already(proof)
        is_over = not cloud.has_unit or waited >= pace.budget_s  # nobody waits at a slot for owed work
        if found is None and iccid.is_odd and cloud.has_unit and (job.product_id is None or is_over):
            raise _odd(iccid)
        if found is not None and _was_done(cloud, found):
            _note_asked(cloud, ctx, ASKED_AGAIN)
            has_asked = True
        wanted = _to_ask(cloud, found, record)
        if wanted and wanted not in cloud.tried:
            if found is not None and wanted == ASKED_AGAIN:
                _note_failed(cloud, ctx, found)
            has_asked = _ask(cloud, ctx, iccid, wanted) or has_asked
        elif (rejection := _stays(cloud, ctx, found, is_over=is_over)) is not None:
            _forget_asked(cloud, ctx)  # a walk after this verdict is one that a person wants
            raise rejection
        if is_over:
            is_gone = found is None and _is_gone(cloud, ctx, record, pace.budget_s)
            return _missing(cloud, ctx, record) if is_gone else _pending(cloud, waited, found)
        cloud.pause(ctx, pace.poll_s)


def _last_seen_in(job: CloudJob, found: Sim | None) -> str:
    """Say for the record that the cloud saw the SIM in another unit last; "" where it did not.

    That judges nobody: the number was read from this unit, a card may have been moved, and the cloud shows the new
    unit only once it was online (reference cloud-api 8.2).
    """
    other = found.last_device_id if found is not None else ""
    return f"; the cloud saw it last in {other}" if other not in ("", job.device_id.lower()) else ""


def _look(cloud: CloudRecord, ctx: StepContext) -> tuple[Sim | None, CloudDevice | None]:
    """The SIM now; where the product has none, also the unit's record, for the SIM that the cloud knows in it.

    Raises `UnitRejected` for a SIM in a state that no waiting changes.
    """
    job = cloud.job
    try:
        found = cloud.sim(ctx)
    except CloudRefused as error:
        if error.about is not About.UNIT:
            raise
        raise _foreign(job.iccid) from error
    if job.product_id is None:
        return found, None
    check_sim(job, found)
    is_explained = not _ABSENCES.keys().isdisjoint(cloud.tried)
    return found, cloud.device(ctx) if found is None and not is_explained else None


def _to_ask(cloud: CloudRecord, found: Sim | None, record: CloudDevice | None) -> str:
    """What of `ASKED` and `ASKED_AGAIN` has to be tried for a SIM that is not active; "" for neither."""
    job = cloud.job
    if found is not None and found.state_change_in_progress:
        return ""
    if found is not None and found.last_action_failed:
        return ASKED_AGAIN
    if job.product_id is None:
        return ASKED
    if _has_card(job) and (cloud.has_unit or not _is_known_in(record, job.iccid)):
        return ASKED
    is_lost = found is None and (job.was_member or _is_swapped(record, job.iccid))
    return ASKED if is_lost and cloud.has_unit else ""


def _has_card(job: CloudJob) -> bool:
    return sim_form(job.serial, job.platform_id) is SimForm.CARD


def _is_known_in(record: CloudDevice | None, iccid: str) -> bool:
    """The unit was online with it: a card that is not in the product any more was taken out on purpose."""
    return record is not None and record.iccid == iccid


def _stays(cloud: CloudRecord, ctx: StepContext, found: Sim | None, *, is_over: bool) -> UnitRejected | None:
    """Return what is wrong with a SIM for which all was tried; None while that may still help."""
    if found is None or found.state_change_in_progress:
        return None
    if found.last_action_failed and cloud.since_tried(ctx, ASKED_AGAIN) >= SETTLES_S:
        return UnitRejected(
            f"the activation of SIM {found.iccid} failed at the carrier, twice; put in another SIM, or ask the vendor",
            say=Say("sim_failed"),
        )
    if found.is_off and is_over and cloud.since_tried(ctx, ASKED) >= SETTLES_S:
        return UnitRejected(
            f"SIM {found.iccid} stays deactivated; the supervisor has to reactivate it in the console",
            say=Say("sim_off"),
        )  # fmt: skip
    return None


def _is_gone(cloud: CloudRecord, ctx: StepContext, record: CloudDevice | None, budget_s: float) -> bool:
    """Whether a SIM that the product does not have comes by no waiting."""
    job = cloud.job
    if not _ABSENCES.keys().isdisjoint(cloud.tried):
        return True
    if job.product_id is None or ASKED in cloud.tried:
        return job.product_id is not None and (cloud.has_unit or cloud.since_tried(ctx, ASKED) >= budget_s)
    if _has_card(job):
        return _is_known_in(record, job.iccid)
    return cloud.has_unit or job.was_member or _is_swapped(record, job.iccid)


def _is_swapped(record: CloudDevice | None, iccid: str) -> bool:
    """The cloud knows the unit with another SIM (A10)."""
    return record is not None and record.iccid not in ("", iccid)


def _ask(cloud: CloudRecord, ctx: StepContext, iccid: Iccid, wanted: str) -> bool:
    """Ask for an activation, and return whether the cloud took it. What got no answer is asked for again (N2).

    Raises `UnitRejected` for a SIM that the cloud does not give to this account.
    """
    job = cloud.job
    with cloud.write(ctx, _what(job.iccid)) as sent:
        if job.product_id is not None:
            cloud.run(ctx, sim_api.import_sims([iccid], job.product_id))
        elif (answer := cloud.run(ctx, sim_api.activate(iccid))) is SimAnswer.FOREIGN:
            raise _foreign(job.iccid)
        elif answer is SimAnswer.UNKNOWN:
            raise UnitRejected(
                f"the cloud knows no SIM {iccid}; put in another one, or ask the vendor",
                say=Say("sim_odd", iccid=str(iccid)),
            )
    if sent.is_answered:
        _note_asked(cloud, ctx, wanted)
    return sent.is_answered


def _was_done(cloud: CloudRecord, found: Sim) -> bool:
    """Whether what was asked for again, without an answer, shows in the SIM nevertheless."""
    if found.last_action_on is None or ASKED_AGAIN in cloud.tried:
        return False
    return cloud.tried.get(FAILED_ON, str(found.last_action_on)) != str(found.last_action_on)


def _note_failed(cloud: CloudRecord, ctx: StepContext, found: Sim) -> None:
    """Keep what is there before the SIM is asked for once more: the station may end before the answer is kept."""
    if FAILED_ON not in cloud.tried:
        cloud.tried[FAILED_ON] = str(found.last_action_on)
        keep_facts(ctx, **{FAILED_FACT: f"{cloud.job.iccid} {found.last_action_on or ''}".strip()})


def _note_asked(cloud: CloudRecord, ctx: StepContext, wanted: str) -> None:
    cloud.note_tried(ctx, wanted)
    if wanted == ASKED_AGAIN:
        keep_facts(ctx, **{ASKED_FACT: cloud.job.iccid})


def _forget_asked(cloud: CloudRecord, ctx: StepContext) -> None:
    if not {ASKED_AGAIN, FAILED_ON}.isdisjoint(cloud.tried):
        keep_facts(ctx, **{ASKED_FACT: NOT_ASKED, FAILED_FACT: NOT_ASKED})


def _what(iccid: str) -> str:
    return f"activate SIM {iccid}"


def _odd(iccid: Iccid) -> StepFault:
    return StepFault(
        f"the cloud does not know a SIM {iccid}, which is no usual number ({iccid.wanted});"
        " reseat the SIM or try another one",
        say=Say("sim_odd", iccid=str(iccid)),
    )  # fmt: skip


def _foreign(iccid: str) -> UnitRejected:
    return UnitRejected(
        f"SIM {iccid} belongs to a product or another account; the supervisor has to have it released there",
        say=Say("sim_foreign"),
    )


def _pending(cloud: CloudRecord, waited: float, found: Sim | None) -> StepResult:
    """Owed to nobody but time. A unit that has to come online here cannot before: what follows waits with it (E9)."""
    state = "not there yet" if found is None else f"{found.status or 'in no state'}"
    reason = f"SIM {cloud.job.iccid} is not active after {waited:.0f} s ({state})"
    if cloud.has_unit and cloud.job.awaits_online:
        cloud.waits_for = SimNotActive(f"{reason}; without it the unit cannot come online (E9)")
    return replace(_owed(cloud, reason), say=Say("sim_pending") if cloud.has_unit else NOTHING)


def _missing(cloud: CloudRecord, ctx: StepContext, record: CloudDevice | None) -> StepResult:
    """Owed, and by whom: nothing but a person brings a SIM into the product that an import did not bring."""
    iccid = cloud.job.iccid
    why = next((name for name in _ABSENCES if name in cloud.tried), "") or _why_absent(cloud, ctx, record)
    other = cloud.tried.setdefault(why, record.iccid if record and _is_swapped(record, iccid) else "")
    by = "" if why == _FOREIGN else f" (station rework sim {iccid} --product {cloud.job.product_id})"
    known = f"; the cloud knows the unit with {other}" if other else ""
    return replace(_owed(cloud, f"SIM {iccid} {_ABSENCES[why].reason}{by}{known}"), say=_ABSENCES[why].say(iccid))


def _why_absent(cloud: CloudRecord, ctx: StepContext, record: CloudDevice | None) -> str:
    """Find out by the route of the account, which says of somebody else's SIM that it is that."""
    try:
        found = cloud.run(ctx, sim_api.sim(Iccid.told(cloud.job.iccid)))
    except CloudRefused as error:
        return _FOREIGN if error.about is About.UNIT else _UNKNOWN
    is_ours = found is not None or _is_known_in(record, cloud.job.iccid)
    return _RELEASED if is_ours else _UNKNOWN


def _owed(cloud: CloudRecord, reason: str) -> StepResult:
    return deferred(reason, cloud.owed())


def _import_all(units: Sequence[tuple[CloudRecord, StepContext]]) -> None:
    """Import in one request all cards that the list does not show; what became of each shows when it is polled."""
    lacking = [
        (cloud, ctx) for cloud, ctx in units
        if cloud.last.sim.get(lambda: None) is None and ASKED not in cloud.tried and not cloud.job.was_member
        and _has_card(cloud.job)
    ]  # fmt: skip

    def send(part: Sequence[tuple[CloudRecord, StepContext]]) -> None:
        first, ctx = part[0]
        assert first.job.product_id is not None
        iccids = [Iccid.told(cloud.job.iccid) for cloud, _ in part]
        first.run(ctx, sim_api.import_sims(iccids, first.job.product_id))
        for cloud, its_ctx in part:
            cloud.note_tried(its_ctx, ASKED)

    written_together(lacking, lambda cloud, _: _what(cloud.job.iccid), send)


SPEC = CloudStep(
    name="sim", title="SIM", limit_s=720, after=in_both("setup_done"), act=sim, may_be_off=True, needs_identity=True,
    scopes=("sims:get", "sims:list", "sims:import", "devices:get"),
    listing=list_sims, ahead=_import_all, section=("sim", SimCard),
    applies=lambda _, row: row.has_cellular,
)  # fmt: skip
