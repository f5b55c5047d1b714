"""``final_check``: every field the walk was to bring about, read once more from the cloud. Rules N6 D8 K7."""

from __future__ import annotations

from ..cloud.answers import CloudDevice
from ..engine.step import StepContext, StepResult, already
from ..errors import UnitRejected
from .cloudwork import CloudWork, mask

_AGAIN = "walk the unit again"
_ADVICE = {
    "id": "technician", "name": _AGAIN, "product": _AGAIN, "development mark": "clear the mark in the console",
    "quarantine": "approve the unit in the console", "owner": "have the unit unclaimed, then walk it again",
}  # fmt: skip
_SENTENCES = {"quarantine": "quarantined"}
"""What the operator is told of a field, where there is more to say than that it is wrong."""


def final_check(work: CloudWork, ctx: StepContext) -> StepResult:
    """Nothing is written. One wrong field and the unit does not pass (N6)."""
    device = work.device(ctx)
    if device is None:
        raise UnitRejected(f"the cloud does not show {work.job.device_id} any more", sentence="cloud_refused")
    rows = _rows(
        work, device, work.client.user(deadline=ctx.deadline, cancel=ctx.cancel).username if work.job.claims else None
    )
    for field, wanted, found in rows:
        if wanted != found:
            shown = [mask(text) if field == "owner" else text for text in (found, wanted)]
            raise UnitRejected(
                f"final read-back: {field} is {shown[0] or 'empty'}, expected {shown[1] or 'empty'}; {_ADVICE[field]}",
                sentence=_SENTENCES.get(field, "final_check_failed"),
            )
    return already(f"{len(rows)} of {len(rows)} cloud fields read back")


def _rows(work: CloudWork, device: CloudDevice, user: str | None) -> tuple[tuple[str, str, str], ...]:
    """(field, wanted, found), as text (reference cloud-api 10)."""
    job = work.job
    rows = [("id", job.device_id, str(device.id))]
    if job.name:
        rows.append(("name", job.name, device.name))
    if job.product_id is not None:
        rows.append(("product", str(job.product_id), str(device.product_id)))
        rows.append(("development mark", "False", str(device.development)))
        rows.append(("quarantine", "False", str(device.quarantined)))
    rows.append(("owner", user or "", device.owner))
    return tuple(rows)
