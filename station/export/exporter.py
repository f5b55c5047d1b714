"""What an exporter is: the value that one file of this package, or of somebody else's, makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from .batch_log import BatchLog


@dataclass(frozen=True, slots=True)
class Exporter:
    """One format of the batch log.

    ``name``: as ``log export --format`` takes it. ``write``: writes all of a log to a text file (opened with
    ``newline=""``) and returns the number of rows; it streams, for a log may have 100,000 of them.
    """

    name: str
    help: str
    write: Callable[[BatchLog, TextIO], int]
