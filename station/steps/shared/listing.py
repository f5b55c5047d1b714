"""Reads the records of many units of one product from one list, where that takes fewer requests than units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from ...cloud import api, sim_api
from ...cloud.answers import Page
from ...cloud.call import Call
from ...cloud.client import CloudClient
from ...engine.step import StepContext
from .cloudwork import CloudRecord

T = TypeVar("T")
FEW = 8
"""Units for which no list is asked for: a product may have hundreds of pages."""

Listing = Callable[[CloudClient, int, Sequence[CloudRecord], StepContext], bool]
"""Shows each unit its record, or None, from the list of a product; False if units have to be looked up one by one."""


def list_members(client: CloudClient, product: int, units: Sequence[CloudRecord], ctx: StepContext) -> bool:
    """Show each of ``units`` its record as a member of ``product``. Raises `CloudError`."""
    found = _listed(client, partial(api.members, product), len(units), ctx)
    if found is not None:
        records = {record.id: record for record in found}
        for unit in units:
            unit.last.member.keep(records.get(unit.job.device))
    return found is not None


def list_sims(client: CloudClient, product: int, units: Sequence[CloudRecord], ctx: StepContext) -> bool:
    """Show each of ``units`` its SIM in ``product``. Raises `CloudError`."""
    found = _listed(client, partial(sim_api.sims, product), len(units), ctx)
    if found is not None:
        sims = {sim.iccid: sim for sim in found}
        for unit in units:
            unit.last.sim.keep(sims.get(unit.job.iccid))
    return found is not None


def _listed(
    client: CloudClient, page: Callable[[int], Call[Page[T]]], units: int, ctx: StepContext
) -> list[T] | None:  # fmt: skip
    """Read all pages; None if there are more of them than ``units``."""
    if units < FEW:
        return None
    first = client.run(page(1), deadline=ctx.deadline, cancel=ctx.cancel)
    if first.pages > units:
        return None
    rows = list(first.rows)
    for number in range(2, first.pages + 1):
        rows += client.run(page(number), deadline=ctx.deadline, cancel=ctx.cancel).rows
    return rows
