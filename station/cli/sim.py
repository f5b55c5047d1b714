"""Implements ``station sim import``: SIM cards of a pack or a tray are activated in a product beforehand (G3 G13)."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from functools import partial

from drivers.identity import Iccid

from ..bulk.plan import Plan, plan_sims
from ..bulk.sims import SimImport
from ..journal.lists import imported_sims
from .asking import confirm
from .importing import Import, add_import, begun, counted, unreadable
from .progress import TransferLine
from .telling import sub_verbs

WAIT_S = 120.0
"""What fast SIMs take at most; slower ones are left pending."""


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare ``sim import``."""
    parser = parsers.add_parser("sim", help="import the SIM cards of a list into a product")
    verbs = sub_verbs(parser, "what", "WHAT")
    importer = verbs.add_parser("import", help="import every SIM card of a list by its ICCID, which activates it")
    add_import(importer)
    importer.add_argument(
        "--wait", type=_seconds, default=WAIT_S, metavar="SECONDS", help=f"look so long for the results ({WAIT_S:.0f})"
    )
    importer.set_defaults(run=run)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 24 * 3600:
        raise argparse.ArgumentTypeError(f"{text!r}: expected seconds, 0 to a day")
    return value


def run(arguments: argparse.Namespace) -> int:
    """Import a list; returns 0 if every SIM of it is active in the product in the end, else 1."""
    with begun(arguments) as job:
        plan = plan_sims(job.lines)
        work = SimImport(
            job.client, job.clock, job.journal.record, partial(imported_sims, job.journal), job.product, plan.items,
        )  # fmt: skip
        work.look()
        job.say(*_told(job, plan, work))
        missing = work.missing
        if missing:
            confirm(
                f"Import {counted(len(missing), 'SIM card', 'SIM cards')} into product {job.product.id}?",
                is_agreed=arguments.yes,
            )
        with TransferLine(job.clock, of="SIM cards active").begin(job.name) as line:
            work.send()
            work.wait(arguments.wait, line)
        return job.finish(plan.results(job.lines, work.results()), "SIM cards")


def _told(job: Import, plan: Plan[Iccid], work: SimImport) -> Iterator[str]:
    """Yield what a person has to know before the import (C10)."""
    missing, product = len(work.missing), job.product
    parts = [counted(len(plan.items), "SIM card", "SIM cards")]
    parts += [f"{len(plan.repeats):,} named again"] if plan.repeats else []
    parts += [f"{len(plan.refused):,} not readable"] if plan.refused else []
    yield f"{job.name}: {counted(len(job.lines), 'line', 'lines')}, {', '.join(parts)}"
    yield from unreadable(plan.refused)
    before = "" if work.before is None else f", {counted(work.before, 'SIM card', 'SIM cards')} so far"
    yield f"product {product.id} ({product.name}, for {job.platform.name}){before}"
    if work.on_their_way:
        yield f"asked for a moment ago: {work.on_their_way:,}"
    if not missing:
        yield "nothing is to be imported"
        return
    there = len(plan.items) - missing - work.on_their_way
    yield f"in it already: {there:,}; to be imported and activated: {missing:,}"
    yield "An active SIM card costs. Importing the SIM card of a device adds that device to the product, too."
