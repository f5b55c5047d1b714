"""A framed panel of styled lines that scrolls, and the way from such lines to what the terminal shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Region
from textual.widgets import Static

from ...view.look import Look
from ...view.panels import Line, Panel, Span


def content_of(lines: Iterable[Line]) -> Content:
    """Return styled lines as Textual draws them; the colours are variables of station.tcss."""
    return Content("\n").join([Content.assemble(*((span.text, _style(span)) for span in line)) for line in lines])


def _style(span: Span) -> str:
    parts = [
        "bold" if span.is_bold else "", "dim" if span.is_dim else "", span.dot,
        f"${span.look.value}-text on ${span.look.value}-fill" if span.look is not None else "",
    ]  # fmt: skip
    return " ".join(filter(None, parts))


class PanelBox(VerticalScroll):
    """Draws the panel that ``make`` composes for the width it has, again whenever that changes."""

    can_focus = False

    def __init__(self, name: str, make: Callable[[int], Panel | None]) -> None:
        super().__init__(id=name, classes="panel")
        self._make = make
        self._drawn: Panel | None = None

    def compose(self) -> ComposeResult:
        yield Static()

    def on_resize(self) -> None:
        self.show()

    def show(self) -> None:
        """Draw the panel anew if it is not what it was, and scroll to the lines it wants seen."""
        width = self.scrollable_content_region.width
        panel = self._make(width) if width > 0 else None
        if panel is None or panel == self._drawn:
            return
        has_moved = self._drawn is None or panel.keep != self._drawn.keep
        self._drawn = panel
        self.border_title = Content(panel.title)
        for look in Look:
            self.set_class(panel.look is look, f"-{look.value}")
        self.query_one(Static).update(content_of(panel.lines))
        if has_moved:
            first, after = panel.keep
            self.call_after_refresh(
                self.scroll_to_region, Region(0, first, 1, max(1, after - first)), animate=False, force=True
            )
