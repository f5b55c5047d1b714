"""The tile of one slot on the bench screen, drawn as composed by `tile.compose`."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from ...view.look import Glyphs, Look
from ...view.state import SlotState
from ...view.tile import Place, compose
from ...words.catalogue import Words


class SlotTile(Widget):
    """Shows its state by one CSS class per look; the colours are in station.tcss."""

    can_focus = False

    def __init__(self, slot: SlotState, glyphs: Glyphs, words: Words) -> None:
        super().__init__()
        self.slot = slot
        self._glyphs, self._words = glyphs, words
        self._is_lit = True
        self._is_selected = self._is_mixed = False
        self._dress()

    def show(self, slot: SlotState, *, is_selected: bool, is_lit: bool, is_mixed: bool) -> None:
        """Redraw if anything visible changed."""
        is_lit = is_lit or slot.look is not Look.HANDS
        shown = (slot, is_selected, is_lit, is_mixed)
        if shown == (self.slot, self._is_selected, self._is_lit, self._is_mixed):
            return
        self.slot, self._is_selected, self._is_lit, self._is_mixed = shown
        self._dress()
        self.refresh()

    def _dress(self) -> None:
        for look in Look:
            self.set_class(self.slot.look is look, f"-{look.value}")
        self.set_class(self._is_selected, "-selected")
        mark = self._glyphs.cursor if self._is_selected else ""
        self.border_title = Content(f"{mark}{self.slot.number}")  # Content: markup is not interpreted

    def render(self) -> Content:
        """Return the tile's lines for its current size."""
        size = self.content_size
        place = Place(size.width, size.height, self._words, self._glyphs, self._is_lit, self._is_mixed)
        lines = [
            Content.styled(line.text, " ".join(filter(None, ("bold" if line.is_bold else "", line.colour))))
            for line in compose(self.slot, place)
        ]
        return Content("\n").join(lines)
