"""A long list of units that pages from the records: what the screens find, owed work and rework have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from ...view.ink import Line, chosen, line
from ...view.look import Glyphs
from ...view.records import OwedRow, Part, Records, UnitRow
from ...view.state import BenchState
from .life import LifeOf
from .page import SOON_S, Asking, Following, Keyed, inked

R = TypeVar("R", UnitRow, OwedRow)


class Listing(Following, Asking, Keyed, Generic[R]):
    """Up, Down, Page Up, Page Down and Home move, Enter tells the life of the chosen unit. Rows are asked for as they
    come into sight.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close"),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("pageup", "page(-1)", show=False, priority=True),
        Binding("pagedown", "page(1)", show=False, priority=True),
        Binding("ctrl+home", "move(-1000000000)", show=False, priority=True),
        Binding("enter", "open", show=False, priority=True),
    ]
    TITLE: ClassVar[str]
    KEYS: ClassVar[str]
    NONE: ClassVar[str]
    """Keys of the catalogue: its title, its keys, and what it says when it is empty."""

    def __init__(self, state: BenchState, records: Records, glyphs: Glyphs) -> None:
        super().__init__()
        self._state, self._records, self._glyphs = state, records, glyphs
        self._part: Part[R] = Part()
        self._at = self._top = 0
        self._is_read = False
        self._soon: Timer | None = None

    # --- what a screen of its own says ---

    def fetch(self, start: int, count: int) -> Callable[[], Part[R]]:
        """Return what reads ``count`` rows from ``start`` on, to be called on another thread."""
        raise NotImplementedError

    def lines(self, rows: Sequence[R], width: int) -> list[Line]:
        """Return a line for each row."""
        raise NotImplementedError

    def unit(self, row: R) -> UnitRow:
        """Return the unit of a row."""
        raise NotImplementedError

    # --- the list ---

    def compose(self) -> ComposeResult:
        with Vertical(id="page"):
            yield from self.above()
            yield Static(id="list", classes="panel")
            yield Static(id="problem")
            yield Static(id="keys")

    def above(self) -> ComposeResult:
        """Yield what stands above the list."""
        yield from ()

    def on_mount(self) -> None:
        self.query_one("#list", Static).border_title = Content(self._state.words.text(self.TITLE))
        self.call_after_refresh(self.again)

    def on_resize(self) -> None:
        self.call_after_refresh(self.again)

    def show(self, state: BenchState) -> None:
        """Read the list again soon if something happened that may change it."""
        if _mark(state) != _mark(self._state) and self._soon is None:
            self._soon = self.set_timer(SOON_S, self._is_due)
        self._state = state

    def _is_due(self) -> None:
        self._soon = None
        self.again()

    def again(self) -> None:
        """Read what is in sight once more."""
        self.show_keys()
        count = self._room
        self._top = max(0, min(self._top, self._at), self._at - count + 1)
        self.ask("list", self.fetch(self._top, count), self._read)

    def failed(self, why: str) -> None:
        self.query_one("#problem", Static).update(Content(why))

    def _read(self, part: Part[R]) -> None:
        self._part, self._is_read = part, True
        if self._at >= part.total and self._at:
            self._at = max(0, part.total - 1)
            if self._at < part.start:  # the list became shorter than what was in sight
                self.again()
                return
        self._draw()

    @property
    def _room(self) -> int:
        return max(1, self.query_one("#list").content_size.height)

    def _draw(self) -> None:
        panel, text = self.query_one("#list", Static), self._state.words.text
        rows = self._part.rows
        width = max(20, panel.content_size.width)
        if rows:
            panel.update(inked(chosen(self.lines(rows, width - 2), self._at - self._part.start, self._glyphs)))
        elif self._is_read:
            panel.update(inked([line(text(self.NONE))]))
        counted = text("page-of", count=str(min(self._at + 1, self._part.total)), target=str(self._part.total))
        panel.border_subtitle = Content(counted if self._part.total else "")

    @property
    def _row(self) -> R | None:
        """Return the chosen row, if it was read already."""
        place = self._at - self._part.start
        return self._part.rows[place] if 0 <= place < len(self._part.rows) else None

    def action_move(self, by: int) -> None:
        """Choose the row ``by`` rows further down; one that was not read yet is asked for."""
        self._at = max(0, min(self._at + by, self._part.total - 1))
        place, count = self._at - self._part.start, self._room
        if not 0 <= place < len(self._part.rows):
            self._top = max(0, self._at - (count - 1 if by > 0 else 0))
            self.again()
        else:
            self._draw()

    def action_page(self, by: int) -> None:
        self._top = max(0, min(self._top + by * self._room, self._part.total - 1))
        self.action_move(by * self._room)

    def action_open(self) -> None:
        """Tell the life of the chosen unit."""
        if (row := self._row) is not None and (unit := self.unit(row).device_id):
            self.tell(unit)

    def tell(self, device_id: str) -> None:
        """Open the life of a unit."""
        self.app.push_screen(LifeOf(device_id, self._state, self._records, self._glyphs))

    def action_close(self) -> None:
        self.dismiss(None)


def _mark(state: BenchState) -> object:
    """Return what changes whenever a verdict or owed work does."""
    return state.outbox, tuple(one.figures for one in state.batches), state.history[:1]
