"""Implements ``station log export`` and ``station log passport``. Work beside a running station."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from typing import IO, Any

from ..errors import BadInput
from ..export import export, exporter_names, find_exporter
from ..figures import counts, yields
from ..journal import JournalReader
from .places import add_data_dir, check_output, output, reader
from .telling import standard_output, tell, tell_all


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare ``log export``."""
    exporting = verbs.add_parser("export", help="one row a unit, safe in a spreadsheet")
    exporting.add_argument("--batch", required=True, action="append", metavar="B")
    exporting.add_argument("--format", choices=exporter_names(), default="csv")
    exporting.add_argument("--all-attempts", action="store_true", help="one row an attempt")
    exporting.add_argument("-o", dest="output", type=Path, metavar="FILE", help="write here (standard output)")
    add_data_dir(exporting)
    exporting.set_defaults(run=run_export)


def run_export(arguments: argparse.Namespace) -> int:
    """Write the batch log; if it goes to a file, also print the figures of each batch. Returns 0."""
    exporter = find_exporter(arguments.format)
    if arguments.output is not None:
        check_output(arguments.output, "-o")
    elif exporter.is_binary and sys.stdout.isatty():
        raise BadInput(f"--format {exporter.name} is no text to print; name a file with -o")
    with reader(arguments) as journal:
        with opened(arguments.output, is_binary=exporter.is_binary) as file:
            rows = export(journal, arguments.batch, file, exporter, all_attempts=arguments.all_attempts)
        if arguments.output is not None:  # only after it is closed: a full disk may show that late
            tell(f"{arguments.output}: {rows} row{'' if rows == 1 else 's'}")
            tell_all(_figures(journal, batch) for batch in dict.fromkeys(arguments.batch))
    return 0


def _figures(journal: JournalReader, batch: str) -> str:
    figures = journal.figures(batch)
    return f"batch {batch}: {counts(figures)}; {yields(figures)}"


def opened(path: Path | None, *, is_binary: bool) -> contextlib.AbstractContextManager[IO[Any]]:
    """Open a file to write to, or standard output where none is named."""
    if path is not None:
        return output(path, is_binary=is_binary)
    return contextlib.nullcontext(sys.stdout.buffer) if is_binary else standard_output()
