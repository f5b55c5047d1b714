"""What the supervisor's screens share: they follow the state, and ask the records on threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import Worker, WorkerState

from ...engine.commands import ScanField
from ...view.ink import Ink, Line, keys
from ...view.state import BenchState

T = TypeVar("T")
SOON_S = 0.5
"""So long after a change the records are asked again, once for all changes meanwhile."""


def inked(lines: Iterable[Line]) -> Content:
    """Return lines with the colours of the palette."""
    return Content("\n").join(
        Content.assemble(*((piece.text, _style(piece)) for piece in one)) if one else Content("") for one in lines
    )


def _style(piece: Ink) -> str:
    if piece.look is None:
        return piece.style
    name = piece.look.value
    ground = f"${name}-fill" if piece.is_drawn else f"${name}-text on ${name}-fill"
    return f"{piece.style} {ground}".strip()


def show_keys(screen: Screen[Any], text: str) -> None:
    """Put the keys that work into the last line of ``screen``, as many as fit."""
    screen.query_one("#keys", Static).update(Content(keys(text, screen.size.width - 2)))


class Asking:
    """Asks the records on threads of their own. To be mixed into a `Screen`.

    A later question of a group takes the place of an earlier one, whose answer is dropped.
    """

    def __init__(self) -> None:
        super().__init__()
        self._answers: dict[str, Callable[[Any], None]] = {}

    def ask(self, group: str, question: Callable[[], T], answered: Callable[[T], None]) -> None:
        """Have ``answered`` called with what ``question`` returns, unless another question of ``group`` follows."""
        assert isinstance(self, Screen)
        self._answers[group] = answered
        self.run_worker(question, group=group, thread=True, exclusive=True, exit_on_error=False)

    def failed(self, why: str) -> None:
        """Say that a question could not be answered."""

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Hand an answer to who asked for it; Textual calls it."""
        if event.state is WorkerState.SUCCESS:
            self._answers[event.worker.group](event.worker.result)
        elif event.state is WorkerState.ERROR:
            self.failed(str(event.worker.error))


class Following:
    """A screen that is shown every new state. ``takes_scans``: its field that a scan goes to, if it has one."""

    takes_scans: ScanField = ""

    def show(self, state: BenchState) -> None:
        """Draw ``state``."""


class Window:
    """A small screen over the bench. ``answers``: the key of the text that names the keys it takes."""

    answers = "page-close"
