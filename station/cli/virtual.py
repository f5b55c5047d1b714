"""Implements ``station virtual``: units and a cloud for other programs."""

from __future__ import annotations

import argparse

from . import virtual_cloud, virtual_units
from .telling import sub_verbs


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = parsers.add_parser("virtual", help="serve virtual units or a virtual cloud to other programs")
    verbs = sub_verbs(parser, "what", "WHAT")
    virtual_units.declare(verbs)
    virtual_cloud.declare(verbs)
