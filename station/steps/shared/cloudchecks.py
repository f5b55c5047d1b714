"""What the cloud's record of a unit and of its SIM must say: looked at before the first write, and again at the end.

Whatever no step of the walk will mend is told at once: four minutes of flashing do not change it. Reads and
compares only.
"""

from __future__ import annotations

import datetime

from drivers.errors import BadIdentity
from drivers.platforms import OsVersion

from ...cloud.answers import CloudDevice
from ...cloud.sim_answers import Sim
from ...errors import UnitRejected
from ...words.say import Say
from .allowed import Cure
from .cloudjob import CloudJob
from .cloudwork import is_same_account, mask

DEVELOPMENT = "development mark"
LEFTOVER = "leftover firmware lock"
_REWORK = {
    "quarantine": Cure.APPROVE, DEVELOPMENT: Cure.UNMARK, "owner": Cure.UNCLAIM, LEFTOVER: Cure.UNLOCK
}  # fmt: skip
"""What mends a field that no step of the walk mends."""
_SENTENCES = {
    "quarantine": Say("quarantined"), DEVELOPMENT: Say("marked"), "owner": Say("owner_other"),
    LEFTOVER: Say("quarantined"),
}  # fmt: skip
"""What the operator is told of a field, where there is more to say than that it is wrong."""

Row = tuple[str, str, str]
"""A field, what is wanted and what was found, as text."""


def check_now(job: CloudJob, device: CloudDevice, user: str) -> None:
    """Raise `UnitRejected` for what stands in the way of the walk and is mended by none of its steps.

    ``user``: the account of the token. A unit that is to be claimed may still be nobody's.
    """
    owner = [] if job.claims and may_be_claimed(job, device.owner) else [_owner(job, device, user)]
    marks = [row for row in _marks(job, device) if not (row[0] == DEVELOPMENT and job.development)]
    _check(job, "the cloud shows", [*marks, *owner])


def check_marks(job: CloudJob, device: CloudDevice) -> None:
    """Raise `UnitRejected` for a mark that somebody set or took away meanwhile (D8 J2)."""
    _check(job, "the cloud shows", _marks(job, device))


def may_be_claimed(job: CloudJob, owner: str) -> bool:
    """Return whether ``owner`` is in nobody's way: none, one who gives the unit up, or perhaps the customer."""
    return not owner or job.customer == "" or any(is_same_account(owner, other) for other in job.unclaim_from)


def check_all(job: CloudJob, device: CloudDevice, user: str) -> int:
    """Every field the walk was to bring about (reference cloud-api 10); raises `UnitRejected`. Returns how many."""
    rows: list[Row] = [("id", job.device_id, str(device.id))]
    if job.name:
        rows.append(("name", job.name, device.name))
    if job.product_id is not None:
        rows.append(("product", str(job.product_id), str(device.product_id)))
    if job.notes:
        rows.append(("notes", job.notes, device.notes))
    if job.firmware_lock is not None:
        rows.append(("firmware lock", str(job.firmware_lock), str(device.desired_firmware_version)))
    due = device.desired_firmware_version or device.targeted_firmware_release_version
    if job.awaits_release and due is not None:
        rows.append(("firmware version", str(due), str(device.firmware_version)))
    rows += [("group", name, name if name in device.groups else "") for name in job.groups]
    if job.awaits_online and job.device_os and _was_heard_of(job, device) and not _came_along(job, device):
        rows.append(("Device OS", job.device_os, device.system_firmware_version))
    rows += [*_marks(job, device), _owner(job, device, user)]
    _check(job, "final read-back:", rows)
    return len(rows)


def _came_along(job: CloudJob, device: CloudDevice) -> bool:
    """Return whether a released application brought a newer Device OS than planned: reported by then (D4 D5)."""
    try:
        return job.awaits_release and OsVersion.parse(device.system_firmware_version) > OsVersion.parse(job.device_os)
    except BadIdentity:  # no version at all
        return False


def _was_heard_of(job: CloudJob, device: CloudDevice) -> bool:
    """Return whether the unit told the cloud in this walk what it runs: a session it resumed may not (7.1)."""
    at = device.last_handshake_at
    return at is not None and bool(job.since) and at > datetime.datetime.fromisoformat(job.since)


def _marks(job: CloudJob, device: CloudDevice) -> list[Row]:
    if job.product_id is None:
        return []
    lock = str(device.desired_firmware_version) if has_leftover_lock(job, device) else ""
    return [
        (DEVELOPMENT, str(job.development), str(device.development)), ("quarantine", "False", str(device.quarantined)),
        (LEFTOVER, "", lock),
    ]  # fmt: skip


def has_leftover_lock(job: CloudJob, device: CloudDevice) -> bool:
    """Return whether the cloud keeps the unit at a version that nobody asked for: it would never get a newer one.

    A profile that awaits whatever the cloud wants takes a lock for that.
    """
    return job.firmware_lock is None and not job.awaits_release and device.desired_firmware_version is not None


def _owner(job: CloudJob, device: CloudDevice, user: str) -> Row:
    wanted = user if job.claims else ""
    return ("owner", wanted, wanted if is_same_account(wanted, device.owner) else device.owner)


def _check(job: CloudJob, where: str, rows: list[Row]) -> None:
    for field, wanted, found in rows:
        if wanted != found:
            shown = [mask(text) if field == "owner" else text for text in (found, wanted)]
            raise UnitRejected(
                f"{where} {field} is {shown[0] or 'empty'}, expected {shown[1] or 'empty'}; {_advice(job, field)}",
                say=_SENTENCES.get(field, Say("final_check_failed")),
            )


def _advice(job: CloudJob, field: str) -> str:
    """Return what to do about a field: which rework mends it, at the desk or allowed to the bench."""
    if field == "id":
        return "technician"
    rework = _REWORK.get(field)
    if rework is None:
        return "walk the unit again"
    if job.product_id is None:
        return "its owner has to unclaim it, or to hand it over: station rework transfer " + job.device_id
    return (
        f"the supervisor mends that: station rework {rework} {job.device_id} --product {job.product_id}, "
        f"or the line {job.device_id} {rework} in the list of station run --allow; then walk it again"
    )


# --- the SIM -----------------------------------------------------------------------------------


def check_sim(job: CloudJob, sim: Sim | None) -> None:
    """Raise `UnitRejected` for a SIM of the product that was switched off: no waiting changes that."""
    if sim is not None and sim.is_off:
        raise UnitRejected(
            f"SIM {job.iccid} was deactivated; the supervisor switches it on again, which may take days: "
            f"station rework sim {job.iccid} --product {job.product_id}",
            say=Say("sim_off"),
        )
