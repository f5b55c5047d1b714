"""The screen that finds a unit by any of its numbers, among the attempts seen on this screen."""

from __future__ import annotations

from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Static

from ...view import pages
from ...view.look import Glyphs
from ...view.state import BenchState, FieldScan
from ...words.say import Say


class Find(Screen[None]):
    """A search field above the matching attempts."""

    takes_scans: ClassVar[Literal["find"]] = "find"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Close")]

    def __init__(self, state: BenchState, glyphs: Glyphs) -> None:
        super().__init__()
        self._state, self._glyphs = state, glyphs
        self._taken = state.field_scan

    def compose(self) -> ComposeResult:
        with Vertical(id="page"):
            yield Static(Content(self._state.words.line(Say("find_unit"))), classes="title")
            yield Input(max_length=64, id="wanted")
            yield Static(id="found")
            yield Static(Content(self._state.words.text("page-close")), classes="title")

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self.show(self._state)

    def show(self, state: BenchState) -> None:
        self._state = state
        if state.field_scan is not self._taken:
            self._scanned(state.field_scan)
        wanted, width = self.query_one(Input).value, max(20, self.size.width - 4)
        rows = pages.found(state, wanted, width, self._glyphs)
        self.query_one("#found", Static).update(Content("\n".join(rows)))

    def _scanned(self, scan: FieldScan | None) -> None:
        """Put a scan into the field as if typed; if it cannot be searched for, show why as the placeholder."""
        self._taken = scan
        if scan is not None and scan.field == self.takes_scans:
            field = self.query_one(Input)
            field.value, field.placeholder = scan.text, scan.problem

    def on_input_changed(self, _event: Input.Changed) -> None:
        self.show(self._state)

    def action_close(self) -> None:
        self.dismiss(None)
