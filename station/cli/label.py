"""Implements ``station label``: show what a profile prints, and print a unit's label once more."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator

from drivers.clock import SystemClock
from drivers.plain_text import escaped

from ..errors import BadInput
from ..journal import Journal, JournalReader
from ..journal.records import AttemptRecord
from ..labels import LabelPrinter, printer_of
from ..labels.template import FIELDS, SECRET, values_of
from ..model import Verdict
from ..paths import find_profile
from ..settings.config import load_config
from ..settings.profile import Profile, load_profile
from ..steps.label import Print
from ..steps.table import StepTable
from ..words.say import Say
from .places import add_config, add_data_dir, key_place, known_journal, reader
from .telling import sub_verbs, tell

PATIENCE_S = 600.0
"""How long a printer in trouble is waited for; somebody stands beside it."""


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare ``label preview`` and ``label print``."""
    verbs = sub_verbs(parsers.add_parser("label", help=HELP), "what", "WHAT")
    preview = verbs.add_parser("preview", help="show the ZPL that a profile prints, for an example unit")
    preview.add_argument("--fail", action="store_true", help="the label of a unit that failed")
    add_config(preview)
    preview.set_defaults(run=run_preview)
    printer = verbs.add_parser("print", help="print the label of a unit that passed once more")
    printer.add_argument("unit", metavar="UNIT", help="any of its ids")
    add_data_dir(printer)
    printer.set_defaults(run=run_print)
    for sub in (preview, printer):
        sub.add_argument("--profile", required=True, metavar="P", help="whose template")


HELP = "labels: preview what a profile prints, print a unit's label again"


def run_preview(arguments: argparse.Namespace) -> int:
    """Print the ZPL on standard output; returns 0."""
    _, wanted = _section(arguments.profile)
    template = wanted.fail_label if arguments.fail else wanted.template
    if template is None:
        raise BadInput(f"profile {arguments.profile}, [print]: it has no fail_label; name one, or leave --fail out")
    tell(*template.render(FIELDS).decode().splitlines())
    return 0


def run_print(arguments: argparse.Namespace) -> int:
    """Print the label; returns 0, or 1 for a unit whose last verdict is no PASS, or proves no more (N6)."""
    profile, wanted = _section(arguments.profile)
    clock = SystemClock()
    with reader(arguments) as journal:
        last, facts = _last(journal, arguments.unit)
    if last.verdict is not Verdict.PASS:
        told = last.verdict.name if last.verdict is not None else "none yet"
        tell(f"{escaped(arguments.unit)}: its last verdict is {told}, and only a PASS gets a label; walk it again")
        return 1
    if last.by_hand_at is not None:
        tell(f"{escaped(arguments.unit)}: it was worked on by hand since it passed; walk it again first")
        return 1
    secret = _secret(arguments, last.device_id or "") if SECRET in wanted.template.fields else ""
    at = last.finished_at or clock.utc()
    zpl = wanted.template.render(values_of(facts, profile.ref, last.batch or "", at, secret))
    printer = _printer(arguments, wanted.printer, clock)
    is_out = printer.print_label(zpl, clock.token(), _told, PATIENCE_S)
    told = (
        f"printed by {printer.name}" if is_out else f"printer {printer.name} has it, and may not print it; look there"
    )
    tell(f"{escaped(arguments.unit)}: {told}")
    return 0


def _section(name: str) -> tuple[Profile, Print]:
    profile = load_profile(find_profile(name), StepTable.found().rules)
    wanted = profile.section(Print)
    if wanted is None:
        raise BadInput(f"profile {name}: it has no [print], so its units get no label; add the section")
    return profile, wanted


def _last(journal: JournalReader, any_id: str) -> tuple[AttemptRecord, dict[str, str]]:
    """Return the last attempt of the unit and what is known of it; raises `BadInput` for one nobody knows."""
    found = journal.find(any_id)
    journal.verify_found(any_id, [unit.device_id for unit in found])
    if len(found) != 1 or not found[0].attempts:
        raise BadInput(f"{len(found) or 'no'} units of that id in this journal; give the whole Device ID of one")
    unit = found[0]
    facts = journal.known_facts(unit.device_id)
    return max(unit.attempts, key=lambda one: one.started_at), {**facts, "device_id": unit.device_id}


def _secret(arguments: argparse.Namespace, device_id: str) -> str:
    """Return the kept mobile secret, "" if none was; raises `JournalInUse` while a station runs."""
    config = load_config(arguments.config)
    journal = Journal.open(
        known_journal(arguments), config.station_id, SystemClock(), key_place=key_place(config)
    )  # fmt: skip
    with contextlib.closing(journal):
        kept = journal.mobile_secret(device_id)
    return kept.reveal() if kept is not None else ""


def _printer(arguments: argparse.Namespace, name: str, clock: SystemClock) -> LabelPrinter:
    for one in load_config(arguments.config).printers:
        if one.name == name:
            return printer_of(name, one.to, clock, tells_status=one.tells_status)
    raise BadInput(f"this station has no printer {name}; name it in [printers.{name}] of the config file")


@contextlib.contextmanager
def _told(says: Say) -> Iterator[None]:
    tell(f"waits for printer {says.values[0]}: {says.key.removeprefix('printer_')}; Ctrl-C gives up")
    yield
