"""Small windows that ask one thing: leave?, which label?"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ..widgets.label_input import LabelInput
from ..words import line, say


class Question(ModalScreen[bool]):
    """Answers True on Y, False on N or Escape; Enter is pressed too easily to mean yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape", "answer(False)", "No"),
    ]

    def __init__(self, key: str, *values: str) -> None:
        super().__init__()
        self._key, self._values = key, values

    def compose(self) -> ComposeResult:
        entry = say(self._key, self._values)
        lines = entry.lines if entry else (self._key,)
        with Vertical(id="window"):
            yield Static(Content("\n".join(lines)), id="question")
            yield Static(Content("[Y] yes   [N] no"), id="answers")

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)


class TypeLabel(ModalScreen[str | None]):
    """Answers with the text typed, or None. ``slot``: whose label it is to be, if one is selected."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Close")]

    def __init__(self, slot: int | None) -> None:
        super().__init__()
        self.slot = slot

    def compose(self) -> ComposeResult:
        where = "" if self.slot is None else f"Slot {self.slot}. "
        with Vertical(id="window"):
            yield Static(Content(where + line("type_label")), id="question")
            yield LabelInput()
            yield Static(Content("[Enter] use it   [Esc] close"), id="answers")

    def on_mount(self) -> None:
        self.query_one(LabelInput).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        self.dismiss(text or None)

    def action_close(self) -> None:
        self.dismiss(None)
