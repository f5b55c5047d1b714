"""The formats of the batch log: our own rows, and those of packages installed beside the station.

A package brings one by the entry point ``station.exporters``: its name, and an `Exporter`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import TextIO

from ..errors import BadInput
from ..journal.reader import JournalReader
from .batch_log import batch_log
from .csvfile import CSV
from .exporter import Exporter
from .jsonl import JSONL

GROUP = "station.exporters"
EXPORTERS = (CSV, JSONL)
"""Our own; the first one is used when nobody names one."""


def exporter_names() -> tuple[str, ...]:
    """Return the name of every format, ours first. Loads nothing of what others brought."""
    own = tuple(exporter.name for exporter in EXPORTERS)
    return (*own, *sorted({entry.name for entry in entry_points(group=GROUP)} - {*own}))


def export(
    journal: JournalReader, batch: str | Sequence[str], file: TextIO, exporter: Exporter = CSV, *,
    all_attempts: bool = False,
) -> int:  # fmt: skip
    """Write the log of one batch or several; return the number of rows. Raises as `batch_log`, nothing written then."""
    with batch_log(journal, batch, all_attempts=all_attempts) as log:
        return exporter.write(log, file)


def find_exporter(name: str) -> Exporter:
    """Return the exporter of that name. Raises `BadInput` when nobody brought it, or it cannot be used."""
    for exporter in EXPORTERS:
        if exporter.name == name:
            return exporter
    for entry in entry_points(group=GROUP, name=name):
        try:
            found = entry.load()
        except Exception as error:  # a stranger's module may raise anything
            raise BadInput(f"the format {name} ({entry.value}) cannot be loaded: {error}; uninstall it") from error
        if not isinstance(found, Exporter) or found.name != name:
            raise BadInput(f"the format {name} ({entry.value}) is no Exporter of that name; uninstall its package")
        return found
    raise BadInput(f"no format is called {name}; there are {', '.join(exporter_names())}")
