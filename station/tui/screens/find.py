"""The screen that finds a unit of the journal by any identity, or by the last characters of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, Static

from ...engine.commands import ScanField
from ...view import units
from ...view.ink import Line
from ...view.look import Glyphs
from ...view.records import Part, Records, UnitRow
from ...view.state import BenchState, FieldScan
from .listing import Listing


class Find(Listing[UnitRow]):
    """Searches all units of the journal by any identity, or by the last characters of one."""

    takes_scans: ScanField = "find"
    TITLE, KEYS, NONE = "page-find", "page-find-keys", "page-find-none"

    def __init__(self, state: BenchState, records: Records, glyphs: Glyphs) -> None:
        super().__init__(state, records, glyphs)
        self._taken = state.field_scan
        self._scans = False  # whether the text was scanned: the one unit it names is told at once

    def above(self) -> ComposeResult:
        yield Input(placeholder=self._state.words.text("page-find-what"), max_length=64, id="wanted")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(Input).focus()

    def show(self, state: BenchState) -> None:
        super().show(state)
        if state.field_scan is not self._taken:
            self._scanned(state.field_scan)

    def _scanned(self, scan: FieldScan | None) -> None:
        """Put a scan into the field as if typed; say why if it cannot be searched for."""
        self._taken = scan
        if scan is not None and scan.field == self.takes_scans:
            with self.prevent(Input.Changed):
                self.query_one(Input).value, self._scans = scan.text, bool(scan.text)
            self._search(scan.problem)

    def on_input_changed(self, _event: Input.Changed) -> None:
        self._search()

    def _search(self, problem: str = "") -> None:
        self._at = self._top = 0
        self.query_one("#problem", Static).update(Content(problem))
        self.again()

    def fetch(self, start: int, count: int) -> Callable[[], Part[UnitRow]]:
        wanted = self.query_one(Input).value
        return lambda: self._records.find(wanted, start, count)

    def _read(self, part: Part[UnitRow]) -> None:
        super()._read(part)
        if self._scans and part.total == 1 and part.rows[0].device_id:
            self.tell(part.rows[0].device_id)
        self._scans = False

    def lines(self, rows: Sequence[UnitRow], width: int) -> list[Line]:
        return units.found(rows, width, self._state.words, self._glyphs)

    def unit(self, row: UnitRow) -> UnitRow:
        return row
