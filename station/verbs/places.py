"""Where a verb finds the journal: ``--data-dir``, else the station's config file."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..config import load_config
from ..errors import BadInput
from ..journal import JournalReader

JOURNAL = "journal"


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data-dir", type=Path, metavar="D", help="where the station keeps its journal")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the station's config file")


def journal_dir(arguments: argparse.Namespace) -> Path:
    """The folder of the journal."""
    base: Path = arguments.data_dir or load_config(arguments.config).data_dir
    return base / JOURNAL


def reader(arguments: argparse.Namespace) -> JournalReader:
    """The journal, for reading; works beside a running station. Raises `BadInput` when there is none."""
    directory = journal_dir(arguments)
    if not directory.is_dir():
        raise BadInput(f"no journal in {directory.parent}; name the right place with --data-dir")
    return JournalReader(directory)
