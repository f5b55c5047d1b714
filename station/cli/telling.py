"""Writes the output of verbs to standard output, line by line."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from drivers.plain_text import escaped

from ..model import SHIPPED, TRIAL


def sub_verbs(
    parser: argparse.ArgumentParser, dest: str, metavar: str
) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    """Return where verbs below ``parser`` are added; named alone it shows its help and exits with 2 (bad usage)."""

    def show_help(_arguments: argparse.Namespace) -> int:
        parser.print_help(sys.stderr)
        return 2

    parser.set_defaults(run=show_help)
    return parser.add_subparsers(dest=dest, metavar=metavar)


def tell(*lines: str) -> None:
    """Write ``lines``, with terminal control characters escaped."""
    tell_all(lines)


def tell_all(lines: Iterable[str]) -> None:
    """Write lines as `tell` does, each as it is produced."""
    with standard_output() as file:
        file.writelines(f"{escaped(line)}\n" for line in lines)


def released(release: str) -> str:
    """Say behind a batch or an attempt who released its profile; nothing where no record tells."""
    return f", released by {release}" if release not in ("", TRIAL, SHIPPED) else f", {release}" if release else ""


def nobodys(count: int) -> Iterator[str]:
    """Say how many attempts are in no figure of units, though the batch's log has a row for each."""
    if count:
        told = "1 attempt ended" if count == 1 else f"{count} attempts ended"
        yield f"  {told} before the unit said who it is: not counted here, a row of its own in an export"


def unproven(count: int) -> Iterator[str]:
    """Say how many units figures count as PASS or SET ASIDE that were worked on by hand since."""
    if count:
        told = "1 unit was" if count == 1 else f"{count} units were"
        yield f"  {told} worked on by hand since: counted here with the last verdict, and to be walked again"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield ``heads`` and ``rows`` as lines of columns."""
    lines = [heads, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


@contextlib.contextmanager
def standard_output() -> Iterator[TextIO]:
    """Yield standard output; write errors name it, as those of a file name the file."""
    try:
        yield sys.stdout
    except OSError as error:
        raise OSError(error.errno, error.strerror, error.filename or "standard output") from error
