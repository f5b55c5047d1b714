"""Implements ``station log export``. Works beside a running station."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from drivers.clock import SystemClock

from ..errors import BadInput
from ..export import EXPORTERS, Exporter, export, exporter_names, find_exporter, verifier, workbook, write_dump
from ..export.batch_log import batch_log
from ..export.dialect import FOR, dialect_of
from ..export.pdf import NoBrowser
from ..export.steps import STEPS
from ..export.workbook import XLSX
from ..figures import counts, yields
from ..journal import Journal, JournalReader, owner_of
from ..journal.entries import SecretsTaken
from ..journal.export_rows import require_batches
from ..journal.tallies import on_no_unit, worked_on
from ..line.releases import is_badge
from ..settings.config import load_config
from .places import add_data_dir, check_output, key_place, known_journal, made_dir, output, reader
from .telling import nobodys, standard_output, tell, tell_all, unproven

_OF_CSV = """A CSV cannot say that a column is text: opened by a double click, Excel and LibreOffice round the 20
digits of an ICCID, and quotes do not stop them. So text they would change begins with one apostrophe, which shows.
In --format xlsx the columns are declared, and all digits show without. --for excel adds what Excel wants: a byte
order mark, times without zone (UTC), delimiter and decimal sign of --locale. --for plain writes every value as it is,
with commas, points and ISO 8601 times: for programs; to open that in a spreadsheet, import all its columns as text."""


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare ``log export``."""
    exporting = verbs.add_parser("export", help="a batch as CSV, workbook, report, passports ...", epilog=_OF_CSV)
    exporting.add_argument("--batch", action="append", metavar="B", help="of this one (repeatable)")
    exporting.add_argument("--all", dest="everything", action="store_true", help="every batch in every format")
    exporting.add_argument("--format", choices=exporter_names(), default="csv", help="what to write (csv)")
    exporting.add_argument("--all-attempts", action="store_true", help="one row an attempt")
    exporting.add_argument("-o", dest="output", type=Path, metavar="FILE", help="write here (standard output)")
    exporting.add_argument("--with-secrets", action="store_true", help="kept mobile secrets too; it is journalled")
    exporting.add_argument("--by", default="", metavar="BADGE", help="who takes the secrets")
    of_csv = exporting.add_argument_group("CSV (formats csv and steps)")
    of_csv.add_argument("--for", dest="reader", choices=FOR, help="who reads it (else any spreadsheet, text guarded)")
    of_csv.add_argument("--delimiter", metavar="SIGN", help="comma, semicolon, tab or another sign")
    of_csv.add_argument("--locale", metavar="L", help="writes numbers as there, such as de-AT (that of this login)")
    add_data_dir(exporting)
    exporting.set_defaults(run=run_export)


def run_export(arguments: argparse.Namespace) -> int:
    """Write the batch log; if it goes to a file, also print the figures of each batch. Returns 0."""
    if bool(arguments.batch) is arguments.everything:
        raise BadInput("name the batches to export with --batch, or all of them with --all")
    if arguments.everything:
        return _export_all(arguments)
    exporter = _in_dialect(find_exporter(arguments.format), arguments)
    if arguments.with_secrets and not exporter.has_secrets:
        names = ", ".join(one.name for one in EXPORTERS if one.has_secrets)
        raise BadInput(f"--format {exporter.name} has no place for mobile secrets; --with-secrets goes with {names}")
    if arguments.output is not None:
        check_output(arguments.output, "-o")
    elif exporter.is_binary and sys.stdout.isatty():
        raise BadInput(f"--format {exporter.name} is no text to print; name a file with -o")
    with _journal(arguments) as (journal, secret):
        with opened(arguments.output, is_binary=exporter.is_binary, is_secret=arguments.with_secrets) as file:
            rows = export(
                journal, arguments.batch, file, exporter, all_attempts=arguments.all_attempts, secret=secret
            )  # fmt: skip
        if arguments.output is not None:  # only after it is closed: a full disk may show that late
            tell(f"{arguments.output}: {rows} row{'' if rows == 1 else 's'}")
            for batch in dict.fromkeys(arguments.batch):
                tell_all(_figures(journal, batch))
            if exporter is XLSX:
                _write_steps_beside(journal, arguments)
    return 0


def _write_steps_beside(journal: JournalReader, arguments: argparse.Namespace) -> None:
    """Write the steps as CSV too where a sheet cannot hold them."""
    with batch_log(journal, arguments.batch, all_attempts=arguments.all_attempts) as log:
        if log.tries() < workbook.MOST_ROWS:
            return
        path = arguments.output.with_name(STEPS.file_of(arguments.output.stem))
        with output(path) as file:
            rows = STEPS.write(log, file)
    tell(f"{path}: {rows} steps, more than a sheet holds")


def _export_all(arguments: argparse.Namespace) -> int:
    """Write every batch in every format into a folder, with the dump and what checks it. Returns 0."""
    if arguments.output is None:
        raise BadInput("--all writes many files; name a folder for them with -o")
    folder = made_dir(arguments.output, "-o")
    lacking = ""
    with _journal(arguments) as (journal, secret):
        for record in journal.batches():
            batch, count = record.batch.id, 0
            for exporter in map(find_exporter, exporter_names()):
                of = _in_dialect(exporter, arguments) if exporter.in_dialect is not None else exporter
                try:
                    with output(
                        folder / exporter.file_of(batch), is_binary=exporter.is_binary,
                        is_secret=arguments.with_secrets,
                    ) as file:  # fmt: skip
                        export(
                            journal, batch, file, of, all_attempts=arguments.all_attempts,
                            secret=secret if of.has_secrets else None,
                        )  # fmt: skip
                    count += 1
                except NoBrowser as error:
                    lacking = str(error)
            tell(f"{folder / batch}*: {count} files", *(f"  {line}" for line in _figures(journal, batch)))
        with output(folder / "dump.txt") as file:
            entries = write_dump(journal, file)
    with output(folder / "verify_log.py") as file:
        file.write(Path(verifier.__file__).read_text(encoding="utf-8"))
    tell(f"{folder / 'dump.txt'}: {entries} entries; check it and the passports with verify_log.py beside it")
    if lacking:
        tell(f"without a PDF: {lacking}")
    return 0


@contextlib.contextmanager
def _journal(arguments: argparse.Namespace) -> Iterator[tuple[JournalReader, Callable[[str], str] | None]]:
    """Open the journal, and what gives secrets away where somebody takes them on their badge: that is recorded first.

    Raises `BadInput` without a badge, `JournalError` for secrets while a station has the journal open.
    """
    if not arguments.with_secrets:
        if arguments.by:
            raise BadInput("--by says who takes the secrets; it goes with --with-secrets")
        with reader(arguments) as journal:
            yield journal, None
        return
    if not is_badge(arguments.by):
        raise BadInput("--with-secrets is recorded in the journal: say who takes them with --by BADGE")
    directory, config, clock = known_journal(arguments), load_config(arguments.config), SystemClock()
    owner = None if config.is_named else owner_of(directory)
    writer = Journal.open(directory, owner or config.station_id, clock, key_place=key_place(config))
    try:
        batches = tuple(record.batch.id for record in writer.batches())
        batches = batches if arguments.everything else require_batches(writer, arguments.batch)
        form = "all" if arguments.everything else arguments.format
        writer.record(SecretsTaken(at=clock.utc(), by=arguments.by, batches=batches, form=form))
        yield writer, lambda unit: secret.reveal() if (secret := writer.mobile_secret(unit)) is not None else ""
    finally:
        writer.close()


def _in_dialect(exporter: Exporter, arguments: argparse.Namespace) -> Exporter:
    """Return the exporter that writes in the dialect that the options ask for. Raises `BadInput`."""
    if not (arguments.reader or arguments.delimiter or arguments.locale):
        return exporter
    if exporter.in_dialect is None:
        raise BadInput(f"--for, --delimiter and --locale are for CSV, --format {exporter.name} is none; leave them out")
    in_dialect, dialect = exporter.in_dialect, dialect_of(arguments.reader, arguments.delimiter, arguments.locale)
    return replace(exporter, write=lambda log, file: in_dialect(log, file, dialect))


def _figures(journal: JournalReader, batch: str) -> Iterator[str]:
    figures = journal.figures(batch)
    yield f"batch {batch}: {counts(figures)}; {yields(figures)}"
    yield from beside_figures(journal, batch)


def beside_figures(journal: JournalReader, batch: str) -> Iterator[str]:
    """Say what stands beside the figures of a batch: attempts on no known unit, and verdicts not proven any more."""
    with journal.snapshot() as db:
        lost, unproved = on_no_unit(db, batch), worked_on(db, batch)
    yield from nobodys(lost)
    yield from unproven(unproved)


def opened(
    path: Path | None, *, is_binary: bool, is_secret: bool = False
) -> contextlib.AbstractContextManager[IO[Any]]:
    """Open a file to write to, or standard output where none is named."""
    if path is not None:
        return output(path, is_binary=is_binary, is_secret=is_secret)
    return contextlib.nullcontext(sys.stdout.buffer) if is_binary else standard_output()
