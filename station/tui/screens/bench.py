"""The bench screen: header, slots, the last events, keys."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid
from textual.content import Content
from textual.widgets import Static

from ...view.bars import frame
from ...view.layout import Layout, Rows, arrange, in_order, places
from ...view.look import Glyphs
from ...view.state import BenchState
from ...words.cells import pad
from ..widgets.slot import SlotTile
from .page import Keyed, Window


class BenchScreen(Keyed):
    """Draws all slots; its keys act through the app."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(n), f"app.digit({n})", f"Slot {n}", show=False) for n in range(10)),
        Binding("enter", "app.details", "Details"),
        Binding("r", "app.retry", "Retry"),
        Binding("l", "app.light", "Light"),
        Binding("x", "app.stop", "Stop"),
        Binding("s", "app.label", "Type a label"),
        Binding("o", "app.off", "Out of service"),
        Binding("b", "app.batch", "Batch"),
        Binding("f", "app.find", "Find"),
        Binding("left", "app.move(-1)", show=False),
        Binding("right", "app.move(1)", show=False),
        Binding("up", "row(-1)", show=False),
        Binding("down", "row(1)", show=False),
        Binding("escape", "app.slot(0)", show=False),
    ]

    def __init__(self, glyphs: Glyphs, rows: Rows = ()) -> None:
        super().__init__()
        self._glyphs, self._rows = glyphs, rows
        self._places: list[int] = []  # what is drawn in each place of the grid, 0: nothing
        self._drawn: BenchState | None = None
        self._hint = ""
        self._selected: int | None = None
        self._seconds = 0.0
        self._is_building = False
        self._texts: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        yield Static(id="header")
        yield Grid(id="slots")
        yield Static(id="log")
        yield Static(id="line")
        yield Static(id="keys")

    def show(self, state: BenchState, *, hint: str = "", selected: int | None = None, seconds: float = 0.0) -> None:
        """Draw ``state``; the tiles are rebuilt only if the set of slots changed."""
        self._drawn, self._hint, self._selected, self._seconds = state, hint, selected, seconds
        if not self.is_mounted or self._is_building:
            return
        slots = {slot.number: slot for slot in state.slots}
        if self._places != places([*slots], self._plan(state)):
            self._is_building = True
            self.call_later(self._rebuild)
            return
        for tile in self.query(SlotTile):
            slot = slots[tile.slot.number]
            tile.show(slot, is_selected=slot.number == selected, seconds=seconds, is_mixed=state.is_mixed)
        self._show_bars(state)

    async def _rebuild(self) -> None:
        """Replace the tiles by those of the latest state, then draw it."""
        grid = self.query_one("#slots", Grid)
        await grid.remove_children()
        if (state := self._drawn) is not None:
            slots = {slot.number: slot for slot in state.slots}
            self._places = places([*slots], self._plan(state))
            tiles = (SlotTile(slots[n], self._glyphs, state.words) if n else Static() for n in self._places)
            await grid.mount(*tiles)
        self._is_building = False
        self._again()

    def _again(self) -> None:
        if self._drawn is not None:
            self._arrange(self._drawn)
            self.show(self._drawn, hint=self._hint, selected=self._selected, seconds=self._seconds)

    def _plan(self, state: BenchState) -> Layout:
        is_bench = {n for row in self._rows for n in row if n} == {slot.number for slot in state.slots}
        return arrange(len(state.slots), self.size.width, self.size.height, self._rows if is_bench else ())

    def _arrange(self, state: BenchState) -> None:
        plan = self._plan(state)
        grid = self.query_one("#slots", Grid)
        grid.styles.grid_size_columns = plan.columns
        grid.styles.grid_size_rows = plan.rows
        grid.styles.grid_rows = str(plan.tile_rows)
        self.query_one("#log").styles.height = plan.log_rows
        self.query_one("#log").display = plan.log_rows > 0

    def _show_bars(self, state: BenchState) -> None:
        width = self.size.width - 2
        rows = self._plan(state).log_rows
        around = frame(state, width, rows, self._glyphs, self._hint, self._selected, self.stray)
        self._put("header", f" {pad(around.header, width)} ")
        self._put("log", "\n".join(around.log))
        self._put("line", around.line)
        over = self.app.screen
        self._put("keys", state.words.text(over.answers) if isinstance(over, Window) else around.keys)
        self.query_one("#line").set_class(around.is_notice, "-notice")
        self.query_one("#keys").set_class(bool(self.stray), "-notice")

    def show_keys(self) -> None:
        if self._drawn is not None:
            self._show_bars(self._drawn)

    async def action_row(self, by: int) -> None:
        """Select the next slot above (-1) or below (1) the selected one, wrapping around; the first if none is."""
        state, at = self._drawn, self._selected
        if state is None:
            return
        across = self._plan(state).columns
        column = self._places[self._places.index(at) % across :: across] if at in self._places else []
        slots = [number for number in column if number]
        numbers = in_order([slot.number for slot in state.slots], self._rows)
        step = numbers.index(slots[(slots.index(at) + by) % len(slots)]) - numbers.index(at) if at in slots else by
        await self.run_action(f"app.move({step})")

    def _put(self, where: str, text: str) -> None:
        """Show ``text``; one that is shown already costs no redraw."""
        if self._texts.get(where) != text:
            self._texts[where] = text
            self.query_one(f"#{where}", Static).update(Content(text), layout=False)

    def on_mount(self) -> None:
        if self._drawn is not None:
            self.show(self._drawn)

    def on_screen_suspend(self) -> None:
        """Name the keys of the window that covers the bench; Textual calls it."""
        if self._drawn is not None:
            self._show_bars(self._drawn)

    def on_screen_resume(self) -> None:
        self.on_screen_suspend()

    def on_resize(self, _event: events.Resize) -> None:
        self._again()
