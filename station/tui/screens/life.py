"""The whole life of one unit: identities, attempts with every step, what it owes."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ...view import units
from ...view.look import Glyphs
from ...view.records import Life, Records
from ...view.state import BenchState
from .page import Asking, Following, Keyed, inked


class LifeOf(Following, Asking, Keyed):
    """Tells all the journal knows of the unit ``device_id``; arrows and pages scroll."""

    KEYS = "page-life-keys"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "close", "Close")]

    def __init__(self, device_id: str, state: BenchState, records: Records, glyphs: Glyphs) -> None:
        super().__init__()
        self._device_id, self._state, self._records, self._glyphs = device_id, state, records, glyphs
        self._life: Life | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="page"):
            with VerticalScroll(id="life", classes="panel"):
                yield Static(id="told")
            yield Static(id="problem")
            yield Static(id="keys")

    def on_mount(self) -> None:
        self.query_one("#life").border_title = Content(self._device_id)
        self.query_one("#life").focus()
        self.ask("life", lambda: self._records.life(self._device_id), self._read)

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def show(self, state: BenchState) -> None:
        """Read it again if an attempt on this unit ended."""
        before, self._state = self._state, state
        if state.history[:1] != before.history[:1] and state.history[0].device_id == self._device_id:
            self.ask("life", lambda: self._records.life(self._device_id), self._read)

    def failed(self, why: str) -> None:
        self.query_one("#problem", Static).update(Content(why))

    def _read(self, life: Life | None) -> None:
        self._life = life
        self._draw()

    def _draw(self) -> None:
        self.show_keys()
        if self._life is not None:
            width = max(40, self.query_one("#life").scrollable_content_region.width)
            self.query_one("#told", Static).update(
                inked(units.life(self._life, width, self._state.words, self._glyphs))
            )

    def action_close(self) -> None:
        self.dismiss(None)
