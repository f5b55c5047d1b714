"""What became of every line of a list, as a person reads it and as a table that is safe in a spreadsheet."""

from __future__ import annotations

import csv
import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO

from ..export.cells import guarded
from ..scan.lists import ListLine


class State(enum.StrEnum):
    """What became of one line."""

    ADDED = "added"  # read back in the product
    PRESENT = "present"  # was there before
    REPEATED = "repeated"  # another line says the same
    UNREADABLE = "unreadable"  # it names nothing, or more than one; nothing was sent
    REFUSED = "refused"  # by the cloud
    DIFFERS = "differs"  # it is in the product, but not as it should be
    PENDING = "pending"  # not done, or not shown yet: import the list again

    @property
    def is_good(self) -> bool:
        return self in (State.ADDED, State.PRESENT, State.REPEATED)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a line; ``words``: in one sentence."""

    line: ListLine
    state: State
    words: str

    @property
    def told(self) -> str:
        """Return the line for a terminal."""
        name = f"{self.line.numbers[0]}  " if self.line.numbers else ""
        return f"line {self.line.number}: {name}{self.state}: {self.words}"

    def to_json(self) -> dict[str, object]:
        """Return what a script reads; a number the line does not give is empty."""
        line = self.line
        found = {name: str(getattr(line, name) or "") for name in ("device_id", "serial", "imei", "iccid")}
        return {"line": line.number, "result": self.state.value, "words": self.words, **found}


COLUMNS = ("line", "result", "words", "device_id", "serial", "imei", "iccid")


def write_results(results: Iterable[Result], file: IO[str]) -> None:
    """Write a header and a row for every line. ``file``: opened with ``newline=""``."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for result in results:
        line, *texts = result.to_json().values()
        writer.writerow([line, *(guarded(str(text)) for text in texts)])
