"""Implements ``station secrets``: list and erase the mobile secrets that profiles asked to keep. Never shows one."""

from __future__ import annotations

import argparse

from drivers.clock import SystemClock
from drivers.plain_text import escaped

from ..errors import BadInput
from ..journal import Journal, owner_of
from ..local_time import moment
from ..settings.config import load_config
from .places import add_data_dir, key_place, known_journal, reader
from .telling import sub_verbs, tell


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare ``secrets list`` and ``secrets forget``."""
    parser = parsers.add_parser("secrets", help="list or forget the mobile secrets that were kept for labels")
    verbs = sub_verbs(parser, "what", "WHAT")
    lister = verbs.add_parser("list", help="whose secrets are kept, and since when")
    forgetter = verbs.add_parser("forget", help="erase kept secrets for good, while no station runs")
    forgetter.add_argument("id", nargs="*", metavar="ANY-ID", help="a unit, by any of its ids")
    forgetter.add_argument("--all", action="store_true", help="of all units")
    for sub, run in ((lister, run_list), (forgetter, run_forget)):
        add_data_dir(sub)
        sub.set_defaults(run=run)


def run_list(arguments: argparse.Namespace) -> int:
    """Print one line per secret; returns 0."""
    with reader(arguments) as journal:
        kept = journal.kept_secrets()
        journal.verify_units([secret.device_id for secret in kept])
        for secret in kept:
            unit = journal.unit(secret.device_id)
            form = "encrypted" if secret.is_sealed else "in clear until the next start of the station"
            tell(f"{secret.device_id}  {unit.label if unit and unit.label else '-'}  kept {moment(secret.at)}  {form}")
    tell(f"{len(kept)} kept; the key is in {key_place(load_config(arguments.config))}")
    return 0


def run_forget(arguments: argparse.Namespace) -> int:
    """Erase secrets; returns 1 when there was none to erase. Raises `BadInput` for an id of no known unit."""
    if bool(arguments.id) is arguments.all:
        raise BadInput("name the units whose secrets are to be forgotten, or --all")
    directory = known_journal(arguments)
    config = load_config(arguments.config)
    owner = None if config.is_named else owner_of(directory)
    journal = Journal.open(directory, owner or config.station_id, SystemClock())
    try:
        units = [kept.device_id for kept in journal.kept_secrets()] if arguments.all else _units(journal, arguments.id)
        forgotten = [unit for unit in units if journal.forget_secret(unit)]
    finally:
        journal.close()
    tell(f"{len(forgotten)} forgotten")
    return 0 if forgotten else 1


def _units(journal: Journal, ids: list[str]) -> list[str]:
    found: list[str] = []
    for one in ids:
        units = journal.find(one)
        journal.verify_found(one, [unit.device_id for unit in units])
        if not units:
            named = escaped(one) if len(one) < 15 else "of that id"
            raise BadInput(f"no unit {named} in this journal; nothing was done")
        found += [unit.device_id for unit in units]
    return found
