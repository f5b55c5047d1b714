"""The window that opens a batch: its name, a profile from a list, how many units."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static

from ...engine.commands import Command, OpenBatch, ScanField
from ...view import batches
from ...view.look import Glyphs
from ...view.state import BenchState, FieldScan, Refusal
from .page import Following


class NewBatch(Following, ModalScreen[str | None]):
    """Returns the name of the batch once the station has opened it, or None. Enter in any field opens it.

    ``name``: the one that was scanned already.
    """

    takes_scans: ScanField = "batch"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Close")]

    def __init__(
        self,
        state: BenchState,
        send: Callable[[Command], None],
        profiles: tuple[str, ...],
        glyphs: Glyphs,
        name: str = "",
    ) -> None:
        super().__init__()
        self._state, self._send, self._profiles, self._glyphs, self._name = state, send, profiles, glyphs, name
        self._asked = ""  # the batch requested last, until the station refuses it
        self._told, self._taken = state.refusal, state.field_scan

    def compose(self) -> ComposeResult:
        """Lay out name, profile and target."""
        text = self._state.words.text
        with Vertical(id="window"):
            yield Static(Content(text("page-new")), classes="title")
            yield Input(self._name, placeholder=text("page-batch"), max_length=60, id="batch")
            yield Static(Content(text("page-profile")), classes="title")
            yield OptionList(*(Content(name) for name in self._profiles), id="profile")
            yield Input(placeholder=text("page-target"), max_length=7, id="target")
            yield Static(id="problem")
            yield Static(Content(text("page-keys")), classes="title")

    def on_mount(self) -> None:
        if self._profiles:
            self.query_one(OptionList).highlighted = 0
        self.query_one("#target" if self._name else "#batch", Input).focus()

    def show(self, state: BenchState) -> None:
        """Say why a batch was refused; close the window once it is open."""
        self._state = state
        if state.refusal is not None and state.refusal is not self._told:
            self._refused(state.refusal)
        if state.field_scan is not self._taken:
            self._scanned(state.field_scan)
        if self._asked and any(one.batch.id == self._asked for one in state.batches):
            self.dismiss(self._asked)

    def _scanned(self, scan: FieldScan | None) -> None:
        self._taken = scan
        if scan is not None and scan.field == self.takes_scans:
            self._say(scan.problem)
            self.query_one("#batch", Input).value = scan.text

    def _refused(self, refusal: Refusal) -> None:
        """Show why the station refused; what was typed stands there still, so only the error has to be retyped."""
        self._told, self._asked = refusal, ""
        self._say(refusal.text)

    def _say(self, text: str) -> None:
        self.query_one("#problem", Static).update(Content(text))

    def on_option_list_option_selected(self, _event: OptionList.OptionSelected) -> None:
        self._submit()

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        self._submit()

    def _submit(self) -> None:
        """Ask the station to open the batch, or show which field is wrong."""
        batch, target = (self.query_one(f"#{name}", Input).value.strip() for name in ("batch", "target"))
        at = self.query_one(OptionList).highlighted
        profile = self._profiles[at] if at is not None else ""
        problem = batches.problem_of(batch, profile, target)
        self._say(self._state.words.line(problem) if problem else "")
        if not problem:
            self._asked = batch
            self._send(OpenBatch(batch, profile, int(target) if target else None))

    def action_close(self) -> None:
        self.dismiss(None)
