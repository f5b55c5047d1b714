"""Answers about SIM cards, each parsed once at the edge into a frozen value (reference cloud-api 8). Pure."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping
from dataclasses import dataclass

from drivers.identity import Iccid

from .answers import MAX_DEVICES, Page, pages_of, total_of
from .body import Fields, kind_of
from .call import ProductRef
from .errors import BadAnswer


@dataclass(frozen=True, slots=True)
class Sim:
    """A SIM card as the cloud sees it (reference cloud-api 8.2)."""

    iccid: str
    status: str
    state_change_in_progress: bool = False
    last_action: str = ""
    last_action_failed: bool = False
    last_action_on: datetime.datetime | None = None
    activations_count: int = 0
    product_id: int | None = None
    deactivations_count: int = 0
    first_activated_on: datetime.datetime | None = None
    last_device_id: str = ""  # the unit that used it last, as far as the cloud knows

    @property
    def is_active(self) -> bool:
        return self.status == "active" and not self.state_change_in_progress

    @property
    def was_active(self) -> bool:
        """Return whether it was active before the activation that may run now: the next one may take long (G9)."""
        runs = self.state_change_in_progress and self.last_action in ("activate", "reactivate")
        return bool(self.first_activated_on or self.deactivations_count) or self.activations_count > runs

    @property
    def is_off(self) -> bool:
        """Return whether it was deactivated, or is about to be: it is not reactivated automatically."""
        if self.state_change_in_progress:
            return self.last_action == "deactivate"
        return self.status == "deactivated"


class SimAnswer(enum.StrEnum):
    """Result of an activation request. The outcome only shows by polling the SIM."""

    ACCEPTED = "accepted"
    IN_PROGRESS = "in progress"  # 408: an activation is already running
    FOREIGN = "foreign"  # 403: the SIM belongs to a product or to somebody else
    UNKNOWN = "unknown"  # 404: the cloud knows no SIM of that number, or withholds it


class SimRelease(enum.StrEnum):
    """Result of asking for a release. Whether the SIM is free only shows by reading it: 404 then."""

    RELEASED = "released"  # 204
    PENDING = "pending"  # 202: it is deactivated first
    GONE = "gone"  # 404: not on this account or product, any more or ever


def read_sims(body: object, product: ProductRef | None = None) -> Page[Sim]:
    """Parse one page of a product's SIMs (reference cloud-api 8.2); one that names another ``product`` is left out."""
    rows = Fields(body, "SIM list").get("sims")
    if not isinstance(rows, list) or len(rows) > MAX_DEVICES:
        raise BadAnswer(f"SIM list: the cloud sent {kind_of(rows)}, expected a list of at most {MAX_DEVICES}")
    sims = (_sim(row, "SIM list") for row in rows)
    return Page(tuple(sim for sim in sims if not _is_elsewhere(sim, product)), pages_of(body), total_of(body))


def read_sim(body: object, wanted: Iccid, product: ProductRef | None = None) -> Sim:
    """Parse a SIM object, bare or wrapped in ``sim``; its ``_id`` must be the ICCID ``wanted``.

    A record that names another ``product`` than the one it was asked of proves nothing: `BadAnswer`.
    """
    inner = body.get("sim", body) if isinstance(body, Mapping) else body
    found = _sim(inner, f"SIM {wanted}")
    if found.iccid != wanted.value:
        raise BadAnswer(f"SIM {wanted}: the cloud answered with SIM {found.iccid or 'without a number'}")
    if _is_elsewhere(found, product):
        raise BadAnswer(
            f"SIM {wanted}: asked of product {product}, the cloud answered with a record in product {found.product_id}"
        )
    return found


def _is_elsewhere(sim: Sim, product: ProductRef | None) -> bool:
    return isinstance(product, int) and sim.product_id not in (None, product)


def _sim(body: object, where: str) -> Sim:
    f = Fields(body, where)
    return Sim(
        iccid=f.text("_id") or f.text("iccid"), status=f.text("status"),
        state_change_in_progress=f.flag("state_change_in_progress"),
        last_action=f.text("last_status_change_action"),
        last_action_failed=f.text("last_status_change_action_error") == "yes",
        last_action_on=f.moment("last_status_change_action_on"),
        activations_count=f.number("activations_count") or 0, product_id=f.number("product_id"),
        deactivations_count=f.number("deactivations_count") or 0, first_activated_on=f.moment("first_activated_on"),
        last_device_id=f.text("last_device_id").lower(),
    )  # fmt: skip


def read_release(status: int) -> SimRelease:
    """Return what the status of an answer to a release says."""
    return {202: SimRelease.PENDING, 404: SimRelease.GONE}.get(status, SimRelease.RELEASED)
