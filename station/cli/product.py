"""Implements ``station product import``: the units of a tray list join a product before any of them is plugged in."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from ..bulk.devices import DeviceImport
from ..bulk.plan import Plan, plan_devices
from ..cloud import login_api
from ..cloud.api import Identifier
from ..cloud.errors import CloudRefused
from ..errors import BadInput
from ..steps.shared.cloud_sections import Cloud
from ..steps.shared.cloudwork import is_same_account
from .asking import confirm
from .batch import expected_of
from .importing import Import, add_import, begun, counted, unreadable
from .progress import TransferLine
from .telling import sub_verbs


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare ``product import``."""
    parser = parsers.add_parser("product", help="add the units of a tray list to a product")
    verbs = sub_verbs(parser, "what", "WHAT")
    importer = verbs.add_parser("import", help="add every unit of a list by Device ID, serial number or old IMEI")
    add_import(importer)
    importer.add_argument("--claim-user", metavar="EMAIL", help="claim the units for this account of the team, too")
    importer.add_argument("--batch", metavar="B", help="an open batch that is to get the units of this list")
    importer.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Import a list; returns 0 if every line of it is in the product in the end, else 1."""
    with begun(arguments) as job:
        _check_batch(job)
        owner = _owner(job)
        plan = plan_devices(job.lines, job.platform)
        work = DeviceImport(job.client, job.clock, job.journal.record, job.product, plan.items, owner)
        work.look()
        job.say(*_told(job, plan, work, owner))
        missing = work.missing
        if missing:
            confirm(_question(work, job.product.id, owner), is_agreed=arguments.yes)
            with TransferLine(job.clock, of="units").begin(job.name) as line:
                work.send(line)
        status = job.finish(plan.results(job.lines, work.results()), "units")
        if arguments.batch is not None:
            expected = expected_of(arguments.batch, arguments.list, job.lines)
            job.journal.record(expected)
            job.say(f"batch {arguments.batch}: {counted(len(expected.units), 'unit', 'units')} expected")
        return status


def _check_batch(job: Import) -> None:
    """Raise `BadInput` unless the batch that is to get the units is open."""
    name = job.arguments.batch
    known = job.journal.batch(name) if name is not None else None
    if name is not None and (known is None or known.closed_at is not None):
        raise BadInput(f"--batch: no open batch {name}; open it first: station batch open {name}")


def _owner(job: Import) -> str:
    """Return who is to own the units, "" for nobody; raises `BadInput` where the team is known and lacks them (E8)."""
    named: str | None = job.arguments.claim_user
    if job.profile is not None:
        if named is not None:
            raise BadInput(
                "--claim-user: the profile says who owns its units, in claim_user below [cloud]; leave it out"
            )
        named = job.profile.section(Cloud).claim_user
    if not named:
        return ""
    try:
        team = job.client.run(login_api.team(job.product.id))
    except CloudRefused:
        job.say(f"note: whether {named} is in the team cannot be seen with this token")
        return named
    if not any(is_same_account(named, member) for member in team):
        raise BadInput(
            f"{named} is not in the team of product {job.product.id} ({job.product.name}); invite it first (E8)"
        )
    return named


def _question(work: DeviceImport, product: int, owner: str) -> str:
    """Return what is asked: how many units are added, and how many that are there are claimed."""
    to_claim = len(work.to_claim)
    to_add = len(work.missing) - to_claim
    add, claim = (counted(number, "unit", "units") for number in (to_add, to_claim))
    if not to_claim:
        return f"Add {add} to product {product}?"
    if not to_add:
        return f"Claim {claim} of product {product} for {owner}?"
    return f"Add {add} to product {product}, and claim {claim} of it for {owner}?"


def _told(job: Import, plan: Plan[Identifier], work: DeviceImport, owner: str) -> Iterator[str]:
    """Yield what a person has to know before the import (C10)."""
    missing, to_claim, product = len(work.missing), len(work.to_claim), job.product
    by_serial = sum(item.line.device_id is None for item in plan.items)
    parts = [counted(len(plan.items), "unit", "units")]
    parts += [f"{by_serial:,} of them without a Device ID"] if by_serial else []
    parts += [f"{len(plan.repeats):,} named again"] if plan.repeats else []
    parts += [f"{len(plan.refused):,} not readable"] if plan.refused else []
    yield f"{job.name}: {counted(len(job.lines), 'line', 'lines')}, {', '.join(parts)}"
    yield from unreadable(plan.refused)
    before = "" if work.before.total is None else f", {counted(work.before.total, 'device', 'devices')} so far"
    yield f"product {product.id} ({product.name}, for {job.platform.name}){before}"
    if not missing:
        yield "nothing is to be added"
        return
    to_add, there = missing - to_claim, len(plan.items) - missing + to_claim
    after = "" if work.before.total is None else f"; {counted(work.before.total + to_add, 'device', 'devices')} then"
    yield f"in it already: {there:,}; to be added: {to_add:,}{after}"
    if to_claim:
        yield f"in it already and nobody's, to be claimed: {to_claim:,}"
    if owner:
        yield f"{'both' if to_claim and to_add else 'all of them'} will belong to {owner}"
    if not to_add:
        return
    sims = "; its built-in SIM is activated" if job.platform.has_cellular else ""
    yield (
        "Each device of a product costs: on a paid plan from its first connection, on the free plan from now on, and"
        f" that holds 100 in all{sims}."
    )
