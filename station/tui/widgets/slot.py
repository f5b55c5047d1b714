"""The tile of one slot on the bench screen, drawn as composed by `tile.compose`."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from ...view.look import Glyphs, Look
from ...view.state import SlotState
from ...view.tile import Line, Place, Tile, compose
from ...words.catalogue import Words


class SlotTile(Widget):
    """Shows its state by one CSS class per look; the colours are in station.tcss.

    Redraws only when what it shows changes: progress that moves no bar costs nothing.
    """

    can_focus = False

    def __init__(self, slot: SlotState, glyphs: Glyphs, words: Words) -> None:
        super().__init__()
        self.slot = slot
        self._glyphs, self._words = glyphs, words
        self._is_lit = True
        self._is_selected = self._is_mixed = False
        self._tile, self._framed = Tile("", (), ""), ("", "")
        self._dress()

    def show(self, slot: SlotState, *, is_selected: bool, is_lit: bool, is_mixed: bool) -> None:
        """Redraw if anything visible changed."""
        is_lit = is_lit or slot.look is not Look.HANDS
        shown = (slot, is_selected, is_lit, is_mixed)
        if shown == (self.slot, self._is_selected, self._is_lit, self._is_mixed):
            return
        self.slot, self._is_selected, self._is_lit, self._is_mixed = shown
        self._dress()
        if self._fill():
            self.refresh()

    def _dress(self) -> None:
        for look in Look:
            self.set_class(self.slot.look is look, f"-{look.value}")
        self.set_class(self._is_selected, "-selected")
        self._frame()

    def _frame(self) -> None:
        mark = self._glyphs.cursor if self._is_selected else ""
        framed = (f"{mark}{self._tile.title or self.slot.number}", self._tile.foot)
        if framed != self._framed:
            self._framed = framed
            self.border_title, self.border_subtitle = map(Content, framed)  # Content: markup is not interpreted

    def _fill(self) -> bool:
        """Compose for the current size; returns whether the lines changed."""
        size = self.content_size
        place = Place(size.width, size.height, self._words, self._glyphs, self._is_lit, self._is_mixed)
        was, self._tile = self._tile, compose(self.slot, place)
        self._frame()
        return was.lines != self._tile.lines

    def on_resize(self) -> None:
        self._fill()
        self.refresh()

    def render(self) -> Content:
        """Return the tile's lines for its current size."""
        return Content("\n").join(_styled(line) for line in self._tile.lines)


def _styled(line: Line) -> Content:
    style = " ".join(filter(None, ("bold" if line.is_bold else "", line.colour, line.ground and f"on {line.ground}")))
    return Content.styled(line.text, style)
