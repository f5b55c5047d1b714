"""Implements ``station log``: passport, find a unit's history, dump, verify. Works beside a running station."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from drivers.plain_text import escaped

from ..errors import BadInput
from ..export import verifier, write_dump
from ..export.cells import unguarded
from ..export.passport import passport
from ..journal import AttemptRecord, FactRecord, JournalReader, UnitHistory
from ..journal.batch_seal import Signer, fingerprint, seal_key
from ..journal.passport_rows import told_of
from ..local_time import moment
from ..model import VERDICT_WORD
from ..scan.lists import MAX_BYTES, ListLine, read_list
from ..scan.reading import read_scan
from .log_export import add as add_export
from .log_export import opened
from .places import add_data_dir, check_output, known_journal, output, reader
from .telling import released, standard_output, sub_verbs, tell, tell_all

_HARMLESS = re.compile(r"a-[0-9a-f]{12}|([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}|.{1,14}")
"""Matches attempt ids, MAC addresses and anything shorter than a mobile secret."""


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare ``log export``, ``log passport``, ``log find``, ``log tray``, ``log dump`` and ``log verify``."""
    parser = parsers.add_parser("log", help="export a batch's log, or find what happened to a unit")
    verbs = sub_verbs(parser, "what", "WHAT")
    add_export(verbs)
    passed = verbs.add_parser("passport", help="a unit's signed passport; `log verifier` writes what checks it")
    passed.add_argument("id", metavar="ANY-ID")
    passed.add_argument("-o", dest="output", type=Path, metavar="FILE", help="write here (standard output)")
    find = verbs.add_parser("find", help="everything known of one unit, by any of its ids")
    find.add_argument("id", metavar="ANY-ID", help="or its last digits, three or more")
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
        (find, run_find),
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
    """Write the passport of the last attempt on a unit that has a verdict. Returns 1 when there is none."""
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


def run_find(arguments: argparse.Namespace) -> int:
    """Print the history of every unit with that id, else of the one unit whose id ends with it.

    If several units' ids end with it, list them. Returns 1 when no unit is found.
    """
    known, shown = wanted(arguments.id)
    with reader(arguments) as journal:
        exact = journal.find(known)
        found = exact or journal.find_by_end(known)
        journal.verify_found(known, [unit.device_id for unit in found])
        if exact or len(found) == 1:
            for unit in found:
                tell_all(story(unit, journal))
        elif found:
            tell(f"{len(found)} units have an id that ends with {escaped(shown)}; look at one with its whole id")
            tell_all(map(_line, found))
    if not found:
        sys.stderr.write(f"no unit, attempt or SIM {escaped(shown)} in this journal\n")
    return 0 if found else 1


def _line(unit: UnitHistory) -> str:
    """Describe a unit in one line, enough to tell it from others."""
    last = unit.attempts[-1] if unit.attempts else None
    verdict = VERDICT_WORD[last.verdict] if last is not None and last.verdict is not None else "not finished"
    iccid = unit.fact("iccid")
    return f"  {unit.platform:8} {unit.label:16} {unit.device_id}  {moment(unit.last_seen)}  {verdict}" + (
        f"  SIM {iccid}" if iccid else ""
    )


def run_tray(arguments: argparse.Namespace) -> int:
    """Print a line for every unit of a tray list, and how many were here. Returns 1 if one was not."""
    units = tuple(line for line in list_of(arguments.list) if line.numbers or line.fault)
    if not any(unit.numbers for unit in units):
        name = escaped(str(arguments.list))
        raise BadInput(f"{name} names no unit: no line has a Device ID, serial number or ICCID; is it the right file?")
    missing = 0
    with reader(arguments) as journal:
        for unit in units:
            known = next((found for one in unit.numbers if (found := journal.find(one))), ())
            missing += not known
            why = f"{unit.numbers[0]} was not here" if unit.numbers else unit.fault
            tell_all(map(_line, known[:1]) if known else (f"  line {unit.number}: {why}",))
    tell(f"{len(units) - missing} of {len(units)} were here")
    return 1 if missing else 0


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


def wanted(text: str) -> tuple[str, str]:
    """Return the id in ``text``, and the same as it may be printed: masked if it could be a mobile secret.

    ``text``: an id typed or copied, also with a spreadsheet's apostrophe, or a whole label (drivers.identity).
    """
    bare = unguarded(text.strip())
    if number := read_scan(bare).number:
        return number, number
    return bare, bare if _HARMLESS.fullmatch(bare) else "of this id (not repeated: it may hold a mobile secret)"


def story(unit: UnitHistory, journal: JournalReader) -> Iterator[str]:
    """Yield the history of one unit, line by line."""
    yield f"{unit.platform} {unit.label}  first seen {moment(unit.first_seen)}"
    yield f"  {'device_id':14} {unit.device_id}"
    for name in dict.fromkeys(fact.name for fact in unit.facts):
        yield from _fact(name, [fact for fact in unit.facts if fact.name == name])
    for attempt in unit.attempts:
        yield from _attempt(attempt, journal)


def _fact(name: str, facts: list[FactRecord]) -> Iterator[str]:
    """Yield the newest value with earlier ones, then the values of other sources that were disputed."""
    believed = [fact for fact in facts if not fact.is_disputed]
    if believed:
        newest = believed[-1]
        former = ", ".join(dict.fromkeys(fact.value for fact in believed if fact.value != newest.value))
        yield f"  {name:14} {newest.value}  ({newest.source})" + (f"  was {former}" if former else "")
    for fact in facts:
        if fact.is_disputed:
            yield f"  {name:14} {fact.value}  ({fact.source})  disputed"


def _attempt(attempt: AttemptRecord, journal: JournalReader) -> Iterator[str]:
    verdict = VERDICT_WORD[attempt.verdict] if attempt.verdict is not None else "not finished"
    batch = f"batch {attempt.batch or '-'}{released(attempt.release)}"
    yield f"  {moment(attempt.started_at)}  {batch}  slot {attempt.slot}  {verdict}" + (
        f": {attempt.reason}" if attempt.reason else ""
    )
    for step in journal.steps(attempt.attempt):
        yield f"      {step.step:12} {step.outcome.value:8} {step.seconds:7.1f} s  {step.proof or step.reason}"
