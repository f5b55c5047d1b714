"""Dialogs with one question: confirm leaving or stopping, type a label."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ...engine.commands import Command, StopSlot
from ...model import MAX_REASON
from ...view.state import SlotState
from ...words.catalogue import Words
from ...words.say import Say
from ..widgets.label_input import LabelInput
from .page import Window


class Question(Window, ModalScreen[bool]):
    """Returns True on Y, False on N or Escape; Enter is too easily pressed by accident to mean yes.

    ``is_asked``: whether the question still applies; once it does not, the window closes.
    """

    answers = "window-yes-no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,j", "answer(True)", "Yes"),  # J as in German "ja"
        Binding("n,escape", "answer(False)", "No"),
    ]

    def __init__(self, asked: Say, words: Words, is_asked: Callable[[], bool] = lambda: True) -> None:
        super().__init__()
        self._asked, self._words, self._is_asked = asked, words, is_asked

    def look(self) -> None:
        """Close once the question no longer applies."""
        if not self._is_asked():
            self.dismiss(False)

    def compose(self) -> ComposeResult:
        sentence = self._words.say(self._asked)
        lines = sentence.lines if sentence else (self._asked.key,)
        with Vertical(id="window"):
            yield Static(Content("\n".join(lines)), id="question")
            yield Static(Content(self._words.text(self.answers)), id="answers")

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)


def stop(
    app: App[None],
    slot: SlotState,
    words: Words,
    now: Callable[[], SlotState | None],
    send: Callable[[Command], None],
) -> None:
    """Stop the attempt in ``slot`` if the answer is yes. ``now`` returns the slot at the time of the answer."""

    def same() -> SlotState | None:
        found = now()
        return found if found is not None and found.is_unjudged and found.attempt == slot.attempt else None

    def is_asked() -> bool:
        found = same()
        return found is not None and found.is_writing >= slot.is_writing

    def answered(answer: bool | None) -> None:
        if answer and same() is not None:
            send(StopSlot(slot.number))

    if not isinstance(app.screen, Question):
        asked = Say("stop_writing" if slot.is_writing else "stop_running", slot=str(slot.number))
        app.push_screen(Question(asked, words, is_asked), answered)


class Typing(Window, ModalScreen[str | None]):
    """Returns the text typed into `field`, or None. ``slot``: the slot it is about, if any."""

    asked: ClassVar[Say]
    answers = "window-label"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Close")]

    def __init__(self, slot: int | None, words: Words) -> None:
        super().__init__()
        self.slot, self._words = slot, words

    def field(self) -> Input:
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        where = "" if self.slot is None else f"{self._words.text('window-slot', slot=str(self.slot))} "
        with Vertical(id="window"):
            yield Static(Content(where + self._words.line(self.asked)), id="question")
            yield self.field()
            yield Static(Content(self._words.text(self.answers)), id="answers")

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip() or None)

    def action_close(self) -> None:
        self.dismiss(None)


class TypeLabel(Typing):
    """Asks for a label."""

    asked = Say("type_label")

    def field(self) -> Input:
        return LabelInput()


class TypeReason(Typing):
    """Asks why ``slot`` goes out of service, as long as the config file takes it."""

    asked = Say("type_reason")

    def field(self) -> Input:
        return Input(max_length=MAX_REASON)
