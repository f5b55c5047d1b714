"""The kinds of rework: each says what it will do to a unit, and refuses where it makes no sense or does harm.

What has to be done before something else is a part before it: the SIM is released while the product still has it, a
unit is unclaimed before it is removed and out of sight (I5 I6 L5).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...cloud import rework_api
from ...cloud.answers import CloudDevice
from ...engine.step import StepContext, StepResult, done
from ...errors import StepFault, UnitRejected
from ...steps.claim import claim
from ...steps.name import name
from ...steps.shared import cures
from ...steps.shared.cloudwork import CloudRecord, Goal, is_same_account, mask
from . import sims
from .case import Case, Foreseen, Part, Rework

ASKED = "its owner was asked for it"
"""How the journal's record of a transfer begins."""
_FIRST_WITHOUT_QUARANTINE = 4
"""Major version of Device OS from which on no unit goes into quarantine (J1)."""


def _acts(does: Callable[[CloudRecord, StepContext], str]) -> Callable[[Case], StepResult]:
    return lambda case: done(does(case.cloud, case.ctx))


def _record(case: Case) -> CloudDevice:
    assert case.record is not None
    return case.record


# --- owner ---------------------------------------------------------------------------------------


def _unclaim(case: Case) -> Foreseen:
    record = _record(case)
    if not record.owner:
        return Foreseen(already="it has no owner")
    return Foreseen((_unclaim_part(case),), _stays(case))


def _unclaim_part(case: Case) -> Part:
    owner = mask(_record(case).owner)
    if case.product is not None:
        return Part(
            f"takes its owner {owner} off, through product {case.product}; it may be offline", _acts(cures.unclaim)
        )
    user = _account(case)
    if not is_same_account(_record(case).owner, user):
        raise UnitRejected(
            f"it is in no product and belongs to {owner}, this token to {mask(user)}: only its owner can unclaim it; "
            "log in as that account, or ask it for the unit: station rework transfer"
        )
    return Part(f"gives it up for account {mask(user)}; it may be offline", _acts(_give_up))


def _give_up(cloud: CloudRecord, ctx: StepContext) -> str:
    goal = Goal(
        f"unclaim {cloud.job.device_id}",
        look=lambda: True if cloud.anywhere(ctx) is None else None,
        send=lambda: cloud.run(ctx, rework_api.unclaim_mine(cloud.job.device)),
        missing=StepFault(f"the cloud said yes to unclaiming {cloud.job.device_id} and still shows it to this account"),
    )
    cloud.reach(ctx, goal)
    return "unclaimed: the cloud shows it to this account no more"


def _stays(case: Case) -> tuple[str, ...]:
    """What unclaiming leaves as it is (G11)."""
    where = (f"it stays in product {case.product}",) if case.product is not None else ()
    on = case.sim is not None and case.sim.is_active
    return (*where, *(["its SIM stays active, and is billed on: station rework release"] if on else []))


def _transfer(case: Case) -> Foreseen:
    user = _account(case)
    owner = case.record.owner if case.record is not None else ""
    if owner and is_same_account(owner, user):
        return Foreseen(already=f"it belongs to {mask(user)}")
    if case.product is None:
        ask = Part(f"asks its owner by e-mail to hand it over to {mask(user)}", _request)
        notes = ("its owner has to agree; nothing shows when, so it waits in the rework tray",)
        again = "it was asked for before; this sends one more e-mail" * (case.was_asked_for and not case.wishes.again)
        return Foreseen((ask,), notes, warns=again, option="--again")
    parts = [_unclaim_part(case)] if owner else []
    if case.wishes.claims:
        parts.append(Part(f"claims it for {mask(user)}", lambda case: claim(case.cloud, case.ctx)))
    if not parts:
        return Foreseen(already="it is in a product and has no owner")
    return Foreseen(tuple(parts), _stays(case))


def _request(case: Case) -> StepResult:
    """Once, whatever becomes of the answer: each request is an e-mail to a stranger."""
    cloud, ctx = case.cloud, case.ctx
    number: str | None = ""
    with cloud.write(ctx, f"ask the owner of {cloud.job.device_id} for it") as sent:
        number = cloud.run(ctx, rework_api.request_transfer(cloud.job.device))
    if not sent.is_answered:
        raise StepFault(
            "whether its owner was asked is not known, the answer got lost; ask that account before you repeat it"
        )
    if number is None:
        raise UnitRejected(
            f"nobody was asked: the cloud does not tell whether {cloud.job.device_id} is offline or does not exist; "
            "let it come online, with power and network, and ask again while it is, or check its number"
        )
    if not number:  # nobody owned it: that was a claim
        owned = cloud.standing(ctx, lambda: cloud.anywhere(ctx))
        return done(f"it had no owner: the cloud shows {mask(owned.owner) if owned else 'nobody'} now")
    return done(f"{ASKED}, request {number}")


# --- membership ------------------------------------------------------------------------------------


def foresee_removal(case: Case) -> Foreseen:
    """Return what takes a unit out of its product: its SIM and its owner first."""
    if case.record is None:
        return Foreseen(already=f"product {case.product} has it no more; by the records here it was in it")
    record = case.record
    if case.product is None:
        return Foreseen(already="it is in no product")
    if record.firmware_product_id == case.product and not case.wishes.leaves_firmware:
        raise UnitRejected(
            f"it ran the firmware of product {case.product} when it was last online, and would go into quarantine "
            "like that; flash Tinker first (station rework retire, with the unit plugged in), or say --leave-firmware"
        )
    parts = [_unclaim_part(case)] if record.owner else []
    out = Part(f"takes it out of product {case.product}, where nobody sees it any more", _acts(_take_out))
    keeps = f"its SIM stays in the product, active and billed; {case.wishes.sim_option} gives it back"
    notes = [keeps] if _has_sim(case) else []
    if not (case.wishes.releases_sim and _has_sim(case)):
        return Foreseen((*parts, out), tuple(notes))
    sim = foresee_release(case)
    return Foreseen((*sim.parts, *parts, out), sim.notes, warns=sim.warns)


def _take_out(cloud: CloudRecord, ctx: StepContext) -> str:
    def send() -> None:
        member = cloud.device(ctx)
        if member is not None:
            cloud.run(ctx, rework_api.remove(member))

    goal = Goal(
        f"remove {cloud.job.device_id} from product {cloud.job.product_id}",
        look=lambda: True if cloud.device(ctx) is None else None, send=send,
        missing=StepFault(f"the cloud said yes to removing {cloud.job.device_id} and still shows it in the product"),
    )  # fmt: skip
    cloud.reach(ctx, goal)
    return f"removed: product {cloud.job.product_id} has it no more"


def _approve(case: Case) -> Foreseen:
    if _record(case).quarantined and case.product is not None:
        was = "was denied" if _record(case).denied else "waits in quarantine"
        part = Part(f"approves it: it {was}, and joins product {case.product}", _acts(cures.approve))
        return Foreseen((part,), ("it counts as a member then, and a built-in SIM is activated with it",))
    if case.product is not None and not _has_no_quarantine(case):
        return Foreseen(already=f"it is an approved member of product {case.product}")
    raise UnitRejected(_no_quarantine(case))


def _deny(case: Case) -> Foreseen:
    record = _record(case)
    if not record.quarantined:
        raise UnitRejected(_no_quarantine(case))
    if record.denied:
        return Foreseen(already="it is denied")
    notes = ("it leaves the list of denied units when it comes online with other firmware; flash Tinker",)
    return Foreseen((Part(f"refuses it: it stays out of product {case.product}", _acts(_refuse)),), notes)


def _has_no_quarantine(case: Case) -> bool:
    major = _record(case).system_firmware_version.partition(".")[0]
    return major.isdecimal() and int(major) >= _FIRST_WITHOUT_QUARANTINE


def _no_quarantine(case: Case) -> str:
    """Why there is nothing to approve or to deny (J1)."""
    version = _record(case).system_firmware_version
    if _has_no_quarantine(case):
        return f"it runs Device OS {version}, and from {_FIRST_WITHOUT_QUARANTINE} on there is no quarantine"
    if case.product is None:
        return "it is in no product, so it waits in no quarantine; add it: station product import"
    return (
        f"it is an approved member of product {case.product}, not in quarantine; to take it out: station rework remove"
    )


def _refuse(cloud: CloudRecord, ctx: StepContext) -> str:
    goal = Goal(
        f"deny {cloud.job.device_id} in product {cloud.job.product_id}",
        look=lambda: True if cloud.known_device(ctx).denied else None,
        send=lambda: cloud.run(ctx, rework_api.deny(cloud.known_device(ctx))),
        missing=StepFault(f"the cloud said yes to denying {cloud.job.device_id} and does not show it"),
    )
    cloud.reach(ctx, goal)
    return "denied: the cloud shows it"


def _unmark(case: Case) -> Foreseen:
    if not _record(case).development:
        return Foreseen(already="it has no development mark")
    notes = ("from then on it takes released firmware, perhaps at once",)
    return Foreseen((Part("takes its development mark off", _acts(cures.unmark)),), notes)


def _unlock(case: Case) -> Foreseen:
    version = _record(case).desired_firmware_version
    if version is None:
        return Foreseen(already="it is locked to no version")
    notes = ("from then on it takes the released version, perhaps at once",)
    return Foreseen((Part(f"takes its lock to version {version} of the firmware away", _acts(cures.unlock)),), notes)


def _rename(case: Case) -> Foreseen:
    if _record(case).name == case.cloud.job.name:
        return Foreseen(already=f"it is called {case.cloud.job.name}")
    was = f", it was {_record(case).name}" * bool(_record(case).name)
    return Foreseen((Part(f"calls it {case.cloud.job.name}{was}", lambda case: name(case.cloud, case.ctx)),))


# --- SIM ---------------------------------------------------------------------------------------------


def _has_sim(case: Case) -> bool:
    return bool(case.cloud.job.iccid) and case.sim is not None


def _sim(case: Case) -> Foreseen:
    _check_iccid(case)
    what, sim = f"SIM {case.cloud.job.iccid}", case.sim
    if case.wishes.off:
        if sim is None:
            raise UnitRejected(f"the cloud shows no {what} here, so there is nothing to switch off")
        _check_user(case)
        if sim.status == "deactivated":
            return Foreseen(already=f"{what} is deactivated")
        part = Part(f"deactivates {what}", lambda case: sims.switch_off(case.cloud, case.ctx))
        return Foreseen((part,), warns=_slowness(case))
    if sim is not None and sim.is_active:
        return Foreseen(already=f"{what} is active")
    into = f" in product {case.product}" if case.product is not None else " for this account"
    part = Part(f"activates {what}{into}", lambda case: sims.switch_on(case.cloud, case.ctx))
    notes = ("after it was switched off that may take tens of minutes, rarely days",) if case.is_slow else ()
    return Foreseen((part,), (*notes, "it is billed from then on"))


def foresee_release(case: Case) -> Foreseen:
    """Return what releases the SIM of a unit, or a card alone."""
    _check_iccid(case)
    what = f"SIM {case.cloud.job.iccid}"
    where = f"product {case.product}" if case.product is not None else "this account"
    if case.sim is None and case.was_released:
        return Foreseen(already=f"{where} has no {what} any more: it was released here")
    if case.sim is None:
        raise UnitRejected(
            f"{where} has no {what}, and no record here shows that it was released; check its number, or name the "
            "product that has it with --product"
        )
    _check_user(case)
    part = Part(f"deactivates {what} and releases it from {where}", lambda case: sims.release(case.cloud, case.ctx))
    return Foreseen((part,), ("the unit is offline from then on",), warns=_slowness(case))


def _check_iccid(case: Case) -> None:
    if not case.cloud.job.iccid:
        raise UnitRejected("the cloud knows no SIM of it; name the card by its ICCID")


def _check_user(case: Case) -> None:
    """Raise `UnitRejected` where a unit is named and another one used its SIM last: that one would go offline."""
    job, used_by = case.cloud.job, case.sim.last_device_id if case.sim is not None else ""
    if job.device_id and used_by not in ("", job.device_id):
        raise UnitRejected(
            f"SIM {job.iccid}, which the cloud shows in its record, was last used by {used_by}; look which unit has "
            "the card, and if it is meant, name the card by its ICCID"
        )


def _slowness(case: Case) -> str:
    """What has to be agreed to before a slow card is switched off; "" where nothing (G8)."""
    if not case.is_slow or case.wishes.slow_too:
        return ""
    kind = "a SIM of this SKU" if case.cloud.job.serial else "this SIM may be of a kind that"
    return f"{kind} may take tens of minutes, sometimes days, to become active again"


REWORKS: Mapping[str, Rework] = {
    "unclaim": Rework("take its owner off", _unclaim),
    "remove": Rework("take it out of its product, unclaimed first", foresee_removal, takes_out=True),
    "transfer": Rework("get a unit that belongs to another account", _transfer, needs_record=False),
    "sim": Rework("switch its SIM on, or off", _sim, takes_sims=True),
    "release": Rework("release its SIM", foresee_release, takes_sims=True),
    "approve": Rework("let it out of quarantine into its product", _approve),
    "deny": Rework("refuse a unit in quarantine", _deny),
    "unmark": Rework("take its development mark off", _unmark),
    "unlock": Rework("take its lock to one version of the firmware away", _unlock),
    "rename": Rework("give it another name", _rename),
}


def _account(case: Case) -> str:
    return case.cloud.client.account(deadline=case.ctx.deadline, cancel=case.ctx.cancel).username
