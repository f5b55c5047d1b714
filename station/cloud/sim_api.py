"""Requests about SIM cards as values: of a product, or of the account (reference cloud-api 8). Pure.

The vendor's newest client dropped its calls to activate, deactivate and reactivate: all of them stand here, so that
they can be exchanged in one place.
"""

from __future__ import annotations

from collections.abc import Sequence

from drivers.identity import Iccid

from ..errors import BadInput
from . import sim_answers as read
from .answers import MAX_IMPORT, Page
from .body import MAX_LIST_BYTES, Answer
from .call import PER_PAGE, Call, Effect, ProductRef, product_path
from .evidence import Route
from .sim_answers import Sim, SimAnswer, SimRelease


def sim(iccid: Iccid, ref: ProductRef | None = None) -> Call[Sim | None]:
    """Read the SIM in product ``ref``, or (None) of the account; None when it is not there (404)."""

    def reader(answer: Answer) -> Sim | None:
        return None if answer.status == 404 else read.read_sim(answer.body, iccid, ref)

    return Call(
        _route(ref), "GET", _path(iccid, ref), f"look up SIM {iccid}", reader, accepts=frozenset({404}),
    )  # fmt: skip


def sims(ref: ProductRef, page: int) -> Call[Page[Sim]]:
    """List SIMs of the product. There is no filter: the one by ICCID does not work (reference cloud-api 8.2)."""
    return Call(
        Route.SIMS, "GET", f"{product_path(ref)}/sims?page={page}&per_page={PER_PAGE}",
        f"list the SIMs of product {ref}",
        lambda a: read.read_sims(a.body, ref), most_bytes=MAX_LIST_BYTES,
    )  # fmt: skip


def import_sims(iccids: Sequence[Iccid], ref: ProductRef) -> Call[None]:
    """Import SIMs into a product and activate them; the answer only means that this is queued (8.2).

    Raises `BadInput` unless there are 1 to 1000 of them.
    """
    if not 1 <= len(iccids) <= MAX_IMPORT:
        raise BadInput(
            f"import SIMs into product {ref}: one import takes 1 to {MAX_IMPORT} SIMs, here are {len(iccids)}; "
            "send them in parts"
        )
    who = f"SIM {iccids[0]}" if len(iccids) == 1 else f"{len(iccids)} SIMs"
    return Call(
        Route.IMPORT, "POST", f"{product_path(ref)}/sims", f"import {who} into product {ref}", lambda _: None,
        Effect.ONCE, {"sims": [str(iccid) for iccid in iccids]},
    )  # fmt: skip


def activate(iccid: Iccid) -> Call[SimAnswer]:
    """Activate the SIM of a developer device. 408 means an activation is running, not a failure (8.2)."""
    return _change(iccid, None, "activate")


def deactivate(iccid: Iccid, ref: ProductRef | None = None) -> Call[SimAnswer]:
    """Switch a SIM off. Asynchronous; to switch a slow one on again may take days (G8)."""
    return _change(iccid, ref, "deactivate")


def reactivate(iccid: Iccid, ref: ProductRef | None = None) -> Call[SimAnswer]:
    """Switch a deactivated SIM on again. Asynchronous; of a slow one it may take days (G8)."""
    return _change(iccid, ref, "reactivate")


def release(iccid: Iccid, ref: ProductRef | None = None) -> Call[SimRelease]:
    """Deactivate a SIM and take it out of product ``ref``, or (None) of the account (L5)."""
    route = Route.SIM_RELEASE if ref is None else Route.MEMBER_SIM_RELEASE
    return Call(
        route, "DELETE", _path(iccid, ref), f"release SIM {iccid}", lambda a: read.read_release(a.status), Effect.ONCE,
        accepts=frozenset({404}),
    )  # fmt: skip


def _change(iccid: Iccid, ref: ProductRef | None, action: str) -> Call[SimAnswer]:
    said = {403: SimAnswer.FOREIGN, 404: SimAnswer.UNKNOWN, 408: SimAnswer.IN_PROGRESS}
    return Call(
        _route(ref), "PUT", _path(iccid, ref), f"{action} SIM {iccid}",
        lambda answer: said.get(answer.status, SimAnswer.ACCEPTED), Effect.ONCE, {"action": action}, frozenset(said),
    )  # fmt: skip


def _route(ref: ProductRef | None) -> Route:
    return Route.SIM if ref is None else Route.MEMBER_SIM


def _path(iccid: Iccid, ref: ProductRef | None) -> str:
    return f"{'/v1' if ref is None else product_path(ref)}/sims/{iccid}"
