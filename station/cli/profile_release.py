"""Implements ``station profile release``: gives a profile to the line."""

from __future__ import annotations

import argparse
from pathlib import Path

from drivers.clock import SystemClock

from ..errors import BadInput
from ..journal import JOURNAL_FILE, Journal
from ..line.releases import event_of, is_badge, known_release, line_of, other_text, place_of_line, releases_beside
from ..local_time import moment
from ..model import Release
from ..paths import find_profile
from ..settings.config import load_config
from ..settings.profile import Profile, load_profile
from ..steps.table import StepTable
from .batch import own_journal
from .places import add_data_dir, journal_dir, output
from .telling import tell


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare ``profile release``."""
    parser = verbs.add_parser("release", help="give it to the line: station run takes no other without --trial")
    parser.add_argument("file", metavar="FILE", help="a profile file, or the name of a shipped one")
    parser.add_argument("--by", required=True, metavar="BADGE", help="who releases it")
    add_data_dir(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Record the release in the journal, if this host has one, and in a line beside the file.

    Raises `BadInput` when the revision was released with another text.
    """
    if not is_badge(arguments.by):
        raise BadInput(f"--by {arguments.by[:60]!r}: expected a badge of letters, digits, dots and dashes, at most 40")
    profile = load_profile(find_profile(arguments.file), StepTable.found().rules)
    release = Release(profile.ref, arguments.by, SystemClock().utc())
    directory = journal_dir(arguments)
    is_bench = arguments.data_dir is not None or load_config(arguments.config).source is not None
    if is_bench or (directory / JOURNAL_FILE).exists():
        journal = own_journal(arguments, journal_dir(arguments, make=True))
        try:
            kept = _kept(profile, release, journal)
            if journal.release(profile.id, profile.revision) is None:
                journal.record(event_of(kept, SystemClock().utc()))
        finally:
            journal.close()
        where = "in the journal and in"
    else:
        kept, where = _kept(profile, release, None), "in"
    _write_line(profile.path, kept)
    again = "" if kept is release else "already "
    tell(
        f"{profile.id} revision {profile.revision} was {again}released by {kept.by}, {moment(kept.at)}: that stands"
        f" {where} {place_of_line(profile.path).name}; take both files to every bench"
    )
    return 0


def _kept(profile: Profile, release: Release, journal: Journal | None) -> Release:
    """Return the release of this text that holds: an earlier one, else ``release``."""
    known = known_release(profile, journal)
    if known is not None and known.profile != profile.ref:
        raise BadInput(other_text(profile, known))
    return known or release


def _write_line(profile: Path, release: Release) -> None:
    lines = [line_of(one) for one in releases_beside(profile)]
    if line_of(release) not in lines:
        with output(place_of_line(profile)) as file:
            file.write("\n".join([*lines, line_of(release)]) + "\n")
