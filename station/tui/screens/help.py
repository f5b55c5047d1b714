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
from ...view.look import FACES, Glyphs, Look
from ...view.words import LEDS

_DOES = {
    Look.RUNNING: "wait",
    Look.WAITS: "wait, it goes on by itself",
    Look.HANDS: "do what it says",
    Look.PASS: "unplug",
    Look.PENDING: "set-aside tray, finished later",
    Look.FAIL: "red bin, or where it says",
    Look.ABORTED: "plug it in again",
    Look.ERROR: "unit is not judged: check what it says",
}


class Help(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q,enter", "close", "Close")]

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="window"):
            yield Static(Content("\n".join(self._lines())))

    def _lines(self) -> list[str]:
        signs = [
            f"  {self._glyphs.shape(look):<5}{FACES[look].word or 'its step':<15}{does}" for look, does in _DOES.items()
        ]
        more = {"1-9": "slot; a second digit at once: 12"}
        keys = [f"  {key:<7}{more.get(key, what)}" for key, what in KEYS]
        lights = [f"  {light.words:<21}{light.means}" for light in LEDS.values()]
        return ["SIGNS", *signs, "", "KEYS", *keys, "", "LIGHTS OF A UNIT", *lights, "", "[Esc] close"]

    def action_close(self) -> None:
        self.dismiss(None)
