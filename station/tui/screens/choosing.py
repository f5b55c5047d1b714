"""A window in which one of a few things is chosen; what lights do, it shows as they do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.geometry import Region
from textual.screen import ModalScreen
from textual.widgets import Static

from ...view.panels import Line, dim, line
from ..widgets.panel import content_of
from .page import Window

BEAT_S = 0.25
"""How often lights are drawn: the shortest time one is on or off."""


Draw = Callable[[str, float], Line]
"""Composes the row of a name, so many seconds after the window opened."""


class Choice(Window, ModalScreen[str | None]):
    """Returns the name chosen, or None."""

    answers = "window-choose"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("enter", "take", show=False),
        Binding("escape,q", "close", show=False),
    ]

    def __init__(self, title: str, names: tuple[str, ...], draw: Draw, keys: str, *, is_animated: bool) -> None:
        super().__init__()
        self._title, self._names, self._draw, self._keys, self._is_animated = title, names, draw, keys, is_animated
        self._chosen, self._seconds = 0, 0.0

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="window"):
            yield Static(id="rows")

    def on_mount(self) -> None:
        self._show()
        if self._is_animated:
            self.set_interval(BEAT_S, self._beat)

    def _beat(self) -> None:
        self._seconds += BEAT_S
        self._show()

    def _show(self) -> None:
        rows = [
            line("▸ " if index == self._chosen and not self.app.has_class("-ascii") else
                 "> " if index == self._chosen else "  ", *self._draw(name, self._seconds))
            for index, name in enumerate(self._names)
        ]  # fmt: skip
        self.query_one("#rows", Static).update(content_of([line(self._title), (), *rows, (), (dim(self._keys),)]))

    def action_move(self, by: int) -> None:
        self._chosen = (self._chosen + by) % len(self._names)
        self._show()
        window = self.query_one("#window", VerticalScroll)
        window.scroll_to_region(Region(0, self._chosen + 2, 1, 1), animate=False)

    def action_take(self) -> None:
        self.dismiss(self._names[self._chosen])

    def action_close(self) -> None:
        self.dismiss(None)
