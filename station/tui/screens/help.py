"""What the keys do and what the signs mean."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from ...view.bars import KEYS
from ...view.look import LIGHTS, Glyphs, Look
from ...words.catalogue import Words
from ...words.cells import pad


class Help(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q,enter", "close", "Close")]

    def __init__(self, glyphs: Glyphs, words: Words) -> None:
        super().__init__()
        self._glyphs, self._words = glyphs, words

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="window"):
            yield Static(Content("\n".join(self._lines())))

    def _lines(self) -> list[str]:
        text = self._words.text
        faces = [(look, self._words.face(look.value)) for look in Look if look is not Look.EMPTY]
        signs = [
            f"  {pad(self._glyphs.shape(look), 5)}{pad(face.word or text('help-its-step'), 15)}{face.means}"
            for look, face in faces
        ]
        more = {"1-9": "help-numbers"}
        keys = [f"  {pad(key, 7)}{text(more.get(key, what))}" for key, what in KEYS]
        lights = [f"  {pad(self._words.led(name), 21)}{self._words.led_means(name)}" for name in LIGHTS]
        return [
            text("help-signs"), *signs, "", text("help-keys"), *keys, "", text("help-lights"), *lights, "",
            text("page-close"),
        ]  # fmt: skip

    def action_close(self) -> None:
        self.dismiss(None)
