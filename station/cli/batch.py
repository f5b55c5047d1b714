"""Implements ``station batch``: open and close batches while no station uses the journal, and list them."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path

from drivers.clock import SystemClock

from ..engine.events import BatchOpened
from ..engine.records import UnitsExpected
from ..errors import BadInput
from ..figures import counts, yields
from ..journal import Journal, owner_of
from ..journal.lists import ExpectedUnits, expected_units
from ..line.batch_name import check_batch_name
from ..line.releases import BatchRefused, ReleaseGate
from ..local_time import moment
from ..model import Batch
from ..paths import find_profile
from ..scan.lists import ListLine
from ..settings.config import load_config
from ..settings.profile import load_profile
from ..settings.sku import note_on
from ..steps.table import StepTable
from .log import list_of
from .log_export import beside_figures
from .places import add_data_dir, journal_dir, known_journal, reader
from .telling import released, sub_verbs, tell

MAX_TARGET = 1_000_000
MOST_NAMED = 20
"""So many units that never came are named on one line."""


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare ``batch open``, ``batch close`` and ``batch list``."""
    parser = parsers.add_parser("batch", help="open, close and list batches")
    verbs = sub_verbs(parser, "what", "WHAT")
    opener = verbs.add_parser("open", help="open a batch with a profile")
    opener.add_argument("batch", metavar="BATCH", help="its name, such as 2026-11-A; none may be used twice")
    opener.add_argument("--profile", required=True, metavar="P", help="a profile file, or the name of a shipped one")
    opener.add_argument("--target", type=_target, metavar="N", help="how many units are ordered")
    opener.add_argument(
        "--expect",
        type=Path,
        metavar="FILE",
        help="the list of its units, in any columns: later lists say who never came",
    )
    closer = verbs.add_parser("close", help="close a batch for good")
    closer.add_argument("batch", metavar="BATCH", help="an open batch, see: station batch list")
    lister = verbs.add_parser("list", help="all batches with their counts")
    for sub, run in ((opener, run_open), (closer, run_close), (lister, run_list)):
        add_data_dir(sub)
        sub.set_defaults(run=run)


def _target(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= MAX_TARGET):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number of units, 1 to {MAX_TARGET}")
    return int(text)


def own_journal(arguments: argparse.Namespace, directory: Path) -> Journal:
    """Open the journal in ``directory`` as its own station, unless a config file names another."""
    config = load_config(arguments.config)
    owner = None if config.is_named else owner_of(directory)
    return Journal.open(directory, owner or config.station_id, SystemClock())


def run_open(arguments: argparse.Namespace) -> int:
    """Open a batch; raises `BadInput` when the name is invalid or was used before."""
    check_batch_name(arguments.batch)
    profile = load_profile(find_profile(arguments.profile), StepTable.found().rules)
    expected = None if arguments.expect is None else _expected(arguments.batch, arguments.expect)
    journal = own_journal(arguments, journal_dir(arguments, make=True))
    try:
        if journal.batch(arguments.batch) is not None:
            raise BadInput(f"batch {arguments.batch} exists already; choose another name")
        try:
            release, why = ReleaseGate(journal, SystemClock(), as_trial=False)(profile), ""
        except BatchRefused as error:
            release, why = "", str(error)
        batch = Batch(arguments.batch, profile.ref, arguments.target, release)
        journal.record(BatchOpened(at=SystemClock().utc(), batch=batch, title=profile.title or profile.id))
        if expected is not None:
            journal.record(expected)
    finally:
        journal.close()
    ordered = f"{released(release)}, {batch.target} units ordered" if batch.target else released(release)
    if expected is not None:
        ordered += f", {len(expected.units)} units expected"
    if note := note_on(profile.skus):
        tell(f"note: {note}")
    if why:
        tell(f"note: station run will not make units of this batch yet: {why}")
    tell(f"batch {batch.id} is open: {profile.id} revision {profile.revision}{ordered}")
    return 0


def _expected(batch: str, path: Path) -> UnitsExpected:
    """Read the list of a batch's units; raises `BadInput` if it names none, or a line of it cannot be understood."""
    lines = list_of(path)
    for line in lines:
        if line.fault or not line.numbers:
            raise BadInput(f"{path}: line {line.number} {line.fault or 'names no unit'}; mend the list")
    if not lines:
        raise BadInput(f"{path} names no unit: no line has a Device ID, serial number or ICCID; is it the right file?")
    return expected_of(batch, path, lines)


def expected_of(batch: str, path: Path, lines: Sequence[ListLine]) -> UnitsExpected:
    """Return what a batch is told of its list; a line that names nobody is left out."""
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    units = tuple(dict.fromkeys(" ".join(line.numbers) for line in lines if line.numbers and not line.fault))
    return UnitsExpected(at=SystemClock().utc(), batch=batch, file=path.name, sha256=sha256, units=units)


def run_close(arguments: argparse.Namespace) -> int:
    """Close an open batch; raises `BadInput` when no open batch has that name."""
    journal = own_journal(arguments, known_journal(arguments))
    try:
        known = journal.batch(arguments.batch)
        if known is None or known.closed_at is not None:
            raise BadInput(f"no open batch {arguments.batch}; see: station batch list")
        journal.verify_batches()
        journal.close_batch(arguments.batch)
        figures, owed = journal.figures(arguments.batch), journal.waiting()
        with journal.snapshot() as db:
            expected = expected_units(db, arguments.batch)
        beside = tuple(beside_figures(journal, arguments.batch))
    finally:
        journal.close()
    tell(f"batch {arguments.batch} is closed for good: {counts(figures, known.batch.target)}; {yields(figures)}")
    tell(*beside)
    if expected is not None:
        tell(came(expected))
    if owed:
        jobs, them = ("job is", "it") if owed == 1 else ("jobs are", "them")
        tell(f"{owed} {jobs} still owed to the cloud; the next run of the station finishes {them}")
    return 0


def came(expected: ExpectedUnits) -> str:
    """Say how many units of a batch's list came, and name the first of those that never did."""
    missing = expected.missing
    came = f"  {expected.listed - len(missing)} of the {expected.listed} units of its list came"
    if not missing:
        return came
    named = ", ".join(missing[:MOST_NAMED]) + (", ..." if len(missing) > MOST_NAMED else "")
    return f"{came}; {len(missing)} never did: {named}"


def run_list(arguments: argparse.Namespace) -> int:
    """Print all batches; returns 0. Raises `JournalError` when the tables do not match the journal's entries."""
    with reader(arguments) as journal:
        journal.verify_batches()
        for row in journal.batches():
            figures = journal.figures(row.batch.id)
            state = "open" if row.closed_at is None else f"closed {moment(row.closed_at)}"
            profile = f"{row.batch.profile.id} revision {row.batch.profile.revision}{released(row.batch.release)}"
            tell(f"{row.batch.id}  {profile}  {state}  {counts(figures, row.batch.target)}; {yields(figures)}")
            with journal.snapshot() as db:
                expected = expected_units(db, row.batch.id)
            tell(*beside_figures(journal, row.batch.id))
            if expected is not None:
                tell(came(expected))
    return 0
