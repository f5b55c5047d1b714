"""The tile of one slot on the bench screen, drawn as composed by `tile.compose`."""

from __future__ import annotations

from typing import Self

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from ...view.look import Glyphs, Look
from ...view.state import SlotState
from ...view.tile import Line, Place, Tile, compose
from ...words.catalogue import Words
from ...words.cells import width_of


class SlotTile(Widget):
    """Shows its state by one CSS class per look; the colours are in station.tcss.

    Draws only the lines that changed: on a busy bench bars move all the time, and little else does.
    """

    can_focus = False

    def __init__(self, slot: SlotState, glyphs: Glyphs, words: Words) -> None:
        super().__init__()
        self.slot = slot
        self._glyphs, self._words = glyphs, words
        self._seconds = 0.0
        self._is_framing = False
        self._is_selected = self._is_mixed = False
        self._tile, self._framed = Tile("", (), ""), ("", "")
        self._ground: Style | None = None  # the style of all its cells, until that changes
        self._dress()

    def notify_style_update(self) -> None:
        self._ground = None
        super().notify_style_update()

    def show(self, slot: SlotState, *, is_selected: bool, seconds: float, is_mixed: bool) -> None:
        """Redraw what changed. ``seconds``: the time by which lights blink."""
        seconds = seconds if slot.look is Look.HANDS else 0.0
        shown = (slot, is_selected, seconds, is_mixed)
        if shown == (self.slot, self._is_selected, self._seconds, self._is_mixed):
            return
        dressed = (self.slot.look, self._is_selected)
        self.slot, self._is_selected, self._seconds, self._is_mixed = shown
        if dressed != (slot.look, is_selected):
            self._dress()
        was = self._tile.lines
        self._fill()
        if len(was) != len(self._tile.lines):
            self.refresh()
        elif changed := [y for y, line in enumerate(self._tile.lines) if line != was[y]]:
            self.refresh(*(Region(0, y, self.content_size.width, 1) for y in changed))

    def _dress(self) -> None:
        for look in Look:
            self.set_class(self.slot.look is look, f"-{look.value}")
        self.set_class(self._is_selected, "-selected")
        self._frame()

    def _fill(self) -> None:
        """Compose for the current size."""
        size = self.content_size
        place = Place(size.width, size.height, self._words, self._glyphs, self._seconds, self._is_mixed)
        self._tile = compose(self.slot, place)
        self._frame()

    def _frame(self) -> None:
        mark = self._glyphs.cursor if self._is_selected else ""
        framed = (f"{mark}{self._tile.title or self.slot.number}", self._tile.foot)
        if framed != self._framed:
            before, self._framed = self._framed, framed
            self._is_framing = True
            self.border_title, self.border_subtitle = map(Content, framed)  # Content: markup is not interpreted
            self._is_framing = False
            for y, old, new in zip((-1, self.content_size.height), before, framed, strict=True):
                if old != new:
                    self.refresh(Region(-1, y, self.size.width + 2, 1))

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Redraw ``regions``, else all. A new text in the border redraws its line, where Textual redraws the widget."""
        if self._is_framing:
            return self
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def on_resize(self) -> None:
        self._fill()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return line ``y``, centred."""
        line = self._tile.lines[y] if y < len(self._tile.lines) else Line()
        if self._ground is None:
            self._ground = self.rich_style
        width, base = self.content_size.width, self._ground
        style = base + Style(bold=line.is_bold or None, color=line.colour or None, bgcolor=line.ground or None)
        left = max(0, (width - width_of(line.text)) // 2)
        right = max(0, width - left - width_of(line.text))
        return Strip([Segment(" " * left, base), Segment(line.text, style), Segment(" " * right, base)], width)
