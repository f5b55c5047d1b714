"""Implements ``station report``: one page about one unit, with everything a support engineer would ask for."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from drivers.plain_text import escaped

from ..errors import BadInput
from ..export.unit_report import unit_report, write_unit_report
from ..journal import JournalReader
from ..model import VERDICT_WORD
from .log_find import wanted
from .places import add_data_dir, check_output, output, reader
from .speaking import add_language, words_of
from .telling import tell


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = parsers.add_parser("report", help=HELP)
    parser.add_argument("id", metavar="UNIT|ATTEMPT", help="any id of a unit, or its last digits; or an attempt's id")
    parser.add_argument("-o", dest="output", type=Path, required=True, metavar="FILE.html", help="write here")
    add_language(parser)
    add_data_dir(parser)
    parser.set_defaults(run=run)


HELP = "one page about a unit for whoever helps: verdict, advice, identities, firmware, steps, history"


def run(arguments: argparse.Namespace) -> int:
    """Write the page of the attempt, or of the unit's last one; returns 1 where the journal knows none."""
    check_output(arguments.output, "-o")
    words = words_of(arguments)
    known, shown = wanted(arguments.id)
    with reader(arguments) as journal:
        attempt = _attempt(journal, known, shown)
        report = unit_report(journal, attempt, words) if attempt else None
    if report is None:
        sys.stderr.write(f"no attempt on a unit {escaped(shown)} in this journal\n")
        return 1
    with output(arguments.output) as file:
        write_unit_report(report, file)
    verdict = report.slot.verdict
    ended = VERDICT_WORD[verdict] if verdict is not None else "not finished"
    tell(f"{arguments.output}: {report.name}, attempt {attempt}, {ended}")
    return 0


def _attempt(journal: JournalReader, known: str, shown: str) -> str:
    """Return the attempt of that id, else the last one of the one unit with that id, or whose id ends so; "" for none.

    Raises `BadInput` if several units' ids end so.
    """
    if journal.attempt(known.lower()) is not None:
        return known.lower()
    found = journal.find(known) or journal.find_by_end(known)
    if len(found) > 1:
        units = ", ".join(unit.label or unit.device_id for unit in found[:5])
        raise BadInput(f"{len(found)} units have an id that ends with {escaped(shown)}: {units}; give the whole id")
    journal.verify_found(known, [unit.device_id for unit in found])
    attempts = found[0].attempts if found else ()
    return attempts[-1].attempt if attempts else ""
