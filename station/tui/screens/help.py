"""The help screen: what the keys do and what the signs mean."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from ...view.look import Glyphs
from ...view.pages import help_lines
from ...words.catalogue import Words


class Help(ModalScreen[None]):
    """Signs, keys and lights, one line each."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q,enter", "close", "Close")]

    def __init__(self, glyphs: Glyphs, words: Words) -> None:
        super().__init__()
        self._glyphs, self._words = glyphs, words

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="window"):
            yield Static(Content("\n".join(help_lines(self._words, self._glyphs))))

    def action_close(self) -> None:
        self.dismiss(None)
