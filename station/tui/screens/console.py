"""The window of a unit's serial console: what the unit prints, and a field whose lines go to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ...engine.commands import CloseConsole, Command, TypeConsole
from ...view.state import BenchState, ConsoleText
from .page import Following, Window

MAX_TYPED = 254  # characters; a unit takes no more bytes at a time


class TypedInput(Input):
    """A field for the console. Shows dots while the unit waits for a secret; copying is disabled then."""

    def __init__(self) -> None:
        super().__init__(max_length=MAX_TYPED, id="typed")

    def action_copy(self) -> None:
        """Copy, but no secret."""
        if not self.password:
            super().action_copy()

    def action_cut(self) -> None:
        """Cut, but no secret."""
        if not self.password:
            super().action_cut()


class ConsoleWindow(Following, Window, ModalScreen[None]):
    """Shows the console of one slot until it is closed here; once the unit is gone it says so and sends nothing."""

    answers = "console-keys"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", priority=True),
        Binding("pageup", "page(-1)", show=False, priority=True),
        Binding("pagedown", "page(1)", show=False, priority=True),
    ]

    def __init__(self, number: int, state: BenchState, send: Callable[[Command], None]) -> None:
        super().__init__()
        self._number, self._words, self._send = number, state.words, send
        slot = state.slot(number)
        self._before = slot.console if slot is not None else None  # of an earlier window
        self._text: ConsoleText | None = None

    def compose(self) -> ComposeResult:
        """Lay out what was printed above, the field to type into below."""
        text = self._words.text
        with Vertical(id="window"):
            yield Static(Content(text("console-title", slot=str(self._number))), id="question")
            with VerticalScroll(id="lines", can_focus=False):
                yield Static()
            yield TypedInput()
            yield Static(Content(text(self.answers)), id="answers")

    def on_mount(self) -> None:
        self.query_one(TypedInput).focus()
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def show(self, state: BenchState) -> None:
        """Show what was printed since; a slot whose unit has left has no console any more."""
        if not self.is_mounted:
            return
        slot = state.slot(self._number)
        found = slot.console if slot is not None else None
        if found is self._before or found == self._text:
            if found is None and self._text is not None:
                self._ended()
            return
        if found is None:
            self._ended()
        elif not (self._text is not None and self._text.closed):
            self._text = found
            self._draw()

    def _ended(self) -> None:
        if self._text is not None and not self._text.closed:
            self._text = ConsoleText(self._text.lines, closed="left")
            self._draw()

    def _draw(self) -> None:
        console, typed = self._text, self.query_one(TypedInput)
        lines = list(console.lines) if console is not None else [self._words.text("console-opening")]
        if console is not None and console.closed:
            why = self._words.text(f"console-ended-{console.closed}", slot=str(self._number), why=console.reason)
            lines += ["", why] if lines else [why]
        typed.password = console is not None and console.asks_secret
        typed.disabled = console is not None and bool(console.closed)
        box = self.query_one("#lines", VerticalScroll)
        box.query_one(Static).update(Content("\n".join(lines)))
        box.scroll_end(animate=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Send what was typed, and forget it."""
        if self._text is not None and not self._text.closed:
            self._send(TypeConsole(self._number, event.value))
            event.input.value = ""

    def action_page(self, by: int) -> None:
        box = self.query_one("#lines", VerticalScroll)
        box.scroll_relative(y=by * max(1, box.size.height - 1), animate=False)

    def action_close(self) -> None:
        """Close the window, and the console if it is open or being opened."""
        if self._text is None or not self._text.closed:
            self._send(CloseConsole(self._number))
        self.dismiss(None)
