"""Implements ``station log``: passport, find a unit's history, dump, verify. Works beside a running station."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from drivers.plain_text import escaped

from ..errors import BadInput
from ..export import verifier, write_dump
from ..export.passport import passport
from ..journal import JournalReader, UnitHistory
from ..journal.batch_seal import Signer, fingerprint, seal_key
from ..journal.passport_rows import told_of
from ..local_time import moment
from ..scan.lists import MAX_BYTES, ListLine, read_list, units_of
from .log_backup import add as add_backup
from .log_export import add as add_export
from .log_export import opened
from .log_find import add as add_find
from .log_find import line_of, wanted
from .places import add_data_dir, check_output, known_journal, output, reader
from .telling import standard_output, sub_verbs, tell


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare ``log export``, ``log passport``, ``log find``, ``log tray``, ``log dump`` and ``log verify``."""
    parser = parsers.add_parser("log", help="export a batch's log, or find what happened to a unit")
    verbs = sub_verbs(parser, "what", "WHAT")
    add_export(verbs)
    passed = verbs.add_parser("passport", help="a unit's signed passport; `log verifier` writes what checks it")
    passed.add_argument("id", metavar="ANY-ID", help="a unit, by any of its ids")
    passed.add_argument("-o", dest="output", type=Path, metavar="FILE", help="write here (standard output)")
    add_find(verbs)
    add_backup(verbs)
    tray = verbs.add_parser("tray", help="which units of a list that came with a tray were here, and how they ended")
    tray.add_argument("list", type=Path, metavar="FILE", help="a text in any columns: ids are told by their form")
    dump = verbs.add_parser("dump", help="every journal entry as text")
    verify = verbs.add_parser("verify", help="follow the hash chain and its seals, and compare every table with it")
    key = verbs.add_parser("key", help="the fingerprint of the key that seals this station's batches")
    verifier = verbs.add_parser("verifier", help="write the program with which a customer checks dump and passports")
    verifier.add_argument("-o", dest="output", type=Path, required=True, metavar="FILE", help="write here")
    verifier.set_defaults(run=run_verifier)
    for sub, run in (
        (passed, run_passport),
        (tray, run_tray),
        (dump, run_dump),
        (verify, run_verify),
        (key, run_key),
    ):
        add_data_dir(sub)
        sub.set_defaults(run=run)


def run_verify(arguments: argparse.Namespace) -> int:
    """Verify the journal and print its newest hash; raises `JournalError` naming what is wrong."""
    with reader(arguments) as journal:
        verified = journal.verify()
    for seal in verified.sealed:
        tell(f"batch {seal.batch} is sealed up to entry {seal.entry} by the key {seal.fingerprint}")
    tell(f"{verified.entries} entries, chain unbroken, every table as the journal says; the newest hash is")
    tell(verified.hash)
    return 0


def run_key(arguments: argparse.Namespace) -> int:
    """Print the fingerprint of the seals' key, and the key; makes one if there is none. Returns 0."""
    key = Signer(seal_key(known_journal(arguments))).public_key()
    tell(f"fingerprint {fingerprint(key)}", f"key {key}")
    return 0


def run_verifier(arguments: argparse.Namespace) -> int:
    """Write the customer's verifier; returns 0."""
    check_output(arguments.output, "-o")
    with output(arguments.output) as file:
        file.write(Path(verifier.__file__).read_text(encoding="utf-8"))
    tell(f"{arguments.output}: python3 {arguments.output.name} FILE... --key FINGERPRINT")
    return 0


def run_passport(arguments: argparse.Namespace) -> int:
    """Write the passport of the last attempt on a unit that has a verdict. Returns 1 when there is none that stands."""
    if arguments.output is not None:
        check_output(arguments.output, "-o")
    known, shown = wanted(arguments.id)
    with reader(arguments) as journal:
        found = journal.find(known)
        journal.verify_found(known, [unit.device_id for unit in found])
        if len(found) > 1:
            names = ", ".join(unit.device_id for unit in found)
            raise BadInput(f"{len(found)} units have or had {escaped(shown)}: {names}; name one of them")
        ended = [attempt for unit in found for attempt in unit.attempts if attempt.verdict is not None]
        if not ended:
            sys.stderr.write(f"no unit {escaped(shown)} with a verdict in this journal\n")
            return 1
        last = ended[-1]
        if last.by_hand_at is not None:
            since = moment(last.by_hand_at)
            sys.stderr.write(f"{last.device_id}: it was worked on by hand since {since}; walk it again first\n")
            return 1
        with journal.snapshot() as db:
            told = told_of(db, last)
        assert told is not None
        made = passport(told, journal.batch(last.batch), Signer(seal_key(journal.directory)))
    with opened(arguments.output, is_binary=True) as file:
        file.write(made)
    if arguments.output is not None:
        tell(f"{arguments.output}: {last.device_id}, {len(made)} bytes")
    return 0


def run_dump(arguments: argparse.Namespace) -> int:
    """Write every journal entry as text; returns 0."""
    with reader(arguments) as journal, standard_output() as file:
        write_dump(journal, file)
    return 0


def run_tray(arguments: argparse.Namespace) -> int:
    """Print a line for every unit of a tray list, and how many were here. Returns 1 if one was not."""
    lines = tuple(line for line in list_of(arguments.list) if line.numbers or line.fault)
    if not any(line.numbers for line in lines):
        name = escaped(str(arguments.list))
        raise BadInput(f"{name} names no unit: no line has a Device ID, serial number or ICCID; is it the right file?")
    missing, units = 0, units_of(line for line in lines if line.numbers)
    once = [line for line in lines if line.number not in units.repeats]
    with reader(arguments) as journal:
        for line in once:
            known, why = _found(journal, line, units.crossed.get(line.number, ""))
            missing += known is None
            tell(f"  line {line.number}: {why}" if known is None else line_of(known))
    again = len(lines) - len(once)
    named_again = f"; {again} line{'s' if again != 1 else ''} named a unit again" if again else ""
    tell(f"{len(once) - missing} of {len(once)} were here{named_again}")
    return 1 if missing else 0


def _found(journal: JournalReader, line: ListLine, why: str) -> tuple[UnitHistory | None, str]:
    """Return the unit of a line, or why there is none: also where its numbers are those of two. ``why``: known already.

    A number that looks like an IMEI, or a SIM's, counts where the line has no other, or none of those was here.
    """
    if why or not line.numbers:
        return None, why or line.fault
    sure = [journal.find(str(one)) for one in (line.device_id, line.serial) if one is not None]
    found = [units for units in sure if units] or [units for one in line.numbers if (units := journal.find(one))]
    if not found:
        return None, f"{line.numbers[0]} was not here"
    unit = found[0][0]
    serial = unit.fact("serial")
    is_of_two = len(found) > 1 and all(unit.device_id != one.device_id for one in found[1])
    if line.serial is not None and ((serial and serial != str(line.serial)) or is_of_two):
        was = f"with serial number {serial}" if serial else "without a serial number"
        return None, f"names {line.serial}, but {unit.device_id} was here {was}; ask who made the list"
    return unit, ""


def list_of(path: Path) -> tuple[ListLine, ...]:
    """Read a list that came with units or SIM cards; raises `BadInput` if it cannot be read or is no text."""
    name = escaped(str(path))
    try:
        with path.open("rb") as file:
            return read_list(file.read(MAX_BYTES + 1))
    except OSError as error:
        raise BadInput(f"{name} cannot be read: {error.strerror}; give the path of the list") from error
    except BadInput as error:
        raise BadInput(f"{name} {error}") from error
