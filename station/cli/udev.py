"""Implements ``station udev print``: print the rules that let an operator's login open the units."""

from __future__ import annotations

import argparse

from ..paths import udev_rules
from .telling import standard_output, sub_verbs


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = parsers.add_parser("udev", help="print the udev rules this bench needs")
    verbs = sub_verbs(parser, "what", "WHAT")
    printer = verbs.add_parser("print", help="print the rules; save them as /etc/udev/rules.d/70-station.rules")
    printer.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the shipped rules."""
    del arguments
    with standard_output() as file:
        file.write(udev_rules().read_text(encoding="utf-8"))
    return 0
