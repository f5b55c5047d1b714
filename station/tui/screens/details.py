"""One slot from half a metre: steps, identities, modules, wire trace; run a step, retry, light, stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from ...engine.commands import Command, RunStep
from ...view import details
from ...view.bars import details_footer
from ...view.look import Glyphs
from ...view.state import BenchState, SlotState
from .asking import stop


class Details(Screen[None]):
    """The technician's view of one slot."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "Back"),
        Binding("up", "choose(-1)", show=False, priority=True),
        Binding("down", "choose(1)", show=False, priority=True),
        Binding("enter", "run", "Run the step"),
        Binding("r", "app.retry", "Retry"),
        Binding("l", "app.light", "Light"),
        Binding("x", "stop", "Stop"),
    ]

    def __init__(
        self,
        number: int,
        state: BenchState,
        send: Callable[[Command], None],
        glyphs: Glyphs,
    ) -> None:
        super().__init__()
        self._number, self._state, self._send = number, state, send
        self._glyphs = glyphs
        self._chosen = 0

    def compose(self) -> ComposeResult:
        """Lay out steps on the left, identities and firmware on the right, the wire trace below."""
        yield Static(id="summary")
        with Horizontal(id="middle"):
            with VerticalScroll(id="left"):
                yield Static(id="steps")
            with VerticalScroll(id="right"):
                yield Static(id="identities")
                yield Static(id="modules")
        with Vertical(id="below"):
            yield Static(id="trace")
        yield Static(id="keys")

    def on_mount(self) -> None:
        self.show(self._state)

    def on_resize(self) -> None:
        self.show(self._state)

    def show(self, state: BenchState) -> None:
        """Draw the slot from ``state``; if it no longer exists, keep the last drawing."""
        self._state = state
        slot = state.slot(self._number)
        if slot is None or not self.is_mounted:
            return
        self._chosen = max(0, min(self._chosen, len(slot.steps) - 1))
        words = state.words
        self._put("summary", "", details.summary(slot, self._glyphs, words))
        width = self.query_one("#left").scrollable_content_region.width
        self._put("steps", words.text("details-steps"), details.steps(slot, self._glyphs, self._chosen, width, words))
        self._put("identities", words.text("details-identities"), details.identities(slot, self._glyphs, words))
        self._put("modules", words.text("details-firmware"), details.modules(slot, self._glyphs, words))
        rows = max(1, self.query_one("#below").content_size.height - 1)
        self._put("trace", words.text("details-wire"), list(slot.trace[-rows:]))
        self._put("keys", "", [details_footer(self.size.width - 2, words)])

    def _put(self, where: str, title: str, lines: list[str]) -> None:
        text = "\n".join([title, *lines] if title else lines)
        self.query_one(f"#{where}", Static).update(Content(text))

    def _slot(self) -> SlotState | None:
        return self._state.slot(self._number)

    def action_choose(self, by: int) -> None:
        self._chosen += by
        self.show(self._state)

    def action_run(self) -> None:
        slot = self._slot()
        if slot is not None and slot.steps and not slot.is_walking:
            self._send(RunStep(self._number, slot.steps[self._chosen].step))

    def action_stop(self) -> None:
        slot = self._slot()
        if slot is not None and slot.is_walking:
            stop(self.app, slot, self._state.words, self._slot, self._send)

    def action_back(self) -> None:
        self.dismiss(None)
