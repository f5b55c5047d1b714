"""What is left to do: units that owe cloud work, with who can mend what is in the way, and units to rework."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from ...engine.commands import Command, RetryOwed
from ...view import units
from ...view.ink import Line
from ...view.look import Glyphs
from ...view.records import OwedRow, Part, Records, UnitRow
from ...view.state import BenchState
from .listing import Listing


class Rework(Listing[UnitRow]):
    """Lists the units whose last attempt failed."""

    TITLE, KEYS, NONE = "page-rework", "page-rework-keys", "page-rework-none"

    def fetch(self, start: int, count: int) -> Callable[[], Part[UnitRow]]:
        return lambda: self._records.to_rework(start, count)

    def lines(self, rows: Sequence[UnitRow], width: int) -> list[Line]:
        return units.to_rework(rows, width, self._state.words, self._glyphs)

    def unit(self, row: UnitRow) -> UnitRow:
        return row


class Owed(Listing[OwedRow]):
    """Lists owed work by what is in its way and who can mend that; R tries the chosen unit's now, A everything."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("r", "retry", "Retry"), Binding("a", "retry_all", "Retry all")]
    TITLE, KEYS, NONE = "page-owed", "page-owed-keys", "page-owed-none"

    def __init__(self, state: BenchState, send: Callable[[Command], None], records: Records, glyphs: Glyphs) -> None:
        super().__init__(state, records, glyphs)
        self._send = send

    def fetch(self, start: int, count: int) -> Callable[[], Part[OwedRow]]:
        return lambda: self._records.owed(start, count)

    def lines(self, rows: Sequence[OwedRow], width: int) -> list[Line]:
        return units.owed(rows, width, self._state.words)

    def unit(self, row: OwedRow) -> UnitRow:
        return row.unit

    def action_retry(self) -> None:
        """Have what the chosen unit owes tried now."""
        if (row := self._row) is not None:
            self._ordered(RetryOwed((row.attempt,)), row.unit.label)

    def action_retry_all(self) -> None:
        """Have all that is owed tried now."""
        if self._part.total:
            self._ordered(RetryOwed(), "")

    def _ordered(self, command: RetryOwed, unit: str) -> None:
        self._send(command)
        text = self._state.words.text
        said = text("page-owed-retried", unit=unit) if unit else text("page-owed-retried-all")
        self.query_one("#problem", Static).update(Content(said))
