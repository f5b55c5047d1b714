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
from .importing import Import, add_import, begun, confirm, counted, unreadable
from .progress import TransferLine
from .telling import sub_verbs


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare ``product import``."""
    parser = parsers.add_parser("product", help="add the units of a tray list to a product")
    verbs = sub_verbs(parser, "what", "WHAT")
    importer = verbs.add_parser("import", help="add every unit of a list by Device ID, serial number or old IMEI")
    add_import(importer)
    importer.add_argument("--claim-user", metavar="EMAIL", help="claim the units for this account of the team, too")
    importer.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Import a list; returns 0 if every line of it is in the product in the end, else 1."""
    with begun(arguments) as job:
        owner = _owner(job)
        plan = plan_devices(job.lines, job.platform)
        work = DeviceImport(job.client, job.clock, job.journal.record, job.product, plan.items, owner)
        work.look()
        job.say(*_told(job, plan, work, owner))
        missing = work.missing
        if missing:
            confirm(arguments, f"Add {counted(len(missing), 'unit', 'units')} to product {job.product.id}?")
            with TransferLine(job.clock, of="units").begin(job.name) as line:
                work.send(line)
        return job.finish(plan.results(job.lines, work.results()), "units")


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


def _told(job: Import, plan: Plan[Identifier], work: DeviceImport, owner: str) -> Iterator[str]:
    """Yield what a person has to know before the import (C10)."""
    missing, product = len(work.missing), job.product
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
    after = "" if work.before.total is None else f"; {work.before.total + missing:,} devices then"
    yield f"in it already: {len(plan.items) - missing:,}; to be added: {missing:,}{after}"
    if owner:
        yield f"all of them will belong to {owner}"
    sims = "; its built-in SIM is activated" if job.platform.has_cellular else ""
    yield (
        "Each device of a product costs: on a paid plan from its first connection, on the free plan from now on, and"
        f" that holds 100 in all{sims}."
    )
