"""Writes what a technician saves at the bench: the report of an attempt, or its wire."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from .engine.commands import SaveReport, SaveTrace
from .errors import BadInput
from .export.unit_report import unit_report, write_unit_report
from .journal import JournalReader
from .words.languages import load


class SavedFiles:
    """Files in ``folder``, which is made when the first one is saved. Reports are in English, for support to read."""

    def __init__(self, folder: Path, journal: JournalReader) -> None:
        self._folder, self._journal = folder, journal

    def report(self, command: SaveReport) -> Path:
        """Write the report of an attempt and return where. Raises `BadInput` if it cannot be, `JournalError`."""
        report = unit_report(self._journal, command.attempt, load(), command.trace)
        if report is None:
            raise BadInput(f"the journal knows no attempt {command.attempt}; walk the unit again")
        name = f"{report.slot.name or 'unit'}-{command.attempt}.html"
        return self._written(name, lambda file: write_unit_report(report, file))

    def trace(self, command: SaveTrace) -> Path:
        """Write the wire of an attempt and return where. Raises `BadInput` if it cannot be."""
        name = f"{command.attempt or f'slot-{command.slot}'}-wire.txt"
        return self._written(name, lambda file: file.writelines(f"{line}\n" for line in command.trace))

    def _written(self, name: str, write: Callable[[TextIO], object]) -> Path:
        path = self._folder / re.sub(r"[^A-Za-z0-9._-]", "_", name)
        half = path.with_name(f".{path.name}.part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with half.open("w", encoding="utf-8") as file:
                write(file)
            half.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                half.unlink(missing_ok=True)
            raise BadInput(f"{path} cannot be written ({error.strerror}); free the place, then save again") from error
        return path
