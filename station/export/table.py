"""The formats of the batch log: our own, and those of packages installed beside the station.

A package adds one by an entry point in the group ``station.exporters``: the format's name, and an `Exporter`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from typing import IO, Any

from ..errors import BadInput
from ..journal.reader import JournalReader
from .batch_log import batch_log
from .csvfile import CSV
from .exporter import Exporter
from .jsonl import JSONL
from .junit import JUNIT
from .lists import DEVICES, ICCIDS
from .openhtf import OPENHTF
from .passport import PASSPORTS
from .pdf import PDF
from .report import HTML
from .steps import STEPS
from .workbook import XLSX

GROUP = "station.exporters"
EXPORTERS = (CSV, JSONL, XLSX, HTML, PDF, STEPS, JUNIT, OPENHTF, DEVICES, ICCIDS, PASSPORTS)
"""Our own formats; the first one is the default."""


def exporter_names() -> tuple[str, ...]:
    """Return the name of every format, ours first, without loading plug-ins."""
    own = tuple(exporter.name for exporter in EXPORTERS)
    return (*own, *sorted({entry.name for entry in entry_points(group=GROUP)} - {*own}))


def export(
    journal: JournalReader, batch: str | Sequence[str], file: IO[Any], exporter: Exporter = CSV, *,
    all_attempts: bool = False, secret: Callable[[str], str] | None = None,
) -> int:  # fmt: skip
    """Write the log of one or more batches; return the number of rows. Raises as `batch_log`, before writing."""
    with batch_log(journal, batch, all_attempts=all_attempts, secret=secret) as log:
        return exporter.write(log, file)


def find_exporter(name: str) -> Exporter:
    """Return the exporter of that name. Raises `BadInput` when there is none, or it cannot be loaded."""
    for exporter in EXPORTERS:
        if exporter.name == name:
            return exporter
    for entry in entry_points(group=GROUP, name=name):
        try:
            found = entry.load()
        except Exception as error:  # a plug-in may raise anything
            raise BadInput(f"the format {name} ({entry.value}) cannot be loaded: {error}; uninstall it") from error
        if not isinstance(found, Exporter) or found.name != name:
            raise BadInput(f"the format {name} ({entry.value}) is not an Exporter of that name; uninstall its package")
        return found
    raise BadInput(f"no format is called {name}; there are {', '.join(exporter_names())}")
