"""What verbs write to standard output goes through here, line by line."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterable, Iterator
from typing import TextIO

from drivers.plain_text import escaped


def sub_verbs(
    parser: argparse.ArgumentParser, dest: str, metavar: str
) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    """Where the verbs below ``parser`` are added; named alone it shows its help, which is bad usage (2)."""

    def show_help(_arguments: argparse.Namespace) -> int:
        parser.print_help(sys.stderr)
        return 2

    parser.set_defaults(run=show_help)
    return parser.add_subparsers(dest=dest, metavar=metavar)


def tell(*lines: str) -> None:
    """Write ``lines``; what a terminal would obey instead of show becomes an escape."""
    tell_all(lines)


def tell_all(lines: Iterable[str]) -> None:
    """As `tell`, for lines still to come."""
    with standard_output() as file:
        file.writelines(f"{escaped(line)}\n" for line in lines)


@contextlib.contextmanager
def standard_output() -> Iterator[TextIO]:
    """Where verbs write; an error of writing there names it, as one of a file names the file."""
    try:
        yield sys.stdout
    except OSError as error:
        raise OSError(error.errno, error.strerror, error.filename or "standard output") from error
