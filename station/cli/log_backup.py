"""Implements ``station log backup`` and ``station log restore``: a verified copy of the journal, and its return."""

from __future__ import annotations

import argparse
from pathlib import Path

from drivers.clock import SystemClock

from ..journal import Journal
from ..journal.backup import back_up, restore
from ..journal.entries import JournalRestored
from .places import add_data_dir, journal_dir, reader
from .telling import tell


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare both verbs."""
    backup = verbs.add_parser(
        "backup", help="a verified copy of the journal in one file, also while the station works",
        description="Copy the journal into FILE and verify every entry of the copy. Keys are not in it: keep a copy of"
        " the folder of the config file and of the data directory's *.key files elsewhere.",
    )  # fmt: skip
    backup.add_argument("file", type=Path, metavar="FILE", help="must not be there yet")
    backup.set_defaults(run=run_backup)
    restoring = verbs.add_parser(
        "restore", help="put a backup in the place of the journal; the station must not run",
        description="Verify FILE and put it into place. The journal that is there is set aside under a dated name.",
    )  # fmt: skip
    restoring.add_argument("file", type=Path, metavar="FILE", help="what log backup wrote")
    restoring.add_argument(
        "--over-newer", action="store_true", help="also where the journal has entries that the backup has not"
    )
    restoring.set_defaults(run=run_restore)
    for parser in (backup, restoring):
        add_data_dir(parser)


def run_backup(arguments: argparse.Namespace) -> int:
    """Copy and verify; returns 0."""
    with reader(arguments) as journal:
        copy = back_up(journal, arguments.file)
    tell(f"{arguments.file}: {copy.tail.seq} entries of station {copy.station_id}, every one verified; the newest is")
    tell(copy.tail.hash)
    return 0


def run_restore(arguments: argparse.Namespace) -> int:
    """Put the backup into place, and have the journal say so; returns 0."""
    directory, clock = journal_dir(arguments, make=True), SystemClock()
    restored = restore(arguments.file, directory, clock.utc(), over_newer=arguments.over_newer)
    copy, aside = restored.copy, restored.aside
    told = f"restored from a backup up to entry {copy.tail.seq}"
    if aside is not None:
        told += f"; what was there is kept as {aside.name}"
    if restored.lost:
        told += f", with {restored.lost} entries that the backup has not"
    with Journal.open(directory, copy.station_id, clock) as journal:
        journal.record(JournalRestored(at=clock.utc(), reason=told))
    tell(f"{directory}: {told}")
    return 0
