"""The screen that opens and closes batches, and shows their progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Static

from ...engine.commands import CloseBatch, Command, OpenBatch
from ...view import pages
from ...view.look import Glyphs
from ...view.state import BenchState, FieldScan, Refusal
from ...words.say import Say
from .asking import Question


class Batches(Screen[None]):
    """Lists open batches (Up and Down choose, Ctrl+D closes) above the fields that open a new one."""

    takes_scans: ClassVar[Literal["batch"]] = "batch"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close"),
        Binding("up", "choose(-1)", show=False, priority=True),
        Binding("down", "choose(1)", show=False, priority=True),
        Binding("ctrl+d", "shut", "Close the batch", priority=True),
    ]

    def __init__(
        self, state: BenchState, send: Callable[[Command], None], profiles: tuple[str, ...], glyphs: Glyphs
    ) -> None:
        super().__init__()
        self._state, self._send, self._profiles, self._glyphs = state, send, profiles, glyphs
        self._chosen = 0
        self._asked = ""  # the batch requested last, until the station refuses it
        self._told = state.refusal
        self._taken = state.field_scan

    def compose(self) -> ComposeResult:
        """Lay out the open batches above, three fields for a new one below."""
        known = f"  ({', '.join(self._profiles)})" if self._profiles else ""
        words = self._state.words
        with Vertical(id="page"):
            yield Static(Content(words.text("page-open")), classes="title")
            yield Static(id="open")
            yield Static(Content(f"{words.text('page-new')}{known}"), classes="title")
            yield Input(placeholder=words.text("page-batch"), max_length=60, id="batch")
            yield Input(
                placeholder=words.text("page-profile"), value=self._profiles[0] if self._profiles else "", id="profile"
            )
            yield Input(placeholder=words.text("page-target"), max_length=7, id="target")
            yield Static(id="problem")
            yield Static(Content(words.text("page-keys")), classes="title")

    def on_mount(self) -> None:
        self.query_one("#batch", Input).focus()
        self.show(self._state)

    def on_resize(self) -> None:
        self.call_after_refresh(lambda: self.show(self._state))  # once the fields below have their place

    def show(self, state: BenchState) -> None:
        self._state = state
        self._chosen = max(0, min(self._chosen, len(state.batches) - 1))
        below = sum(one.outer_size.height for one in self.query_one("#page").children if one.id != "open")
        rows = pages.batches(state, self._chosen, self.size.width - 4, self.size.height - below, self._glyphs)
        self.query_one("#open", Static).update(Content("\n".join(rows)))
        if state.refusal is not None and state.refusal is not self._told:
            self._refused(state.refusal)
        if state.field_scan is not self._taken:
            self._scanned(state.field_scan)

    def _scanned(self, scan: FieldScan | None) -> None:
        self._taken = scan
        if scan is not None and scan.field == self.takes_scans:
            self._say(scan.problem)
            self.query_one("#batch", Input).value = scan.text

    def _refused(self, refusal: Refusal) -> None:
        """Show why the station refused, and restore the name so that only the error has to be retyped."""
        self._told = refusal
        self._say(refusal.text)
        field = self.query_one("#batch", Input)
        field.value = field.value or self._asked
        self._asked = ""

    def _say(self, text: str) -> None:
        self.query_one("#problem", Static).update(Content(text))

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        """Open the batch on Enter in any field, or show which field is wrong."""
        batch, profile, target = (self.query_one(f"#{name}", Input).value.strip() for name in _FIELDS)
        problem = pages.problem_of(batch, profile, target)
        self._say(self._state.words.line(problem) if problem else "")
        if not problem:
            self._asked = batch
            self._send(OpenBatch(batch, profile, int(target) if target else None))
            self.query_one("#batch", Input).value = ""

    def action_choose(self, by: int) -> None:
        self._chosen += by
        self.show(self._state)

    def action_shut(self) -> None:
        """Close the chosen batch after asking: it cannot be reopened."""
        if not self._state.batches:
            return
        batch = self._state.batches[self._chosen].batch.id

        def answered(answer: bool | None) -> None:
            if answer:
                self._say("")  # the message may have been that this batch is still open
                self._send(CloseBatch(batch))

        self.app.push_screen(Question(Say("close_batch", batch=batch), self._state.words), answered)

    def action_close(self) -> None:
        self.dismiss(None)


_FIELDS = ("batch", "profile", "target")
