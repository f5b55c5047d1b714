"""The type of an exporter, which a file of this package, or a plug-in, provides."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .batch_log import BatchLog
from .dialect import Dialect

_NO_FILE = re.compile(r"[^A-Za-z0-9._-]|^\.+")
"""Of a batch that an older station named: what a file's name has no place for."""


@dataclass(frozen=True, slots=True)
class Exporter:
    """One format of the batch log.

    ``name``: for ``log export --format``. ``write``: writes a whole log to a text file (opened with
    ``newline=""``; to a binary one if it ``is_binary``) and returns the number of rows; it must stream, as a log may
    have 100,000 of them.
    """

    name: str
    help: str
    write: Callable[[BatchLog, Any], int]
    is_binary: bool = False
    ending: str = ""
    """Of its file's name behind that of the batch; a dot and ``name`` where it says none."""
    has_secrets: bool = False
    """Whether it writes `BatchLog.secret` of each unit, where there is one to ask."""
    in_dialect: Callable[[BatchLog, Any, Dialect], int] | None = None
    """As ``write``, where it is a CSV."""

    def file_of(self, batch: str) -> str:
        """Return how the file of ``batch`` is called among those of all formats."""
        return f"{_NO_FILE.sub('_', batch)}{self.ending or f'.{self.name}'}"
