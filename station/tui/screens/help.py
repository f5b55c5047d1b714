"""The help screen: what the keys do, what the signs mean, and the lights of a unit as they blink."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from ...view.look import Glyphs
from ...view.pages import help_lines
from ...words.catalogue import Words
from ..widgets.panel import content_of
from .choosing import BEAT_S
from .page import Window

FRAME = 8  # cells across that the window's border, padding and scroll bar take


class Help(Window, ModalScreen[None]):
    """Signs, keys and lights, one line each. ``of_page``: the keys of the page below, if not the bench's."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q,enter", "close", "Close")]

    def __init__(self, glyphs: Glyphs, words: Words, of_page: Sequence[str] = (), *, is_animated: bool = True) -> None:
        super().__init__()
        self._of_page = of_page
        self._glyphs, self._words, self._is_animated = glyphs, words, is_animated
        self._seconds = 0.0

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="window"):
            yield Static()

    def on_mount(self) -> None:
        self._show()
        if self._is_animated:
            self.set_interval(BEAT_S, self._beat)

    def on_resize(self) -> None:
        self._show()

    def _beat(self) -> None:
        self._seconds += BEAT_S
        self._show()

    def _show(self) -> None:
        width = self.app.size.width - FRAME
        lines = help_lines(self._words, self._glyphs, width, self._seconds, self._of_page)
        self.query_one(Static).update(content_of(lines))

    def action_close(self) -> None:
        self.dismiss(None)
