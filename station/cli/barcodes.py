"""Implements ``station barcodes``: a sheet to print with the codes a scanner may read instead of keys and typing."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import BadInput
from ..export.pdf import print_page
from ..line.batch_name import check_batch_name
from ..line.releases import is_badge
from ..scan.codes import BADGE, BATCH, COMMAND, LOT
from ..scan.sheet import Code, code, html, svg
from ..words.catalogue import Words
from .places import check_output, output
from .speaking import add_language, words_of
from .telling import tell

COMMANDS = {"RETRY": "key-retry", "LIGHT": "key-light", "STOP": "key-stop", "REPRINT": "page-reprint"}
"""What screen and line do at a scan ``CMD:``, with the text of the catalogue for it."""
FORMS = (".html", ".pdf", ".svg")


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = parsers.add_parser("barcodes", help="a sheet of codes to print: commands, badges, batches, lots")
    parser.add_argument("--badge", action="append", default=[], metavar="X", help="the badge of an operator")
    parser.add_argument("--batch", action="append", default=[], metavar="B", help="a batch to open or to choose")
    parser.add_argument("--lot", action="append", default=[], metavar="L", help="a lot, or PART=LOT")
    parser.add_argument(
        "-o",
        dest="output",
        type=Path,
        required=True,
        metavar="FILE",
        help="write here: .html or .pdf to print, or .svg",
    )
    add_language(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the sheet; returns 0."""
    path: Path = arguments.output
    if path.suffix not in FORMS:
        raise BadInput(f"-o {path}: the name ends with none of {', '.join(FORMS)}; choose one of them")
    words = words_of(arguments)
    codes = tuple(_codes(arguments, words))
    check_output(path, "-o")
    drawn = svg(codes) if path.suffix == ".svg" else html(codes, words.language)
    with output(path, is_binary=path.suffix == ".pdf") as file:
        if path.suffix == ".pdf":
            print_page(lambda page: page.write(drawn), file)
        else:
            file.write(drawn)
    tell(f"{path}: {len(codes)} codes")
    return 0


def _codes(arguments: argparse.Namespace, words: Words) -> list[Code]:
    found = [code(COMMAND, command, words.text(text)) for command, text in COMMANDS.items()]
    for badge in arguments.badge:
        if not is_badge(badge):
            raise BadInput(f"{badge!r} is no badge; use letters, digits, dots and dashes, a letter or digit first")
        found.append(code(BADGE, badge, words.text("header-operator", badge=badge)))
    for batch in arguments.batch:
        found.append(code(BATCH, check_batch_name(batch), words.text("header-batch", batch=batch)))
    found += [code(LOT, lot, words.text("page-lot", lot=lot)) for lot in arguments.lot]
    return found
